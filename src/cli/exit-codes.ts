import type { RunStatus } from '../journal/run-state.ts';

/** What a script can tell from how `wf` ends. */
export const exitCodes = {
  ok: 0,
  /** Findings, a run that failed or was handed off. */
  failed: 1,
  /** Wrong flags or arguments. */
  usage: 2,
  /** The world is not as needed. */
  world: 3,
  /** It waits for a person or an event, and nobody is attached. */
  waiting: 4,
  /** A mistake in wf itself. */
  internal: 70,
  /** Stopped by the user. */
  cancelled: 130,
} as const;

/** How a command ends that drove or watched a run until it came to this. */
export function exitCodeOf(status: RunStatus): number {
  switch (status) {
    case 'succeeded':
      return exitCodes.ok;
    case 'failed':
    case 'handed_off':
      return exitCodes.failed;
    case 'queued':
    case 'running':
    case 'waiting':
      return exitCodes.waiting;
    case 'cancelled':
      return exitCodes.cancelled;
  }
}
