import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePlans, privilegesIn } from '../../src/plan/compare/compare-plans.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import { digestPlan } from '../../src/plan/digest.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { JsonValue } from '../../src/support/json.ts';
import { PAIRS } from '../support/key-pairs.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import type { Files } from '../support/memory-loader.ts';
import { proof } from '../support/proof.ts';

async function planOf(files: Files): Promise<Plan> {
  const profile = files['wf.yaml']?.includes('profiles') ? { profile: 'p' } : {};
  const { plan, diagnostics } = await compileFormula(memoryLoader(files), 'a', profile);
  if (!plan) throw new Error(JSON.stringify(diagnostics));
  return plan;
}

/** Steps in flow style, one a line. */
const steps = (...lines: readonly string[]): Files => ({
  'wf.yaml': 'people: {g: [ann, bob], h: [cid]}\n',
  'formulas/a.yaml': `formula: a\nsteps:\n${lines.map((line) => `  - {${line}}\n`).join('')}`,
});

/** Changes as short lines: what lets more happen in full, the rest by name; without what follows for the bounds. */
async function told(before: Files, after: Files): Promise<readonly string[]> {
  const [one, other] = [await planOf(before), await planOf(after)];
  const changes = comparePlans(one, other).filter(({ what }) => what?.startsWith('bounds.') !== true);
  return changes.map(({ kind, step, what, grows, breaks }) =>
    [
      kind,
      ...(step === undefined ? [] : [step]),
      ...(what === undefined ? [] : [what]),
      ...(grows === undefined ? [] : [`! ${grows}`]),
      ...(breaks === undefined ? [] : [`? ${breaks}`]),
    ].join(' '),
  );
}

