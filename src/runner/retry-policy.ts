import { createHash } from 'node:crypto';
import type { StepError } from '../journal/event.ts';
import type { PlanRetry, RetryOn } from '../plan/plan.ts';

const INFRASTRUCTURE_FIRST = 1_000;
const INFRASTRUCTURE_LONGEST = 60_000;

/** Which entry of `retry.on` a failure falls under; undefined: none, it is never worth another attempt by itself. */
function reasonOf(error: StepError): RetryOn | undefined {
  switch (error.kind) {
    case 'error':
    case 'conflict':
    case 'join':
    case 'exhausted':
    case 'refused':
    case 'rejected':
      return 'error';
    case 'timeout':
      return 'timeout';
    case 'verify':
      return 'verify';
    case 'budget':
    case 'infrastructure':
    case 'denied':
    case 'cancelled':
      return undefined;
  }
}

/** Whether another attempt follows the one that failed. `attempt` counts from 1. */
export function mayRetry(retry: PlanRetry | undefined, attempt: number, error: StepError): boolean {
  const reason = reasonOf(error);
  return retry !== undefined && attempt < retry.attempts && reason !== undefined && retry.on.includes(reason);
}

/** Milliseconds before this attempt, the second being the first that waits. `seed` makes the jitter the same on a replay. */
export function backoffBefore(retry: PlanRetry | undefined, attempt: number, seed: string): number {
  if (!retry?.backoff) return 0;
  const { initial, factor, max } = retry.backoff;
  const full = Math.min(initial * factor ** (attempt - 2), max);
  // A constant pause stays what it says; a growing one is spread, so that many do not come back at once.
  return factor === 1 ? full : jittered(full, seed);
}

export function infrastructureBackoff(tries: number, seed: string): number {
  return jittered(Math.min(INFRASTRUCTURE_FIRST * 2 ** (tries - 1), INFRASTRUCTURE_LONGEST), seed);
}

/** Between half and all of it. */
function jittered(milliseconds: number, seed: string): number {
  const random = createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32;
  return Math.round(milliseconds * (0.5 + random / 2));
}
