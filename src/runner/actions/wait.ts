import { evaluateExpression } from '../../formula/evaluate-expression.ts';
import { parseTimestamp } from '../../formula/timestamp.ts';
import { showDuration } from '../../formula/duration.ts';
import type { Waiting } from '../../journal/event.ts';
import type { Signal } from '../../journal/signal.ts';
import type { PlanWait } from '../../plan/plan.ts';
import type { JsonValue } from '../../support/json.ts';
import type { Attempt } from '../attempt.ts';
import { placeOf } from '../attempt.ts';
import { until } from '../deadline.ts';
import type { Result } from '../result.ts';
import { failure } from '../result.ts';
import { messageOf, render } from '../scope.ts';

/** The action `wait`: as {@link awaitWorld}, with its start and end recorded as an attempt. */
export async function waitFor(action: PlanWait, attempt: Attempt): Promise<Result> {
  const { engine, at, state, step } = attempt;
  const place = placeOf(at);
  await engine.record(`${at.key}:started`, { type: 'attempt.started', ...place, state });
  // The next try, or the next iteration, waits for another event than this one.
  const result = await awaitWorld(action, attempt, step.timeout, attempt.taken);
  await engine.record(
    `${at.key}:ended`,
    result.ok
      ? { type: step.verify ? 'action.ended' : 'attempt.succeeded', ...place, outputs: result.outputs, state }
      : { type: 'attempt.failed', ...place, error: result.error, retryable: true, state },
  );
  return result;
}

/**
 * Waits for a time or an event. Events count from the run's start, so one that came early is found, unless it is in
 * `skip`.
 */
export async function awaitWorld(
  action: PlanWait,
  attempt: Attempt,
  timeout: number | undefined,
  skip = new Set<number>(),
): Promise<Result> {
  const { engine, at, state, signal, shielded } = attempt;
  const here = { step: at.path, ...(at.item !== undefined && { item: at.item }) };
  const now = await engine.now(`${at.key}:now`);
  const cancelled = () => failure('cancelled', 'cancelled', state);
  if ('for' in action || 'until' in action) {
    const time = 'for' in action ? now + action.for : await pointInTime(action.until, attempt);
    if (typeof time !== 'number') return time;
    const end = timeout === undefined ? time : Math.min(time, now + timeout);
    // A timer comes by itself: it keeps the run alive, so it is no `waiting` that a run could be left in.
    if (!(await engine.sleep(`${at.key}:until`, end, { signal, shielded }))) return cancelled();
    return end < time
      ? failure('timeout', `it was not over within ${showDuration(timeout ?? 0)}`, state)
      : { ok: true, outputs: {}, state };
  }
  const deadline = timeout === undefined ? undefined : now + timeout;
  const waiting: Waiting = {
    ...here,
    for: 'event',
    ask: action.event,
    ...(deadline !== undefined && { until: deadline }),
  };
  const match = await eventTest(action.match, attempt);
  const event = await until(attempt, deadline, waiting, (over) =>
    engine.receive(
      `${at.key}:event`,
      ({ id, kind, event, ...rest }) =>
        kind === 'event' && event === action.event && !skip.has(id) && match({ id, kind, ...rest }),
      { signal: over, waiting, shielded },
    ),
  );
  if (!event)
    return signal.aborted
      ? cancelled()
      : failure('timeout', `no event "${action.event}" came within ${showDuration(timeout ?? 0)}`, state);
  skip.add(event.id);
  const data = event.data ?? null;
  try {
    const pass = await eventTest(action.pass, attempt, true);
    if (!pass(event))
      return failure(
        'refused',
        `event "${action.event}" did not pass: ${action.pass ?? ''}`,
        state,
        JSON.stringify(data),
      );
  } catch (error) {
    return failure('error', messageOf(error), state);
  }
  return { ok: true, outputs: { event: data }, state };
}

async function pointInTime(text: string, { scope, scopes, state }: Attempt): Promise<number | Result> {
  const rendered = await render(text, scope, scopes, state);
  if (!rendered.ok) return failure('error', rendered.message, state);
  const time = parseTimestamp(rendered.value);
  return typeof time === 'number'
    ? time
    : failure('error', `"${rendered.value}" is not a point in time with a zone`, state);
}

/** A test of an event. An event for which `match` cannot be evaluated is not the one that is meant; `pass` has to be. */
async function eventTest(
  expression: string | undefined,
  { scope, scopes, state }: Attempt,
  strict = false,
): Promise<(signal: Signal) => boolean> {
  if (expression === undefined) return () => true;
  const values = await scopes.values(expression, scope, state);
  return (signal) => {
    const event: JsonValue = signal.data ?? null;
    try {
      return evaluateExpression(expression, { ...values, event }) === true;
    } catch (error) {
      if (strict) throw error;
      messageOf(error);
      return false;
    }
  };
}