describe('what a change means', () => {
  it('is nothing when only the layout, a comment or a text for people changed', async () => {
    const before = steps("id: s, run: 'ls'");
    const after = {
      ...before,
      'formulas/a.yaml':
        '# hello\nformula: a\ndescription: x\nsteps:\n\n  - id: s\n    run: ls\n    title: Look\n',
    };
    expect(await told(before, after)).toEqual([]);
  });

  it.each(Object.entries(PAIRS).filter(([, { claim }]) => claim === 'behaviour'))(
    'is something for every key that changes behaviour, both ways: %s',
    async (_, { a, b }) => {
      const [one, other] = [await planOf(a), await planOf(b)];
      expect(comparePlans(one, other)).not.toEqual([]);
      expect(comparePlans(other, one)).not.toEqual([]);
      expect(comparePlans(one, one)).toEqual([]);
    },
  );

  it('is something whatever part of a plan differs', async () => {
    const plans = await Promise.all(
      Object.values(PAIRS)
        .filter(({ claim }) => claim === 'behaviour')
        .map(({ a }) => planOf(a)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...plans), fc.nat(), fc.boolean(), (plan, at, remove) => {
        const { plan: _, ...body } = changed(plan, at, remove);
        const other = { plan: digestPlan(body), ...body };
        expect(comparePlans(plan, other).length > 0).toBe(other.plan !== plan.plan);
        return Promise.resolve();
      }),
      proof({ few: 500, many: 50_000 }),
    );
  });

  it.each([
    [
      'a secret',
      ['id: s, run: ls'],
      ['id: s, run: ls, secrets: {A: TOKEN}'],
      ['added s secrets.A ! it is given the secret TOKEN'],
    ],
    [
      'another secret',
      ['id: s, run: ls, secrets: {A: X}'],
      ['id: s, run: ls, secrets: {A: Y}'],
      ['changed s secrets.A ! it is given the secret Y'],
    ],
    ['a secret less', ['id: s, run: ls, secrets: {A: X}'], ['id: s, run: ls'], ['removed s secrets.A']],
    [
      'a new step with a secret',
      ['id: s, run: ls'],
      ['id: s, run: ls', 'id: t, run: ls, secrets: {A: X}'],
      ['added t ! a new step is given the secret X'],
    ],
    [
      'a check less',
      ['id: s, run: ls, verify: [{run: test -f a}, {run: test -f b}]'],
      ['id: s, run: ls, verify: [{run: test -f b}]'],
      ['removed s verify.run ! it is not checked any more'],
    ],
    [
      'checks in another order',
      ['id: s, run: ls, verify: [{run: test -f a}, {run: test -f b}]'],
      ['id: s, run: ls, verify: [{run: test -f b}, {run: test -f a}]'],
      ['moved s verify'],
    ],
    [
      'more that may change',
      ['id: s, run: ls, verify: [{changes: {only: [a], max_lines: 3}}]'],
      ['id: s, run: ls, verify: [{changes: {only: [a], max_lines: 4}}]'],
      ['changed s verify.changes ! more may be changed'],
    ],
    [
      'less that may change',
      ['id: s, run: ls, verify: [{changes: {only: [a, b]}}]'],
      ['id: s, run: ls, verify: [{changes: {only: [a]}}]'],
      ['changed s verify.changes'],
    ],
    [
      'a check that the step may rewrite',
      ['id: s, run: ls, verify: [{run: test -f t, from: base, files: [t]}]'],
      ['id: s, run: ls, verify: [{run: test -f t}]'],
      ['changed s verify.run ! the step may change what judges it'],
    ],
    [
      'an exit code',
      ['id: s, run: ls'],
      ['id: s, run: ls, exit: [0, 3]'],
      ['added s exit ! exit code 3 is a success'],
    ],
    [
      'a group that may answer',
      ['id: s, approve: {ask: Well?, by: [g]}'],
      ['id: s, approve: {ask: Well?, by: [g, h]}'],
      ['added s approve.by.h ! cid may say yes'],
    ],
    [
      'anybody who may answer',
      ['id: s, approve: {ask: Well?, by: [g]}'],
      ['id: s, approve: {ask: Well?}'],
      ['removed s approve.by ! anybody may say yes'],
    ],
    [
      'fewer answers',
      ['id: s, approve: {ask: Well?, by: [g], count: 2}'],
      ['id: s, approve: {ask: Well?, by: [g]}'],
      ['changed s approve.count ! 1 instead of 2 have to say yes'],
    ],
    [
      'an approval less',
      ['id: s, run: ls', 'id: ask, approve: {ask: Well?}'],
      ['id: s, run: ls'],
      ['removed ask ! nobody is asked any more'],
    ],
    [
      'a command in place of an approval',
      ['id: s, approve: {ask: Well?}'],
      ['id: s, run: ls'],
      ['changed s run ! nobody is asked any more'],
    ],
    [
      'a step before its approval',
      ['id: ask, approve: {ask: Well?}', 'id: s, run: ls'],
      ['id: ask, approve: {ask: Well?}', 'id: s, run: ls, needs: []'],
      ['changed s needs ! the approval ask no longer always comes before it'],
    ],
    [
      'a step that is started earlier',
      ['id: r, run: pwd', 'id: s, run: ls'],
      ['id: r, run: pwd', 'id: s, run: ls, needs: []'],
      ['changed s needs'],
    ],
    [
      'steps in another order',
      ['id: r, needs: [], run: pwd', 'id: s, needs: [], run: ls'],
      ['id: s, needs: [], run: ls', 'id: r, needs: [], run: pwd'],
      ['moved steps'],
    ],
    [
      'another name',
      ['id: r, run: pwd', 'id: s, run: ls'],
      ['id: r, run: pwd', 'id: t, run: ls'],
      ['renamed t'],
    ],
    [
      'what may run twice',
      ['id: s, run: ls, once: true'],
      ['id: s, run: ls'],
      ['removed s once ! it may run twice'],
    ],
    [
      'a longer time',
      ['id: s, run: ls, timeout: 5m'],
      ['id: s, run: ls, timeout: 6m'],
      ['changed s timeout ! it may take longer'],
    ],
    [
      'a shorter time',
      ['id: s, run: ls, timeout: 5m'],
      ['id: s, run: ls, timeout: 4m'],
      ['changed s timeout'],
    ],
    [
      'a failure that is passed over',
      ['id: s, run: ls'],
      ['id: s, run: ls, on_failure: continue'],
      ['added s on_failure ! the run goes on when it fails'],
    ],
    [
      'the checkout',
      ['id: s, run: ls, workspace: empty'],
      ['id: s, run: ls, workspace: checkout'],
      ['changed s workspace.from ! it works in the checkout itself'],
    ],
  ])('%s', async (_, before, after, expected) => {
    expect(await told(steps(...before), steps(...after))).toEqual(expected);
  });

  it.each([
    [
      'fewer successes',
      'join: {quorum: 2}',
      'join: {quorum: 1}',
      ['changed s join ! it succeeds although more of its items fail'],
    ],
    [
      'one success',
      'join: {quorum: 2}',
      'join: any',
      ['changed s join ! it succeeds although more of its items fail'],
    ],
    ['more successes', 'join: any', 'join: {quorum: 2}', ['changed s join']],
    [
      'another check',
      'verify: [{run: test -f a}]',
      'verify: [{run: test -d a}]',
      ['changed s verify.run ! something else judges it'],
    ],
    [
      'another expression',
      'verify: [{check: outputs.exit_code == 0}]',
      'verify: [{check: outputs.exit_code < 9}]',
      ['changed s verify.check ! something else judges it'],
    ],
  ])('%s', async (_, before, after, expected) => {
    const step = (text: string) => steps(`id: s, for_each: [1, 2, 3], run: ls, ${text}`);
    expect(await told(step(before), step(after))).toEqual(expected);
  });

  it.each([
    [
      'another model',
      'model: small',
      'model: large',
      ['changed s agent.model ! another model does the work'],
    ],
    ['another prompt', 'prompt: x', 'prompt: y', ['changed s agent.prompt']],
    [
      'a tool more',
      'tools: [workspace/read]',
      'tools: [workspace/read, workspace/run]',
      ['removed s effects ! it may change files', 'added s tools.workspace/run ! it may use workspace/run'],
    ],
    [
      'a tool less',
      'tools: [workspace/read, workspace/list]',
      'tools: [workspace/read]',
      ['removed s tools.workspace/list'],
    ],
    [
      'more context',
      'context_tokens: 10',
      'context_tokens: 20',
      ['changed s agent.context_tokens ! it may be given more'],
    ],
    ['less', 'context_tokens: 20', 'context_tokens: 10', ['changed s agent.context_tokens']],
  ])('of an agent: %s', async (_, before, after, expected) => {
    const project = (text: string): Files => ({
      'wf.yaml': 'models: {small: {id: x}, large: {id: y}}\n',
      'formulas/a.yaml': `formula: a\nsteps: [{id: s, agent: {${['model: small', 'prompt: x']
        .filter((own) => !text.startsWith(own.split(' ')[0] ?? ''))
        .concat(text)
        .join(', ')}}}]\n`,
    });
    expect(await told(project(before), project(after))).toEqual(expected);
  });

  it('is what a new formula brings along', async () => {
    const plan = await planOf({
      'wf.yaml': 'env: [CI]\n',
      'formulas/a.yaml':
        'formula: a\nworkspace: checkout\nsteps: [{id: s, run: ls, secrets: {A: X}}, {id: t, workspace: {from: {git: https://a.example.com/x}}, run: ls}]\n',
    });
    expect(privilegesIn(plan)).toEqual([
      'it works in the checkout itself',
      'commands see CI of whoever starts the run',
      'step s is given the secret X',
      'step t works on https://a.example.com/x',
    ]);
  });

  it('is told of what is inside of a used formula, under the path of the step', async () => {
    const files = (inner: string): Files => ({
      'formulas/a.yaml': 'formula: a\nsteps: [{id: sub, uses: formula/b}]\n',
      'formulas/b.yaml': `formula: b\nsteps: [{id: one, ${inner}}]\n`,
    });
    expect(await told(files('run: ls'), files('run: ls, secrets: {A: X}'))).toEqual([
      'added sub.one secrets.A ! it is given the secret X',
    ]);
  });

  it('says what follows for the bounds', async () => {
    const bounded = steps('id: s, run: ls, timeout: 5m');
    const changes = async (after: Files) =>
      comparePlans(await planOf(bounded), await planOf(after)).filter(({ what }) =>
        what?.startsWith('bounds.'),
      );
    expect(await changes(steps('id: s, run: ls, timeout: 5m, retry: {attempts: 3}'))).toEqual([
      { kind: 'changed', what: 'bounds.minutes', before: 30, after: 90, grows: 'it may come to more' },
      { kind: 'changed', what: 'bounds.attempts', before: 1, after: 3, grows: 'it may come to more' },
    ]);
    expect(await changes(steps('id: s, run: ls'))).toEqual([
      { kind: 'changed', what: 'bounds.minutes', before: 30, after: null, grows: 'it may come to more' },
    ]);
  });

  it('says what callers have to change', async () => {
    const formula = (inputs: string, outputs: string): Files => ({
      'formulas/a.yaml': `formula: a\ninputs: ${inputs}\nsteps: [{id: s, run: 'echo {{inputs.x}}'}]\noutputs: ${outputs}\n`,
    });
    const before = formula('{x: {type: string, default: a}}', '{o: inputs.x, p: inputs.x}');
    expect(await told(before, formula('{x: {type: string}}', '{p: inputs.x}'))).toEqual([
      'changed inputs.x ? everybody has to give it',
      'removed outputs.o ? who reads it is refused',
    ]);
  });

  it('says which values an input does not take any more', async () => {
    const formula = (schema: string): Files => ({
      'formulas/a.yaml': `formula: a\ninputs: {x: ${schema}}\nsteps: [{id: s, run: 'echo {{json inputs.x}}'}]\n`,
    });
    const change = (before: string, after: string) => told(formula(before), formula(after));
    expect(await change('{enum: [a, b]}', '{enum: [a, c]}')).toEqual([
      'changed inputs.x ? "b" is refused now',
    ]);
    expect(await change('{enum: [a]}', '{enum: [a, c]}')).toEqual(['changed inputs.x']);
    expect(await change('{type: string}', '{enum: [a]}')).toEqual([
      'changed inputs.x ? only "a" is taken now',
    ]);
    expect(await change('{type: string}', '{type: integer}')).toEqual([
      'changed inputs.x ? what was given is refused: it takes int now',
    ]);
    expect(await change('{type: integer}', '{type: number}')).toEqual(['changed inputs.x']);
  });

  it('marks what makes more of the same happen', async () => {
    const change = (before: string, after: string) =>
      told(steps(`id: s, run: ls, ${before}`), steps(`id: s, run: ls, ${after}`));
    expect(await change('retry: {attempts: 2}', 'retry: {attempts: 5}')).toEqual([
      'changed s retry ! it may be tried more often',
    ]);
    expect(await change('retry: {attempts: 5}', 'retry: {attempts: 2}')).toEqual(['changed s retry']);
    expect(await change('for_each: [a, b, c], parallel: 2', 'for_each: [a, b, c], parallel: 3')).toEqual([
      'changed s parallel ! more of it may run at once',
    ]);
    const loop = (max: number) => `repeat: {until: outputs.exit_code > 3, max: ${max}}`;
    expect(await change(loop(2), loop(9))).toEqual(['changed s repeat ! it may go round more often']);
  });

  it('is found in a long chain', async () => {
    const chain = (last: string) =>
      steps(...Array.from({ length: 3000 }, (_, n) => `id: s${n}, run: ls`), last);
    const [one, other] = [
      await planOf(chain('id: z, run: ls')),
      await planOf(chain('id: z, run: ls, needs: [s7]')),
    ];
    expect(comparePlans(one, other)).toMatchObject([{ kind: 'changed', step: 'z', what: 'needs' }]);
  });
});

