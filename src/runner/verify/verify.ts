import type { EventBody } from '../../journal/event.ts';
import type { PlanCheck } from '../../plan/plan.ts';
import type { JsonObject } from '../../support/json.ts';
import { awaitWorld } from '../actions/wait.ts';
import type { Attempt } from '../attempt.ts';
import { placeOf } from '../attempt.ts';
import type { Result } from '../result.ts';
import { failure } from '../result.ts';
import { evaluate } from '../scope.ts';
import { authored } from './authored-command.ts';
import { checkChanges } from './changes.ts';
import { checkCommand } from './command.ts';
import { checkJudge } from './judge.ts';

/** What one check found. */
export interface Verdict {
  readonly passed: boolean;
  readonly message: string;
  readonly output?: string;
  readonly milliseconds?: number;
  readonly ended?: 'timeout' | 'budget';
}

type Success = Extract<Result, { readonly ok: true }>;

/**
 * Runs every check of a step, also after one has failed, and records each. The attempt holds only if all of them do; a
 * check that could not run has not passed.
 */
export async function verify(
  checks: readonly PlanCheck[],
  attempt: Attempt,
  acted: Success,
): Promise<Result> {
  const { at, signal } = attempt;
  const place = placeOf(at);
  const scope = attempt.scope.with({ outputs: acted.outputs });
  const failed: string[] = [];
  const details: string[] = [];
  let ended: 'timeout' | 'budget' | undefined;
  for (const [index, check] of checks.entries()) {
    const inner: Attempt = {
      ...attempt,
      scope,
      state: acted.state,
      at: { ...at, key: `${at.key}:check${index}` },
    };
    const event = await runCheck(check, index, inner, place);
    if (event.type !== 'check.failed' && event.type !== 'check.passed')
      throw new Error(`check ${index} of ${at.key} was recorded as ${event.type}`);
    attempt.ledger.spend(event.milliseconds ?? 0);
    if (event.type === 'check.passed') continue;
    if (signal.aborted) return failure('cancelled', 'cancelled', acted.state);
    ended ??= event.ended;
    failed.push(event.message);
    if (event.output !== undefined && event.output !== '') details.push(`${event.message}\n${event.output}`);
  }
  if (failed.length === 0) return acted;
  const message =
    failed.length === 1
      ? `a check failed: ${failed[0]}`
      : `${failed.length} checks failed: ${failed.join('; ')}`;
  return failure(ended ?? 'verify', message, acted.state, details.join('\n\n'));
}

async function runCheck(
  check: PlanCheck,
  index: number,
  attempt: Attempt,
  place: ReturnType<typeof placeOf>,
): Promise<EventBody> {
  const { engine, at, scope, scopes, state } = attempt;
  const told = ({ passed, message, output, milliseconds, ended }: Verdict): EventBody => {
    const seen = {
      ...place,
      check: index,
      ...(output !== undefined && { output }),
      ...(milliseconds !== undefined && { milliseconds }),
    };
    return passed
      ? { type: 'check.passed', ...seen }
      : { type: 'check.failed', ...seen, message, ...(ended && { ended }) };
  };
  switch (check.kind) {
    case 'run': {
      const values = await scopes.values(JSON.stringify(check), scope, state);
      return engine.step<EventBody>(
        at.key,
        async (context) => told(await checkCommand(check, attempt, values, context.signal)),
        { signal: attempt.signal, shielded: attempt.shielded },
      );
    }
    case 'check': {
      const value = await evaluate(check.check, scope, scopes, state);
      const passed = value.ok && value.value === true;
      return engine.record(
        at.key,
        told({ passed, message: authored(value.ok ? `\`${check.check}\` is not true` : value.message) }),
      );
    }
    case 'changes': {
      const values = await scopes.values(JSON.stringify(check), scope, state);
      return engine.step<EventBody>(at.key, async () => told(await checkChanges(check, attempt, values)));
    }
    case 'judge': {
      const outputs = scope.values['outputs'] as JsonObject;
      return engine.record(`${at.key}:verdict`, told(await checkJudge(check, index, attempt, outputs)));
    }
    case 'wait': {
      const result = await awaitWorld(check.wait, attempt, check.timeout);
      return engine.record(
        at.key,
        told({ passed: result.ok, message: result.ok ? '' : result.error.message }),
      );
    }
  }
}
