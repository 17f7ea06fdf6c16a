import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFormula } from '../../src/plan/compile.ts';
import type { PlanStep } from '../../src/plan/plan.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { proof, proving } from '../support/proof.ts';

/** A step of a random formula: what it says it needs, and whose output it reads, by position. */
interface Sketch {
  readonly needs: readonly number[] | undefined;
  readonly reads: readonly number[];
  readonly tag: boolean;
}

const sketches = fc.array(
  fc.record({
    needs: fc.option(fc.array(fc.nat(20), { maxLength: 3 }), { nil: undefined }),
    reads: fc.array(fc.nat(20), { maxLength: 2 }),
    tag: fc.boolean(),
  }),
  { minLength: 1, maxLength: 10 },
);

/** Steps whose needs and reads point up, so that there is no circle. `change` alters the text of one. */
function stepsOf(
  all: readonly Sketch[],
  change: (line: string, at: number) => string = (line) => line,
): string {
  return all
    .map(({ needs, reads, tag }, at) => {
      const above = (list: readonly number[]) => (at === 0 ? [] : [...new Set(list.map((one) => one % at))]);
      const said =
        needs &&
        `, needs: [${above(needs)
          .map((one) => `s${one}`)
          .join(', ')}]`;
      const read = above(reads).map((one) => `{{steps.s${one}.status}}`);
      return change(
        `  - {id: s${at}, run: 'echo ${read.join(' ')}'${said ?? ''}${tag ? ', tags: [t]' : ''}}`,
        at,
      );
    })
    .join('\n');
}

async function planOf(files: Files, name = 'a'): Promise<readonly PlanStep[]> {
  const { plan, diagnostics } = await compileFormula(memoryLoader(files), name);
  if (!plan) throw new Error(JSON.stringify({ files, diagnostics }, null, 2));
  return plan.steps;
}

/** `a b` for each b that cannot start before a has ended. */
function order(steps: readonly PlanStep[]): ReadonlySet<string> {
  const needs = new Map(steps.map((step) => [step.id, step.needs]));
  const pairs = new Set<string>();
  for (const { id } of steps) {
    const seen = new Set<string>();
    const left = [...(needs.get(id) ?? [])];
    for (let need = left.pop(); need !== undefined; need = left.pop()) {
      if (seen.has(need)) continue;
      seen.add(need);
      pairs.add(`${need} ${id}`);
      left.push(...(needs.get(need) ?? []));
    }
  }
  return pairs;
}

/** Whether nothing of what is in both may start earlier than it could. */
function keepsOrder(before: readonly PlanStep[], after: readonly PlanStep[]): void {
  const [old, young] = [order(before), order(after)];
  const ids = new Set(after.map(({ id }) => id));
  const kept = [...old].filter((pair) => pair.split(' ').every((id) => ids.has(id)));
  expect(kept.filter((pair) => !young.has(pair))).toEqual([]);
  // And what was put in is in order itself: no circle, nothing that is not there.
  for (const { id, needs } of after) {
    expect(young.has(`${id} ${id}`)).toBe(false);
    for (const need of needs) expect(ids.has(need)).toBe(true);
  }
}

const runs = proof({ few: 150, many: 10_000 });

