import type { EventBody, Place, RunEvent, StateId, StepError } from '../journal/event.ts';
import type { Plan, PlanGroup, PlanStep } from '../plan/plan.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import { askPeople } from './actions/approve.ts';
import { runCommand } from './actions/run.ts';
import { waitFor } from './actions/wait.ts';
import { boundInputs } from './bind-inputs.ts';
import type { Engine } from './engine.ts';
import { Detached } from './engine.ts';
import type { Stop, StepValue } from './frame.ts';
import { Frame } from './frame.ts';
import { handoffFiles } from './handoff.ts';
import { joinEnded, joinFailure } from './join.ts';
import { Ledger } from './ledger.ts';
import { overlappingSteps, topological } from './overlap.ts';
import type { Result } from './result.ts';
import { failure } from './result.ts';
import { backoffBefore, infrastructureBackoff, INFRASTRUCTURE_TRIES, mayRetry } from './retry-policy.ts';
import { evaluate, evaluateWith, Scopes } from './scope.ts';
import type { Scoped } from './scope.ts';
import { verify } from './verify/verify.ts';
import type { World } from './world.ts';

/**
 * Walks a plan. Deterministic: given the plan, the inputs and the record behind the engine, it asks the same things in
 * the same order. Nothing in it looks at a clock, a file or a process but through the engine.
 */
export class Interpreter {
  readonly #plan: Plan;
  readonly #engine: Engine;
  readonly #world: World;
  readonly #scopes: Scopes;
  readonly #ledger: Ledger;

  constructor(plan: Plan, inputs: JsonObject, engine: Engine, world: World) {
    this.#plan = plan;
    this.#engine = engine;
    this.#world = world;
    this.#scopes = new Scopes(plan, engine, world);
    this.#ledger = new Ledger(plan.budget?.minutes);
    this.#inputs = inputs;
  }

  readonly #inputs: JsonObject;

