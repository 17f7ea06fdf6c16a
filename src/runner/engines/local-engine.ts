import type { Entry, RecordedEvent } from '../../journal/entry.ts';
import type { Journal } from '../../journal/journal.ts';
import { type Lease, leaseMilliseconds, LeaseLost, renewMilliseconds } from '../../journal/lease.ts';
import type { LockPlace } from '../../journal/lock.ts';
import type { Signal } from '../../journal/signal.ts';
import { UserError } from '../../support/user-error.ts';
import type { DrivenEngine, EngineOptions } from '../engine.ts';
import { type Clock, wallClock } from './clock.ts';
import { RecordingEngine } from './recording-engine.ts';
import type { RunStore } from './run-store.ts';

/** A lock may come free without a write: when the one ahead in line lets its lease run out. */
const lookMilliseconds = 1_000;

/**
 * Drives a run of the journal, a new one or one to be carried on. Throws `UserError` that says who drives it when
 * somebody does, and when the journal is damaged. `close` gives the run back; the journal stays open.
 */
export function openLocalEngine(
  journal: Journal,
  run: string,
  options: EngineOptions & { readonly clock?: Clock } = {},
): DrivenEngine {
  // Before the first write: what is damaged stays as it is.
  const read = journal.readRecord(run);
  // What is relied on from here on is looked at once: a page that was cut off may be one that nobody reads today.
  if (read.length > 0) journal.verify();
  const lease = journal.acquireLease(run);
  try {
    // Whoever drove it until now may have added some.
    const recorded = [...read, ...journal.readRecord(run, read.length)];
    const store = new JournalStore(journal, lease, recorded);
    return new RecordingEngine(store, options.clock ?? wallClock(), options);
  } catch (error) {
    journal.releaseLease(lease);
    throw error;
  }
}

/** One run of a journal, under a lease that is renewed until `close`. */
class JournalStore implements RunStore {
  readonly run: string;
  readonly recorded: readonly RecordedEvent[];
  readonly #journal: Journal;
  readonly #lease: Lease;
  #undo: (() => void)[] = [];
  /** When the lease was last known to be ours. */
  #confirmed = Date.now();

  constructor(journal: Journal, lease: Lease, recorded: readonly RecordedEvent[]) {
    this.run = lease.run;
    this.#journal = journal;
    this.#lease = lease;
    this.recorded = recorded;
  }

  async commit(entries: readonly Entry[], release: readonly string[]): Promise<void> {
    const asked = Date.now();
    await this.#journal.append(this.#lease, entries, release);
    this.#confirmed = asked;
  }

  confirm(): void {
    // Nobody takes over before the lease has run out, which is longer after any write of ours.
    if (Math.abs(Date.now() - this.#confirmed) < leaseMilliseconds - 2 * renewMilliseconds) return;
    this.#renew();
  }

  #renew(): void {
    const asked = Date.now();
    this.#journal.renewLease(this.#lease);
    this.#confirmed = asked;
  }

  signals(after: number): readonly Signal[] {
    return this.#journal.readSignals(this.run, after);
  }

  takeLock(group: string, name: string): LockPlace {
    return this.#journal.takeLock(this.#lease, group, name);
  }

  leaveLine(group: string, name: string): void {
    this.#journal.leaveLine(this.#lease, group, name);
  }

  cancelRun(run: string, sender: string, by: string): void {
    try {
      this.#journal.sendSignal(run, { kind: 'cancel', by, verified: true }, { sender });
    } catch (error) {
      // It ended, or was deleted, since it was seen in line: what was wanted.
      if (!(error instanceof UserError)) throw error;
    }
  }

  watch(listener: { changed(): void; failed(error: unknown): void }): void {
    const renewal = setInterval(() => {
      try {
        this.#renew();
      } catch (error) {
        // A disk that is full or a file that is locked may be well again before the lease runs out, and what is
        // recorded meanwhile says so by itself.
        if (error instanceof LeaseLost) listener.failed(error);
      }
    }, renewMilliseconds);
    const look = setInterval(() => listener.changed(), lookMilliseconds);
    const unlisten = this.#journal.onChange(() => listener.changed());
    this.#undo = [unlisten, () => clearInterval(renewal), () => clearInterval(look)];
  }

  close(): void {
    for (const undo of this.#undo) undo();
    try {
      this.#journal.releaseLease(this.#lease);
    } catch (error) {
      // It runs out by itself. What could not be written has been told where it mattered.
      if (!(error instanceof UserError)) throw error;
    }
  }
}
