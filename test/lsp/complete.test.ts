import { describe, expect, it } from 'vitest';
import { complete } from '../../src/lsp/complete.ts';
import { hoverAt } from '../../src/lsp/hover.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import type { Files } from '../support/memory-loader.ts';

const others: Files = {
  'wf.yaml': 'people: {maintainers: [ann], team: [bob]}\n',
  'molecules/fix-file.yaml':
    'molecule: fix-file\ndescription: Fixes one file.\ninputs:\n  path: {type: string, description: Which file.}\n  level: {enum: [low, high], default: low}\nrun: echo {{inputs.path}} {{inputs.level}}\noutputs: {fixed: {type: integer}}\n',
  'formulas/guard.yaml': 'aspect: guard\nrules: [{match: {tags: [x]}, before: [{id: look, run: ls}]}]\n',
  'formulas/base.yaml': 'formula: base\nsteps: [{id: s, run: ls}]\n',
  'formulas/a.test.yaml': 'tests: [{name: t}]\n',
};

const A = `formula: a
inputs:
  paths: {type: array, items: {type: string}, default: [src]}
  dry: {type: boolean, default: false}
steps:
  - id: lint
    run: npx eslint {{args inputs.paths}} > "$WF_OUTPUT"
    outputs:
      files: {type: array, items: {type: object, properties: {path: {type: string}, errors: {type: integer}}, required: [path]}}
  - id: fix
    when: '!inputs.dry'
    for_each: steps.lint.outputs.files
    uses: fix-file
    with: {path: '{{item.path}}'}
  - {id: last, run: echo done}
`;

/** What is offered where \`|\` stands in a text. */
async function offered(text: string, path = 'formulas/a.yaml') {
  const offset = text.indexOf('|');
  const plain = text.slice(0, offset) + text.slice(offset + 1);
  const { items, replaces } = await complete(path, plain, offset, (shown) =>
    memoryLoader({ ...others, [path]: shown }),
  );
  return { items, labels: items.map(({ label }) => label), replaces };
}

/** The text of a formula, with something else in the place of a part of it. */
function typing(part: string, typed: string): string {
  if (!A.includes(part)) throw new Error(`not in the formula: ${part}`);
  return A.replace(part, () => typed);
}

