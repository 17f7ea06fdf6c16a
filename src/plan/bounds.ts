import { showDuration } from '../formula/duration.ts';
import type { ReadPath } from '../formula/list-size.ts';
import { mostItems, mostItemsOf } from '../formula/list-size.ts';
import type { JsonSchema } from '../support/json.ts';
import {
  EXIT_INFRASTRUCTURE,
  INFRASTRUCTURE_TRIES,
  JUDGE_CONTEXT_TOKENS,
  SERVICE_READY_MILLISECONDS,
} from './limits.ts';
import type {
  BoundName,
  Plan,
  PlanAgent,
  PlanBounds,
  PlanBudget,
  PlanGroup,
  PlanStep,
  PlanWorkspace,
} from './plan.ts';
import { worstCost, worstOfTokens } from './prices.ts';
import { topological } from './topological.ts';

/** How much something can come to, and which step makes most of it. */
export interface Bound {
  /** Infinity: there is no bound. */
  readonly value: number;
  /** Path of the step that has the largest part in it, or that makes it unbounded; `workspace`: what comes before all. */
  readonly step?: string;
  /** How that part comes about. */
  readonly why?: string;
}

/**
 * The worst case of a plan, reckoned from nothing but the plan.
 *
 * `minutes` is the sum of all work, as budgets count it, and not the longest way through the graph: a budget limits that
 * sum, and it is at least as long as the clock shows. Waiting for people, timers, events and other runs is no work, nor
 * are the pauses between attempts. Work is what commands take: those of steps and their checks with all their tries,
 * of `prepare`, and until services are ready. A `finally` is not kept from its work by any budget or timeout around it, nor
 * a `once` step by a timeout. A budget or timeout around steps that run at the same time stops each of them, so that
 * together they can use it as many times as there are of them. Left out is what follows from no plan: what git and the
 * runner take, the seconds a process has to end in, and what is done again after a crash.
 *
 * `agentTurns` is how often models are asked, judges counted; `usd` what that costs when each request is as large as its
 * `context_tokens` let it be and each reply as long as it may. A budget of tokens or dollars is set aside before each turn, so
 * that no more than it can be spent, however much runs at the same time. A request that is asked again since its answer was
 * lost is not counted.
 *
 * `attempts` is how often the action of a step is tried, as the state of a run counts it: tries after exit code 75 use no
 * attempt, but their minutes count.
 */
export function boundsOf(plan: Omit<Plan, 'plan' | 'bounds'>): PlanBounds {
  const { minutes, attempts, agentTurns, usd } = reckon(plan);
  const told = [
    ['agentTurns', agentTurns],
    ['usd', usd],
    ['minutes', minutes],
    ['attempts', attempts],
  ] as const;
  const unbounded = told.filter(([, bound]) => bound.value === Infinity);
  return {
    agentTurns: numberOf(agentTurns),
    usd: numberOf(usd),
    minutes: numberOf(minutes),
    attempts: numberOf(attempts),
    ...(unbounded.length > 0 && {
      unbounded: Object.fromEntries(
        unbounded.map(([name, { step = '', why = '' }]) => [name, { step, why }]),
      ),
    }),
  };
}

/** As {@link boundsOf}, with what makes each bound as large as it is. */
export function reckon(plan: Omit<Plan, 'plan' | 'bounds'>): Readonly<Record<BoundName, Bound>> {
  const group = { steps: plan.steps, ...(plan.finally && { finally: plan.finally }) };
  const frame: Frame = { path: '', inputs: plan.inputs, group };
  const body = capped(ofPass(frame), plan.budget, 1);
  const work = [setUp(plan.workspace, 'workspace'), body.plain, body.once, body.last];
  const { attempts, turns, usd } = body;
  return { minutes: inMinutes(sum(work)), attempts, agentTurns: turns, usd: roundedUp(usd) };
}

/** What one thing can come to, by what can stop it from outside. */
interface Work {
  /** Milliseconds that budgets and timeouts around it stop. */
  readonly plain: Bound;
  /** Milliseconds that only budgets stop. */
  readonly once: Bound;
  /** Milliseconds that nothing around it stops. */
  readonly last: Bound;
  readonly attempts: Bound;
  /** How often models are asked. */
  readonly turns: Bound;
  /** That they read and write. */
  readonly tokens: Bound;
  readonly usd: Bound;
  /** US dollars of the dearest token among them; Infinity: of one nobody knows. */
  readonly rate: number;
  /** How many commands of it can run at the same time. Asked for only where something limits them together. */
  readonly width: () => number;
}

