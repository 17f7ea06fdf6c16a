import { type Entry, eventOf } from '../../journal/entry.ts';
import { type LockClaim, type LockPlace, placeInLine } from '../../journal/lock.ts';
import type { RecordedValue } from '../../journal/event.ts';
import { hasEnded, type RunStatus, statusAfter } from '../../journal/run-state.ts';
import type { NewSignal, Signal } from '../../journal/signal.ts';
import { UserError } from '../../support/user-error.ts';
import type { EngineOptions } from '../engine.ts';
import { ManualClock } from './clock.ts';
import { RecordingEngine } from './recording-engine.ts';
import type { RunStore } from './run-store.ts';
import { idTime } from '../../support/ids.ts';

/** Everything a {@link MemoryWorld} remembers, as plain JSON. */
export interface MemoryRecord {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly runs: Readonly<
    Record<string, { readonly entries: readonly Entry[]; readonly signals: readonly Signal[] }>
  >;
  /** In order of asking. */
  readonly locks: readonly MemoryLock[];
}

interface MemoryLock extends LockClaim {
  readonly group: string;
}

interface MemoryRun {
  readonly entries: Entry[];
  readonly signals: Signal[];
}

/**
 * Runs that are remembered in memory, on a clock that moves when it is told to: for tests of whatever is driven by an
 * engine. Processes that die are played by {@link upTo}: a new world with what would have been on disk.
 */
export class MemoryWorld {
  readonly clock: ManualClock;
  readonly #runs = new Map<string, MemoryRun>();
  #locks: MemoryLock[];
  readonly #engines = new Map<string, RecordingEngine>();
  readonly #listeners = new Map<string, () => void>();
  /** How many ids each run has on record or was given since. */
  readonly #ids = new Map<string, number>();

  /** Begins at the first of January 2026, or where a record left off. */
  constructor(record: MemoryRecord = { now: Date.UTC(2026, 0, 1), runs: {}, locks: [] }) {
    this.clock = new ManualClock(record.now);
    for (const [run, { entries, signals }] of Object.entries(record.runs)) {
      this.#runs.set(run, { entries: [...entries], signals: [...signals] });
    }
    this.#locks = [...record.locks];
  }

