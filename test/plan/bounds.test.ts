import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf } from '../../src/plan/bounds.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import { readPlan } from '../../src/plan/read-plan.ts';
import type { PlanBounds, PlanStep } from '../../src/plan/plan.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';
import { proof, proving } from '../support/proof.ts';

async function boundsFrom(text: string, others: Files = {}): Promise<PlanBounds | undefined> {
  const { plan, diagnostics } = await compileFormula(
    memoryLoader({ 'formulas/a.yaml': `formula: a\n${text}`, ...others }),
    'a',
  );
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return plan?.bounds;
}

/** Minutes and attempts; of what is unbounded, why. */
async function worst(text: string, others: Files = {}): Promise<string> {
  const bounds = await boundsFrom(text, others);
  const told = (name: 'minutes' | 'attempts') => {
    const { step = '', why = '' } = bounds?.unbounded?.[name] ?? {};
    return bounds?.[name] ?? `${step}: ${why}`;
  };
  return `${told('minutes')} minutes, ${told('attempts')} attempts`;
}

const one = (step: string) => `steps: [{id: s, ${step}}]\n`;

describe('turns of models and what they cost', () => {
  const MODELS: Files = {
    'wf.yaml': 'models: {a: {id: x, price: {input: 1, output: 10}}, free: {id: nobody-knows}}\n',
  };
  const agent = (more: string, around = '') =>
    one(`agent: {model: a, prompt: x, max_turns: 10, max_output_tokens: 1000${more}}${around}`);
  const judge = ', verify: [{check: outputs.ok}, {judge: {model: a, rubric: x, pass: score > 2}}]';

  it.each<readonly [what: string, text: string, turns: number | null, usd: number | string]>([
    ['each turn as large as it may be', agent(', context_tokens: 9000'), 10, 0.19],
    ['attempts', agent(', context_tokens: 9000', ', retry: {attempts: 3}'), 30, 0.57],
    ['items', agent(', context_tokens: 9000', ', for_each: [1, 2], parallel: 2'), 20, 0.38],
    ['a judge', agent(', context_tokens: 9000', `, outputs: {ok: {type: boolean}}${judge}`), 11, 0.3105],
    ['a budget of dollars', `budget: {usd: 0.05}\n${agent(', context_tokens: 9000')}`, 10, 0.05],
    ['a budget of tokens', `budget: {tokens: 1000}\n${agent('')}`, 10, 0.01],
    [
      'no end of the context',
      agent(''),
      10,
      's: it has no `context_tokens`, and no `budget` of usd or tokens covers it',
    ],
    [
      'no price',
      one('agent: {model: free, prompt: x, context_tokens: 10}'),
      20,
      's: no price of nobody-knows is known',
    ],
  ])('%s', async (_, text, turns, usd) => {
    const bounds = await boundsFrom(text, MODELS);
    const { step = '', why = '' } = bounds?.unbounded?.usd ?? {};
    expect([bounds?.agentTurns, bounds?.usd ?? `${step}: ${why}`]).toEqual([turns, usd]);
  });
});

