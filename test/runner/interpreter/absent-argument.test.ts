import { expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

it('gives an input its default when the value passed on is absent, and refuses it where there is none', async () => {
  const files = (fallback: string) => ({
    'formulas/a.yaml': `formula: a
workspace: empty
steps:
  - {id: made, when: profile == 'never', run: echo made}
  - {id: tell, uses: say, with: {text: '{{steps.made.outputs.stdout}}'}}
outputs: {told: steps.tell.outputs.stdout}
`,
    'molecules/say.yaml': `molecule: say\ninputs: {text: {type: string${fallback}}}\nrun: echo "{{inputs.text}}"\n`,
  });
  const run = await testProject(files(', default: nothing')).run();
  expect(run.outputs).toEqual({ told: 'nothing' });
  await expect(testProject(files('')).compile()).rejects.toThrow(/error {2}maybe-absent/);
});

it('leaves an absent entry out of a map whose schema does not ask for it', async () => {
  const run = await testProject({
    'formulas/a.yaml': `
formula: a
workspace: empty
steps:
  - {id: skipped, run: echo no, when: run.formula == 'b'}
  - {id: show, uses: show, with: {of: {a: x, b: '{{steps.skipped.outputs.stdout}}'}}}
`,
    'molecules/show.yaml': `
molecule: show
inputs: {of: {type: object, required: [a], properties: {a: {type: string}, b: {type: string}}}}
run: 'echo {{json inputs.of}}'
`,
  }).run();
  expect(run.output('show')).toBe('{"a":"x"}');
});
