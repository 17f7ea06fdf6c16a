import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderExplanation } from '../../src/cli/render-explanation.ts';
import { textStyle } from '../../src/cli/text-style.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import type { ExplainedValue, Explanation } from '../../src/plan/explain.ts';
import { explainedStep, explainFormula } from '../../src/plan/explain.ts';
import type { PlanStep } from '../../src/plan/plan.ts';
import { stepsByPath } from '../../src/plan/steps-by-path.ts';
import { PAIRS } from '../support/key-pairs.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader, splitFiles } from '../support/memory-loader.ts';

const here = new URL('.', import.meta.url).pathname;
const files = (path: string): Files => splitFiles(readFileSync(join(here, path), 'utf8'));

async function explain(project: Files, profile?: string): Promise<Explanation> {
  const found = await explainFormula(memoryLoader(project), 'a', profile);
  if (!found.ok) throw new Error(JSON.stringify(found.diagnostics, null, 2));
  return found.explanation;
}

const plain = textStyle(process.stdout, ['--no-color']);

describe('what a formula is made of', () => {
  it('is told with the place of each value', async () => {
    const text = renderExplanation(await explain(files('woven.yaml')), { style: plain, width: undefined });
    await expect(`${text}\n`).toMatchFileSnapshot(join(here, 'woven.explained'));
  });

  it('fits a terminal', async () => {
    const text = renderExplanation(await explain(files('woven.yaml')), { style: plain, width: 80 });
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).toContain('formulas/guard.yaml');
  });

  it('can be asked for one step and what it holds', async () => {
    const all = await explain(files('group.yaml'));
    const inner = all.steps.find(({ step }) => step.includes('.'))?.step ?? '';
    const [outer = ''] = inner.split('.');
    expect(explainedStep(all, inner).steps.map(({ step }) => step)).toEqual([inner]);
    expect(explainedStep(all, outer).steps.map(({ step }) => step)).toContain(inner);
    expect(() => explainedStep(all, `${outer}x`)).toThrow(`formula "a" has no step "${outer}x"`);
  });

  it('comes from a profile where that says so', async () => {
    const project = {
      'wf.yaml':
        'env: [CI]\npeople: {team: [ann@example.com]}\nprofiles: {p: {env: [CI, HOST], people: {team: [bob@example.com]}}}\n',
      'formulas/a.yaml': 'formula: a\nsteps: [{id: ask, approve: {ask: Now?, by: [team]}}]\n',
    };
    const of = (all: Explanation) => [
      ...all.values.filter(({ key }) => key === 'env'),
      ...(all.steps[0]?.values.filter(({ key }) => key.startsWith('approve.by')) ?? []),
    ];
    expect(of(await explain(project)).map(({ value, from }) => [value, from.kind])).toEqual([
      ['CI', 'wf.yaml'],
      [['ann@example.com'], 'wf.yaml'],
    ]);
    expect(of(await explain(project, 'p')).map(({ value, from }) => [value, from.kind])).toEqual([
      ['CI', 'profile'],
      ['HOST', 'profile'],
      [['bob@example.com'], 'profile'],
    ]);
  });
});

/** Every project of the tests that compiles. */
const projects: readonly (readonly [string, Files])[] = [
  ...readdirSync(here)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [name, files(name)] as const),
  ...Object.entries(PAIRS).flatMap(([key, { a, b }]) => [[`${key} a`, a] as const, [`${key} b`, b] as const]),
];

/** How an author writes the keys of a plan, where that is another way. */
const WRITTEN: Partial<Record<keyof PlanStep, string>> = { forEach: 'for_each', onFailure: 'on_failure' };
/** Told as a whole, by what they consist of, or not for people. */
const APART = new Set<string>(['id', 'action', 'source', 'inputs', 'beside']);

describe('every value of every plan', () => {
  it('is explained, at a place where it stands', async () => {
    let places = 0;
    for (const [label, project] of projects) {
      const profile = project['wf.yaml']?.includes('profiles') ? 'p' : undefined;
      const { plan } = await compileFormula(
        memoryLoader(project),
        'a',
        profile === undefined ? {} : { profile },
      );
      if (!plan) continue;
      const explanation = await explain(project, profile);
      expect(explanation.plan).toBe(plan.plan);
      const steps = stepsByPath(plan);
      expect(new Set(explanation.steps.map(({ step }) => step)), label).toEqual(new Set(steps.keys()));
      for (const { step, values } of explanation.steps) {
        const keys = new Set(values.map(({ key }) => key.split(/[.[]/)[0]));
        for (const [key, value] of Object.entries(steps.get(step) ?? {}) as [keyof PlanStep, unknown][]) {
          if (
            !APART.has(key) &&
            !(key === 'needs' && steps.get(step)?.needs.length === 0) &&
            value !== undefined
          )
            expect(keys, `${label}: ${step}.${key}`).toContain(WRITTEN[key] ?? key);
        }
      }
      for (const value of [explanation.values, ...explanation.steps.map(({ values }) => values)].flat()) {
        const text = textAt(value, project);
        if (text === undefined) continue;
        places += 1;
        const names = namesOf(value);
        expect(
          names.some((name) => text.startsWith(name)),
          `${label}: ${value.key} at ${JSON.stringify(text.slice(0, 30))}`,
        ).toBe(true);
      }
    }
    expect(places).toBeGreaterThan(500);
  });
});

/** What stands at the place a written value is said to come from. */
function textAt({ from }: ExplainedValue, project: Files): string | undefined {
  if (from.kind === 'default' || from.kind === 'follows') return undefined;
  const { file, line, column } = from.at;
  return project[file]?.split('\n')[line - 1]?.slice(column - 1);
}

/** How what stands there may begin: with the key, its last part, or what it is. */
function namesOf({ key, value }: ExplainedValue): readonly string[] {
  const parts = key.split('.');
  const text = typeof value === 'string' ? value : '';
  return [
    ...(parts.at(-1) === undefined ? [] : [parts.at(-1) as string]),
    ...(parts[0] === undefined ? [] : [parts[0]]),
    ...(text === '' ? [] : [text, `'${text}`, `"${text}`]),
    // A check and a whole map are pointed at where they begin.
    ...(/^verify|^budget|^workspace|^concurrency|^target/.test(key)
      ? [
          '{',
          'run:',
          'check:',
          'changes:',
          'wait:',
          'minutes:',
          'group:',
          'from:',
          'empty',
          'checkout',
          'clone',
          'git:',
          'prepare:',
          'services:',
          'look',
          'lock',
          'unlock',
          'note',
        ]
      : []),
  ];
}
