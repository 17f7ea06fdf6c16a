import { describe, expect, it } from 'vitest';
import { Project } from '../../src/formula/project.ts';
import { definitionOf, fileNamedAt, occurrenceAt, placesOf, whyNot } from '../../src/lsp/names.ts';
import { checkProject } from '../../src/plan/check-project.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';

const files: Files = {
  'formulas/a.yaml': `formula: a
aspects: [noted]
inputs:
  word: {type: string, default: hello}
steps:
  - id: build
    run: 'echo "{{inputs.word}}" > "$WF_OUTPUT"'
    outputs: {size: {type: integer}, list: {type: array, items: {type: string}}}
    verify: [{check: outputs.size > 0}]
  - id: use
    needs: [build]
    when: steps.build.outputs.size > 1 && size(inputs.word) > 2
    uses: greet
    with: {whom: '{{steps.build.outputs.list.[0]}}'}
  - {id: rest, uses: formula/b, with: {word: '{{inputs.word}}'}}
  - {id: tell, run: 'echo {{default steps.use.outputs.said "nothing"}} {{steps.rest.outputs.done}}'}
outputs:
  size: steps.build.outputs.size
`,
  'formulas/b.yaml':
    'formula: b\ninputs: {word: {type: string}}\nsteps: [{id: build, run: echo {{inputs.word}}}]\noutputs: {done: steps.build.outputs.exit_code}\n'.replace(
      'run: echo {{inputs.word}}',
      "run: 'echo {{inputs.word}}'",
    ),
  'formulas/c.yaml':
    'formula: c\nextends: a\nremove: [tell]\nsteps:\n  - {id: more, after: build, run: "echo {{steps.build.outputs.size}}"}\n',
  'formulas/noted.yaml':
    "aspect: noted\nrules:\n  - match: {id: [build]}\n    after: [{id: look, run: ls}, {id: note, run: 'echo {{steps.look.outputs.stdout}}'}]\n",
  'formulas/a.test.yaml':
    'tests:\n  - name: t\n    inputs: {word: x}\n    stubs: {build: {outputs: {size: 1, list: []}}, rest: {}}\n    expect: {steps: {build: succeeded}}\n',
  'molecules/greet.yaml':
    "molecule: greet\ninputs: {whom: {type: string}}\nrun: 'echo {{inputs.whom}}'\noutputs: {said: {type: string}}\nverify: [{check: outputs.said != inputs.whom}]\n",
};

/** The offset of the `|` in a part of a file. */
function at(path: string, part: string): number {
  const text = files[path] ?? '';
  const plain = part.replace('|', '');
  if (!text.includes(plain)) throw new Error(`${path} has no ${plain}`);
  return text.indexOf(plain) + part.indexOf('|');
}

async function named(path: string, part: string) {
  const project = await Project.open(memoryLoader(files));
  return { project, occurrence: await occurrenceAt(project, path, at(path, part)) };
}

/** The project with something renamed. */
async function renamed(path: string, part: string, name: string): Promise<Files> {
  const { project, occurrence } = await named(path, part);
  if (!occurrence) throw new Error(`nothing is named at ${part}`);
  const places = [...(await placesOf(project, occurrence.of))].sort((a, b) => b.span.start - a.span.start);
  const result: Record<string, string> = { ...files };
  for (const { span } of places) {
    const text = result[span.file] ?? '';
    expect(text.slice(span.start, span.end)).toBe(occurrence.of.name);
    result[span.file] = text.slice(0, span.start) + name + text.slice(span.end);
  }
  return result;
}

const rules = async (all: Files) =>
  (await checkProject(memoryLoader(all))).diagnostics.map(({ rule, file }) => `${file} ${rule}`);

