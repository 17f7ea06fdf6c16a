import type { Waiting } from '../journal/event.ts';
import type { Attempt } from './attempt.ts';

/**
 * Waits for what `wait` waits for, until a deadline or until the step is stopped; then its signal is aborted, and it
 * answers undefined. The deadline is part of the same waiting, so that it alone keeps no run alive.
 */
export async function until<T>(
  { engine, at, signal, shielded }: Pick<Attempt, 'engine' | 'at' | 'signal' | 'shielded'>,
  deadline: number | undefined,
  waiting: Waiting,
  wait: (over: AbortSignal) => Promise<T | undefined>,
): Promise<T | undefined> {
  if (deadline === undefined) return wait(signal);
  const over = new AbortController();
  const done = new AbortController();
  const alarm = engine
    .sleep(`${at.key}:deadline`, deadline, {
      signal: AbortSignal.any([signal, done.signal]),
      waiting,
      shielded,
    })
    .then((rang) => {
      if (rang) over.abort('timeout');
    });
  // When the run is let go, it throws what the wait throws, and that is heard.
  alarm.catch(() => undefined);
  const result = await wait(AbortSignal.any([signal, over.signal]));
  done.abort();
  await alarm;
  return result;
}
