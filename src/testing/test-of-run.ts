import type { Place, RunEvent } from '../journal/event.ts';
import type { RunState } from '../journal/run-state.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import { stepsByPath } from '../plan/steps-by-path.ts';
import { withoutItem } from '../formula/test-file.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';

/** What every command puts out beside what it declares. */
const STREAMS = ['stdout', 'stderr', 'exit_code'];

/**
 * A test that goes as a run went: its inputs, what each action put out try by try, what people and events said, and how it
 * ended. As it is written in a file of tests. What commands made of files is not in it: checks that look at files pass or
 * fail as they did.
 */
export function testOfRun(plan: Plan, state: RunState, events: readonly RunEvent[]): JsonObject {
  const steps = stepsByPath(plan);
  const stubs = stubsOf(steps, events);
  const answers = answersOf(steps, events);
  const outside = eventsOf(events);
  const ended = Object.entries(state.steps).filter(([path]) => !path.includes('['));
  const again = ended.filter(([, { attempts }]) => attempts > 1);
  return {
    name: `goes as run ${state.run} went`,
    ...(Object.keys(state.inputs).length > 0 && { inputs: state.inputs }),
    ...(Object.keys(stubs).length > 0 && { stubs }),
    ...(Object.keys(answers).length > 0 && { answers }),
    ...(outside.length > 0 && { events: outside }),
    expect: {
      status: state.status,
      ...(ended.length > 0 && {
        steps: Object.fromEntries(ended.map(([path, { status }]) => [path, status])),
      }),
      ...(again.length > 0 && {
        attempts: Object.fromEntries(again.map(([path, { attempts }]) => [path, attempts])),
      }),
      ...(state.outputs && Object.keys(state.outputs).length > 0 && { outputs: state.outputs }),
      ...(state.error && { error: firstLine(state.error.message) }),
    },
  };
}

/** A test without some of what it expects, by `outputs.count`, `error`: what cannot hold without the run's files. */
export function withoutExpectations(test: JsonObject, whats: readonly string[]): JsonObject {
  const isOut = (what: string) => whats.includes(what);
  const expect = Object.entries(test['expect'] as JsonObject).flatMap(
    ([key, value]): [string, JsonValue][] => {
      if (isOut(key)) return [];
      if (!isJsonObject(value)) return [[key, value]];
      const left = Object.entries(value).filter(([name]) => !isOut(`${key}.${name}`));
      return left.length === 0 ? [] : [[key, Object.fromEntries(left)]];
    },
  );
  return { ...test, expect: Object.fromEntries(expect) };
}

/** What stands for each action: one try after the other, of each item where they differ. */
function stubsOf(steps: ReadonlyMap<string, PlanStep>, events: readonly RunEvent[]): JsonObject {
  const tries = new Map<string, JsonObject[]>();
  for (const [at, event] of events.entries()) {
    const one = tryOf(event, at, steps, events);
    if (!one) continue;
    const name = instanceOf(event as Place);
    tries.set(name, [...(tries.get(name) ?? []), one]);
  }
  const stubs: Record<string, JsonValue> = {};
  const taken = new Set<string>();
  for (const name of tries.keys()) {
    const step = name.replace(/\[\d+\]$/, '');
    if (taken.has(step)) continue;
    const items = [...tries].filter(([other]) => other.replace(/\[\d+\]$/, '') === step);
    const [first] = items;
    // Alike for all items: said once.
    const isAlike = items.every(([, list]) => JSON.stringify(list) === JSON.stringify(first?.[1]));
    for (const [instance, list] of isAlike ? [[step, first?.[1] ?? []] as const] : items)
      stubs[instance] = shortened(list);
    taken.add(step);
  }
  return stubs;
}

/** The last of several tries repeats. */
function shortened(tries: readonly JsonObject[]): JsonValue {
  let length = tries.length;
  while (length > 1 && JSON.stringify(tries[length - 1]) === JSON.stringify(tries[length - 2])) length -= 1;
  const [only, second] = tries;
  return length === 1 || !second ? (only ?? {}) : tries.slice(0, length);
}