describe('names', () => {
  it.each([
    ['formulas/a.yaml', 'needs: [|build]', 'formulas/a.yaml', '|build\n    run'],
    ['formulas/a.yaml', 'steps.build.outputs.s|ize > 1', 'formulas/a.yaml', '|size: {type: integer}'],
    ['formulas/a.yaml', 'wh|om:', 'molecules/greet.yaml', '|whom: {type'],
    ['formulas/a.yaml', 'sa|id "nothing"', 'molecules/greet.yaml', '|said: {type'],
    ['formulas/a.yaml', 'do|ne}}', 'formulas/b.yaml', '|done: steps'],
    ['formulas/a.yaml', 'outputs.si|ze > 0', 'formulas/a.yaml', '|size: {type: integer}'],
    ['formulas/c.yaml', '[te|ll]', 'formulas/a.yaml', '|tell, run'],
    ['formulas/c.yaml', 'after: bu|ild', 'formulas/a.yaml', '|build\n    run'],
    ['formulas/c.yaml', 'steps.build.outputs.si|ze', 'formulas/a.yaml', '|size: {type: integer}'],
    ['formulas/noted.yaml', 'lo|ok.outputs', 'formulas/noted.yaml', '|look, run'],
    ['formulas/a.test.yaml', 're|st: {}', 'formulas/a.yaml', '|rest, uses'],
    ['formulas/a.test.yaml', 'wo|rd: x', 'formulas/a.yaml', '|word: {type'],
  ])('are followed from %s, %s', async (path, part, file, start) => {
    const { project, occurrence } = await named(path, part);
    const found = occurrence && (await definitionOf(project, occurrence.of));
    expect({ file: found?.file, start: found?.start }).toEqual({ file, start: at(file, start) });
  });

  it('lead to the file that they name', async () => {
    const project = await Project.open(memoryLoader(files));
    const file = (path: string, part: string) =>
      fileNamedAt(project, path, files[path] ?? '', at(path, part));
    expect(file('formulas/a.yaml', 'gre|et')).toBe('molecules/greet.yaml');
    expect(file('formulas/a.yaml', 'formula/|b')).toBe('formulas/b.yaml');
    expect(file('formulas/a.yaml', 'not|ed')).toBe('formulas/noted.yaml');
    expect(file('formulas/c.yaml', 'formula: |c')).toBeUndefined();
    expect(file('formulas/a.yaml', 'wo|rd: {type')).toBeUndefined();
  });

  it.each([
    ['a step', 'formulas/a.yaml', 'bu|ild\n', 'made', 9],
    ['a step, from a file that extends', 'formulas/c.yaml', '[te|ll]', 'said_it', 2],
    ['an output', 'formulas/a.yaml', 'si|ze: {type', 'length', 6],
    ['an input', 'formulas/a.yaml', 'wo|rd: {type', 'term', 5],
    ['an input of a molecule', 'molecules/greet.yaml', 'wh|om: {type', 'who', 4],
    ['an output of a molecule', 'molecules/greet.yaml', 'sa|id: {type', 'answer', 3],
    ['an output of a formula', 'formulas/b.yaml', 'do|ne: steps', 'code', 2],
    ['a step of an aspect', 'formulas/noted.yaml', 'lo|ok, run', 'see', 2],
  ])('are renamed wherever they stand, and nothing else is: %s', async (_, path, part, name, count) => {
    expect(await rules(files)).toEqual([]);
    const after = await renamed(path, part, name);
    expect(await rules(after)).toEqual([]);
    const times = (all: Files) =>
      Object.values(all)
        .join('')
        .split(new RegExp(`\\b${name}\\b`)).length - 1;
    expect(times(after) - times(files)).toBe(count);
  });

  it('are refused where they are no ids, are taken, or are of an import', async () => {
    const { project, occurrence } = await named('formulas/a.yaml', 'bu|ild\n');
    const of = occurrence?.of;
    if (!of) throw new Error('no step');
    expect(await whyNot(project, of, 'made')).toBeUndefined();
    expect(await whyNot(project, of, 'Made')).toContain('is not an id');
    expect(await whyNot(project, of, 'in')).toContain('is not an id');
    expect(await whyNot(project, of, 'use')).toBe('there is a step "use" already');
    // `c` extends `a`: in it one step would take the place of the other.
    expect(await whyNot(project, of, 'more')).toContain('a step "more" in formulas/c.yaml');
    expect(await whyNot(project, { ...of, file: 'formulas/c.yaml', name: 'more' }, 'use')).toContain(
      'a step "use" in formulas/a.yaml',
    );
    expect(
      await whyNot(project, { ...of, kind: 'output', within: 'build', name: 'size' }, 'stdout'),
    ).toContain('no output can be called so');
    expect(
      await whyNot(project, { ...of, file: '.wf/imports/std@1a2b3c4d5e6f/formulas/a.yaml' }, 'x'),
    ).toContain('only its owners');
  });
});