describe('completion', () => {
  it.each([
    [
      'a key of a step',
      typing('  - {id: last, run: echo done}\n', '  - id: last\n    run: echo done\n    ti|\n'),
      ['title', 'timeout', 'retry', 'cache'],
    ],
    [
      'a key of a step in flow style',
      typing('{id: last, run: echo done}', '{id: last, run: echo done, ti|}'),
      ['title', 'timeout'],
    ],
    ['the first key of a step', `${A}  - |\n`, ['id', 'run', 'uses']],
    ['a key of the formula', `${A}|\n`, ['finally', 'outputs', 'workspace']],
    [
      'a key within a key',
      typing('run: echo done', 'run: echo done, retry: {attempts: 2, |}'),
      ['on', 'backoff', 'feedback'],
    ],
    [
      'a value of an enum',
      typing('run: echo done', 'run: echo done, on_failure: |'),
      ['stop', 'continue', 'handoff'],
    ],
    [
      'an item of an enum',
      typing('run: echo done', 'run: echo done, retry: {attempts: 2, on: [error, |]}'),
      ['timeout', 'verify'],
    ],
    ['an id under `needs`', typing('run: echo done', 'run: echo done, needs: [lint, |]'), ['fix']],
    [
      'an id under `needs`, item by item',
      `${A}    needs:\n      - |\n`.replace(
        '  - {id: last, run: echo done}\n',
        '  - id: last\n    run: echo done\n',
      ),
      ['lint', 'fix'],
    ],
    ['what is used', typing('uses: fix-file', 'uses: fi|'), ['fix-file', 'formula/base']],
    ['an argument', typing("with: {path: '{{item.path}}'}", "with: {path: '{{item.path}}', |}"), ['level']],
    [
      'an argument, line by line',
      typing("with: {path: '{{item.path}}'}", "with:\n      path: '{{item.path}}'\n      l|"),
      ['level'],
    ],
    [
      'a group of people',
      A.replace('{id: last, run: echo done}', "{id: last, approve: {ask: 'Well?', by: [|]}}"),
      ['maintainers', 'team'],
    ],
    ['an aspect', `aspects: [|]\n${A}`, ['guard']],
    ['what is extended', `extends: |\n${A}`, ['base']],
  ])('offers %s', async (_, text, labels) => {
    expect((await offered(text)).labels).toEqual(expect.arrayContaining(labels));
  });

  it.each([
    ['a name in a template', 'echo {{|', ['inputs', 'steps', 'run', 'profile', 'json']],
    ['an input', 'echo {{inputs.|}}', ['paths', 'dry']],
    ['a step', 'echo {{steps.|', ['lint', 'fix']],
    ['what a step has', 'echo {{steps.lint.|}}', ['outputs', 'status', 'cached']],
    ['an output', 'echo {{size steps.lint.outputs.|}}', ['files', 'exit_code', 'stdout']],
    ['a part of an output', 'echo {{steps.lint.outputs.files.[0].|}}', ['path', 'errors']],
    ['what was typed in part', 'echo {{inputs.pa|}}', ['paths']],
    ['an output of what is used', 'echo {{json steps.fix.items.[0].outputs.|}}', ['fixed']],
  ])('offers %s', async (_, run, labels) => {
    for (const written of [`run: '${run}'`, `run: ${run}`, `run: "${run}"`]) {
      const { labels: found } = await offered(
        typing('{id: last, run: echo done}', `id: last\n    ${written}`).replace('- id: last', '- id: last'),
      );
      expect(found, written).toEqual(expect.arrayContaining(labels));
    }
  });

  it.each([
    ['a name in a condition', 'when: |', ['inputs', 'steps', 'size']],
    ['a part of one', 'when: steps.lint.outputs.exit_code == 0 && inputs.|', ['paths', 'dry']],
    ['one in quotes', "when: '!inputs.|'", ['dry']],
    ['the item of a loop, inside of it', "env: {WHAT: '{{item.|}}'}", ['path', 'errors']],
    ['the outputs in a check', "verify: [{check: 'outputs.|'}]", ['fixed']],
  ])('offers %s', async (_, key, labels) => {
    const text = typing("    when: '!inputs.dry'\n", `    ${key}\n`);
    expect((await offered(text)).labels).toEqual(expect.arrayContaining(labels));
  });

  it('offers what there is with its type and what it is for, and takes the place of what was typed', async () => {
    const keys = await offered(typing('{id: last, run: echo done}', '{id: last, run: echo done, time|}'));
    expect(keys.replaces).toBe(4);
    expect(keys.items.find(({ label }) => label === 'timeout')).toMatchObject({
      insertText: 'timeout: ',
      detail: 'string',
      documentation: expect.stringContaining('attempt') as string,
    });
    const names = await offered(typing('echo done', "'{{steps.lint.outputs.f|}}'"));
    expect(names.replaces).toBe(1);
    expect(names.items.find(({ label }) => label === 'files')).toMatchObject({
      detail: 'list of {path: string, errors?: int}',
    });
    const used = await offered(typing('uses: fix-file', 'uses: |'));
    expect(used.items.find(({ label }) => label === 'fix-file')).toMatchObject({
      detail: 'path, level',
      documentation: 'Fixes one file.',
    });
    expect((await offered(typing('echo done', 'echo done, needs: [lint, |]'))).labels).not.toContain('lint');
  });

  it('offers keys of molecules, of wf.yaml, of aspects and of tests, and the steps and inputs that a test is about', async () => {
    expect((await offered('molecule: m\n|\n', 'molecules/m.yaml')).labels).toEqual(
      expect.arrayContaining(['inputs', 'run', 'verify']),
    );
    expect((await offered('policy:\n  |\n', 'wf.yaml')).labels).toEqual(
      expect.arrayContaining(['require', 'max_bounds', 'from']),
    );
    expect(
      (await offered('aspect: b\nrules:\n  - match: {tags: [x]}\n    |\n', 'formulas/b.yaml')).labels,
    ).toEqual(['before', 'after']);
    const test = (part: string) =>
      complete('formulas/a.test.yaml', part.replace('|', ''), part.indexOf('|'), (text) =>
        memoryLoader({ ...others, 'formulas/a.yaml': A, 'formulas/a.test.yaml': text }),
      );
    expect((await test('tests:\n  - name: t\n    stubs: {|}\n')).items.map(({ label }) => label)).toEqual([
      'lint',
      'fix',
      'last',
    ]);
    expect((await test('tests:\n  - name: t\n    inputs: {|}\n')).items.map(({ label }) => label)).toEqual([
      'paths',
      'dry',
    ]);
  });

  it('answers at every place of every prefix of a text, and never fails', async () => {
    let offeredSomething = 0;
    const places = Array.from({ length: A.length + 1 }, (_, offset) => offset);
    for (const offset of places) {
      const prefix = A.slice(0, offset);
      const { items } = await complete('formulas/a.yaml', prefix, offset, (text) =>
        memoryLoader({ ...others, 'formulas/a.yaml': text }),
      );
      if (items.length > 0) offeredSomething += 1;
    }
    expect(offeredSomething).toBeGreaterThan(places.length / 4);
  });
});

describe('hover', () => {
  const over = async (part: string, at = 0) => {
    const offset = A.indexOf(part) + at;
    const found = await hoverAt(
      memoryLoader({ ...others, 'formulas/a.yaml': A }),
      'formulas/a.yaml',
      A,
      offset,
    );
    return found && { ...found, word: A.slice(found.start, found.end) };
  };
  it.each([
    ['inputs.paths}}', 8, 'paths', 'inputs.paths: list of string'],
    [
      'steps.lint.outputs.files\n',
      20,
      'files',
      'steps.lint.outputs.files: list of {path: string, errors?: int}',
    ],
    ['item.path}}', 1, 'item', 'item: {path: string, errors?: int}'],
    ['uses: fix-file', 7, 'fix-file', 'Fixes one file.'],
    ['for_each', 1, 'for_each', 'list'],
  ])('says what %s is, at %i', async (part, at, word, said) => {
    const found = await over(part, at);
    expect(found?.word).toBe(word);
    expect(found?.markdown).toContain(said);
  });
  it('says nothing of plain text', async () => {
    expect(await over('echo done', 6)).toBeUndefined();
  });
});