  /** From the top to the event that ends the run. */
  async run(): Promise<void> {
    const { concurrency } = this.#plan;
    const { initial, base, branch } = this.#world.workspace;
    await this.#engine.record('workspace', {
      type: 'workspace.prepared',
      state: initial,
      ...(base !== undefined && { base }),
      ...(branch !== undefined && { branch }),
    });
    const frame = new Frame({
      path: '',
      key: '',
      inputs: this.#inputs,
      steps: this.#plan.steps,
      last: this.#plan.finally ?? [],
      home: undefined,
      outer: this.#engine.signal,
    });
    const group = concurrency && evaluateWith(concurrency.group, this.#scopes.bare(frame));
    if (group !== undefined && concurrency) {
      const waiting = { step: this.#plan.formula, for: 'concurrency' as const, ask: String(group) };
      await this.#engine.lock('lock', String(group), concurrency.then, { waiting });
    }
    const end = await this.#pass(frame, initial, this.#plan.outputs);
    if (group !== undefined) await this.#engine.release('unlock', String(group));
    await this.#finish(frame, end);
  }

  /** The steps of a frame, then its `finally`, then its outputs. */
  async #pass(
    frame: Frame,
    start: StateId,
    outputs: PlanGroup['outputs'],
  ): Promise<Result> {
    const state = await this.#steps(frame, start);
    const cancelled = this.#engine.signal.aborted || (frame.stopped.signal.aborted && !frame.stop);
    let result: Result = frame.stop
      ? { ok: false, error: frame.stop.error, state }
      : cancelled
        ? failure('cancelled', 'cancelled', state)
        : { ok: true, outputs: {}, state };
    if (result.ok) result = await this.#outputs(frame, outputs ?? {}, state);
    const last = await this.#finally(frame, result);
    return { ...result, state: last };
  }

  /** Every step, each as soon as what it needs has ended. */
  async #steps(frame: Frame, start: StateId): Promise<StateId> {
    const copies = overlappingSteps(frame.steps);
    const ends = new Map<string, Promise<StateId>>();
    const place = new Map(frame.steps.map((step, index) => [step.id, index]));
    const inOrder = (ids: readonly string[]) => [...ids].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
    for (const step of topological(frame.steps)) {
      const needs = inOrder(step.needs).map((id) => ends.get(id) as Promise<StateId>);
      ends.set(
        step.id,
        (async () => {
          const before = await this.#engine.all(needs);
          return this.#step(frame, step, before.length === 0 ? [start] : before, copies.has(step.id));
        })(),
      );
    }
    const needed = new Set(frame.steps.flatMap((step) => step.needs));
    const sinks = frame.steps.filter((step) => !needed.has(step.id)).map((step) => step.id);
    await this.#engine.all([...ends.values()]);
    const states = await this.#engine.all(sinks.map((id) => ends.get(id) as Promise<StateId>));
    const merged = await this.#merge(`${frame.key}end`, states);
    if (merged.ok) return merged.state;
    frame.fail({ error: conflict(merged.files), step: sinks.at(-1) ?? '', handoff: false });
    return merged.state;
  }

  async #step(frame: Frame, step: PlanStep, before: readonly StateId[], copy: boolean): Promise<StateId> {
    const path = `${frame.path}${step.id}`;
    const key = `${frame.key}${step.id}`;
    if (frame.stopped.signal.aborted) return this.#skip(frame, step, 'run ended', before);
    const merged = await this.#merge(key, before);
    const home = copy ? safeName(key) : frame.home;
    const scope = this.#scopes.of(frame, step);
    if (step.when !== undefined && merged.ok) {
      const when = await evaluate(step.when, scope, this.#scopes, merged.state);
      if (!when.ok) return this.#end(frame, step, path, key, failure('error', when.message, merged.state), 0, 1);
      if (when.value !== true) return this.#skip(frame, step, 'when', [merged.state]);
    }
    await this.#engine.record(`${key}:started`, { type: 'step.started', step: path, state: merged.state });
    if (!merged.ok) {
      return this.#end(frame, step, path, key, failure('conflict', conflict(merged.files).message, merged.state), 0, 1);
    }
    if (step.forEach !== undefined) return this.#items(frame, step, path, key, scope, merged.state, home);
    const { result, attempts, iterations } = await this.#iterations(frame, step, { path, key, home }, scope, merged.state);
    return this.#end(frame, step, path, key, result, attempts, iterations);
  }

  async #skip(frame: Frame, step: PlanStep, reason: 'when' | 'run ended', states: readonly StateId[]): Promise<StateId> {
    const path = `${frame.path}${step.id}`;
    const merged = await this.#merge(`${frame.key}${step.id}:skip`, states);
    await this.#engine.record(`${frame.key}${step.id}:skipped`, { type: 'step.skipped', step: path, reason });
    const empty = step.forEach === undefined ? {} : [];
    frame.ended(step.id, { outputs: empty, status: 'skipped', attempts: 0, iterations: 0, cached: false, ...(step.forEach !== undefined && { items: [] }) });
    return merged.state;
  }

  /** Records the end of a step and what it means for the others. */
  async #end(
    frame: Frame,
    step: PlanStep,
    path: string,
    key: string,
    result: Result & { readonly items?: readonly JsonValue[]; readonly list?: readonly JsonValue[] },
    attempts: number,
    iterations: number,
  ): Promise<StateId> {
    const outputs: JsonValue = result.list ?? (result.ok ? result.outputs : {});
    const value: StepValue = {
      outputs,
      status: result.ok ? 'succeeded' : result.error.kind === 'cancelled' ? 'cancelled' : 'failed',
      attempts,
      iterations,
      cached: false,
      ...(!result.ok && { error: result.error }),
      ...(result.items && { items: result.items }),
    };
    const event: EventBody = result.ok
      ? { type: 'step.succeeded', step: path, outputs, state: result.state }
      : result.error.kind === 'cancelled'
        ? { type: 'step.cancelled', step: path }
        : { type: 'step.failed', step: path, error: result.error, state: result.state, ...(result.list && { outputs }) };
    await this.#engine.record(`${key}:ended`, event);
    frame.ended(step.id, value);
    if (!result.ok && result.error.kind !== 'cancelled' && step.onFailure !== 'continue') {
      frame.fail({ error: result.error, step: path, handoff: step.onFailure === 'handoff' });
    }
    return result.state;
  }

  /** `for_each`: as many at once as `parallel` says, until `join` is decided. */
  async #items(
    frame: Frame,
    step: PlanStep,
    path: string,
    key: string,
    scope: Scoped,
    start: StateId,
    home: string | undefined,
  ): Promise<StateId> {
    const listed = await this.#list(step, scope, start);
    if (!listed.ok) return this.#end(frame, step, path, key, failure('error', listed.message, start), 0, 1);
    const items = listed.value;
    await this.#engine.record(`${key}:items`, { type: 'items.listed', step: path, items });
    const needed = await joinEnded(step.join, items.length, scope, this.#scopes, start);
    if (!needed.ok) return this.#end(frame, step, path, key, failure('error', needed.message, start), 0, 1);
    const parallel = Math.min(step.parallel ?? 1, Math.max(items.length, 1));
    const apart = parallel > 1;
    const results: (ItemResult | undefined)[] = items.map(() => undefined);
    const decided = new AbortController();
    let next = 0;
    let state = start;
    const lane = async (): Promise<void> => {
      while (next < items.length && !decided.signal.aborted && !frame.stopped.signal.aborted) {
        const index = next++;
        const item = items[index] as JsonValue;
        const itemKey = `${key}[${index}]`;
        const itemScope = scope.with({ item, index });
        const started: EventBody = { type: 'step.started', step: path, item: index, state: apart ? start : state };
        await this.#engine.record(`${itemKey}:started`, started);
        const { result, attempts, iterations } = await this.#iterations(
          frame,
          step,
          { path, key: itemKey, item: index, home: apart ? safeName(itemKey) : home },
          itemScope,
          apart ? start : state,
          decided.signal,
        );
        if (!apart) state = result.state;
        results[index] = { result, attempts, iterations };
        await this.#engine.record(`${itemKey}:ended`, endOf(path, index, result));
        if (joinDecided(step, needed.value, results)) decided.abort('join');
      }
    };
    await this.#engine.all(Array.from({ length: parallel }, lane));
    return this.#joined(frame, step, { path, key, home }, scope, { items, results, needed: needed.value, start, state, apart });
  }

  async #list(step: PlanStep, scope: Scoped, state: StateId) {
    if (Array.isArray(step.forEach)) {
      return scope.attempt(() => (step.forEach as readonly JsonValue[]).map((item) => evaluateWith(item, scope) as JsonValue));
    }
    const value = await evaluate(step.forEach as string, scope, this.#scopes, state);
    if (!value.ok || Array.isArray(value.value)) return value as { ok: true; value: readonly JsonValue[] } | { ok: false; message: string };
    return { ok: false as const, message: `\`for_each\` has to be a list, and ${String(step.forEach)} is not` };
  }
}

interface ItemResult {
  readonly result: Result;
  readonly attempts: number;
  readonly iterations: number;
}

function endOf(path: string, item: number, result: Result): EventBody {
  if (result.ok) return { type: 'step.succeeded', step: path, item, outputs: result.outputs, state: result.state };
  if (result.error.kind === 'cancelled') return { type: 'step.cancelled', step: path, item };
  return { type: 'step.failed', step: path, item, error: result.error, state: result.state };
}

function conflict(files: readonly string[]): StepError {
  return { kind: 'conflict', message: `steps that ran at the same time changed the same lines of ${files.join(', ')}` };
}

/** A key as the name of a folder. */
function safeName(key: string): string {
  return key.replace(/[^a-zA-Z0-9_.-]+/g, '_');
}