  /** Drives a run, a new one or one to be carried on. Throws `UserError` while another engine of this world drives it. */
  open(run: string, options: EngineOptions = {}): RecordingEngine {
    if (this.#engines.has(run)) throw new UserError(`run ${run} is being driven by another engine`);
    if (!this.#runs.has(run)) this.#runs.set(run, { entries: [], signals: [] });
    this.#ids.set(run, this.#known(run).entries.filter(isId).length);
    const engine = new RecordingEngine(this.#store(run), this.clock, {
      ...options,
      newId: (time) => this.#newId(run, time),
    });
    this.#engines.set(run, engine);
    return engine;
  }

  /** Leaves something for whoever drives the run, now or later. Throws `UserError` when the run has ended. */
  send(run: string, signal: NewSignal): Signal {
    const { entries, signals } = this.#known(run);
    if (hasEnded(statusOf(entries))) throw new UserError(`run ${run} has ended: ${statusOf(entries)}`);
    const arrived: Signal = { ...signal, id: signals.length + 1, at: this.clock.now() };
    signals.push(arrived);
    this.#tell();
    return arrived;
  }

  /** Lets time pass; each timer rings at its own time, and what follows from it happens before the next. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.clock.now() + milliseconds;
    do await this.settled();
    while (this.clock.step(until));
    await this.settled();
  }

  /** Resolves when nothing moves but by time, by signals, or by the end of work under way. */
  async settled(): Promise<void> {
    for (const engine of this.#engines.values()) await engine.settled();
  }

  /** What is remembered now; shares nothing with this world. */
  snapshot(): MemoryRecord {
    const runs = [...this.#runs].map(([run, { entries, signals }]) => [run, { entries, signals }] as const);
    return structuredClone({ now: this.clock.now(), runs: Object.fromEntries(runs), locks: this.#locks });
  }

  /** The world as it would be, had the run's driver died with `count` events on disk. For worlds of one run. */
  upTo(run: string, count: number): MemoryWorld {
    const record = this.snapshot();
    const { entries, signals } = this.#known(run);
    const kept = entries.slice(0, count);
    return new MemoryWorld({
      ...record,
      runs: { ...record.runs, [run]: { entries: kept, signals: [...signals] } },
      locks: [...heldBy(run, kept), ...record.locks.filter((lock) => lock.run !== run)],
    });
  }

  #store(run: string): RunStore {
    const known = this.#known(run);
    return {
      run,
      recorded: known.entries.map((entry) => ({ key: entry.key, event: eventOf(run, entry) })),
      commit: (entries, release) => {
        known.entries.push(...entries);
        const ended = hasEnded(statusOf(known.entries));
        this.#locks = this.#locks.filter(
          (lock) => lock.run !== run || !(ended || (lock.held && release.includes(lock.group))),
        );
        if (ended || release.length > 0) this.#tell();
        return Promise.resolve();
      },
      signals: (after) => known.signals.slice(after),
      takeLock: (group, name) => this.#takeLock(run, group, name),
      leaveLine: (group, name) => {
        this.#locks = this.#locks.filter(
          (lock) => lock.run !== run || lock.group !== group || lock.name !== name,
        );
        this.#tell();
      },
      cancelRun: (other, _sender, by) => {
        const { entries, signals } = this.#known(other);
        if (hasEnded(statusOf(entries)) || signals.some(({ kind }) => kind === 'cancel')) return;
        this.send(other, { kind: 'cancel', by, verified: true });
      },
      watch: ({ changed }) => {
        this.#listeners.set(run, changed);
      },
      // Nobody takes a run away from another here.
      confirm: () => undefined,
      close: () => {
        this.#listeners.delete(run);
        this.#engines.delete(run);
        this.#tell();
      },
    };
  }

  #takeLock(run: string, group: string, name: string): LockPlace {
    const isOwn = (lock: MemoryLock): boolean =>
      lock.group === group && lock.run === run && lock.name === name;
    if (!this.#locks.some(isOwn)) this.#locks.push({ group, run, name, held: false });
    const line = this.#locks.filter((lock) => lock.group === group);
    const place = placeInLine(line, run, name, (other) => this.#engines.has(other));
    if (place.held) this.#locks = this.#locks.map((lock) => (isOwn(lock) ? { ...lock, held: true } : lock));
    return place;
  }

  /** In the form of a ULID. Counts, so that a run gets the same ids whether or not it was interrupted. */
  #newId(run: string, time: number): string {
    const count = this.#ids.get(run) ?? 0;
    this.#ids.set(run, count + 1);
    const place = [...this.#runs.keys()].indexOf(run);
    return idTime(time) + `${place}`.padStart(8, '0') + `${count}`.padStart(8, '0');
  }

  #known(run: string): MemoryRun {
    const known = this.#runs.get(run);
    if (known === undefined) throw new UserError(`there is no run ${run}`);
    return known;
  }

  #tell(): void {
    for (const changed of [...this.#listeners.values()]) changed();
  }
}

const isId = (entry: Entry): boolean =>
  entry.type === 'value.recorded' && (JSON.parse(entry.body) as { of: RecordedValue }).of === 'id';

function statusOf(entries: readonly Entry[]): RunStatus {
  return entries.reduce<RunStatus>((status, { type }) => statusAfter(status, type), 'queued');
}

/** The locks that a run had taken and not given back, by its own record. */
function heldBy(run: string, entries: readonly Entry[]): MemoryLock[] {
  const held = new Map<string, MemoryLock>();
  for (const { type, key, body } of entries) {
    if (type !== 'value.recorded') continue;
    const { of, value: group } = JSON.parse(body) as { of: RecordedValue; value: string };
    if (of === 'lock' && group !== null) held.set(group, { group, run, name: key ?? '', held: true });
    if (of === 'release') held.delete(group);
  }
  return hasEnded(statusOf(entries)) ? [] : [...held.values()];
}
