import { showDuration } from '../formula/duration.ts';
import type { EventBody, StateId, StepError, Waiting } from '../journal/event.ts';
import type { Plan, PlanConcurrency, PlanGroup, PlanStep, PlanWorkspace } from '../plan/plan.ts';
import { INFRASTRUCTURE_TRIES } from '../plan/limits.ts';
import { topological } from '../plan/topological.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import type { RunWorkspace } from '../workspace/run-workspace.ts';
import { runAgent } from './actions/agent.ts';
import { askPeople } from './actions/approve.ts';
import { runCommand } from './actions/run.ts';
import { waitFor } from './actions/wait.ts';
import type { Attempt, AttemptPlace, StepPlace } from './attempt.ts';
import { instancePath, placeOf } from './attempt.ts';
import { boundInputs } from './bind-inputs.ts';
import type { Conversation } from './agent/conversation.ts';
import type { Engine } from './engine.ts';
import type { FrameOptions, Stop } from './frame.ts';
import { Frame } from './frame.ts';
import { handoffFiles } from './handoff.ts';
import { joinDecided, joinEnded, joinFailure } from './join.ts';
import { Ledger } from './ledger.ts';
import { overlappingSteps } from './overlap.ts';
import type { Failed, Result } from './result.ts';
import { failure } from './result.ts';
import { backoffBefore, infrastructureBackoff, mayRetry } from './retry-policy.ts';
import type { Evaluated, Scoped } from './scope.ts';
import { evaluate, evaluateJson, render, Scopes } from './scope.ts';
import { verify } from './verify/verify.ts';
import type { WorkPlace } from './work-place.ts';
import { OwnWorkspace } from './work-place.ts';
import type { World } from './world.ts';

/**
 * Walks a plan. Deterministic: given the plan, the inputs and the record behind the engine, it asks the same things in
 * the same order. Nothing in it looks at a clock, a file or a process but through the engine.
 */
export class Interpreter {
  readonly #plan: Plan;
  readonly #inputs: JsonObject;
  readonly #engine: Engine;
  readonly #world: World;
  readonly #scopes: Scopes;
  readonly #asked = new Set<string>();

  constructor(plan: Plan, inputs: JsonObject, engine: Engine, world: World) {
    this.#plan = plan;
    this.#inputs = inputs;
    this.#engine = engine;
    this.#world = world;
    this.#scopes = new Scopes(plan, engine, world);
  }

