import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RULES } from '../../src/checks/rules.ts';
import { checkProject } from '../../src/plan/check-project.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';

async function told(text: string): Promise<readonly string[]> {
  const { diagnostics, ignored } = await checkProject(memoryLoader({ 'formulas/a.yaml': `formula: a\n${text}` }));
  return [
    ...diagnostics.map(({ rule, range, message }) => `${rule}:${range.start.line} ${message}`),
    ...(ignored > 0 ? [`${ignored} ignored`] : []),
  ];
}

const STEPS = 'steps: [{id: s, run: ls}]\n';

it.each([
  ['the line after it', `inputs:\n  # wf-ignore: unused-input it is on its way\n  x: {type: string}\n${STEPS}`, ['1 ignored']],
  ['past blank lines and other comments', `inputs:\n  # wf-ignore: unused-input it is on its way\n\n  # more\n  x: {type: string}\n${STEPS}`, ['1 ignored']],
  ['its own line, behind something', `inputs:\n  x: {type: string} # wf-ignore: unused-input - it is on its way\n${STEPS}`, ['1 ignored']],
  ['several rules', `steps: [{id: s, run: ./gone.sh && true}] # wf-ignore: missing-script, unused-input made by the build`, ['unused-ignore:2 there is no "unused-input" on the line that this is about', '1 ignored']],
  ['no other line', `inputs:\n  # wf-ignore: unused-input it is on its way\n  x: {type: string}\n  y: {type: string}\n${STEPS}`, ['unused-input:5 input "y" is never read', '1 ignored']],
  ['nothing from inside of a text', `inputs: {x: {type: string}}\nsteps:\n  - id: s\n    run: |\n      # wf-ignore: unused-input not a comment of ours\n      ls\n`, ['unused-input:2 input "x" is never read']],
  ['nothing from inside of quotes', `inputs: {x: {type: string, description: ' # wf-ignore: unused-input no'}}\n${STEPS}`, ['unused-input:2 input "x" is never read']],
  ['no error with which nothing can run', `steps:\n  # wf-ignore: unknown-need it will come\n  - {id: s, run: ls, needs: [t]}\n`, ['unused-ignore:3 "unknown-need" is an error with which nothing can be run: it cannot be ignored', 'unknown-need:4 step "s" needs "t", but no step has that id']],
  ['no rule that there is not', `inputs:\n  # wf-ignore: unusd-input why\n  x: {type: string}\n${STEPS}`, ['unused-ignore:3 there is no rule "unusd-input"', 'unused-input:4 input "x" is never read']],
  ['nothing without a rule', `# wf-ignore\n${STEPS}`, ['ignore-without-reason:2 this ignores no rule']],
  [
    'a text of several lines that begins on its line',
    'steps:\n  - id: s\n    # wf-ignore: missing-script made by the build\n    run: |\n      ls\n      ./gone.sh\n',
    ['1 ignored'],
  ],
  [
    'the text behind whose indicator it stands',
    'steps:\n  - id: s\n    run: | # wf-ignore: missing-script made by the build\n      ls\n      ./gone.sh\n',
    ['1 ignored'],
  ],
  [
    'nothing that an error kept from being looked at',
    'inputs:\n  # wf-ignore: unused-input why\n  x: {type: string}\nstepz: []\n',
    ['unknown-key:5 "stepz" is not a key of the formula'],
  ],
  [
    'no policy',
    `# wf-ignore: policy-bounds why\n${STEPS}`,
    ['unused-ignore:2 "policy-bounds" is an error with which nothing can be run: it cannot be ignored'],
  ],
])('is about %s', async (_, text, expected) => {
  expect(await told(text)).toEqual(expected);
});

it('holds for plans and runs as well, and is counted', async () => {
  const text = 'formula: a\ninputs: {go: {type: boolean, default: false}}\nsteps:\n  # wf-ignore: missing-script the step before makes it\n  - {id: s, when: inputs.go, run: ./gone.sh}\n';
  expect((await compileFormula(memoryLoader({ 'formulas/a.yaml': text }), 'a')).plan).toBeDefined();
  const project = testProject({ 'formulas/a.yaml': text }).commit();
  expect((await project.wf('check')).stdout).toBe('1 file checked, nothing to report, 1 ignored\n');
  expect(JSON.parse((await project.wf('check --json')).stdout)).toMatchObject({ ok: true, ignored: 1, diagnostics: [] });
  expect((await project.wf('run a --quiet')).exitCode).toBe(0);
});

it('knows every rule by its page', () => {
  const pages = readdirSync(new URL('../../docs/checks/', import.meta.url)).map((name) => name.replace(/\.md$/, ''));
  expect(RULES).toEqual(pages.sort());
});
