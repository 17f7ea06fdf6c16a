import { describe, expect, it } from 'vitest';
import type { Diagnostic, Position } from '../../src/diagnostics/diagnostic.ts';
import { checkProject } from '../../src/plan/check-project.ts';
import { memoryLoader } from '../support/memory-loader.ts';

const files: Readonly<Record<string, string>> = {
  'wf.yaml': 'people: {maintainers: [ann@example.com]}\n',
  'molecules/greet.yaml':
    "molecule: greet\ninputs: {whom: {type: string}}\nrun: 'echo {{inputs.whom}}'\noutputs: {said: {type: string}}\n",
  'formulas/guard.yaml': 'aspect: guard\nrules: [{match: {tags: [x]}, before: [{id: look, run: ls}]}]\n',
  'formulas/base.yaml': 'formula: base\nsteps:\n  - {id: build, run: make}\n  - {id: test, run: make test}\n',
  'formulas/more.yaml':
    'formula: more\nextends: base\nremove: [test]\nsteps: [{id: note, after: build, run: ls}]\n',
  'formulas/a.test.yaml':
    'tests:\n  - name: t\n    inputs: {word: x}\n    stubs: {build: {}}\n    expect: {status: succeeded}\n',
  'formulas/a.yaml': `formula: a
aspects: [guard]
inputs:
  word: {type: string, default: hello}
steps:
  - id: build
    tags: [x]
    run: 'echo "{{inputs.word}}" > "$WF_OUTPUT"'
    outputs: {platform: {type: string}, size: {type: integer}, at: {type: string, format: uri}}
    timeout: 5m
    on_failure: handoff
  - {id: zone, needs: [build], wait: {until: '2030-01-01T00:00:00[Europe/Berlin]'}}
  - {id: nested, needs: [build], uses: formula/base}
  - {id: greeting, needs: ['build'], uses: greet, with: {whom: '{{steps.build.outputs.platform}}'}}
  - {id: ask, when: size(steps.build.outputs.platform) > 2, approve: {ask: 'Well?', by: [maintainers]}}
outputs: {platform: steps.build.outputs.platform}
`,
};

/** What is wrong in one file of the project when something in it is written in another way. */
async function wrong(path: string, text: string): Promise<readonly Diagnostic[]> {
  const { diagnostics } = await checkProject(memoryLoader({ ...files, [path]: text }), { paths: [path] });
  return diagnostics;
}

/** A text with the fix of a diagnostic in it. */
function fixed(text: string, { fix }: Diagnostic): string {
  if (!fix) throw new Error('there is no fix');
  const lines = text.split('\n');
  const offset = ({ line, column }: Position) =>
    lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
  return text.slice(0, offset(fix.range.start)) + fix.text + text.slice(offset(fix.range.end));
}

describe('a fix', () => {
  it.each([
    ['a key', 'formulas/a.yaml', 'timeout:', 'timeuot:'],
    ['a key within another', 'formulas/a.yaml', 'by: [', 'bye: ['],
    ['a value', 'formulas/a.yaml', 'on_failure: handoff', 'on_failure: handof'],
    ['a keyword of a schema', 'formulas/a.yaml', 'default: hello', 'defualt: hello'],
    ['a type of a schema', 'formulas/a.yaml', 'size: {type: integer}', 'size: {type: interger}'],
    ['a type by another name', 'formulas/a.yaml', 'size: {type: integer}', 'size: {type: int}'],
    ['a format', 'formulas/a.yaml', 'format: uri', 'format: url'],
    ['a need', 'formulas/a.yaml', 'zone, needs: [build]', 'zone, needs: [biuld]'],
    ['a need in quotes', 'formulas/a.yaml', "needs: ['build']", "needs: ['biuld']"],
    ['what is used', 'formulas/a.yaml', 'uses: greet', 'uses: gret'],
    ['a formula that is used', 'formulas/a.yaml', 'uses: formula/base', 'uses: formula/bsae'],
    ['a formula that is used as a molecule', 'formulas/a.yaml', 'uses: formula/base', 'uses: base'],
    ['an argument', 'formulas/a.yaml', 'with: {whom:', 'with: {whmo:'],
    ['a group', 'formulas/a.yaml', 'by: [maintainers]', 'by: [maintianers]'],
    ['an aspect', 'formulas/a.yaml', 'aspects: [guard]', 'aspects: [gaurd]'],
    ['a time zone', 'formulas/a.yaml', 'Europe/Berlin', 'Europe/Berlni'],
    ['a root name in a template', 'formulas/a.yaml', '{{inputs.word}}', '{{input.word}}'],
    ['an input in a template', 'formulas/a.yaml', '{{inputs.word}}', '{{inputs.wrod}}'],
    ['a step in a template', 'formulas/a.yaml', '{{steps.build.', '{{steps.biuld.'],
    ['an output in a template', 'formulas/a.yaml', 'outputs.platform}}', 'outputs.platfrom}}'],
    ['an output in an expression', 'formulas/a.yaml', 'outputs.platform}\n', 'outputs.platfrom}\n'],
    ['a function', 'formulas/a.yaml', 'size(steps', 'sise(steps'],
    ['a step to remove', 'formulas/more.yaml', 'remove: [test]', 'remove: [tset]'],
    ['a place', 'formulas/more.yaml', 'after: build', 'after: biuld'],
    ['what is extended', 'formulas/more.yaml', 'extends: base', 'extends: bsae'],
    ['an input in a test', 'formulas/a.test.yaml', 'word: x', 'wrod: x'],
    ['a step in a test', 'formulas/a.test.yaml', 'stubs: {build:', 'stubs: {biuld:'],
  ])('mends %s', async (_, path, right, misspelt) => {
    const text = files[path] ?? '';
    expect(text).toContain(right);
    expect(await wrong(path, text)).toEqual([]);
    const broken = text.replace(right, misspelt);
    const found = (await wrong(path, broken)).find(({ fix }) => fix !== undefined);
    expect(found, 'has a fix').toBeDefined();
    if (!found) return;
    expect(fixed(broken, found).replaceAll("'", '')).toBe(text.replaceAll("'", ''));
  });

  it('is not offered where more than the name would have to be written', async () => {
    const text = (files['formulas/a.yaml'] ?? '').replace(
      '{{steps.build.outputs.platform}}',
      '{{steps.build.platform}}',
    );
    const found = await wrong('formulas/a.yaml', text);
    expect(found).toMatchObject([{ help: 'did you mean "steps.build.outputs.platform"?' }]);
    expect(found[0]).not.toHaveProperty('fix');
  });
});
