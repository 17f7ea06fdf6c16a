import type { StateId, StepError } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import type { Result } from './result.ts';
import type { Evaluated, Scoped, Scopes } from './scope.ts';
import { evaluate } from './scope.ts';

/** How many items have to succeed. */
export async function joinEnded(
  join: PlanStep['join'],
  items: number,
  scope: Scoped,
  scopes: Scopes,
  state: StateId,
): Promise<Evaluated<number>> {
  if (join === undefined) return { ok: true, value: items };
  if (join === 'any') return { ok: true, value: Math.min(1, items) };
  if (typeof join.quorum === 'number') return { ok: true, value: join.quorum };
  const value = await evaluate(join.quorum, scope, scopes, state);
  if (!value.ok) return value;
  const { value: quorum } = value;
  if (typeof quorum === 'number' && Number.isInteger(quorum) && quorum >= 0)
    return { ok: true, value: quorum };
  return { ok: false, message: `\`quorum\` has to be a whole number, and it is ${JSON.stringify(quorum)}` };
}

/** Whether what is still to come cannot or need not change the outcome. A quorum runs every item. */
export function joinDecided(
  step: PlanStep,
  needed: number,
  results: readonly ({ readonly result: Result } | undefined)[],
): 'cancel the rest' | 'start no more' | undefined {
  if (step.join === undefined)
    return results.some((one) => one && !one.result.ok) ? 'start no more' : undefined;
  if (step.join === 'any')
    return results.filter((one) => one?.result.ok).length >= needed ? 'cancel the rest' : undefined;
  return undefined;
}

/** Why the items together did not succeed; undefined: they did. */
export function joinFailure(
  step: PlanStep,
  needed: number,
  results: readonly (Result | undefined)[],
  cancelled: boolean,
): StepError | undefined {
  const succeeded = results.filter((result) => result?.ok).length;
  if (succeeded >= needed) return undefined;
  const failed = results.flatMap((result, index) =>
    result && !result.ok && result.error.kind !== 'cancelled' ? [{ index, error: result.error }] : [],
  );
  const [first] = failed;
  if (!first && cancelled) return { kind: 'cancelled', message: 'cancelled' };
  if (step.join === undefined && first) {
    return { ...first.error, message: `item ${first.index}: ${first.error.message}` };
  }
  const names = failed.map(({ index, error }) => `item ${index}: ${error.message}`).join('\n');
  return {
    kind: 'join',
    message: `${succeeded} of ${results.length} items succeeded, and ${needed} had to`,
    ...(names !== '' && { detail: names }),
  };
}
