import type { Signal } from '../../journal/signal.ts';
import type { PlanApprove } from '../../plan/plan.ts';
import type { JsonValue } from '../../support/json.ts';
import { showDuration } from '../../formula/duration.ts';
import type { Attempt } from '../attempt.ts';
import { instancePath, placeOf } from '../attempt.ts';
import { until } from '../deadline.ts';
import type { Result } from '../result.ts';
import { failure } from '../result.ts';
import { evaluate, render } from '../scope.ts';

/**
 * Asks people and waits for as many of them as have to say yes. One no is enough to refuse, also of who said yes before;
 * one person counts once; an answer of somebody who may not answer is left alone.
 */
export async function askPeople(action: PlanApprove, attempt: Attempt): Promise<Result> {
  const { engine, at, scope, scopes, state, step, signal } = attempt;
  const place = placeOf(at);
  const path = instancePath(at);
  const fail = async (result: Result & { readonly ok: false }): Promise<Result> => {
    await engine.record(`${at.key}:ended`, {
      type: 'attempt.failed',
      ...place,
      error: result.error,
      retryable: true,
      state,
    });
    return result;
  };
  await engine.record(`${at.key}:started`, { type: 'attempt.started', ...place, state });
  const ask = await render(action.ask, scope, scopes, state);
  if (!ask.ok) return fail(failure('error', ask.message, state));
  const shown: { expression: string; value: JsonValue }[] = [];
  for (const expression of action.show ?? []) {
    const value = await evaluate(expression, scope, scopes, state);
    if (!value.ok) return fail(failure('error', `\`show: ${expression}\`: ${value.message}`, state));
    shown.push({ expression, value: value.value });
  }
  const deadline =
    step.timeout === undefined ? undefined : (await engine.now(`${at.key}:now`)) + step.timeout;
  const asked = await engine.record(`${at.key}:asked`, {
    type: 'approval.asked',
    ...place,
    ask: ask.value,
    ...(shown.length > 0 && { shown }),
    ...(action.by && { by: action.by }),
    ...(deadline !== undefined && { until: deadline }),
  });
  const waiting = {
    step: at.path,
    ...(at.item !== undefined && { item: at.item }),
    for: 'approval' as const,
    ask: ask.value,
    ...(deadline !== undefined && { until: deadline }),
  };
  const allowed = action.by && new Set(Object.values(action.by).flat());
  const said = new Set<string>();
  const comments: string[] = [];
  // The first question may be answered before it is asked. After that, who answers means the question that stands: an
  // answer left over from an earlier try or iteration says nothing about this one.
  const since = attempt.asked.has(path) ? Date.parse(asked.at) : -Infinity;
  attempt.asked.add(path);
  const mine = (answer: Signal) =>
    (answer.kind === 'reject' || (answer.kind === 'approve' && !said.has(answer.by ?? ''))) &&
    answer.step === path &&
    answer.at >= since &&
    (allowed === undefined || (answer.by !== undefined && allowed.has(answer.by)));
  const result = await until(attempt, deadline, waiting, async (over): Promise<Result | undefined> => {
    while (said.size < action.count) {
      const answer = await engine.receive(`${at.key}:answer${said.size}`, mine, {
        signal: over,
        waiting,
        shielded: attempt.shielded,
      });
      if (!answer) return undefined;
      const { by = '', verified, comment } = answer;
      const given = { ...place, by, verified, ...(comment !== undefined && { comment }) };
      said.add(by);
      if (comment !== undefined) comments.push(comment);
      if (answer.kind === 'reject') {
        await engine.record(`${at.key}:refused`, { type: 'approval.refused', ...given });
        const no = `${by === '' ? 'somebody' : by} said no`;
        // The reason is what whoever reads the error wants to know; the whole of it is the detail.
        const [reason = ''] = (comment ?? '').trim().split('\n');
        return fail(failure('rejected', reason === '' ? no : `${no}: ${reason}`, state, comment));
      }
      await engine.record(`${at.key}:given${said.size}`, { type: 'approval.given', ...given });
    }
    const outputs = { decision: 'approved', by: [...said].join(', '), comment: comments.join('\n') };
    await engine.record(`${at.key}:ended`, {
      type: step.verify ? 'action.ended' : 'attempt.succeeded',
      ...place,
      outputs,
      state,
    });
    return { ok: true, outputs, state };
  });
  if (result) return result;
  if (signal.aborted) return fail(failure('cancelled', 'cancelled', state));
  return fail(failure('timeout', `nobody answered within ${showDuration(step.timeout ?? 0)}`, state));
}