/** The plan with one leaf, counted from its beginning, changed or, where it is optional or one of several, removed. */
function changed(plan: Plan, at: number, remove: boolean): Plan {
  const copy = structuredClone(plan) as unknown as Record<string, JsonValue>;
  const leaves: (() => void)[] = [];
  const visit = (
    holder: Record<string, JsonValue> | JsonValue[],
    key: string | number,
    path: string,
  ): void => {
    const value = (holder as Record<string | number, JsonValue>)[key] as JsonValue;
    if (
      /^(plan|schema|compiler|formula|description|profile)$/.test(path) ||
      /(source|id|needs|kind)(\.\d+)?$/.test(path)
    )
      return;
    if (typeof value === 'object' && value !== null) {
      const entries = Array.isArray(value) ? value.keys() : Object.keys(value);
      for (const inner of entries) visit(value as JsonValue[], inner, `${path}.${inner}`);
      return;
    }
    leaves.push(() => {
      if (remove && Array.isArray(holder) && holder.length > 1) holder.splice(Number(key), 1);
      else (holder as Record<string | number, JsonValue>)[key] = other(value);
    });
  };
  for (const key of Object.keys(copy)) visit(copy, key, key);
  leaves[at % leaves.length]?.();
  return copy as unknown as Plan;
}

function other(value: JsonValue): JsonValue {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'boolean' ? !value : `${String(value)} `;
}