function tryOf(
  event: RunEvent,
  at: number,
  steps: ReadonlyMap<string, PlanStep>,
  events: readonly RunEvent[],
): JsonObject | undefined {
  const step = 'step' in event ? steps.get(withoutItem(String(event.step))) : undefined;
  if (!step || (step.action.kind !== 'run' && step.action.kind !== 'agent')) return undefined;
  if (event.type === 'action.ended' || (event.type === 'attempt.succeeded' && !step.verify)) {
    const { outputs } = event;
    const { stdout, stderr, exit_code: exit } = outputs;
    const own = Object.entries(outputs).filter(([name]) => !STREAMS.includes(name));
    // What it printed was read as its outputs.
    const isParsed =
      step.action.kind === 'run' &&
      step.action.parse === 'json' &&
      typeof stdout === 'string' &&
      stdout !== '';
    return {
      ...(own.length > 0 && !isParsed && { outputs: Object.fromEntries(own) }),
      ...(typeof stdout === 'string' && stdout !== '' && { stdout }),
      ...(typeof stderr === 'string' && stderr !== '' && { stderr }),
      ...(typeof exit === 'number' && exit !== 0 && { exit }),
      ...checksOf(step, event, events.slice(at + 1)),
    };
  }
  if (event.type !== 'attempt.failed' || event.error.kind === 'cancelled' || wasActed(event, at, events))
    return undefined;
  if (event.error.kind === 'timeout') return { after: seconds((step.timeout ?? 0) + 1000) };
  // Why an agent failed is what its stub puts out.
  if (step.action.kind === 'agent') return { exit: 1, stderr: event.error.message };
  const { exitCode, stdout, stderr } = event;
  return {
    ...(stdout && stdout.text !== '' && { stdout: stdout.text.replace(/\n+$/, '') }),
    ...(stderr && stderr.text !== '' && { stderr: stderr.text.replace(/\n+$/, '') }),
    ...(exitCode !== 0 && { exit: exitCode ?? 1 }),
  };
}

/** The action of a failed attempt went well, and a check refused it. */
function wasActed(event: RunEvent, at: number, events: readonly RunEvent[]): boolean {
  for (let index = at - 1; index >= 0; index -= 1) {
    const before = events[index] as RunEvent;
    if (instanceOf(before as Place) !== instanceOf(event as Place)) continue;
    if (before.type === 'action.ended') return true;
    if (before.type === 'attempt.started' || before.type === 'attempt.failed') return false;
  }
  return false;
}

/** Whether commands and judges under `verify` passed after an action. */
function checksOf({ verify = [] }: PlanStep, event: RunEvent, after: readonly RunEvent[]): JsonObject {
  const isStubbed = (kind: string | undefined) => kind === 'run' || kind === 'judge';
  if (!verify.some(({ kind }) => isStubbed(kind))) return {};
  for (const next of after) {
    if (instanceOf(next as Place) !== instanceOf(event as Place)) continue;
    if (next.type === 'attempt.succeeded' || next.type === 'attempt.failed') break;
    if (next.type === 'check.failed' && isStubbed(verify[next.check]?.kind)) return { checks: 'fail' };
  }
  return { checks: 'pass' };
}

function answersOf(steps: ReadonlyMap<string, PlanStep>, events: readonly RunEvent[]): JsonObject {
  const found: Record<string, JsonObject[]> = {};
  const asked = new Map<string, number>();
  for (const event of events) {
    const name = instanceOf(event as Place);
    if (event.type === 'approval.asked') asked.set(name, Date.parse(event.at));
    if (event.type !== 'approval.given' && event.type !== 'approval.refused') continue;
    const action = steps.get(withoutItem(String(event.step)))?.action;
    const isLone = action?.kind === 'approve' && action.count === 1;
    const refused = event.type === 'approval.refused';
    const answer: JsonObject = {
      decision: refused ? 'reject' : 'approve',
      ...(isLone && event.by !== '' && { by: event.by }),
      ...(event.comment !== undefined && { comment: event.comment }),
      ...later(Date.parse(event.at) - (asked.get(name) ?? 0)),
    };
    // Of several who had to agree, the last one's time is that of the answer.
    const before = found[name] ?? [];
    const isSame = !isLone && !refused && asked.get(`${name} answered`) === asked.get(name);
    found[name] = isSame ? [...before.slice(0, -1), answer] : [...before, answer];
    asked.set(`${name} answered`, asked.get(name) ?? 0);
  }
  return Object.fromEntries(
    Object.entries(found).map(([name, list]) => [name, list.length === 1 ? (list[0] as JsonObject) : list]),
  );
}

/** What happened outside, as far as somebody in the run has heard it; each once. */
function eventsOf(events: readonly RunEvent[]): readonly JsonObject[] {
  const begun = Date.parse(events[0]?.at ?? '');
  const heard = new Map<number, JsonObject>();
  for (const event of events) {
    if (event.type !== 'value.recorded' || event.of !== 'signal' || !isJsonObject(event.value)) continue;
    const { id, kind, event: name, data, at } = event.value;
    if (kind !== 'event' || typeof id !== 'number' || typeof at !== 'number') continue;
    heard.set(id, {
      event: String(name),
      ...(data !== undefined && data !== null && { data }),
      ...later(at - begun),
    });
  }
  return [...heard].sort(([one], [other]) => one - other).map(([, event]) => event);
}

function later(milliseconds: number): JsonObject {
  return milliseconds >= 1000 ? { after: seconds(milliseconds) } : {};
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)}s`;
}

function instanceOf({ step = '', item }: Place): string {
  return item === undefined ? step : `${step}[${item}]`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