describe('whatever could not start before something had ended still cannot', () => {
  it('when conditions, loops and repetitions are added', async () => {
    await fc.assert(
      fc.asyncProperty(
        sketches,
        fc.nat(9),
        fc.constantFrom('when', 'for_each', 'repeat'),
        async (all, at, key) => {
          const keys = {
            when: "when: run.branch != ''",
            for_each: 'for_each: [x, y], parallel: 2',
            repeat: 'repeat: {until: outputs.exit_code == 0, max: 2}',
          };
          const plain = await planOf({ 'formulas/a.yaml': `formula: a\nsteps:\n${stepsOf(all)}\n` });
          const changed = stepsOf(all, (line, place) =>
            place === at % all.length ? line.replace(/\}$/, `, ${keys[key]}}`) : line,
          );
          const after = await planOf({ 'formulas/a.yaml': `formula: a\nsteps:\n${changed}\n` });
          keepsOrder(plain, after);
          keepsOrder(after, plain);
        },
      ),
      runs,
    );
  }, 600_000);

  it('when a step becomes a formula, inside and outside of it', async () => {
    await fc.assert(
      fc.asyncProperty(sketches, sketches, fc.nat(9), async (all, inner, at) => {
        const used = `formula: b\nsteps:\n${stepsOf(inner)}\n`;
        const plain = await planOf({ 'formulas/a.yaml': `formula: a\nsteps:\n${stepsOf(all)}\n` });
        const place = at % all.length;
        const outer = stepsOf(all, (line, index) =>
          index === place ? line.replace(/run: '[^']*'/, 'uses: formula/b') : line,
        );
        const files = { 'formulas/a.yaml': `formula: a\nsteps:\n${outer}\n`, 'formulas/b.yaml': used };
        const after = await planOf(files);
        // What the step read it reads no more.
        const unread = await planOf({
          'formulas/a.yaml': `formula: a\nsteps:\n${stepsOf(all, (line, index) => (index === place ? line.replace(/run: '[^']*'/, "run: ':'") : line))}\n`,
        });
        keepsOrder(unread, after);
        if (all[place]?.reads.length === 0) keepsOrder(plain, after);
        const { action } = after[place] as PlanStep;
        if (action.kind !== 'group') throw new Error('no group');
        const alone = await planOf(files, 'b');
        keepsOrder(alone, action.steps);
        keepsOrder(action.steps, alone);
      }),
      runs,
    );
  }, 600_000);

  it('when a formula extends another: replaces, adds and removes steps', async () => {
    const changes = fc.record({
      replace: fc.array(fc.nat(9), { maxLength: 3 }),
      add: fc.array(
        fc.record({ at: fc.nat(9), side: fc.constantFrom('before', 'after'), needs: fc.boolean() }),
        {
          maxLength: 4,
        },
      ),
      remove: fc.array(fc.nat(9), { maxLength: 2 }),
    });
    let removed = 0;
    await fc.assert(
      fc.asyncProperty(sketches, changes, async (sketch, { replace, add, remove }) => {
        const size = sketch.length;
        const gone = new Set(remove.map((one) => one % size));
        // What reads a step that is removed would be refused.
        const all = sketch.map((one, at) => ({
          ...one,
          reads: at === 0 ? [] : one.reads.filter((read) => !gone.has(read % at)),
        }));
        const base = `formula: base\nsteps:\n${stepsOf(all)}\n`;
        const left = all.flatMap((_, at) => (gone.has(at) ? [] : [at]));
        if (left.length === 0) return;
        removed += gone.size;
        const replaced = new Set(replace.map((one) => left[one % left.length] as number));
        const lines = [
          ...[...replaced].map((at) => `  - {id: s${at}, run: pwd}`),
          ...add.map(
            ({ at, side, needs }, index) =>
              `  - {id: n${index}, ${side}: s${left[at % left.length]}, run: ls${needs ? ', needs: []' : ''}}`,
          ),
        ];
        const own = [
          'formula: a',
          'extends: base',
          ...(gone.size > 0 ? [`remove: [${[...gone].map((at) => `s${at}`).join(', ')}]`] : []),
          ...(lines.length > 0 ? ['steps:', ...lines] : []),
        ].join('\n');
        const files = { 'formulas/a.yaml': `${own}\n`, 'formulas/base.yaml': base };
        const [before, after] = [await planOf(files, 'base'), await planOf(files)];
        keepsOrder(before, after);
        const young = order(after);
        for (const [index, { at, side }] of add.entries()) {
          const beside = `s${left[at % left.length]}`;
          expect(young.has(side === 'before' ? `n${index} ${beside}` : `${beside} n${index}`)).toBe(true);
          const waiting = [...order(before)].flatMap((pair) =>
            pair.startsWith(`${beside} `) ? [pair.split(' ')[1] as string] : [],
          );
          const there = waiting.filter((id) => after.some((step) => step.id === id));
          if (side === 'after') for (const id of there) expect(young.has(`n${index} ${id}`)).toBe(true);
        }
      }),
      runs,
    );
    expect(removed).toBeGreaterThan(20);
  }, 600_000);

  it('when aspects are woven in, one around the other', async () => {
    const rules = fc.array(
      fc.record({
        match: fc.constantFrom('tags: [t]', 'action: [run]', "id: ['s*']", 'id: [s1]'),
        before: fc.nat(2),
        after: fc.nat(2),
        apart: fc.boolean(),
      }),
      { minLength: 1, maxLength: 3 },
    );
    let woven = 0;
    await fc.assert(
      fc.asyncProperty(sketches, rules, async (all, sketched) => {
        const names = sketched.map((_, index) => `x${index}`);
        const aspects = sketched.map(({ match, before, after, apart }, index) => {
          const list = (side: string, count: number) =>
            count === 0
              ? []
              : [
                  `    ${side}:`,
                  ...Array.from(
                    { length: count },
                    (_, at) =>
                      `      - {id: ${side[0]}${index}${at}, run: date${apart ? ', needs: []' : ''}}`,
                  ),
                ];
          const count = before + after === 0 ? 1 : before;
          return [
            `aspect: x${index}`,
            'rules:',
            `  - match: {${match}}`,
            ...list('before', count),
            ...list('after', after),
          ].join('\n');
        });
        const steps = `steps:\n${stepsOf(all)}\n`;
        const files: Record<string, string> = {
          'formulas/plain.yaml': `formula: plain\n${steps}`,
          'formulas/a.yaml': `formula: a\naspects: [${names.join(', ')}]\n${steps}`,
        };
        aspects.forEach((text, index) => (files[`formulas/x${index}.yaml`] = `${text}\n`));
        const [before, after] = [await planOf(files, 'plain'), await planOf(files)];
        keepsOrder(before, after);
        woven += after.length - before.length;
        const [old, young] = [order(before), order(after)];
        for (const { id, target } of after) {
          if (target === undefined) continue;
          if (id.startsWith('b')) {
            expect(young.has(`${id} ${target}`)).toBe(true);
            for (const pair of old) {
              const [first, second] = pair.split(' ');
              if (second === target) expect(young.has(`${first} ${id}`)).toBe(true);
            }
          } else {
            expect(young.has(`${target} ${id}`)).toBe(true);
            for (const pair of old) {
              const [first, second] = pair.split(' ');
              if (first === target) expect(young.has(`${id} ${second}`)).toBe(true);
            }
          }
        }
      }),
      runs,
    );
    expect(woven).toBeGreaterThan(100);
    if (proving) console.log(`steps woven in: ${woven}`);
  }, 600_000);
});