/** Where steps stand, and what they read. */
interface Frame {
  readonly path: string;
  readonly inputs: Readonly<Record<string, JsonSchema>>;
  readonly group: Pick<PlanGroup, 'steps' | 'finally' | 'outputs'>;
}

const NONE: Bound = { value: 0 };
const NOTHING: Work = {
  plain: NONE,
  once: NONE,
  last: NONE,
  attempts: NONE,
  turns: NONE,
  tokens: NONE,
  usd: NONE,
  rate: 0,
  width: () => 0,
};

/** One pass through the steps of a formula and its `finally`. */
function ofPass(frame: Frame): Work {
  const { steps, finally: last = [] } = frame.group;
  const works = steps.map((step) => ofStep(step, frame));
  const lastWorks = last.map((step) => ofStep(step, frame));
  return {
    plain: sum(works.map(({ plain }) => plain)),
    once: sum(works.map(({ once }) => once)),
    last: sum([
      ...works.map((work) => work.last),
      ...lastWorks.flatMap((work) => [work.plain, work.once, work.last]),
    ]),
    attempts: sum([...works, ...lastWorks].map(({ attempts }) => attempts)),
    ...asked([...works, ...lastWorks]),
    width: remembered(() => Math.max(widthOf(steps, works), ...lastWorks.map(({ width }) => width()))),
  };
}

/** A step with all its items, iterations and attempts. */
function ofStep(step: PlanStep, frame: Frame): Work {
  const path = `${frame.path}${step.id}`;
  const { repeat, retry, budget, forEach, parallel = 1, workspace } = step;
  const attempt = step.action.kind === 'group' ? ofGroup(step, step.action, path) : ofCommand(step, path);
  const turn = times(
    times(attempt, retry?.attempts ?? 1, 'attempts', path),
    repeat?.max ?? 1,
    'iterations',
    path,
  );
  // Items whose changes conflict begin again, with a budget of their own.
  const again = parallel > 1 && !workspace && retry?.on.includes('error') ? 2 : 1;
  const own = workspace ? setUp(workspace, path) : NONE;
  const item = { ...turn, last: sum([turn.last, own]) };
  const one = capped(item, budget, again, path);
  if (forEach === undefined) return one;
  const items = itemsOf(step, frame);
  const count = 'most' in items ? items.most : Infinity;
  const why =
    'most' in items
      ? undefined
      : `nothing says how many items \`${items.unbounded}\` has at most; \`maxItems\` in its schema would`;
  const all = times(one, count, 'items', path, why);
  return { ...all, width: () => Math.min(parallel, count) * one.width() };
}

/** One attempt of a command, a question or a wait. */
function ofCommand(step: PlanStep, path: string): Work {
  const { action, timeout, once, verify = [] } = step;
  const isCommand = action.kind === 'run' || action.kind === 'agent';
  const checks = verify.some(({ kind }) => kind === 'run');
  const retried =
    action.kind === 'run' && once !== true && !(action.exit ?? [0]).includes(EXIT_INFRASTRUCTURE);
  const tries = retried ? 1 + INFRASTRUCTURE_TRIES : 1;
  let time = NONE;
  if (isCommand && timeout !== undefined) {
    time = by({ value: timeout, step: path, why: showDuration(timeout) }, tries, `tries (exit code 75)`);
  } else if (isCommand) {
    time = { value: Infinity, step: path, why: 'it has no `timeout`, and no `budget` covers it' };
  } else if (checks) {
    // The `timeout` of a question or a wait is for the answer.
    time = { value: Infinity, step: path, why: 'no `budget` covers the commands of its `verify`' };
  }
  return {
    ...NOTHING,
    ...(once ? { once: time } : { plain: time }),
    attempts: { value: 1, step: path, why: '1' },
    ...asked([
      ...(action.kind === 'agent' ? [ofModel(action, path, action.maxTurns, action.contextTokens)] : []),
      ...judges(step, path),
    ]),
    width: () => (time.value > 0 ? 1 : 0),
  };
}

/** What the checks of a step ask models. */
function judges({ verify = [] }: PlanStep, path: string): readonly Work[] {
  return verify.flatMap((check) =>
    check.kind === 'judge' ? [ofModel(check, path, 1, JUDGE_CONTEXT_TOKENS)] : [],
  );
}

