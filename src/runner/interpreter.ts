import type { EventBody, StateId, StepError } from '../journal/event.ts';
import type { Plan, PlanGroup, PlanStep } from '../plan/plan.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import { showDuration } from '../formula/duration.ts';
import { askPeople } from './actions/approve.ts';
import { runCommand } from './actions/run.ts';
import { waitFor } from './actions/wait.ts';
import { boundInputs } from './bind-inputs.ts';
import type { Engine } from './engine.ts';
import type { Attempt, AttemptPlace } from './attempt.ts';
import { instancePath, placeOf } from './attempt.ts';
import type { StepValue } from './frame.ts';
import { Frame } from './frame.ts';
import { handoffFiles } from './handoff.ts';
import { joinDecided, joinEnded, joinFailure } from './join.ts';
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
  async #pass(frame: Frame, start: StateId, outputs: PlanGroup['outputs']): Promise<Result> {
    const state = await this.#steps(frame, start);
    const cancelled = this.#engine.signal.aborted || (frame.stopped.signal.aborted && !frame.stop);
    let result: Result = frame.stop
      ? { ok: false, error: frame.stop.error, state }
      : cancelled
        ? failure('cancelled', 'cancelled', state)
        : { ok: true, outputs: {}, state };
    if (result.ok) result = await this.#outputs(frame, outputs ?? {}, state);
    const last = await this.#finally(frame, result);
    // A step of `finally` that fails turns a good end into a bad one, and changes nothing about a bad one.
    if (result.ok && frame.stop) return { ok: false, error: frame.stop.error, state: last };
    return { ...result, state: last };
  }

  /** Every step, each as soon as what it needs has ended. */
  async #steps(frame: Frame, start: StateId): Promise<StateId> {
    const copies = overlappingSteps(frame.steps);
    const ends = new Map<string, Promise<StateId>>();
    const place = new Map(frame.steps.map((step, index) => [step.id, index]));
    const inOrder = (ids: readonly string[]) =>
      [...ids].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
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
      if (!when.ok)
        return this.#end(frame, step, path, key, failure('error', when.message, merged.state), 0, 1);
      if (when.value !== true) return this.#skip(frame, step, 'when', [merged.state]);
    }
    await this.#engine.record(`${key}:started`, { type: 'step.started', step: path, state: merged.state });
    if (!merged.ok) {
      return this.#end(
        frame,
        step,
        path,
        key,
        failure('conflict', conflict(merged.files).message, merged.state),
        0,
        1,
      );
    }
    if (step.forEach !== undefined) {
      const state = await this.#items(frame, step, path, key, scope, merged.state, home);
      if (copy) await this.#release(home);
      return state;
    }
    const { result, attempts, iterations } = await this.#iterations(
      frame,
      step,
      { path, key, home },
      scope,
      merged.state,
    );
    if (copy) await this.#release(home);
    return this.#end(frame, step, path, key, result, attempts, iterations);
  }

  async #skip(
    frame: Frame,
    step: PlanStep,
    reason: 'when' | 'run ended',
    states: readonly StateId[],
  ): Promise<StateId> {
    const path = `${frame.path}${step.id}`;
    const merged = await this.#merge(`${frame.key}${step.id}:skip`, states);
    await this.#engine.record(`${frame.key}${step.id}:skipped`, { type: 'step.skipped', step: path, reason });
    const empty = step.forEach === undefined ? {} : [];
    frame.ended(step.id, {
      outputs: empty,
      status: 'skipped',
      attempts: 0,
      iterations: 0,
      cached: false,
      ...(step.forEach !== undefined && { items: [] }),
    });
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
        : {
            type: 'step.failed',
            step: path,
            error: result.error,
            state: result.state,
            ...(result.list && { outputs }),
          };
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
        const started: EventBody = {
          type: 'step.started',
          step: path,
          item: index,
          state: apart ? start : state,
        };
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
        if (apart) await this.#release(safeName(itemKey));
        await this.#engine.record(`${itemKey}:ended`, endOf(path, index, result));
        const verdict = joinDecided(step, needed.value, results);
        if (verdict) next = items.length;
        if (verdict === 'cancel the rest') decided.abort('join');
      }
    };
    await this.#engine.all(Array.from({ length: parallel }, lane));
    return this.#joined(frame, step, { path, key, home }, scope, {
      items,
      results,
      needed: needed.value,
      start,
      state,
      apart,
    });
  }

  /** What the items came out as, and one state with the changes of all. */
  async #joined(frame: Frame, step: PlanStep, at: StepPlace, scope: Scoped, done: Items): Promise<StateId> {
    const { items, results, needed } = done;
    const state = done.apart ? await this.#mergeItems(frame, step, at, scope, done) : done.state;
    const list = results.flatMap((one) => (one?.result.ok ? [one.result.outputs] : []));
    const all = items.map((item, index) => itemValue(item, results[index]));
    const attempts = results.reduce((sum, one) => sum + (one?.attempts ?? 0), 0);
    const iterations = results.reduce((most, one) => Math.max(most, one?.iterations ?? 0), 0);
    const stopped = frame.stopped.signal.aborted;
    const error = joinFailure(
      step,
      needed,
      results.map((one) => one?.result),
      stopped,
    );
    const result: Result = error ? { ok: false, error, state } : { ok: true, outputs: {}, state };
    return this.#end(frame, step, at.path, at.key, { ...result, items: all, list }, attempts, iterations);
  }

  /**
   * Merges items in the order of the list, not in the order they ended. One that conflicts with those before it may try
   * again from what they made, if it has a retry.
   */
  async #mergeItems(
    frame: Frame,
    step: PlanStep,
    at: StepPlace,
    scope: Scoped,
    done: Items,
  ): Promise<StateId> {
    const { items, results, start } = done;
    let state = start;
    for (const [index, one] of results.entries()) {
      if (!one?.result.ok) continue;
      const merged = await this.#merge(`${at.key}[${index}]`, [state, one.result.state]);
      if (merged.ok) {
        state = merged.state;
        continue;
      }
      let result: Result = { ok: false, error: conflict(merged.files), state };
      let attempts = one.attempts;
      if (mayRetry(step.retry, attempts, result.error) && !frame.stopped.signal.aborted) {
        const key = `${at.key}[${index}]^`;
        const again = { ...at, key, item: index, home: safeName(key) };
        const inner = scope.with({ item: items[index] as JsonValue, index });
        const retried = await this.#iterations(frame, step, again, inner, state);
        await this.#release(again.home);
        result = retried.result;
        attempts += retried.attempts;
        if (result.ok) state = result.state;
      }
      await this.#engine.record(`${at.key}[${index}]:merged`, endOf(at.path, index, result));
      results[index] = { ...one, result, attempts };
    }
    return state;
  }

  /** One item, or the step itself: under its lock, again until `repeat` is content. */
  async #iterations(
    frame: Frame,
    step: PlanStep,
    at: StepPlace,
    scope: Scoped,
    start: StateId,
    decided?: AbortSignal,
  ): Promise<ItemResult> {
    const signal = this.#signalOf(frame, step, decided);
    if (!step.concurrency) return this.#repeat(step, at, scope, start, signal);
    const { group: template, then } = step.concurrency;
    const group = scope.attempt(() => String(evaluateWith(template, scope)));
    if (!group.ok) return { result: failure('error', group.message, start), attempts: 0, iterations: 0 };
    const waiting = {
      step: at.path,
      for: 'concurrency' as const,
      ask: group.value,
      ...(at.item !== undefined && { item: at.item }),
    };
    if (!(await this.#engine.lock(`${at.key}:lock`, group.value, then, { signal, waiting }))) {
      return {
        result: failure('cancelled', 'cancelled while waiting for its turn', start),
        attempts: 0,
        iterations: 0,
      };
    }
    const ended = await this.#repeat(step, at, scope, start, signal);
    await this.#engine.release(`${at.key}:unlock`, group.value);
    return ended;
  }

  async #repeat(
    step: PlanStep,
    at: StepPlace,
    scope: Scoped,
    start: StateId,
    signal: AbortSignal,
  ): Promise<ItemResult> {
    const { repeat } = step;
    const budget = new Ledger(step.budget?.minutes);
    if (!repeat) {
      const one = await this.#attempts(step, at, scope, { began: start, start }, signal, budget);
      return { ...one, iterations: 1 };
    }
    let state = start;
    let attempts = 0;
    let previous: JsonObject | undefined;
    for (let iteration = 1; ; iteration++) {
      const inner = scope.with({ previous: previous ? { outputs: previous } : { outputs: {} } });
      const here = { ...at, key: `${at.key}#${iteration}`, iteration };
      const from = { began: start, start: state };
      const one = await this.#attempts(step, here, inner, from, signal, budget);
      attempts += one.attempts;
      const ended = (result: Result): ItemResult => ({ result, attempts, iterations: iteration });
      if (!one.result.ok) return ended(one.result);
      state = one.result.state;
      previous = one.result.outputs;
      const until = await evaluate(repeat.until, inner.with({ outputs: previous }), this.#scopes, state);
      if (!until.ok) return ended(failure('error', until.message, state));
      if (until.value === true) return ended(one.result);
      if (iteration < repeat.max) continue;
      if (repeat.or === 'keep') return ended(one.result);
      const message = `\`until: ${repeat.until}\` was still false after ${repeat.max} iterations`;
      return ended(failure('exhausted', message, state));
    }
  }

  /** One iteration: tries until one succeeds or none is left. */
  async #attempts(
    step: PlanStep,
    at: StepPlace,
    scope: Scoped,
    { began, start }: { readonly began: StateId; readonly start: StateId },
    signal: AbortSignal,
    budget: Ledger,
  ): Promise<{ readonly result: Result; readonly attempts: number }> {
    let state = start;
    let feedback: string | undefined;
    let troubles = 0;
    for (let attempt = 1; ;) {
      const key = `${at.key}@${attempt}${troubles > 0 ? `~${troubles}` : ''}`;
      const over = this.#ledger.exceeded() ?? budget.exceeded();
      const result = over
        ? failure('budget', over, state)
        : await this.#attempt(
            step,
            { ...at, key, attempt, ...(troubles > 0 && { trouble: troubles }) },
            scope,
            { began, state },
            signal,
            budget,
            feedback,
          );
      if (result.ok || signal.aborted || result.error.kind === 'cancelled')
        return { result, attempts: attempt };
      if (result.error.kind === 'infrastructure' && !step.once && troubles < INFRASTRUCTURE_TRIES) {
        troubles += 1;
        await this.#pause(key, infrastructureBackoff(troubles, this.#engine.run + key), signal);
        continue;
      }
      if (!mayRetry(step.retry, attempt, result.error)) return { result, attempts: attempt };
      const pause = backoffBefore(step.retry, attempt + 1, this.#engine.run + key);
      if (pause > 0) await this.#pause(key, pause, signal);
      if (signal.aborted) return { result, attempts: attempt };
      attempt += 1;
      troubles = 0;
      // With feedback the next attempt goes on from what this one left; without, from where the step began.
      feedback = step.retry?.feedback ? feedbackOf(result.error) : undefined;
      state = step.retry?.feedback ? result.state : start;
    }
  }

  async #attempt(
    step: PlanStep,
    at: AttemptPlace,
    outer: Scoped,
    { began, state }: { readonly began: StateId; readonly state: StateId },
    signal: AbortSignal,
    budget: Ledger,
    feedback: string | undefined,
  ): Promise<Result> {
    const bound = await boundInputs(step, outer, this.#scopes, state);
    if (!bound.ok) return failure('error', bound.message, state);
    const limit = Math.min(this.#ledger.remaining(), budget.remaining());
    const attempt: Attempt = {
      engine: this.#engine,
      world: this.#world,
      scopes: this.#scopes,
      step,
      at,
      scope: bound.value,
      state,
      began,
      signal,
      feedback,
      limit,
      spend: (milliseconds) => {
        this.#ledger.spend(milliseconds);
        budget.spend(milliseconds);
      },
    };
    const result = await this.#act(attempt);
    if (!result.ok || !step.verify) return result;
    const verified = await verify(step.verify, attempt, result);
    const place = placeOf(at);
    await this.#engine.record(
      `${at.key}:verified`,
      verified.ok
        ? { type: 'attempt.succeeded', ...place, outputs: verified.outputs, state: verified.state }
        : { type: 'attempt.failed', ...place, error: verified.error, retryable: true, state: verified.state },
    );
    return verified;
  }

  #act(attempt: Attempt): Promise<Result> {
    const { action } = attempt.step;
    switch (action.kind) {
      case 'run':
        return runCommand(action, attempt);
      case 'approve':
        return askPeople(action, attempt);
      case 'wait':
        return waitFor(action, attempt);
      case 'group':
        return this.#group(action, attempt);
    }
  }

  /** A used formula: one pass through its own steps. */
  async #group(group: PlanGroup, { step, at, scope, state, signal }: Attempt): Promise<Result> {
    const place = placeOf(at);
    await this.#engine.record(`${at.key}:started`, { type: 'attempt.started', ...place, state });
    const inner = new Frame({
      path: `${instancePath(at)}.`,
      key: `${at.key}.`,
      inputs: scope.inputs,
      steps: group.steps,
      last: group.finally ?? [],
      home: at.home,
      outer: signal,
    });
    const lock = group.concurrency && String(evaluateWith(group.concurrency.group, this.#scopes.bare(inner)));
    if (lock !== undefined && group.concurrency) {
      const waiting = { step: instancePath(at), for: 'concurrency' as const, ask: lock };
      await this.#engine.lock(`${at.key}:lock`, lock, group.concurrency.then, { signal, waiting });
    }
    const over = new AbortController();
    const alarm = step.timeout === undefined ? undefined : this.#alarm(inner, at, step.timeout, over.signal);
    const limit = group.budget && this.#ledger.limit(group.budget.minutes);
    const result = await this.#pass(inner, state, group.outputs);
    if (limit) this.#ledger.lift(limit);
    over.abort();
    await alarm;
    if (lock !== undefined) await this.#engine.release(`${at.key}:unlock`, lock);
    if (!step.verify || !result.ok) {
      await this.#engine.record(
        `${at.key}:ended`,
        result.ok
          ? { type: 'attempt.succeeded', ...place, outputs: result.outputs, state: result.state }
          : { type: 'attempt.failed', ...place, error: result.error, retryable: true, state: result.state },
      );
    }
    return result;
  }

  /** Ends a group that takes too long. */
  async #alarm(frame: Frame, at: AttemptPlace, timeout: number, over: AbortSignal): Promise<void> {
    const now = await this.#engine.now(`${at.key}:now`);
    if (!(await this.#engine.sleep(`${at.key}:timeout`, now + timeout, { signal: over }))) return;
    const message = `it took longer than ${showDuration(timeout)}`;
    frame.fail({ error: { kind: 'timeout', message }, step: instancePath(at), handoff: false });
  }

  /** Steps of `finally`, in written order, each despite earlier failures and untouched by what stopped the others. */
  async #finally(frame: Frame, coming: Result): Promise<StateId> {
    let state = coming.state;
    for (const step of frame.last) {
      const alone = frame.ending();
      this.#scopes.end(alone, coming);
      state = await this.#step(alone, step, [state], false);
      frame.adopt(step.id, alone);
      if (alone.stop && coming.ok) frame.fail(alone.stop);
    }
    return state;
  }

  /** One state with the changes of all, merged in the order given. */
  async #merge(name: string, states: readonly StateId[]) {
    const different = [...new Set(states)];
    const [only] = different;
    if (different.length === 1 && only !== undefined) return { ok: true as const, state: only };
    // The states decide what comes out, so it can be done again.
    return this.#engine.unrecorded(() => this.#world.workspace.merge(safeName(name), different));
  }

  /** Nothing works in a copy any more: its state holds all that is to be kept. */
  async #release(copy: string | undefined): Promise<void> {
    if (copy !== undefined) await this.#engine.unrecorded(() => this.#world.workspace.release(copy));
  }

  async #pause(key: string, milliseconds: number, signal: AbortSignal): Promise<void> {
    const now = await this.#engine.now(`${key}:failed`);
    await this.#engine.sleep(`${key}:backoff`, now + milliseconds, { signal });
  }

  /** What ends a step's work before its time. A step that must run only once is left to finish. */
  #signalOf(frame: Frame, step: PlanStep, decided: AbortSignal | undefined): AbortSignal {
    if (step.once) return new AbortController().signal;
    return decided ? AbortSignal.any([frame.stopped.signal, decided]) : frame.stopped.signal;
  }

  async #outputs(frame: Frame, outputs: Readonly<Record<string, string>>, state: StateId): Promise<Result> {
    const scope = this.#scopes.bare(frame);
    const values: Record<string, JsonValue> = {};
    for (const [name, expression] of Object.entries(outputs)) {
      const value = await evaluate(expression, scope, this.#scopes, state);
      if (!value.ok) return failure('error', `output "${name}": ${value.message}`, state);
      values[name] = value.value;
    }
    return { ok: true, outputs: values, state };
  }

  /** Hands over what a run made, and says how it ended. */
  async #finish(frame: Frame, end: Result): Promise<void> {
    const { workspace } = this.#world;
    await this.#engine.step<EventBody>('end', async () => {
      if (end.ok) {
        const { branch, commit, changedFiles } = await workspace.finish(
          end.state,
          `${this.#plan.formula}: run ${this.#engine.run}`,
        );
        return {
          type: 'run.succeeded',
          outputs: end.outputs,
          ...(branch !== undefined && { branch }),
          ...(commit !== undefined && { commit }),
          changedFiles,
        };
      }
      const kept = await workspace.keep(end.state);
      const { stop } = frame;
      if (end.error.kind === 'cancelled' || !stop) return { type: 'run.cancelled', kept };
      if (!stop.handoff) return { type: 'run.failed', error: end.error, step: stop.step, kept };
      const files = await handoffFiles({
        plan: this.#plan,
        run: this.#engine.run,
        stop,
        events: this.#engine.events,
        workspace,
        state: end.state,
        kept,
      });
      return {
        type: 'run.handed_off',
        error: end.error,
        step: stop.step,
        bundle: await this.#world.writeHandoff(files),
      };
    });
  }

  async #list(step: PlanStep, scope: Scoped, state: StateId) {
    if (Array.isArray(step.forEach)) {
      return scope.attempt(() =>
        (step.forEach as readonly JsonValue[]).map((item) => evaluateWith(item, scope) as JsonValue),
      );
    }
    const value = await evaluate(step.forEach as string, scope, this.#scopes, state);
    if (!value.ok || Array.isArray(value.value))
      return value as { ok: true; value: readonly JsonValue[] } | { ok: false; message: string };
    return {
      ok: false as const,
      message: `\`for_each\` has to be a list, and ${String(step.forEach)} is not`,
    };
  }
}

