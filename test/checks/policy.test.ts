import { expect, it } from 'vitest';
import { checkProject } from '../../src/plan/check-project.ts';
import { memoryLoader } from '../support/memory-loader.ts';

async function rulesOf(address: string): Promise<readonly string[]> {
  const { diagnostics } = await checkProject(
    memoryLoader({
      'wf.yaml': "policy: {allow: {repositories: ['https://git.example.com/team/**']}}\n",
      'formulas/a.yaml': `formula: a\nworkspace: {from: {git: '${address}'}}\nsteps: [{id: s, run: ls}]\n`,
    }),
  );
  return diagnostics.map(({ rule }) => rule);
}

it.each([
  'https://git.example.com/team/code.git',
  'https://git.example.com/team/more/code.git',
  'HTTPS://Git.Example.com/team/code.git',
  'https://bot@git.example.com/team/code.git',
])('a policy allows %s', async (address) => {
  expect(await rulesOf(address)).toEqual([]);
});

it.each([
  'https://git.example.com/other/code.git',
  'https://git.example.com/team/../other/code.git',
  'https://git.example.com/team/%2e%2e/other',
  'https://git.example.com/team/./../other',
  'https://elsewhere.example.com/https://git.example.com/team/code.git',
  'https://git.example.com@elsewhere.example.com/team/code.git',
  'https://git.example.com/team/a?b=/x',
  'git@git.example.com:team/code.git',
  '../code',
])('a policy refuses %s', async (address) => {
  expect(await rulesOf(address)).toEqual(['policy-repository']);
});

it('bounds are not reckoned for what uses a file with mistakes', async () => {
  const { diagnostics } = await checkProject(
    memoryLoader({
      'wf.yaml': 'policy: {max_bounds: {attempts: 1}}\n',
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, uses: m}, {id: t, uses: n}]\n',
      'molecules/m.yaml': 'molecule: m\nrun: ls\nretyr: {attempts: 2}\n',
      'molecules/n.yaml': 'molecule: n\nrun: "eval {{inputs.x}}"\ninputs: {x: {type: string}}\n',
    }),
  );
  const told = diagnostics.filter(({ file }) => file !== 'formulas/a.yaml').map(({ rule }) => rule);
  expect(told).toEqual(['unknown-key', 'value-as-code']);
  expect(diagnostics.map(({ rule }) => rule)).not.toContain('policy-bounds');
});

it('a budget that is missing is told once, also where minutes are limited', async () => {
  const rules = async (policy: string) =>
    (
      await checkProject(
        memoryLoader({ 'wf.yaml': `policy: {${policy}}\n`, 'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n' }),
      )
    ).diagnostics.map(({ rule }) => rule);
  expect(await rules('require: [budget], max_bounds: {minutes: 5}')).toEqual(['policy-require']);
  expect(await rules('max_bounds: {minutes: 5}')).toEqual(['policy-bounds']);
});