describe('minutes', () => {
  it.each<readonly [what: string, text: string, bounds: string]>([
    ['a command may run six times for one attempt', one('run: ls, timeout: 1m'), '6 minutes, 1 attempts'],
    ['`once` excludes that', one('run: ls, timeout: 1m, once: true'), '1 minutes, 1 attempts'],
    ['as does an expected 75', one('run: ls, timeout: 1m, exit: [0, 75]'), '1 minutes, 1 attempts'],
    [
      'an attempt with its checks',
      one('run: ls, timeout: 1m, once: true, verify: [{run: test -f x}]'),
      '1 minutes, 1 attempts',
    ],
    ['less than a minute counts', one('run: ls, timeout: 1s, once: true'), '0.02 minutes, 1 attempts'],
    ['attempts', one('run: ls, timeout: 1m, exit: [0, 75], retry: {attempts: 3}'), '3 minutes, 3 attempts'],
    [
      'iterations of attempts',
      one(
        'run: ls, timeout: 1m, exit: [0, 75], retry: {attempts: 3}, repeat: {until: outputs.exit_code == 0, max: 4}',
      ),
      '12 minutes, 12 attempts',
    ],
    ['items', one('run: ls, timeout: 1m, exit: [0, 75], for_each: [a, b, c]'), '3 minutes, 3 attempts'],
    ['no items', one('run: ls, for_each: []'), '0 minutes, 0 attempts'],
    [
      'waiting is no work',
      'steps: [{id: w, wait: {for: 2d}}, {id: q, approve: {ask: Now?}}]\n',
      '0 minutes, 2 attempts',
    ],
    [
      'what runs side by side is added up',
      'steps: [{id: s, needs: [], run: ls, timeout: 1m, once: true}, {id: t, needs: [], run: ls, timeout: 1m, once: true}]\n',
      '2 minutes, 2 attempts',
    ],
    [
      '`finally`',
      `${one('run: ls, timeout: 1m, once: true')}finally: [{id: t, run: ls, timeout: 1m, once: true}]\n`,
      '2 minutes, 2 attempts',
    ],
    ['no timeout', one('run: ls'), 's: it has no `timeout`, and no `budget` covers it minutes, 1 attempts'],
    [
      'a budget of the step',
      one('run: ls, budget: {minutes: 5}, retry: {attempts: 3}'),
      '5 minutes, 3 attempts',
    ],
    [
      'a budget for each item',
      one('run: ls, budget: {minutes: 5}, for_each: [a, b], parallel: 2'),
      '10 minutes, 2 attempts',
    ],
    [
      'again for items that conflict',
      one('run: ls, budget: {minutes: 5}, for_each: [a, b], parallel: 2, retry: {attempts: 2}'),
      '20 minutes, 4 attempts',
    ],
    ['a budget of the run', `budget: {minutes: 7}\n${one('run: ls')}`, '7 minutes, 1 attempts'],
    ['less than the budget', `budget: {minutes: 7}\n${one('run: ls, timeout: 1m')}`, '6 minutes, 1 attempts'],
    [
      'a budget that two use at once',
      'budget: {minutes: 7}\nsteps: [{id: s, needs: [], run: ls}, {id: t, needs: [], run: ls}, {id: u, run: ls}]\n',
      '14 minutes, 3 attempts',
    ],
    [
      'a budget that items use at once',
      `budget: {minutes: 7}\n${one('run: ls, for_each: [a, b, c, d], parallel: 3')}`,
      '21 minutes, 4 attempts',
    ],
    [
      'a budget does not keep `finally` from its work',
      `budget: {minutes: 7}\n${one('run: ls')}finally: [{id: t, run: ls, timeout: 1m}]\n`,
      '13 minutes, 2 attempts',
    ],
    [
      'a budget does not make an end of `finally`',
      `budget: {minutes: 7}\n${one('run: ls')}finally: [{id: t, run: ls}]\n`,
      't: it has no `timeout`, and no `budget` covers it minutes, 2 attempts',
    ],
    [
      'checks of a question have no limit of their own',
      one('approve: {ask: Now?}, timeout: 5m, verify: [{run: test -f x}]'),
      's: no `budget` covers the commands of its `verify` minutes, 1 attempts',
    ],
    [
      'checks that start no command',
      one("approve: {ask: Now?}, verify: [{check: outputs.comment != ''}]"),
      '0 minutes, 1 attempts',
    ],
    [
      '`prepare` without a limit',
      `budget: {minutes: 7}\nworkspace: {prepare: {run: make, files: [x]}}\n${one('run: ls')}`,
      'workspace: `prepare` has no `timeout` minutes, 1 attempts',
    ],
    [
      '`prepare` and services, which no budget covers',
      `budget: {minutes: 7}\nworkspace: {prepare: {run: make, files: [x], timeout: 2m}, services: [{id: db, run: serve, ready: {port: 5432}}]}\n${one('run: ls')}`,
      '10 minutes, 1 attempts',
    ],
    [
      "a step's own workspace, for each item",
      one(
        'run: ls, timeout: 1m, once: true, for_each: [a, b], workspace: {from: empty, prepare: {run: make, files: [x], timeout: 2m}}',
      ),
      '6 minutes, 2 attempts',
    ],
  ])('%s', async (_what, text, bounds) => {
    expect(await worst(text)).toBe(bounds);
  });

  const used = (text: string) => ({ 'formulas/b.yaml': `formula: b\n${text}` });

  it.each<readonly [what: string, step: string, formula: string, bounds: string]>([
    ['passes', 'retry: {attempts: 3}', one('run: ls, timeout: 1m, once: true'), '3 minutes, 3 attempts'],
    [
      'no more of them when the infrastructure fails',
      '',
      one('run: ls, timeout: 1m'),
      '6 minutes, 1 attempts',
    ],
    ['a timeout', 'timeout: 4m', one('run: ls'), '4 minutes, 1 attempts'],
    [
      'a timeout that two use at once',
      'timeout: 4m',
      'steps: [{id: s, needs: [], run: ls}, {id: t, needs: [], run: ls}]\n',
      '8 minutes, 2 attempts',
    ],
    [
      'a timeout stops no `once`',
      'timeout: 4m',
      one('run: ls, once: true'),
      's.s: it has no `timeout`, and no `budget` covers it minutes, 1 attempts',
    ],
    [
      'a budget does',
      'timeout: 4m, budget: {minutes: 6}',
      one('run: ls, once: true'),
      '6 minutes, 1 attempts',
    ],
    [
      'a timeout stops no `finally`',
      'timeout: 4m',
      `${one('run: ls')}finally: [{id: t, run: ls, timeout: 1m}]\n`,
      '10 minutes, 2 attempts',
    ],
    [
      'its own budget, for each pass',
      'retry: {attempts: 3}',
      `budget: {minutes: 2}\n${one('run: ls')}`,
      '6 minutes, 3 attempts',
    ],
    [
      'the budget of the step, for all',
      'retry: {attempts: 3}, budget: {minutes: 5}',
      `budget: {minutes: 2}\n${one('run: ls')}`,
      '5 minutes, 3 attempts',
    ],
    [
      'its checks',
      'verify: [{run: test -f x}]',
      one('run: ls, timeout: 1m'),
      's: no `budget` covers the commands of its `verify` minutes, 1 attempts',
    ],
    [
      'its checks, in what the pass leaves',
      'timeout: 4m, verify: [{run: test -f x}]',
      one('run: ls'),
      '4 minutes, 1 attempts',
    ],
  ])('of a used formula: %s', async (_what, step, formula, bounds) => {
    expect(await worst(one(`uses: formula/b${step === '' ? '' : `, ${step}`}`), used(formula))).toBe(bounds);
  });
});

