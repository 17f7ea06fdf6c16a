import { expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

/** A project with an aspect that its policy weaves into all formulas. */
const files = {
  'wf.yaml': 'policy: {aspects: [guard]}\n',
  'formulas/a.yaml': 'formula: a\nworkspace: empty\nsteps: [{id: s, uses: say}]\n',
  'formulas/guard.yaml':
    'aspect: guard\ndescription: Looks first.\nrules:\n  - match: {action: [run]}\n    before: [{id: look, run: date, effects: []}]\n',
  'molecules/say.yaml': 'molecule: say\nrun: echo hello\n',
  'molecules/say.test.yaml':
    'tests: [{name: says, stubs: {say: {stdout: hello}}, expect: {status: succeeded}}]\n',
};

it('an aspect is no formula, and commands about all formulas leave it out', async () => {
  const project = testProject(files);
  const all = JSON.parse((await project.wf('run --dry-run --all --json')).stdout) as {
    readonly formulas: readonly { readonly formula: string }[];
  };
  expect(all.formulas.map(({ formula }) => formula)).toEqual(['a']);
  const listed = JSON.parse((await project.wf('list --json')).stdout) as Record<string, { name: string }[]>;
  expect(Object.entries(listed).map(([kind, entries]) => [kind, entries.map(({ name }) => name)])).toEqual([
    ['formulas', ['a']],
    ['molecules', ['say']],
    ['aspects', ['guard']],
  ]);
  for (const command of ['plan guard', 'run guard', 'explain guard']) {
    const { exitCode, stderr } = await project.wf(command);
    expect([exitCode, stderr]).toEqual([
      3,
      'error: "guard" is an aspect, and no formula\nhelp: it is woven into formulas that say `aspects: [guard]`\n',
    ]);
  }
});

it('a test of a molecule runs the molecule alone, whatever the policy weaves in or asks for', async () => {
  const project = testProject({
    ...files,
    'wf.yaml': 'policy: {aspects: [guard], require: [budget]}\n',
    'formulas/a.yaml': files['formulas/a.yaml'].replace('workspace:', 'budget: {minutes: 1}\nworkspace:'),
  });
  const { stdout, exitCode } = await project.wf('test molecules/say.yaml');
  expect([exitCode, stdout.startsWith('1 passed in 1 file') || stdout]).toEqual([0, true]);
});
