import type { Plan, PlanStep } from '../plan/plan.ts';
import type { TokenCount } from '../plan/token-count.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import type { EventBody, Place, RunEvent, StepError, Waiting } from './event.ts';

export type RunStatus =
  'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled' | 'handed_off';

export type StepStatus =
  'pending' | 'ready' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'cancelled';

/** What is known of a run before its first event. */
export interface RunHeader {
  readonly run: string;
  readonly formula: string;
  /** The plan's digest. */
  readonly plan: string;
  readonly inputs: JsonObject;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** A run as its events add up to it; what `wf show --json` prints. */
export interface RunState {
  readonly run: string;
  readonly formula: string;
  /** The plan's digest. */
  readonly plan: string;
  readonly inputs: JsonObject;
  readonly status: RunStatus;
  /** ISO 8601, UTC, as all times here; of a queued run, when it was created. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** By path (`build`, `release.build`, `fix[2].lint`), in the plan's order. */
  readonly steps: Readonly<Record<string, StepState>>;
  readonly outputs?: JsonObject;
  readonly usage: Usage;
  /** While the run waits, and only then. */
  readonly waiting?: readonly Waiting[];
  /** Why it failed or was handed off, and in which step. */
  readonly error?: StepError & { readonly step?: string };
  readonly branch?: string;
  readonly commit?: string;
  readonly changedFiles?: readonly string[];
  /** Where the work of a run that did not succeed was kept. */
  readonly kept?: string;
  /** What a person takes over from after a hand-off. */
  readonly bundle?: string;
}

/** What models have used. What was asked again since its answer was lost is counted once, and in `repeated`. */
export interface Usage {
  /** How often models have answered. */
  readonly turns: number;
  readonly tokens: TokenCount;
  /** US dollars, of what has a price. */
  readonly usd: number;
  /** Ids of models that nobody knows the price of. */
  readonly unpriced: readonly string[];
  /** Requests that were sent a second time, and paid for twice. */
  readonly repeated: number;
}

export interface StepState {
  readonly status: StepStatus;
  /** Tries so far, those that only the infrastructure failed not counted; of a `for_each`, of all items together. */
  readonly attempts: number;
  /** Of a `repeat`. */
  readonly iterations?: number;
  readonly outputs?: JsonValue;
  /** It was not run: what was recorded of another time stands for it. Of a `for_each`: for all of its items. */
  readonly cached?: true;
  readonly error?: StepError;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Of what asks models; of a group it is with the steps inside. */
  readonly usage?: Usage;
  /** Of a `for_each`, in the list's order. */
  readonly items?: readonly ItemState[];
}

const NO_USAGE: Usage = {
  turns: 0,
  tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  usd: 0,
  unpriced: [],
  repeated: 0,
};

export interface ItemState extends Omit<StepState, 'items'> {
  readonly item: JsonValue;
}

/** A run to which nothing has happened yet. With its plan, every step that can be known beforehand is there, pending. */
export function initialRun(header: RunHeader, plan?: Plan): RunState {
  return {
    run: header.run,
    formula: header.formula,
    plan: header.plan,
    inputs: header.inputs,
    status: 'queued',
    startedAt: header.createdAt,
    steps: plan === undefined ? {} : pendingSteps(plan),
    usage: NO_USAGE,
  };
}

/** The state after one more event. A new path goes last; {@link foldRun} has them in the plan's order. */
export function applyEvent(state: RunState, event: RunEvent): RunState {
  const change = changeOf(state, state.steps, event);
  return withRun(
    state,
    change,
    change.steps.length === 0 ? state.steps : { ...state.steps, ...Object.fromEntries(change.steps) },
  );
}

/** All events of a run, added up. With the plan, steps are in its order, those that did not begin included. */
export function foldRun(header: RunHeader, events: Iterable<RunEvent>, plan?: Plan): RunState {
  let state = initialRun(header, plan);
  // An event touches one step or two. One map that is written to, or thousands of steps would be copied for each.
  const steps: Record<string, StepState> = { ...state.steps };
  for (const event of events) {
    const change = changeOf(state, steps, event);
    for (const [path, step] of change.steps) steps[path] = step;
    state = withRun(state, change, steps);
  }
  return { ...state, steps: plan === undefined ? steps : inPlanOrder(steps, plan) };
}

/** What an event of this type makes of a run's status. How a run ended stays, whatever is recorded after. */
export function statusAfter(status: RunStatus, type: EventBody['type']): RunStatus {
  if (hasEnded(status)) return status;
  switch (type) {
    case 'run.waiting':
      return 'waiting';
    case 'run.succeeded':
      return 'succeeded';
    case 'run.failed':
      return 'failed';
    case 'run.cancelled':
      return 'cancelled';
    case 'run.handed_off':
      return 'handed_off';
    case 'run.started':
    case 'run.resumed':
    case 'plan.replaced':
    case 'cancel.requested':
    case 'workspace.prepared':
    case 'step.started':
    case 'step.skipped':
    case 'step.succeeded':
    case 'step.failed':
    case 'step.cancelled':
    case 'items.listed':
    case 'attempt.started':
    case 'prompt.rendered':
    case 'model.asked':
    case 'model.replied':
    case 'model.failed':
    case 'tool.called':
    case 'tool.returned':
    case 'action.ended':
    case 'once.interrupted':
    case 'attempt.succeeded':
    case 'attempt.failed':
    case 'check.passed':
    case 'check.failed':
    case 'approval.asked':
    case 'approval.given':
    case 'approval.refused':
    case 'signal.received':
    case 'value.recorded':
      return 'running';
  }
}

export function hasEnded(status: RunStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'handed_off';
}

type Steps = Readonly<Record<string, StepState>>;

/** What one event changes: fields of the run, and steps as they are after it. */
interface Change {
  readonly status: RunStatus;
  readonly run?: Partial<Omit<RunState, 'status' | 'steps'>>;
  readonly steps: readonly (readonly [string, StepState])[];
}

function withRun(state: RunState, change: Change, steps: Steps): RunState {
  // Whatever happens next, the run no longer waits; another `run.waiting` brings its own list.
  const { waiting: _, ...rest } = state;
  return { ...rest, ...change.run, status: change.status, steps };
}

function changeOf(before: RunState, steps: Steps, event: RunEvent): Change {
  const status = statusAfter(before.status, event.type);
  const run = (fields: Change['run']): Change => ({ status, ...(fields && { run: fields }), steps: [] });
  // What was not begun by the end, inside of a group that was skipped, never will be.
  const over = (fields: Change['run']): Change => ({
    status,
    ...(fields && { run: fields }),
    steps: Object.entries(steps).flatMap(([path, step]) =>
      step.status === 'pending' ? [[path, { ...step, status: 'skipped' }] as const] : [],
    ),
  });
  const step = (update: (step: StepState) => StepState): Change => ({
    status,
    steps: atPlace(steps, event as Place, update),
  });
  const ended = (how: Partial<StepState> & { readonly status: StepStatus }): Change =>
    step((before) => ({
      ...before,
      ...how,
      endedAt: event.at,
      // Items that were not begun by the end of their step never will be.
      ...(before.items && { items: before.items.map(withoutPending) }),
    }));

  switch (event.type) {
    case 'run.started':
      return run({ formula: event.formula, plan: event.plan, inputs: event.inputs, startedAt: event.at });
    case 'run.waiting':
      return {
        status,
        run: { waiting: event.waiting },
        steps: event.waiting.flatMap((waiting) =>
          atPlace(steps, waiting, (before) => ({ ...before, status: 'waiting' })),
        ),
      };
    case 'run.succeeded':
      return over({
        endedAt: event.at,
        outputs: event.outputs,
        ...defined({ branch: event.branch, commit: event.commit, changedFiles: event.changedFiles }),
      });
    case 'run.failed':
      return over({ endedAt: event.at, error: errorOf(event), ...defined({ kept: event.kept }) });
    case 'run.cancelled':
      return over({ endedAt: event.at, ...defined({ kept: event.kept }) });
    case 'run.handed_off':
      return over({ endedAt: event.at, error: errorOf(event), bundle: event.bundle });
    case 'plan.replaced':
      return run({ plan: event.plan });
    case 'step.started':
      return step((before) => ({ ...before, status: 'running', startedAt: before.startedAt ?? event.at }));
    case 'step.skipped':
      return ended({ status: 'skipped' });
    case 'items.listed':
      return step((before) => ({
        ...before,
        items: event.items.map((item) => ({ item, status: 'pending', attempts: 0 })),
      }));
    case 'attempt.started':
      return step((before) => ({
        ...before,
        status: 'running',
        attempts: before.attempts + (event.infrastructure === undefined && !event.anew ? 1 : 0),
        ...defined({ iterations: event.iteration }),
        startedAt: before.startedAt ?? event.at,
      }));
    case 'step.succeeded':
      return ended({ status: 'succeeded', outputs: event.outputs, ...defined({ cached: event.cached }) });
    case 'step.failed':
      return ended({ status: 'failed', error: event.error, ...defined({ outputs: event.outputs }) });
    case 'step.cancelled':
      return ended({ status: 'cancelled' });
    case 'model.replied':
      return {
        ...step((one) => ({ ...one, usage: plusReply(one.usage ?? NO_USAGE, event) })),
        run: { usage: plusReply(before.usage, event) },
      };
    case 'approval.asked':
      return step((before) => ({ ...before, status: 'waiting' }));
    case 'run.resumed':
    case 'cancel.requested':
    case 'workspace.prepared':
    case 'prompt.rendered':
    case 'model.asked':
    case 'model.failed':
    case 'tool.called':
    case 'tool.returned':
    case 'action.ended':
    case 'once.interrupted':
    case 'attempt.succeeded':
    case 'attempt.failed':
    case 'check.passed':
    case 'check.failed':
    case 'approval.given':
    case 'approval.refused':
    case 'signal.received':
    case 'value.recorded':
      return run(undefined);
  }
}

function plusReply(
  usage: Usage,
  { model, tokens, usd, repeated }: Extract<EventBody, { readonly type: 'model.replied' }>,
): Usage {
  return {
    turns: usage.turns + 1,
    tokens: {
      input: usage.tokens.input + tokens.input,
      output: usage.tokens.output + tokens.output,
      cacheRead: usage.tokens.cacheRead + tokens.cacheRead,
      cacheWrite: usage.tokens.cacheWrite + tokens.cacheWrite,
    },
    usd: Math.round((usage.usd + (usd ?? 0)) * 1e9) / 1e9,
    unpriced:
      usd !== undefined || usage.unpriced.includes(model)
        ? usage.unpriced
        : [...usage.unpriced, model].sort(),
    repeated: usage.repeated + (repeated ? 1 : 0),
  };
}

/** The step with the change in it; for an item's place, the step with its item changed. */
function atPlace(
  steps: Steps,
  place: Place,
  update: (step: StepState) => StepState,
): (readonly [string, StepState])[] {
  if (place.step === undefined) return [];
  // `constructor` is a good name for a step.
  const step = (Object.hasOwn(steps, place.step) ? steps[place.step] : undefined) ?? pending;
  if (place.item === undefined) return [[place.step, update(step)]];

  const items = [...(step.items ?? [])];
  const { item, ...before } = items[place.item] ?? { item: null, ...pending };
  const after = update(before);
  items[place.item] = { item, ...after };
  return [
    [
      place.step,
      {
        ...step,
        status: step.endedAt !== undefined ? step.status : after.status === 'waiting' ? 'waiting' : 'running',
        attempts: step.attempts + after.attempts - before.attempts,
        items,
      },
    ],
  ];
}

function withoutPending(item: ItemState): ItemState {
  return item.status === 'pending' ? { ...item, status: 'skipped' } : item;
}

const pending: StepState = { status: 'pending', attempts: 0 };

function errorOf(event: {
  readonly error: StepError;
  readonly step?: string;
}): NonNullable<RunState['error']> {
  return { ...event.error, ...defined({ step: event.step }) };
}

/** Without the properties that are undefined, so that states compare as their JSON does. */
function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function pendingSteps(plan: Plan): Record<string, StepState> {
  const steps: Record<string, StepState> = {};
  for (const { path, known } of pathsOf(plan)) if (known) steps[path] = pending;
  return steps;
}

/** Every path of a plan in its order, without indexes. `known`: not inside a `for_each`, so the path is the whole one. */
function pathsOf(plan: Plan): { readonly path: string; readonly known: boolean }[] {
  const paths: { path: string; known: boolean }[] = [];
  const add = (steps: readonly PlanStep[], parent: string, known: boolean): void => {
    for (const step of steps) {
      const path = `${parent}${step.id}`;
      paths.push({ path, known });
      if (step.action.kind !== 'group') continue;
      const inner = [...step.action.steps, ...(step.action.finally ?? [])];
      add(inner, `${path}.`, known && step.forEach === undefined);
    }
  };
  add([...plan.steps, ...(plan.finally ?? [])], '', true);
  return paths;
}

/** A group's steps come behind it, those of its first item before those of its second. */
function inPlanOrder(steps: Steps, plan: Plan): Steps {
  const place = new Map(pathsOf(plan).map(({ path }, index) => [path, index]));
  const keyed = Object.entries(steps).map(([path, step]) => ({ path, step, order: orderOf(path, place) }));
  keyed.sort((a, b) => compareLists(a.order, b.order));
  return Object.fromEntries(keyed.map(({ path, step }) => [path, step]));
}

/** For `fix[2].lint`: the place of `fix` in the plan, 2, the place of `fix.lint`. */
function orderOf(path: string, place: ReadonlyMap<string, number>): number[] {
  const order: number[] = [];
  let plain = '';
  for (const segment of path.split('.')) {
    const [id = '', ...indexes] = segment.split('[');
    plain = plain === '' ? id : `${plain}.${id}`;
    order.push(
      place.get(plain) ?? Number.MAX_SAFE_INTEGER,
      ...indexes.map((index) => Number.parseInt(index, 10)),
    );
  }
  return order;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = a[index]! - b[index]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
