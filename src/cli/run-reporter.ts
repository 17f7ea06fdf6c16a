import type { Place, RunEvent } from '../journal/event.ts';

/**
 * Shows a run while it happens. Told of every event once it is on disk, in order, and of output as it comes. `close` is
 * called when the run has ended or was let go, and is safe to call twice.
 */
export interface RunReporter {
  event(event: RunEvent): void;
  output(place: Place, stream: 'stdout' | 'stderr', text: string): void;
  /** Something about the process and not the run: a Ctrl-C that was heard. */
  note(text: string): void;
  close(): void;
}

/** For whoever asked for quiet, or for one document at the end. */
export const silentReporter: RunReporter = {
  event: () => undefined,
  output: () => undefined,
  note: () => undefined,
  close: () => undefined,
};
