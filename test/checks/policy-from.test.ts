import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProject } from '../../src/plan/check-project.ts';
import { digestOf } from '../../src/support/digest.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { proof, proving } from '../support/proof.ts';

const COMMIT = 'c'.repeat(40);

/** What is written under `policy`, in flow style. */
type Policy = Readonly<Record<string, string>>;

function written(policy: Policy): string {
  return Object.entries(policy)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ');
}

/** The rules that a formula breaks in a project whose policy is taken from an import, and made stricter. */
async function rulesUnder(base: Policy, own: Policy, formula: string): Promise<readonly string[]> {
  const theirs: Files = {
    'wf.yaml': Object.keys(base).length === 0 ? 'policy: {max_bounds: {attempts: 1000}}\n' : `policy: {${written(base)}}\n`,
    'formulas/theirs.yaml': 'aspect: theirs\nrules: [{match: {id: [none]}, after: [{id: note, run: ls, effects: []}]}]\n',
  };
  const files = Object.fromEntries(Object.entries(theirs).map(([path, text]) => [path, digestOf(text)]));
  const { diagnostics } = await checkProject(
    memoryLoader({
      'wf.yaml': `models: {small: {id: claude-opus-5-5}}\nimports: {std: {git: g, ref: v1}}\npolicy: {${written({ from: 'std', ...own })}}\n`,
      'wf.lock': JSON.stringify({ lock: 1, imports: { std: { git: 'g', ref: 'v1', commit: COMMIT, files } } }),
      'formulas/a.yaml': formula,
      ...Object.fromEntries(
        Object.entries(theirs).map(([path, text]) => [`.wf/imports/std@${COMMIT.slice(0, 12)}/${path}`, text]),
      ),
    }),
  );
  return diagnostics.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
}

/** The same with one policy alone. */
async function rulesUnderOne(policy: Policy, formula: string): Promise<readonly string[]> {
  const { diagnostics } = await checkProject(
    memoryLoader({
      ...(Object.keys(policy).length > 0 && { 'wf.yaml': `policy: {${written(policy)}}\n` }),
      'formulas/a.yaml': formula,
    }),
  );
  return diagnostics.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
}

const elsewhere = (address: string) =>
  `formula: a\nworkspace: {from: {git: ${address}}}\nsteps: [{id: s, run: ls}]\n`;
const plain = 'formula: a\nsteps: [{id: s, run: ls, timeout: 50m, retry: {attempts: 3}}]\n';

const agent =
  'formula: a\nsteps: [{id: s, agent: {model: small, prompt: x, context_tokens: 10000, max_turns: 5}}]\n';

describe('a policy that is taken from an import', () => {
  it.each([
    ['require', { require: '[verify]' }, {}, plain, 'policy-require'],
    ['require', { require: '[verify]' }, { require: '[budget]' }, plain, 'policy-require'],
    [
      'allow',
      { allow: "{repositories: ['https://a.example.com/**']}" },
      { allow: "{repositories: ['**']}" },
      elsewhere('https://b.example.com/x'),
      'policy-repository',
    ],
    ['max_bounds.minutes', { max_bounds: '{minutes: 30}' }, { max_bounds: '{minutes: 900}' }, plain, 'policy-bounds'],
    ['max_bounds.attempts', { max_bounds: '{attempts: 2}' }, { max_bounds: '{attempts: 9}' }, plain, 'policy-bounds'],
    ['max_bounds', { max_bounds: '{attempts: 2}' }, { max_bounds: '{minutes: 900}' }, plain, 'policy-bounds'],
    ['allow.models', { allow: '{models: [large]}' }, { allow: '{models: [small, large]}' }, agent, 'policy-model'],
    ['allow.models', { allow: '{models: [small]}' }, { allow: '{models: [large]}' }, agent, 'policy-model'],
    ['max_bounds.agent_turns', { max_bounds: '{agent_turns: 2}' }, { max_bounds: '{agent_turns: 99}' }, agent, 'policy-bounds'],
    ['max_bounds.usd', { max_bounds: '{usd: 0.01}' }, { max_bounds: '{usd: 99}' }, agent, 'policy-bounds'],
    ['effects', { effects: '[]' }, { effects: '[files, external]' }, plain, 'policy-effects'],
    ['effects', { effects: '[]' }, {}, plain, 'policy-effects'],
  ] as const)('is not loosened: %s %o by %o', async (_, base, own, formula, rule) => {
    expect(await rulesUnder(base, own, formula)).toContain(rule);
  });

  it('keeps its aspects, whatever the project lists', async () => {
    const base = { aspects: '[theirs]' };
    const named = plain.replace('id: s', 'id: none');
    const clash = named.replace('steps: [', 'steps: [{id: note_none, run: ls}, ');
    // What an aspect puts in is there: an id of its own is taken.
    const owns: readonly Policy[] = [{}, { aspects: '[]' }, { effects: '[files]' }];
    for (const own of owns)
      expect(await rulesUnder(base, own, clash), JSON.stringify(own)).toContain('aspect-id');
    expect(await rulesUnder(base, {}, named)).toEqual([]);
  });

  it('refuses whatever either of the two refuses, and nothing else', { timeout: 600_000 }, async () => {
    const { numRuns, seed } = proof({ few: 60, many: 5_000 });
    const policy = fc.record(
      {
        require: fc.constantFrom('[verify]', '[budget]', '[verify, budget]'),
        allow: fc.constantFrom("{repositories: ['https://a.example.com/**']}", "{repositories: ['https://**']}"),
        max_bounds: fc.constantFrom('{minutes: 30}', '{minutes: 90}', '{attempts: 2}', '{attempts: 5, minutes: 60}'),
        effects: fc.constantFrom('[]', '[files]', '[files, external]', '[external]'),
      },
      { requiredKeys: [] },
    );
    const formula = fc
      .record({
        budget: fc.constantFrom('', 'budget: {minutes: 20}\n'),
        from: fc.constantFrom('clone', '{git: https://a.example.com/x}', '{git: https://b.example.com/x}'),
        verify: fc.constantFrom('', ', verify: [{run: test -f x}]'),
        effects: fc.constantFrom('', ', effects: []', ', secrets: {A: B}'),
        attempts: fc.constantFrom(2, 3),
      })
      .map(
        ({ budget, from, verify, effects, attempts }) =>
          `formula: a\n${budget}workspace: {from: ${from}}\nsteps: [{id: s, run: ls, timeout: 15m, retry: {attempts: ${attempts}}${verify}${effects}}]\n`,
      );
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(policy, policy, formula, async (base, own, text) => {
        const both = await rulesUnder(base, own, text);
        const each = [...(await rulesUnderOne(base, text)), ...(await rulesUnderOne(own, text))];
        expect([...new Set(both.filter((rule) => rule !== 'policy-loosened'))].sort()).toEqual([...new Set(each)].sort());
        refused += both.length > 0 ? 1 : 0;
      }),
      { numRuns, seed },
    );
    expect(refused).toBeGreaterThan(numRuns / 4);
    if (proving) console.log(`${numRuns} pairs of policies, ${refused} refused, none that one of the two allows alone`);
  });
});
