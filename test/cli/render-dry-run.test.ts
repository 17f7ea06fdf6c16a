import { expect, it } from 'vitest';
import { renderDryRun } from '../../src/cli/render-dry-run.ts';
import { textStyle } from '../../src/cli/text-style.ts';
import { loadBashParser } from '../../src/formula/bash/load-parser.ts';
import { completeInputs } from '../../src/runner/bind-inputs.ts';
import { dryRun } from '../../src/runner/dry-run.ts';
import { noFiles } from '../../src/runner/files-in.ts';
import type { JsonObject } from '../../src/support/json.ts';
import { testProject } from '../support/project.ts';

const style = textStyle(process.stdout, ['--no-color']);

async function dryText(text: string, given: JsonObject, width?: number): Promise<string> {
  const plan = await testProject(text).compile();
  const inputs = completeInputs(plan.inputs, given);
  if (!inputs.ok) throw new Error(inputs.message);
  const dry = dryRun({ plan, inputs: inputs.value, bash: await loadBashParser(), files: () => noFiles });
  return renderDryRun(dry, {}, { style, width });
}

const loop = `
inputs: {names: {type: array, items: {type: string}}}
steps: [{id: each, for_each: inputs.names, parallel: 2, run: 'echo {{item}}'}]
`;

it('shows a terminal the first items of a list and their number, and a file all of them', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const text = await dryText(loop, { names }, 80);
  expect(text.slice(text.indexOf('  each'))).toMatchInlineSnapshot(`
    "  each
        for each of inputs.names = 5 items, 2 at once
        [0] "a"
          │ echo a
        [1] "b"
          │ echo b
        [2] "c"
          │ echo c
        … 2 more items"
  `);
  expect(await dryText(loop, { names })).toContain('[4] "e"\n      │ echo e');
});

it('shows a command to its last character, whatever the width', async () => {
  const long = 'word '.repeat(50).trimEnd();
  expect(await dryText(loop, { names: [long] }, 80)).toContain(`│ echo '${long}'`);
});

it('lists what would fail, with where', async () => {
  const text = await dryText(
    `
inputs: {path: {type: string}}
steps:
  - {id: long, run: 'echo {{inputs.path}}', env: {TEXT: '{{file inputs.path}}'}}
  - {id: many, needs: [], run: [echo, '{{inputs.path}}'], verify: [{run: 'test {{size (file inputs.path)}} = 1'}, {check: "inputs.path == ''"}]}
`,
    { path: 'line\n'.repeat(8) },
  );
  expect(text.slice(text.indexOf('  long'))).toMatchInlineSnapshot(`
    "  long
        │ echo "\${__wf_0}"
        with __wf_0 =
          line
          line
          line
          line
          line
          line
          line
          line
        env TEXT=would fail: {{file}} cannot read "line␊line␊line␊line␊line␊line␊line␊line␊": there is no such file
      many  at once
        │ echo 'line
        │ line
        │ line
        │ line
        │ line
        │ line
        │ line
        │ line
        │ '
        verify test ‹size (file inputs.path)› = 1
        verify inputs.path == ''  (false)

    not known before the run
      file line␊line␊line␊line␊line␊line␊line␊line␊

    would fail
      long  {{file}} cannot read "line␊line␊line␊line␊line␊line␊line␊line␊": there is no such file"
  `);
});