describe('items', () => {
  const list = (schema: string) => `inputs: {x: {type: array${schema}, items: {type: string}}}\n`;
  const each = (text: string) => one(`run: ls, timeout: 1s, for_each: ${text}`);

  it.each<readonly [what: string, text: string, attempts: number | null]>([
    ['of an input with maxItems', list(', maxItems: 9') + each('inputs.x'), 9],
    ['of an input without', list('') + each('inputs.x'), null],
    ['filtered and mapped', list(', maxItems: 9') + each(`"inputs.x.filter(f, f != '').map(f, f + '!')"`), 9],
    ['of two lists', list(', maxItems: 9') + each(`'inputs.x + ["a"]'`), 10],
    ['of one or the other', list(', maxItems: 9') + each(`'size(inputs.x) > 1 ? inputs.x : ["a"]'`), 9],
    ['of a text that is split', 'inputs: {x: {type: string}}\n' + each(`'inputs.x.split(",")'`), null],
    ['of an enum', 'inputs: {x: {enum: [[a], [a, b]]}}\n' + each('inputs.x'), 2],
    [
      'inside of an object',
      'inputs: {x: {type: object, required: [y], properties: {y: {type: array, maxItems: 4}}}}\n' +
        each('inputs.x.y'),
      4,
    ],
  ])('%s', async (_what, text, attempts) => {
    const bounds = await boundsFrom(text);
    expect(bounds?.attempts).toBe(attempts);
    if (attempts === null)
      expect(bounds?.unbounded?.attempts?.why).toMatch(/^nothing says how many items `.*` has at most/);
  });

  it('of what other steps put out, also from inside of a used formula', async () => {
    const others = {
      'formulas/b.yaml':
        'formula: b\nsteps: [{id: s, run: ls, outputs: {x: {type: array, maxItems: 5}}}]\noutputs: {y: steps.s.outputs.x}\n',
    };
    const text = `steps:
  - {id: b, uses: formula/b}
  - {id: c, for_each: steps.b.outputs.y, run: ls}
  - {id: d, for_each: steps.c.outputs, run: ls}
  - {id: e, for_each: 'steps.c.items.filter(i, i.status == "failed")', run: ls}
`;
    expect((await boundsFrom(text, others))?.attempts).toBe(16);
  });
});

