import type { StateId } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import type { Failed, Result } from './result.ts';
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
  results: readonly (Result | undefined)[],
): 'cancel the rest' | 'start no more' | undefined {
  if (step.join === undefined) return results.some((one) => one && !one.ok) ? 'start no more' : undefined;
  if (step.join === 'any')
    return results.filter((one) => one?.ok).length >= needed ? 'cancel the rest' : undefined;
  return undefined;
}

/** Why the items together did not succeed; undefined: they did. */
export function joinFailure(
  step: PlanStep,
  needed: number,
  results: readonly (Result | undefined)[],
  cancelled: boolean,
): Omit<Failed, 'state'> | undefined {
  const succeeded = results.filter((result) => result?.ok).length;
  if (succeeded >= needed) return undefined;
  const failed = results.flatMap((result, index) =>
    result && !result.ok && result.error.kind !== 'cancelled' ? [{ index, ...result }] : [],
  );
  const [first] = failed;
  if (!first && cancelled) return { ok: false, error: { kind: 'cancelled', message: 'cancelled' } };
  const inside = first?.inside && { inside: first.inside };
  if (step.join === undefined && first) {
    const error = { ...first.error, message: `item ${first.index}: ${first.error.message}` };
    return { ok: false, error, ...inside };
  }
  const names = failed.map(({ index, error }) => `item ${index}: ${error.message}`).join('\n');
  const message = `${succeeded} of ${results.length} items succeeded, and ${needed} had to`;
  return { ok: false, error: { kind: 'join', message, ...(names !== '' && { detail: names }) }, ...inside };
}