/** Where in a run an iteration stands, for people and for the engine. */
export interface StepPlace {
  readonly path: string;
  readonly key: string;
  readonly item?: number;
  readonly iteration?: number;
  /** Copy of the workspace it works in; undefined: the main directory. */
  readonly home: string | undefined;
}

interface Items {
  readonly items: readonly JsonValue[];
  readonly results: (ItemResult | undefined)[];
  readonly needed: number;
  readonly start: StateId;
  readonly state: StateId;
  /** Each worked in a copy of its own. */
  readonly apart: boolean;
}

function itemValue(item: JsonValue, one: ItemResult | undefined): JsonValue {
  if (!one) return { item, status: 'skipped', outputs: {} };
  if (one.result.ok) return { item, status: 'succeeded', outputs: one.result.outputs };
  const { error } = one.result;
  return {
    item,
    status: error.kind === 'cancelled' ? 'cancelled' : 'failed',
    outputs: {},
    error: { ...error },
  };
}

function feedbackOf({ message, detail }: StepError): string {
  return detail === undefined ? message : `${message}\n\n${detail}`;
}

interface ItemResult {
  readonly result: Result;
  readonly attempts: number;
  readonly iterations: number;
}

function endOf(path: string, item: number, result: Result): EventBody {
  if (result.ok)
    return { type: 'step.succeeded', step: path, item, outputs: result.outputs, state: result.state };
  if (result.error.kind === 'cancelled') return { type: 'step.cancelled', step: path, item };
  return { type: 'step.failed', step: path, item, error: result.error, state: result.state };
}

function conflict(files: readonly string[]): StepError {
  return {
    kind: 'conflict',
    message: `steps that ran at the same time changed the same lines of ${files.join(', ')}`,
  };
}

/** A key as the name of a folder. */
function safeName(key: string): string {
  return key.replace(/[^a-zA-Z0-9_.-]+/g, '_');
}
