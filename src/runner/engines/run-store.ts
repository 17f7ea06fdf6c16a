import type { Entry, RecordedEvent } from '../../journal/entry.ts';
import type { LockPlace } from '../../journal/lock.ts';
import type { Signal } from '../../journal/signal.ts';

/**
 * What a {@link RecordingEngine} needs of the place that remembers one run, held by one driver at a time.
 *
 * Life cycle: `watch` once, then anything in any order, `close` last. Whatever fails to be written leaves what was
 * there; {@link LeaseLost} says that another driver has the run.
 */
export interface RunStore {
  readonly run: string;
  /** What was recorded when the store was opened, oldest first. */
  readonly recorded: readonly RecordedEvent[];
  /** Adds entries and gives back locks: all or nothing, kept for good when it resolves. */
  commit(entries: readonly Entry[], release: readonly string[]): Promise<void>;
  /** Signals with a higher id than `after`, in order of arrival. */
  signals(after: number): readonly Signal[];
  /** Takes the lock when it is this name's turn, and its place in line otherwise. To be called again after a change. */
  takeLock(group: string, name: string): LockPlace;
  leaveLine(group: string, name: string): void;
  /** Asks another run to cancel; nothing when it has ended. `sender` makes it safe to ask twice. */
  cancelRun(run: string, sender: string, by: string): void;
  /** `changed`: signals or locks may be other than before. `failed`: the run can no longer be driven from here. */
  watch(listener: { changed(): void; failed(error: unknown): void }): void;
  /** Throws {@link LeaseLost} when another driver has the run. Cheap while the lease surely holds. */
  confirm(): void;
  /** Lets another driver have the run. */
  close(): void;
}