/** A model that is asked so many times, with at most so many tokens each. */
function ofModel(
  { model, maxOutputTokens }: Pick<PlanAgent, 'model' | 'maxOutputTokens'>,
  step: string,
  turns: number,
  context: number | undefined,
): Work {
  const { price, id } = model;
  const open = (what: string): Bound => ({
    value: Infinity,
    step,
    why: `it has no \`context_tokens\`, and no \`budget\` of ${what} covers it`,
  });
  const why = turns === 1 ? '1 turn' : `${turns} turns`;
  const each = context === undefined ? undefined : context + maxOutputTokens;
  return {
    ...NOTHING,
    turns: { value: turns, step, why },
    tokens: each === undefined ? open('tokens') : { value: turns * each, step, why },
    usd: !price
      ? { value: Infinity, step, why: `no price of ${id} is known` }
      : context === undefined
        ? open('usd or tokens')
        : { value: turns * worstCost(context, maxOutputTokens, price), step, why },
    rate: price ? worstOfTokens(1, price) : Infinity,
  };
}

/** What several ask models together. */
function asked(works: readonly Work[]): Pick<Work, 'turns' | 'tokens' | 'usd' | 'rate'> {
  return {
    turns: sum(works.map(({ turns }) => turns)),
    tokens: sum(works.map(({ tokens }) => tokens)),
    usd: sum(works.map(({ usd }) => usd)),
    rate: Math.max(0, ...works.map(({ rate }) => rate)),
  };
}

/** One attempt of a used formula. */
function ofGroup(step: PlanStep, group: PlanGroup, path: string): Work {
  const { timeout, verify = [], inputs = {} } = step;
  const inner = capped(ofPass({ path: `${path}.`, inputs, group }), group.budget, 1, path);
  const pass = { ...inner, ...asked([inner, ...judges(step, path)]) };
  const width = () => Math.max(1, pass.width());
  const checks = verify.some(({ kind }) => kind === 'run');
  if (timeout !== undefined) {
    // Its checks have what the pass has left.
    const limit = { value: timeout * width(), step: path, why: `its timeout of ${showDuration(timeout)}` };
    return { ...pass, plain: checks ? limit : least(pass.plain, limit), width };
  }
  if (!checks) return pass;
  const unlimited = { value: Infinity, step: path, why: 'no `budget` covers the commands of its `verify`' };
  return { ...pass, plain: sum([pass.plain, unlimited]), width };
}

/** What comes before a run, or a step with a workspace of its own. */
function setUp({ prepare, services = [] }: PlanWorkspace, path: string): Bound {
  const prepared: Bound[] = !prepare
    ? []
    : prepare.timeout === undefined
      ? [{ value: Infinity, step: path, why: '`prepare` has no `timeout`' }]
      : [{ value: prepare.timeout, step: path, why: `${showDuration(prepare.timeout)} for \`prepare\`` }];
  const started = services.map(({ id }) => ({
    value: SERVICE_READY_MILLISECONDS,
    step: path,
    why: `until service "${id}" is ready`,
  }));
  return sum([...prepared, ...started]);
}

/** Under a budget, of which what runs at the same time can use as much each. */
function capped(work: Work, budget: PlanBudget | undefined, budgets: number, path = ''): Work {
  return cappedMinutes(cappedTokens(work, budget ?? {}, budgets, path), budget?.minutes, budgets, path);
}

/** Under what may be read, written and paid: it is set aside before each turn. */
function cappedTokens(work: Work, { tokens, usd }: PlanBudget, budgets: number, path: string): Work {
  const limit = (value: number, why: string): Bound => ({
    value: value * budgets,
    ...(path !== '' && { step: path }),
    why,
  });
  const inTokens = tokens === undefined ? undefined : limit(tokens, `its budget of ${tokens} tokens`);
  const inDollars = usd === undefined ? undefined : limit(usd, `its budget of ${usd} USD`);
  const paid =
    inTokens && work.rate < Infinity ? { ...inTokens, value: inTokens.value * work.rate } : undefined;
  return {
    ...work,
    tokens: inTokens ? least(work.tokens, inTokens) : work.tokens,
    usd: [inDollars, paid].reduce<Bound>((bound, next) => (next ? least(bound, next) : bound), work.usd),
  };
}

function cappedMinutes(work: Work, minutes: number | undefined, budgets: number, path: string): Work {
  if (minutes === undefined) return work;
  const value = minutes * 60_000 * budgets * Math.max(1, work.width());
  const limit: Bound = {
    value,
    ...(path !== '' && { step: path }),
    why: `its budget of ${showDuration(minutes * 60_000)}`,
  };
  const whole = least(sum([work.plain, work.once]), limit);
  const once = least(work.once, limit);
  // A timeout around it stops what is left first, so that no more of it is counted than there has to be.
  return { ...work, once, plain: { ...whole, value: whole.value - once.value } };
}

/** How many items a step has. */
function itemsOf({ forEach = [] }: PlanStep, frame: Frame) {
  if (typeof forEach !== 'string') return { most: forEach.length };
  return mostItems(forEach, (path) => sizeAt(path, frame));
}