describe('the bounds of a plan', () => {
  it('are no part of its name, and are reckoned again when it is read', async () => {
    const { plan } = await compileFormula(
      memoryLoader({ 'formulas/a.yaml': `formula: a\n${one('run: ls, timeout: 1m')}` }),
      'a',
    );
    if (!plan?.bounds) throw new Error('no bounds');
    const forged = { ...plan, bounds: { ...plan.bounds, minutes: 0.01 } };
    expect(readPlan(JSON.stringify(forged), 'a file').bounds).toEqual(plan.bounds);
  });

  it('take no time for a graph of thousands of steps', async () => {
    const { plan } = await compileFormula(
      memoryLoader({ 'formulas/a.yaml': `formula: a\n${one('run: ls')}` }),
      'a',
    );
    const [step] = plan?.steps ?? [];
    if (!plan || !step) throw new Error('no plan');
    const names = Array.from({ length: 20_000 }, (_, index) => `s${index}`);
    const chain = names.map((id, index) => ({
      ...step,
      id,
      needs: names.slice(Math.max(0, index - 1), index),
    }));
    const fan = names.map((id, index) => ({
      ...step,
      id,
      needs: index < 10_000 ? [] : names.slice(0, 20_000 - index),
    }));
    const started = process.cpuUsage().user;
    expect(boundsOf({ ...plan, steps: chain, budget: { minutes: 1 } }).minutes).toBe(1);
    expect(boundsOf({ ...plan, steps: fan, budget: { minutes: 1 } }).minutes).toBeGreaterThanOrEqual(10_000);
    expect((process.cpuUsage().user - started) / 1000).toBeLessThan(10_000);
  });
});

interface Node {
  readonly items: number;
  readonly retry: number;
  readonly repeat: number;
  readonly fails: boolean;
  readonly goesOn: boolean;
  readonly inner: readonly Node[];
}

const tree = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.record({
    items: fc.nat(2),
    retry: fc.integer({ min: 1, max: 3 }),
    repeat: fc.integer({ min: 1, max: 2 }),
    fails: fc.boolean(),
    goesOn: fc.boolean(),
    inner: fc.oneof(
      { depthSize: 'small' },
      fc.constant([]),
      fc.array(tie('node'), { minLength: 1, maxLength: 2 }),
    ),
  }),
})).node;

/** A formula for each place that has something in it. */
function formulas(nodes: readonly Node[], name: string): Files {
  const steps = nodes.map(({ items, retry, repeat, fails, goesOn, inner }, index) => {
    const keys = [
      `id: s${index}`,
      inner.length > 0 ? `uses: formula/${name}${index}` : `run: [${fails ? "'false'" : "'true'"}]`,
      ...(items > 0 ? [`for_each: [${Array.from({ length: items }, (_, item) => item).join(', ')}]`] : []),
      ...(retry > 1 ? [`retry: {attempts: ${retry}}`] : []),
      // Never content, so that it is repeated as often as it may be.
      ...(repeat > 1 ? [`repeat: {until: run.id == '', max: ${repeat}, or: keep}`] : []),
      ...(goesOn ? ['on_failure: continue'] : []),
    ];
    return `  - {${keys.join(', ')}}\n`;
  });
  return Object.assign(
    { [`formulas/${name}.yaml`]: `formula: ${name}\nworkspace: empty\nsteps:\n${steps.join('')}` },
    ...nodes.map(({ inner }, index) => (inner.length > 0 ? formulas(inner, `${name}${index}`) : {})),
  ) as Files;
}

function commandPaths(steps: readonly PlanStep[], prefix = ''): readonly string[] {
  return steps.flatMap(({ id, action }) =>
    action.kind === 'group' ? commandPaths(action.steps, `${prefix}${id}.`) : [`${prefix}${id}`],
  );
}

it('no run has more attempts than its plan says', { timeout: 900_000 }, async () => {
  let runs = 0;
  let reached = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(tree, { minLength: 1, maxLength: 2 }), async (nodes) => {
      const files = formulas(nodes, 'a');
      if (Object.keys(files).length > 6) return;
      const project = testProject(files);
      const { bounds, steps } = await project.compile('a');
      const most = bounds?.attempts ?? Infinity;
      if (most > (proving ? 400 : 60)) return;
      const { events } = await project.run('a');
      // A pass through a used formula is no attempt of its own: what counts is what is done in it.
      const commands = new Set(commandPaths(steps));
      const made = events.filter(
        (event) =>
          event.type === 'attempt.started' && commands.has((event.step ?? '').replace(/\[\d+\]/g, '')),
      ).length;
      expect(made).toBeLessThanOrEqual(most);
      runs += 1;
      if (made === most) reached += 1;
    }),
    proof({ few: 15, many: 400 }),
  );
  // A bound that no run ever comes near would be of no use.
  expect(reached).toBeGreaterThan(0);
  if (proving) console.log(`${runs} runs, ${reached} of them with as many attempts as the plan allows`);
});
