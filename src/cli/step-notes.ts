import { showDuration } from '../formula/duration.ts';
import type { PlanBudget, PlanStep } from '../plan/plan.ts';
import { dollars } from './usage-note.ts';
import { listed } from './outline.ts';

/** What a step waits for, where it is not simply the one written above it. */
export function afterNote(
  step: Pick<PlanStep, 'needs'>,
  before: { readonly id: string } | undefined,
): string {
  const { needs } = step;
  if (needs.length === 0) return before ? 'at once' : '';
  return needs.length === 1 && needs[0] === before?.id ? '' : `after ${listed(needs)}`;
}

/** How a list is gone through: `4 at once, any`. */
export function loopNote({ parallel, join }: Pick<PlanStep, 'parallel' | 'join'>): string {
  const lanes = parallel === undefined ? 'one by one' : `${parallel} at once`;
  if (join === undefined) return lanes;
  return join === 'any' ? `${lanes}, until one succeeds` : `${lanes}, ${join.quorum} have to succeed`;
}

/** What happens around a step's action. */
export function policyNotes(
  step: Pick<PlanStep, 'repeat' | 'retry' | 'timeout' | 'budget' | 'once' | 'cache' | 'onFailure'>,
): readonly string[] {
  const { repeat, retry, timeout, budget, once, cache, onFailure } = step;
  const backoff = retry?.backoff && `, ${showDuration(retry.backoff.initial)} apart and more`;
  return [
    ...(repeat
      ? [
          `repeat until ${repeat.until}, at most ${repeat.max} times${repeat.or === 'keep' ? ', then go on with the last' : ''}`,
        ]
      : []),
    ...(retry
      ? [
          `up to ${retry.attempts} attempts on ${retry.on.join(', ')}${retry.feedback ? ', with feedback' : ''}${backoff ?? ''}`,
        ]
      : []),
    ...(timeout === undefined ? [] : [`timeout ${showDuration(timeout)}`]),
    ...(budget ? [`budget ${budgetText(budget)}`] : []),
    ...(once ? ['once: never runs twice'] : []),
    ...(cache ? [`cached while ${listed(cache.files)} and its inputs stay the same`] : []),
    ...(onFailure ? [`on failure: ${onFailure}`] : []),
  ];
}

/** What may be spent, in words. */
export function budgetText({ minutes, tokens, usd }: PlanBudget): string {
  return [
    ...(minutes === undefined ? [] : [`${minutes} minutes`]),
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
    ...(usd === undefined ? [] : [dollars(usd)]),
  ].join(', ');
}