  /** From the top to the event that ends the run. */
  async run(): Promise<void> {
    const { workspace } = this.#world;
    const { initial, base, branch } = workspace;
    await this.#engine.record('workspace', {
      type: 'workspace.prepared',
      state: initial,
      ...(base !== undefined && { base }),
      ...(branch !== undefined && { branch }),
    });
    const { concurrency, formula } = this.#plan;
    const options: FrameOptions = {
      path: '',
      key: '',
      identity: '',
      inputs: this.#inputs,
      steps: this.#plan.steps,
      last: this.#plan.finally ?? [],
      workspace,
      home: undefined,
      ledger: new Ledger(this.#plan.budget),
      holds: new Set(),
      shielded: false,
      outer: this.#engine.signal,
    };
    const place = { path: formula, key: '' };
    const turn = await this.#turn(concurrency, place, new Frame(options), initial, this.#engine.signal);
    // Who never had its turn has nothing to tidy up, and is not to touch what another run holds.
    if (!turn.ok) return this.#finish(turn, undefined);
    const frame = new Frame({ ...options, holds: turn.holds });
    const end = await this.#pass(frame, initial, this.#plan.outputs);
    await turn.release();
    await this.#finish(end, frame.stop);
  }

  /** The steps of a frame, then its outputs, then its `finally`. */
  async #pass(frame: Frame, start: StateId, outputs: PlanGroup['outputs']): Promise<Result> {
    const state = await this.#steps(frame, start);
    const coming: Result = frame.stop
      ? stoppedBy(frame.stop, state)
      : frame.signal.aborted
        ? failure('cancelled', 'cancelled', state)
        : await this.#outputs(frame, outputs ?? {}, state);
    return this.#finally(frame, coming);
  }

  /** Every step, each as soon as what it needs has ended. */
  async #steps(frame: Frame, start: StateId): Promise<StateId> {
    const copies = overlappingSteps(frame.steps);
    const ends = new Map<string, Promise<StateId>>();
    const place = new Map(frame.steps.map((step, index) => [step.id, index]));
    const inOrder = (ids: readonly string[]) =>
      [...ids].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0));
    for (const step of topological(frame.steps)) {
      const needs = inOrder(step.needs);
      const before = needs.map((id) => ends.get(id) as Promise<StateId>);
      ends.set(
        step.id,
        (async () => {
          const states = await this.#engine.all(before);
          const from = states.length === 0 ? [start] : states;
          return this.#step(frame, step, needs, from, copies.has(step.id));
        })(),
      );
    }
    const needed = new Set(frame.steps.flatMap((step) => step.needs));
    const sinks = frame.steps.filter((step) => !needed.has(step.id)).map((step) => step.id);
    await this.#engine.all([...ends.values()]);
    const states = await this.#engine.all(sinks.map((id) => ends.get(id) as Promise<StateId>));
    const merged = await this.#merge(
      frame.workspace,
      `${frame.key}end`,
      states.length === 0 ? [start] : states,
    );
    if (!merged.ok && !frame.signal.aborted)
      frame.fail({
        error: conflict(merged.files, sinks),
        step: `${frame.path}${sinks.at(-1) ?? ''}`,
        handoff: false,
      });
    return merged.state;
  }

  async #step(
    frame: Frame,
    step: PlanStep,
    needs: readonly string[],
    before: readonly StateId[],
    copy: boolean,
  ): Promise<StateId> {
    const at: StepPlace = {
      path: `${frame.path}${step.id}`,
      key: `${frame.key}${step.id}`,
      identity: `${frame.identity}${step.id}`,
      home: copy ? safeName(`${frame.key}${step.id}`) : frame.home,
    };
    const merged = await this.#merge(frame.workspace, at.key, before);
    const { state } = merged;
    if (frame.signal.aborted) return this.#skip(frame, step, at, 'run ended', state);
    const scope = this.#scopes.of(frame, step);
    const unbegun = (failed: Failed) =>
      this.#end(frame, step, at, { result: failed, attempts: 0, iterations: 0 });
    if (step.when !== undefined && merged.ok) {
      const when = await evaluate(step.when, scope, this.#scopes, state);
      if (!when.ok) return unbegun(failure('error', `\`when\`: ${when.message}`, state));
      if (frame.signal.aborted) return this.#skip(frame, step, at, 'run ended', state);
      if (when.value !== true) return this.#skip(frame, step, at, 'when', state);
    }
    await this.#engine.record(`${at.key}:started`, { type: 'step.started', step: at.path, state });
    if (!merged.ok) return unbegun({ ok: false, error: conflict(merged.files, needs), state });
    if (step.forEach !== undefined) {
      const left = await this.#items(frame, step, at, scope, state);
      if (copy) await this.#release(frame, at);
      return left;
    }
    const ended = await this.#turns(frame, step, at, scope, state, frame.signal);
    if (copy) await this.#release(frame, at);
    return this.#end(frame, step, at, ended);
  }

  async #skip(
    frame: Frame,
    step: PlanStep,
    at: StepPlace,
    reason: 'when' | 'run ended',
    state: StateId,
  ): Promise<StateId> {
    await this.#engine.record(`${at.key}:skipped`, { type: 'step.skipped', step: at.path, reason });
    frame.ended(step.id, {
      outputs: step.forEach === undefined ? {} : [],
      status: 'skipped',
      attempts: 0,
      iterations: 0,
      cached: false,
      ...(step.forEach !== undefined && { items: [] }),
    });
    return state;
  }

  /** Records the end of a step and what it means for the others. */
  async #end(frame: Frame, step: PlanStep, at: StepPlace, ended: StepEnd): Promise<StateId> {
    const { result, attempts, iterations, items } = ended;
    const list = items?.flatMap((item) => (item.outputs === undefined ? [] : [item.outputs]));
    const looped = step.forEach !== undefined;
    const outputs: JsonValue = looped ? (list ?? []) : result.ok ? result.outputs : {};
    const cancelled = !result.ok && result.error.kind === 'cancelled';
    const cached = result.ok && result.cached === true;
    frame.ended(step.id, {
      outputs,
      status: result.ok ? 'succeeded' : cancelled ? 'cancelled' : 'failed',
      attempts,
      iterations,
      cached,
      ...(!result.ok && !cancelled && { error: result.error }),
      ...(looped && { items: (items ?? []).map(({ value }) => value) }),
    });
    const event: EventBody = result.ok
      ? { type: 'step.succeeded', step: at.path, outputs, state: result.state, ...(cached && { cached }) }
      : cancelled
        ? { type: 'step.cancelled', step: at.path }
        : {
            type: 'step.failed',
            step: at.path,
            error: result.error,
            state: result.state,
            ...(list && { outputs }),
          };
    await this.#engine.record(`${at.key}:ended`, event);
    if (result.ok || cancelled) return result.state;
    // Nothing goes on without a budget, whatever the step says about its own failures.
    const spent = ended.outOfBudget ? frame.ledger.exceeded() : undefined;
    if (spent !== undefined || step.onFailure !== 'continue') {
      frame.fail({
        error: spent === undefined ? result.error : { kind: 'budget', message: spent },
        step: result.inside?.step ?? at.path,
        handoff: step.onFailure === 'handoff' || result.inside?.handoff === true,
      });
    }
    return result.state;
  }

  /** `for_each`: as many at once as `parallel` says, until `join` is decided. */
  async #items(frame: Frame, step: PlanStep, at: StepPlace, scope: Scoped, start: StateId): Promise<StateId> {
    const unbegun = (message: string) =>
      this.#end(frame, step, at, { result: failure('error', message, start), attempts: 0, iterations: 0 });
    const listed = await this.#list(step, scope, start);
    if (!listed.ok) return unbegun(listed.message);
    const items = listed.value;
    const needed = await joinEnded(step.join, items.length, scope, this.#scopes, start);
    if (!needed.ok) return unbegun(needed.message);
    await this.#engine.record(`${at.key}:items`, { type: 'items.listed', step: at.path, items });
    const parallel = Math.min(step.parallel ?? 1, Math.max(items.length, 1));
    const apart = parallel > 1;
    const results: (StepEnd | undefined)[] = items.map(() => undefined);
    const decided = new AbortController();
    const signal = step.join === 'any' ? AbortSignal.any([frame.signal, decided.signal]) : frame.signal;
    let next = 0;
    let state = start;
    /** What a failed item left, for whoever looks at why the step failed; the next item does not see it. */
    let broken: StateId | undefined;
    const lane = async (): Promise<void> => {
      while (next < items.length && !signal.aborted) {
        const index = next++;
        const item = items[index] as JsonValue;
        const from = apart ? start : state;
        const here: StepPlace = {
          ...at,
          key: `${at.key}[${index}]`,
          identity: `${at.identity}[${index}]`,
          item: index,
          home: apart ? safeName(`${at.key}[${index}]`) : at.home,
        };
        const started: EventBody = { type: 'step.started', step: at.path, item: index, state: from };
        await this.#engine.record(`${here.key}:started`, started);
        const ended = await this.#turns(frame, step, here, scope.with({ item, index }), from, signal);
        if (!apart && ended.result.ok) state = ended.result.state;
        if (!apart && !ended.result.ok) broken = ended.result.state;
        results[index] = ended;
        if (apart) await this.#release(frame, here);
        await this.#engine.record(`${here.key}:ended`, endOf(at.path, index, ended.result));
        const verdict = joinDecided(
          step,
          needed.value,
          results.map((one) => one?.result),
        );
        if (verdict) next = items.length;
        if (verdict === 'cancel the rest') decided.abort('join');
      }
    };
    await this.#engine.all(Array.from({ length: parallel }, lane));
    if (apart) state = await this.#mergeItems(frame, step, at, scope, { items, results, start });
    const error = joinFailure(
      step,
      needed.value,
      results.map((one) => one?.result),
      frame.signal.aborted,
    );
    const allCached = items.length > 0 && results.every((one) => one?.result.ok && one.result.cached);
    const result: Result = error
      ? { ...error, state: broken ?? state }
      : { ok: true, outputs: {}, state, ...(allCached && { cached: true }) };
    return this.#end(frame, step, at, {
      result,
      attempts: results.reduce((sum, one) => sum + (one?.attempts ?? 0), 0),
      iterations: results.reduce((most, one) => Math.max(most, one?.iterations ?? 0), 0),
      outOfBudget: results.some((one) => one?.outOfBudget),
      items: items.map((item, index) => itemEnd(item, results[index])),
    });
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
    {
      items,
      results,
      start,
    }: {
      readonly items: readonly JsonValue[];
      readonly results: (StepEnd | undefined)[];
      readonly start: StateId;
    },
  ): Promise<StateId> {
    let state = start;
    for (const [index, one] of results.entries()) {
      if (!one?.result.ok) continue;
      const key = `${at.key}[${index}]`;
      const merged = await this.#merge(frame.workspace, key, [state, one.result.state]);
      if (merged.ok) {
        state = merged.state;
        continue;
      }
      const error = conflict(merged.files, [], 'items');
      let ended: StepEnd = { ...one, result: { ok: false, error, state } };
      if (mayRetry(step.retry, one.attempts, error) && !frame.signal.aborted) {
        const again: StepPlace = {
          ...at,
          key: `${key}^`,
          identity: `${at.identity}[${index}]`,
          item: index,
          home: safeName(`${key}^`),
        };
        const inner = scope.with({ item: items[index] as JsonValue, index });
        ended = await this.#turns(frame, step, again, inner, state, frame.signal, one.attempts);
        await this.#release(frame, again);
        if (ended.result.ok) state = ended.result.state;
      }
      await this.#engine.record(`${key}:merged`, endOf(at.path, index, ended.result));
      results[index] = ended;
    }
    return state;
  }

  /** One item, or the step itself: when it is its turn, in its workspace, again until `repeat` is content. */
  async #turns(
    frame: Frame,
    step: PlanStep,
    at: StepPlace,
    scope: Scoped,
    start: StateId,
    signal: AbortSignal,
    tried = 0,
  ): Promise<StepEnd> {
    const unbegun = (result: Failed): StepEnd => ({ result, attempts: tried, iterations: 0 });
    const turn = await this.#turn(step.concurrency, at, frame, start, signal, scope);
    if (!turn.ok) return unbegun(turn);
    if (signal.aborted) {
      await turn.release();
      return unbegun(failure('cancelled', 'cancelled', start));
    }
    const own = step.workspace && (await this.#ownWorkspace(step.workspace, at, scope, start, signal));
    let ended: StepEnd;
    if (own && !own.ok) ended = unbegun(own.failed);
    else {
      const work: Work = {
        frame,
        step,
        scope: own ? scope.in(own.workspace) : scope,
        workspace: own ? own.workspace : frame.workspace,
        start: own ? own.workspace.initial : start,
        // A step that must run only once is left to finish.
        signal: step.once ? new AbortController().signal : signal,
        ledger: new Ledger(step.budget, frame.ledger),
        holds: turn.holds,
        taken: new Set(),
        tried,
      };
      ended = await this.#repeat(work, own ? { ...at, home: undefined } : at);
      // A state of its own workspace is nothing to the run: nothing is merged back.
      if (own) ended = { ...ended, result: { ...ended.result, state: start } };
      if (own) await this.#engine.unrecorded(() => own.workspace.discard());
    }
    await turn.release();
    return ended;
  }

  /** Waits for the lock of a `concurrency`. Who holds it already, or stands inside of something that does, goes on. */
  async #turn(
    concurrency: PlanConcurrency | undefined,
    at: { readonly path: string; readonly key: string; readonly item?: number },
    frame: Frame,
    state: StateId,
    signal: AbortSignal,
    scope = this.#scopes.bare(frame),
  ): Promise<Turn | Failed> {
    const free: Turn = { ok: true, holds: frame.holds, release: () => Promise.resolve() };
    if (!concurrency) return free;
    const group = await render(concurrency.group, scope, this.#scopes, state);
    if (!group.ok) return failure('error', `\`concurrency\`: ${group.message}`, state);
    if (frame.holds.has(group.value)) return free;
    const waiting: Waiting = {
      step: at.path,
      for: 'concurrency',
      ask: group.value,
      ...(at.item !== undefined && { item: at.item }),
    };
    const options = { signal, waiting, shielded: frame.shielded };
    if (!(await this.#engine.lock(`${at.key}:lock`, group.value, concurrency.then, options)))
      return failure('cancelled', 'cancelled while waiting for its turn', state);
    return {
      ok: true,
      holds: new Set([...frame.holds, group.value]),
      release: () => this.#engine.release(`${at.key}:unlock`, group.value),
    };
  }

  /** A workspace for one step alone. */
  async #ownWorkspace(
    plan: PlanWorkspace,
    at: StepPlace,
    scope: Scoped,
    state: StateId,
    signal: AbortSignal,
  ): Promise<
    { readonly ok: true; readonly workspace: OwnWorkspace } | { readonly ok: false; readonly failed: Failed }
  > {
    const values = await this.#scopes.values(JSON.stringify(plan), scope, state);
    const place = { step: at.path, ...(at.item !== undefined && { item: at.item }) };
    const open = (stop: AbortSignal) => this.#world.openWorkspace(plan, values, at.key, stop);
    let opened: RunWorkspace | undefined;
    const event = await this.#engine.step<EventBody>(
      `${at.key}:workspace`,
      async (context) => {
        try {
          opened = await open(context.signal);
          const { initial, base, branch } = opened;
          return {
            type: 'workspace.prepared',
            ...place,
            state: initial,
            ...(base !== undefined && { base }),
            ...(branch !== undefined && { branch }),
          };
        } catch (error) {
          if (context.signal.aborted) return { type: 'step.cancelled', ...place };
          if (!(error instanceof UserError)) throw error;
          return { type: 'step.failed', ...place, error: { kind: 'error', message: error.message }, state };
        }
      },
      { signal },
    );
    if (event.type === 'workspace.prepared') {
      const workspace = new OwnWorkspace(event, () => open(signal), opened);
      return { ok: true, workspace };
    }
    const error: StepError =
      event.type === 'step.failed' ? event.error : { kind: 'cancelled', message: 'cancelled' };
    return { ok: false, failed: { ok: false, error, state } };
  }

  async #repeat(work: Work, at: StepPlace): Promise<StepEnd> {
    const { repeat } = work.step;
    if (!repeat) return { ...(await this.#attempts(work, at)), iterations: 1 };
    let { start } = work;
    let attempts = 0;
    let previous: JsonObject = {};
    for (let iteration = 1; ; iteration++) {
      const scope = work.scope.with({ previous: { outputs: previous } });
      const here = {
        ...at,
        key: `${at.key}#${iteration}`,
        identity: `${at.identity}#${iteration}`,
        iteration,
      };
      const one = await this.#attempts({ ...work, scope, from: start }, here);
      attempts += one.attempts;
      const ended = (result: Result): StepEnd => ({ ...one, result, attempts, iterations: iteration });
      if (!one.result.ok) return ended(one.result);
      start = one.result.state;
      previous = one.result.outputs;
      const until = await evaluate(repeat.until, scope.with({ outputs: previous }), this.#scopes, start);
      if (!until.ok) return ended(failure('error', `\`until\`: ${until.message}`, start));
      if (until.value === true) return ended(one.result);
      if (iteration < repeat.max) continue;
      if (repeat.or === 'keep') return ended(one.result);
      const message = `\`until: ${repeat.until}\` was still false after ${repeat.max} iterations`;
      return ended(failure('exhausted', message, start));
    }
  }

  /** One iteration: tries until one succeeds or none is left. */
  async #attempts(
    work: Work & { readonly from?: StateId },
    at: StepPlace,
  ): Promise<Omit<StepEnd, 'iterations'>> {
    const { step, signal, ledger, tried } = work;
    const start = work.from ?? work.start;
    if (signal.aborted) return { result: failure('cancelled', 'cancelled', start), attempts: tried };
    const bound = await boundInputs(step, work.scope, this.#scopes, start);
    if (!bound.ok) return { result: failure('error', bound.message, start), attempts: tried };
    let state = start;
    let feedback: string | undefined;
    let conversation: Conversation | undefined;
    let troubles = 0;
    let anew = false;
    for (let attempt = tried + 1; ;) {
      const key = `${at.key}@${attempt}${anew ? '!' : ''}${troubles > 0 ? `~${troubles}` : ''}`;
      const spent = ledger.exceeded();
      if (spent !== undefined)
        return { result: failure('budget', spent, state), attempts: attempt - 1, outOfBudget: true };
      const result = await this.#attempt(work.frame, work.holds, {
        engine: this.#engine,
        world: this.#world,
        scopes: this.#scopes,
        step,
        at: { ...at, key, attempt, ...(troubles > 0 && { trouble: troubles }) },
        scope: bound.value,
        workspace: work.workspace,
        base: work.start,
        state,
        signal,
        shielded: step.once === true || work.frame.shielded,
        feedback: feedback ?? work.frame.feedback,
        conversation,
        anew,
        ledger: new Ledger(undefined, ledger),
        taken: work.taken,
        asked: this.#asked,
      });
      const outOfBudget = !result.ok && result.error.kind === 'budget';
      const ended = { result, attempts: attempt, outOfBudget };
      /** It would have been tried again. */
      const given = () => ({ ...ended, result: failure('cancelled', 'cancelled', result.state) });
      if (result.ok || signal.aborted || result.error.kind === 'cancelled') return ended;
      if (result.cached) {
        anew = true;
        state = start;
        continue;
      }
      // What is inside of a group has had its tries: another round of them for each formula around would be no small count.
      // A model is asked again by itself, in the middle of its conversation.
      const isOwn = step.action.kind !== 'group' && step.action.kind !== 'agent' && !step.once;
      if (result.error.kind === 'infrastructure' && isOwn && troubles < INFRASTRUCTURE_TRIES) {
        troubles += 1;
        await this.#pause(work, key, infrastructureBackoff(troubles, this.#engine.run + key));
        if (signal.aborted) return given();
        continue;
      }
      if (!mayRetry(step.retry, attempt, result.error)) return ended;
      const pause = backoffBefore(step.retry, attempt + 1, this.#engine.run + key);
      if (pause > 0) await this.#pause(work, key, pause);
      if (signal.aborted) return given();
      attempt += 1;
      troubles = 0;
      // With feedback the next attempt goes on from what this one left; without, from where the step began.
      feedback = step.retry?.feedback ? feedbackOf(result.error) : undefined;
      conversation = step.retry?.feedback ? result.conversation : undefined;
      state = step.retry?.feedback ? result.state : start;
    }
  }

  async #attempt(frame: Frame, holds: ReadonlySet<string>, attempt: Attempt): Promise<Result> {
    const { step, at } = attempt;
    const acted = await this.#act(frame, holds, attempt);
    if (!acted.ok) return acted;
    const { staged, ...result } = acted;
    const keep = (held: boolean) =>
      staged && this.#engine.unrecorded(() => (held ? staged.keep() : staged.discard()));
    if (!step.verify) {
      await keep(true);
      return result;
    }
    const verified = await verify(step.verify, attempt, result);
    await keep(verified.ok);
    const place = placeOf(at);
    await this.#engine.record(
      `${at.key}:verified`,
      verified.ok
        ? { type: 'attempt.succeeded', ...place, outputs: verified.outputs, state: verified.state }
        : { type: 'attempt.failed', ...place, error: verified.error, retryable: true, state: verified.state },
    );
    if (verified.ok) return verified;
    const { conversation } = result;
    return {
      ...verified,
      ...(result.cached && { cached: true }),
      ...(conversation && { conversation }),
    };
  }

  #act(frame: Frame, holds: ReadonlySet<string>, attempt: Attempt): Promise<Result> {
    const { action } = attempt.step;
    switch (action.kind) {
      case 'run':
        return runCommand(action, attempt);
      case 'agent':
        return runAgent(action, attempt);
      case 'approve':
        return askPeople(action, attempt);
      case 'wait':
        return waitFor(action, attempt);
      case 'group':
        return this.#group(action, frame, holds, attempt);
    }
  }

  /** A used formula: one pass through its own steps. */
  async #group(
    group: PlanGroup,
    around: Frame,
    holds: ReadonlySet<string>,
    { step, at, scope, workspace, state, signal, ledger, feedback }: Attempt,
  ): Promise<Result> {
    const place = placeOf(at);
    await this.#engine.record(`${at.key}:started`, { type: 'attempt.started', ...place, state });
    const options: FrameOptions = {
      path: `${instancePath(at)}.`,
      key: `${at.key}.`,
      identity: `${at.identity}.`,
      inputs: scope.inputs,
      steps: group.steps,
      last: group.finally ?? [],
      workspace,
      home: at.home,
      ledger: new Ledger(group.budget, ledger),
      holds,
      shielded: around.shielded,
      feedback,
      outer: signal,
    };
    const turn = await this.#turn(group.concurrency, at, new Frame(options), state, signal);
    let result: Result = turn.ok ? { ok: true, outputs: {}, state } : turn;
    if (turn.ok) {
      const inner = new Frame({ ...options, holds: turn.holds });
      const over = new AbortController();
      const alarm =
        step.timeout === undefined ? undefined : this.#alarm(inner, at, step.timeout, over.signal);
      // When the run is let go, it throws what the pass throws, and that is heard.
      alarm?.catch(() => undefined);
      result = await this.#pass(inner, state, group.outputs);
      over.abort();
      await alarm;
      await turn.release();
    }
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
    const options = { signal: over, aside: true, shielded: true };
    if (!(await this.#engine.sleep(`${at.key}:timeout`, now + timeout, options))) return;
    const message = `it took longer than ${showDuration(timeout)}`;
    frame.fail({ error: { kind: 'timeout', message }, step: instancePath(at), handoff: false });
  }

  /**
   * Steps of `finally`, in written order, each despite earlier failures and untouched by what stopped the others. One
   * that fails turns a good end into a bad one, and changes nothing about a bad one.
   */
  async #finally(frame: Frame, coming: Result): Promise<Result> {
    let end = coming;
    // What is tidied up is paid for, but not left undone because the money is gone.
    const ledger = new Ledger(undefined, frame.ledger, { bound: false });
    for (const step of frame.last) {
      const alone = frame.ending(ledger);
      this.#scopes.end(alone, end);
      const state = await this.#step(alone, step, [], [end.state], false);
      end = end.ok && alone.stop ? stoppedBy(alone.stop, state) : { ...end, state };
      if (alone.stop && coming.ok) frame.fail(alone.stop);
    }
    return end;
  }

  /** One state with the changes of all, merged in the order given. */
  async #merge(workspace: WorkPlace, name: string, states: readonly StateId[]) {
    const different = [...new Set(states)];
    const [only] = different;
    if (different.length === 1 && only !== undefined) return { ok: true as const, state: only };
    // The states decide what comes out, so it can be done again.
    return this.#engine.unrecorded(() => workspace.merge(safeName(name), different));
  }

  /** Nothing works in a copy any more: its state holds all that is to be kept. */
  async #release({ workspace }: Frame, { home }: StepPlace): Promise<void> {
    if (home !== undefined) await this.#engine.unrecorded(() => workspace.release(home));
  }

  async #pause({ signal, frame }: Work, key: string, milliseconds: number): Promise<void> {
    const now = await this.#engine.now(`${key}:failed`);
    const options = { signal, shielded: frame.shielded };
    await this.#engine.sleep(`${key}:backoff`, now + milliseconds, options);
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
  async #finish(end: Result, stop: Stop | undefined): Promise<void> {
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
      if (end.error.kind === 'cancelled') return { type: 'run.cancelled', kept };
      if (!stop?.handoff)
        return { type: 'run.failed', error: end.error, ...(stop && { step: stop.step }), kept };
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
    // Not before: a run that is carried on goes through its states once more.
    if (end.ok) await this.#engine.unrecorded(() => workspace.forget());
  }

  async #list(step: PlanStep, scope: Scoped, state: StateId): Promise<Evaluated<readonly JsonValue[]>> {
    const value =
      typeof step.forEach === 'string'
        ? await evaluate(step.forEach, scope, this.#scopes, state)
        : await evaluateJson(step.forEach ?? [], scope, this.#scopes, state);
    if (!value.ok) return { ok: false, message: `\`for_each\`: ${value.message}` };
    if (Array.isArray(value.value)) return { ok: true, value: value.value as readonly JsonValue[] };
    return { ok: false, message: `\`for_each\` has to be a list, and ${String(step.forEach)} is not` };
  }
}

