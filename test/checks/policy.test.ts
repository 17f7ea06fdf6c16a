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