function sizeAt([root, name, ...rest]: ReadPath, frame: Frame): number | undefined {
  if (root === 'inputs') return mostItemsOf(frame.inputs[String(name)], rest);
  const step = root === 'steps' ? frame.group.steps.find(({ id }) => id === name) : undefined;
  const [part, output, ...inner] = rest;
  if (!step || (part !== 'outputs' && part !== 'items')) return undefined;
  if (step.forEach !== undefined) {
    const items = output === undefined ? itemsOf(step, frame) : undefined;
    return items && 'most' in items ? items.most : undefined;
  }
  if (part !== 'outputs' || output === undefined) return undefined;
  const { action } = step;
  if (action.kind !== 'group') return mostItemsOf(step.outputs?.[String(output)], inner);
  const expression = action.outputs?.[output];
  if (expression === undefined || inner.length > 0) return undefined;
  const within = { path: '', inputs: step.inputs ?? {}, group: action };
  const size = mostItems(expression, (path) => sizeAt(path, within));
  return 'most' in size ? size.most : undefined;
}

/**
 * No more commands of some steps can run at the same time than this: the steps are laid into chains, of which at most one
 * step runs at a time. Not always the least such number, but that where steps follow each other or fan out.
 */
function widthOf(steps: readonly PlanStep[], works: readonly Work[]): number {
  const widths = new Map(steps.map(({ id }, index) => [id, works[index]?.width() ?? 0]));
  const all = () => [...widths.values()].reduce((total, width) => total + width, 0);
  /** The last step of each chain, with its place there, and the widest step of it. */
  const chains: { last: number; widest: number }[] = [];
  /** By step: of each chain the place of the last one that comes before it, or is it. */
  const before = new Map<string, ReadonlyMap<number, number>>();
  let kept = 0;
  for (const { id, needs } of topological(steps)) {
    const reached = new Map<number, number>();
    for (const need of needs) {
      for (const [chain, place] of before.get(need) ?? [])
        reached.set(chain, Math.max(place, reached.get(chain) ?? -1));
    }
    let mine = [...reached].find(([chain, place]) => chains[chain]?.last === place)?.[0];
    mine ??= chains.push({ last: -1, widest: 0 }) - 1;
    const chain = chains[mine] as (typeof chains)[number];
    chain.last += 1;
    chain.widest = Math.max(chain.widest, widths.get(id) ?? 0);
    reached.set(mine, chain.last);
    before.set(id, reached);
    kept += reached.size;
    // A graph of thousands of steps side by side, and of as many after them, is not worth its room.
    if (kept > 2_000_000) return all();
  }
  return chains.reduce((total, { widest }) => total + widest, 0);
}

/** All of a work, so many times. */
function times(work: Work, count: number, what: string, step: string, why?: string): Work {
  const multiply = (bound: Bound) => by(bound, count, what, { step, why });
  return {
    ...work,
    plain: multiply(work.plain),
    once: multiply(work.once),
    last: multiply(work.last),
    attempts: multiply(work.attempts),
    turns: multiply(work.turns),
    tokens: multiply(work.tokens),
    usd: multiply(work.usd),
  };
}

function by(
  bound: Bound,
  count: number,
  what: string,
  unbounded: { readonly step?: string; readonly why?: string | undefined } = {},
): Bound {
  if (bound.value === 0 || count === 0) return NONE;
  if (count === 1 || bound.value === Infinity) return bound;
  if (count === Infinity) {
    const { step, why } = unbounded;
    return { value: Infinity, ...(step !== undefined && { step }), ...(why !== undefined && { why }) };
  }
  const why = bound.why === '1' ? `${count} ${what}` : `${bound.why} × ${count} ${what}`;
  return { ...bound, value: bound.value * count, why };
}

/** Of several, with the largest as what makes it so: of those without a bound, the first. */
function sum(bounds: readonly Bound[]): Bound {
  let largest: Bound = NONE;
  let value = 0;
  for (const bound of bounds) {
    if (bound.value > largest.value) largest = bound;
    value += bound.value;
  }
  return { ...largest, value };
}

/** The lesser of two; of equal ones the first. */
function least(bound: Bound, limit: Bound): Bound {
  return bound.value <= limit.value ? bound : limit;
}

function inMinutes(bound: Bound): Bound {
  // Up, and to what people read: nothing is less than it says.
  return { ...bound, value: Math.ceil(bound.value / 600) / 100 };
}

/** To a hundredth of a cent. */
function roundedUp(bound: Bound): Bound {
  return { ...bound, value: Math.ceil(Math.round(bound.value * 1e8) / 1e4) / 1e4 };
}

function numberOf({ value }: Bound): number | null {
  return value === Infinity ? null : value;
}

function remembered<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