/** What all iterations and attempts of a step, or of one item, share. */
interface Work {
  readonly frame: Frame;
  readonly step: PlanStep;
  readonly scope: Scoped;
  readonly workspace: WorkPlace;
  /** Where the workspace was when the step began. */
  readonly start: StateId;
  readonly signal: AbortSignal;
  readonly ledger: Ledger;
  readonly holds: ReadonlySet<string>;
  readonly taken: Set<number>;
  /** Attempts that were made before, when its changes conflicted and it begins again. */
  readonly tried: number;
}

/** A lock that is held, or none was asked for. */
interface Turn {
  readonly ok: true;
  readonly holds: ReadonlySet<string>;
  readonly release: () => Promise<void>;
}

/** How a step, or one item of it, came out. */
interface StepEnd {
  readonly result: Result;
  readonly attempts: number;
  readonly iterations: number;
  /** A budget ended it, or kept it from beginning. */
  readonly outOfBudget?: boolean | undefined;
  /** Of a `for_each`, in the list's order. */
  readonly items?: readonly ItemEnd[];
}

interface ItemEnd {
  /** As `steps.<id>.items` has it. */
  readonly value: JsonValue;
  /** Absent: it did not succeed. */
  readonly outputs?: JsonObject;
}

function itemEnd(item: JsonValue, one: StepEnd | undefined): ItemEnd {
  if (!one) return { value: { item, status: 'skipped', outputs: {} } };
  const { result } = one;
  if (result.ok)
    return { value: { item, status: 'succeeded', outputs: result.outputs }, outputs: result.outputs };
  if (result.error.kind === 'cancelled') return { value: { item, status: 'cancelled', outputs: {} } };
  return { value: { item, status: 'failed', outputs: {}, error: { ...result.error } } };
}

function feedbackOf({ message, detail }: StepError): string {
  return detail === undefined ? message : `${message}\n\n${detail}`;
}

function endOf(path: string, item: number, result: Result): EventBody {
  if (result.ok)
    return {
      type: 'step.succeeded',
      step: path,
      item,
      outputs: result.outputs,
      state: result.state,
      ...(result.cached && { cached: true }),
    };
  if (result.error.kind === 'cancelled') return { type: 'step.cancelled', step: path, item };
  return { type: 'step.failed', step: path, item, error: result.error, state: result.state };
}

function stoppedBy({ error, step, handoff }: Stop, state: StateId): Failed {
  return { ok: false, error, state, inside: { step, handoff } };
}

function conflict(files: readonly string[], ids: readonly string[], what = 'steps'): StepError {
  const who = ids.length > 1 ? `${ids.map((id) => `"${id}"`).join(' and ')}, which ran` : `${what} that ran`;
  return {
    kind: 'conflict',
    message: `${who} at the same time${ids.length > 1 ? ',' : ''} changed the same lines of ${files.join(', ')}`,
  };
}

/** A key as the name of a folder. */
function safeName(key: string): string {
  return key.replace(/[^a-zA-Z0-9_.-]+/g, '_');
}
