import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Plan } from '../plan/plan.ts';
import type { JsonObject } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import { asUserError, damaged, openDatabase, pragma, rollBack } from './database.ts';
import { type Entry, entryOf, eventOf, sumOf, type RecordedEvent } from './entry.ts';
import type { EventBody, RunEvent } from './event.ts';
import { giveUpLease, type Lease, type LeaseHolder, readHolder, takeLease, useLease } from './lease.ts';
import { leaveLine, type LockPlace, releaseAllLocks, releaseLock, takeLock } from './lock.ts';
import {
  foldRun,
  hasEnded,
  type RunHeader,
  type RunState,
  type RunStatus,
  statusAfter,
} from './run-state.ts';
import type { NewSignal, Signal } from './signal.ts';
import { newId } from '../support/ids.ts';

/** How often another process's writes are looked for. */
const pollMilliseconds = 100;

/** A run as the journal lists it, without adding up its events. */
export interface RunSummary extends RunHeader {
  readonly status: RunStatus;
  /** ISO 8601, UTC. */
  readonly endedAt?: string;
}

/** The journal of the project at `root`, in its `.wf/`; made when there is none. Throws `UserError`. */
export async function openJournal(root: string): Promise<Journal> {
  const file = journalFile(root);
  return new Journal(file, await openDatabase(file));
}

/** The journal of the project at `root` when it has one; for looking, so that looking leaves nothing behind. */
export async function findJournal(root: string): Promise<Journal | undefined> {
  return existsSync(journalFile(root)) ? openJournal(root) : undefined;
}

function journalFile(root: string): string {
  return join(root, '.wf', 'journal.db');
}

interface Append {
  readonly lease: Lease;
  readonly entries: readonly Entry[];
  readonly release: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The durable log of a project's runs, with what processes need to share them: signals, leases and locks.
 *
 * Open it once per process, with {@link openJournal}, and `close` it. Any number of processes may have it open; each
 * write is one immediate transaction, on disk (fsync) when its call returns or its promise resolves. Every method
 * throws `UserError` when the file is damaged, locked for long, not writable, or the disk is full; what was in it then
 * stays as it was.
 */
export class Journal {
  /** Absolute path of the SQLite file, if the root was one. */
  readonly file: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #appends: Append[] = [];
  readonly #listeners = new Set<() => void>();
  #poll: NodeJS.Timeout | undefined;
  #dataVersion = 0;
  #closed = false;

  constructor(file: string, database: DatabaseSync) {
    this.file = file;
    this.#database = database;
  }

  /** Adds a run, `queued`, and returns its id. Nothing happens to it before somebody takes its lease. */
  createRun(run: { readonly plan: Plan; readonly inputs: JsonObject; readonly id?: string }): string {
    const id = run.id ?? newId();
    const [inputs, plan] = [JSON.stringify(run.inputs), JSON.stringify(run.plan)];
    this.#write(() =>
      this.#statement(
        `INSERT INTO runs (id, formula, plan_digest, status, created_at, inputs, plan, sum)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        id,
        run.plan.formula,
        run.plan.plan,
        'queued' satisfies RunStatus,
        new Date().toISOString(),
        inputs,
        plan,
        crc32(inputs + plan),
      ),
    );
    return id;
  }

  /** Newest first; `before` is the id of the last run of the page before. */
  listRuns(options: { readonly limit?: number; readonly before?: string } = {}): RunSummary[] {
    return this.#read(() =>
      this.#statement(
        `SELECT id, formula, plan_digest, status, created_at, ended_at, inputs FROM runs
         WHERE id < ? ORDER BY id DESC LIMIT ?`,
      )
        .all(options.before ?? '~', options.limit ?? -1)
        .map((row) => this.#summary(row)),
    );
  }

  /** Throws `UserError` when there is no such run, as all methods that take a run do. */
  readRun(run: string): RunSummary {
    return this.#read(() => this.#summary(this.#runRow(run)));
  }

  /** The plan the run began with. */
  readPlan(run: string): Plan {
    return this.#read(() => {
      this.#runRow(run);
      const row = this.#statement('SELECT plan, inputs, sum FROM runs WHERE id = ?').get(run);
      const plan = String(row?.['plan']);
      if (row?.['sum'] !== null && row?.['sum'] !== crc32(`${String(row?.['inputs'])}${plan}`))
        throw damaged(this.file, `the plan of run ${run} is not what was written`);
      return this.#parse(plan, `the plan of run ${run}`) as Plan;
    });
  }

  /**
   * From now on the run follows this plan. Throws `UserError` when the run has ended, or somebody drives it who read
   * the other one.
   */
  replacePlan(run: string, plan: Plan, by?: string): void {
    this.#write(() => {
      const { status } = this.#summary(this.#runRow(run));
      if (hasEnded(status)) throw new UserError(`run ${run} has ended: ${status}`);
      const holder = readHolder(this.#database, run);
      if (holder?.alive === true) throw new UserError(`run ${run} is being driven by ${holder.text}`);
      const row = this.#statement('SELECT coalesce(max(seq), 0) AS seq FROM events WHERE run = ?').get(run);
      const event: EventBody = { type: 'plan.replaced', plan: plan.plan, ...(by !== undefined && { by }) };
      const entry = entryOf(event, Number(row?.['seq']) + 1, null, new Date());
      this.#insertEntry(run, entry);
      const { inputs } = this.#statement('SELECT inputs FROM runs WHERE id = ?').get(run) as Row;
      const text = JSON.stringify(plan);
      this.#statement('UPDATE runs SET plan = ?, plan_digest = ?, sum = ? WHERE id = ?').run(
        text,
        plan.plan,
        crc32(`${String(inputs)}${text}`),
        run,
      );
    });
  }

  /** What has happened in the run so far, added up. */
  readState(run: string): RunState {
    return foldRun(this.readRun(run), this.readEvents(run), this.readPlan(run));
  }

  /** The run's events after number `after`, oldest first. Throws `UserError` when one is missing. */
  readEvents(run: string, after = 0): RunEvent[] {
    return this.readRecord(run, after).map(({ event }) => event);
  }

  /** The same with their keys. */
  readRecord(run: string, after = 0): RecordedEvent[] {
    const entries = this.#read(() => {
      this.#runRow(run);
      return this.#statement(
        'SELECT seq, key, at, type, body, sum FROM events WHERE run = ? AND seq > ? ORDER BY seq',
      ).all(run, after) as unknown as (Entry & { readonly sum: number | null })[];
    });
    return entries.map((entry, index) => {
      const seq = after + index + 1;
      if (entry.seq !== seq) throw damaged(this.file, `event ${seq} of run ${run} is missing`);
      let event: RunEvent;
      try {
        event = eventOf(run, entry);
      } catch (error) {
        throw damaged(this.file, `event ${seq} of run ${run} is not JSON`, error);
      }
      if (entry.sum !== null && entry.sum !== sumOf(run, entry))
        throw damaged(this.file, `event ${seq} of run ${run} is not what was written`);
      return { key: entry.key, event };
    });
  }

  /**
   * Adds entries that follow the run's last one, and gives back the locks in `release`. All of them or none; on disk
   * when it resolves. What is added within one turn of the event loop, by whichever run, shares one transaction.
   * Rejects with {@link LeaseLost} when the lease is not the newest. An event that ends the run frees its locks.
   */
  append(lease: Lease, entries: readonly Entry[], release: readonly string[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#appends.length === 0) setImmediate(() => this.#commit());
      this.#appends.push({ lease, entries, release, resolve, reject });
    });
  }

  /** Takes the right to drive a run. Throws `UserError` that says who holds it. */
  acquireLease(run: string): Lease {
    return this.#write(() => {
      this.#runRow(run);
      return takeLease(this.#database, run);
    });
  }

  /** To be called every {@link renewMilliseconds} by a holder. Throws {@link LeaseLost}. */
  renewLease(lease: Lease): void {
    this.#write(() => useLease(this.#database, lease));
  }

  /** Lets others drive the run at once. Safe to call when it was lost. */
  releaseLease(lease: Lease): void {
    this.#write(() => giveUpLease(this.#database, lease));
  }

  /** Who drives the run, or did last; undefined: nobody has yet. */
  leaseHolder(run: string): LeaseHolder | undefined {
    return this.#read(() => readHolder(this.#database, run));
  }

  /** Takes a lock when it is this name's turn, and its place in line otherwise; see {@link takeLock}. */
  takeLock(lease: Lease, group: string, name: string): LockPlace {
    return this.#write(() => {
      useLease(this.#database, lease);
      return takeLock(this.#database, group, lease.run, name);
    });
  }

  /** Gives up a place in line, or a lock that was just taken. */
  leaveLine(lease: Lease, group: string, name: string): void {
    this.#write(() => {
      useLease(this.#database, lease);
      leaveLine(this.#database, group, lease.run, name);
    });
  }

  /**
   * Leaves something for whoever drives the run, now or later. With a `sender`, an id of the sender's own choice, the
   * same signal sent twice arrives once and answers the same. Throws `UserError` when the run has ended.
   */
  sendSignal(run: string, signal: NewSignal, options: { readonly sender?: string } = {}): Signal {
    return this.#write(() => {
      const { status } = this.#summary(this.#runRow(run));
      if (options.sender !== undefined) {
        const before = this.#statement('SELECT id, at, body FROM inbox WHERE run = ? AND sender = ?').get(
          run,
          options.sender,
        );
        if (before !== undefined) return this.#signal(run, before);
      }
      if (hasEnded(status)) {
        throw new UserError(`run ${run} has ended: ${status}`, { hint: `\`wf show ${run}\` says how` });
      }
      const row = this.#statement('SELECT coalesce(max(id), 0) + 1 AS id FROM inbox WHERE run = ?').get(run);
      const arrived: Signal = { ...signal, id: Number(row?.['id']), at: Date.now() };
      const { id, at, ...body } = arrived;
      this.#statement('INSERT INTO inbox (run, id, sender, at, body) VALUES (?, ?, ?, ?, ?)').run(
        run,
        id,
        options.sender ?? null,
        at,
        JSON.stringify(body),
      );
      return arrived;
    });
  }

  /** The signals with a higher id than `after`, in order of arrival. */
  readSignals(run: string, after = 0): Signal[] {
    return this.#read(() =>
      this.#statement('SELECT id, at, body FROM inbox WHERE run = ? AND id > ? ORDER BY id')
        .all(run, after)
        .map((row) => this.#signal(run, row)),
    );
  }

  /** Forgets a run. Throws `UserError` while somebody drives it. */
  deleteRun(run: string): void {
    this.#write(() => {
      this.#runRow(run);
      const holder = readHolder(this.#database, run);
      if (holder?.alive === true) {
        throw new UserError(`run ${run} is being driven by ${holder.text}`, {
          hint: `\`wf cancel ${run}\` ends it`,
        });
      }
      this.#statement('DELETE FROM runs WHERE id = ?').run(run);
    });
  }

  /**
   * The run's events after number `after`, and further ones as they are recorded, whichever process does. Ends with
   * the event that ends the run, when `signal` is aborted, or when the run is deleted.
   */
  async *watch(run: string, after: number, signal: AbortSignal): AsyncGenerator<RunEvent, void, undefined> {
    let last = after;
    let changed = true;
    let wake = (): void => {};
    const notice = (): void => {
      changed = true;
      wake();
    };
    const unlisten = this.onChange(notice);
    signal.addEventListener('abort', notice);
    try {
      while (!signal.aborted && this.#isKnown(run)) {
        changed = false;
        // The status first: what ends the run after it was read is waited for, not missed.
        const { status } = this.readRun(run);
        for (const event of this.readEvents(run, last)) {
          last = event.seq;
          yield event;
        }
        if (hasEnded(status)) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (changed || signal.aborted) resolve();
        });
      }
    } finally {
      unlisten();
      signal.removeEventListener('abort', notice);
    }
  }

  /**
   * Calls `listener` soon after anything was written, here or by another process; now and then for nothing. Keeps the
   * process alive until the function it returns is called.
   */
  onChange(listener: () => void): () => void {
    // A wrapper, so that the same function may listen twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    if (this.#poll === undefined) {
      this.#dataVersion = pragma(this.#database, 'data_version');
      this.#poll = setInterval(() => this.#lookForChange(), pollMilliseconds);
    }
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#poll);
      this.#poll = undefined;
    };
  }

  /**
   * Looks for damage: pages that are missing, cut off or do not fit together. Throws `UserError`. Reads the whole file,
   * so it is for the start of something that will rely on it.
   */
  verify(): void {
    const row = this.#read(() => this.#database.prepare('PRAGMA quick_check(1)').get());
    const answer = String(row?.['quick_check'] ?? Object.values(row ?? {})[0]);
    if (answer !== 'ok') throw damaged(this.file, answer);
  }

  /** Writes what is still to be written and closes the file. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#commit();
    clearInterval(this.#poll);
    this.#listeners.clear();
    this.#statements.clear();
    this.#database.close();
  }

  #commit(): void {
    const appends = this.#appends;
    this.#appends = [];
    if (appends.length === 0) return;
    // One run's lost lease must not take another run's events with it.
    const refused = new Map<Append, unknown>();
    try {
      this.#write(() => {
        for (const append of appends) {
          try {
            useLease(this.#database, append.lease);
          } catch (error) {
            refused.set(append, error);
            continue;
          }
          this.#insert(append);
        }
      });
    } catch (error) {
      for (const append of appends) append.reject(refused.get(append) ?? error);
      return;
    }
    for (const append of appends) {
      if (refused.has(append)) append.reject(refused.get(append));
      else append.resolve();
    }
  }

  #insert({ lease: { run }, entries, release }: Append): void {
    const row = this.#statement(
      'SELECT status, (SELECT max(seq) FROM events WHERE run = runs.id) AS seq FROM runs WHERE id = ?',
    ).get(run);
    const before = String(row?.['status']) as RunStatus;
    let last = Number(row?.['seq'] ?? 0);
    let status = before;
    let endedAt: string | null = null;
    for (const entry of entries) {
      const { seq, at, type } = entry;
      if (seq !== last + 1) throw new Error(`event ${seq} of run ${run} does not follow event ${last}`);
      this.#insertEntry(run, entry);
      last = seq;
      const next = statusAfter(status, type);
      if (hasEnded(next) && !hasEnded(status)) endedAt = at;
      status = next;
    }
    for (const group of release) releaseLock(this.#database, group, run);
    if (status === before) return;
    this.#statement('UPDATE runs SET status = ?, ended_at = ? WHERE id = ?').run(status, endedAt, run);
    if (hasEnded(status)) releaseAllLocks(this.#database, run);
  }

  #insertEntry(run: string, entry: Entry): void {
    const { seq, key, at, type, body } = entry;
    this.#statement(
      'INSERT INTO events (run, seq, key, at, type, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(run, seq, key, at, type, body, sumOf(run, entry));
  }

  #write<T>(work: () => T): T {
    const changes = this.#changes();
    let result: T;
    try {
      // A transaction that begins by reading cannot wait for the write lock later: it fails at once.
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        result = work();
        this.#database.exec('COMMIT');
      } catch (error) {
        rollBack(this.#database);
        throw error;
      }
    } catch (error) {
      throw asUserError(error, this.file);
    }
    // What changed nothing is no news: a listener that looks by such a call would be told for ever.
    if (this.#changes() !== changes) this.#tell();
    return result;
  }

  #changes(): number {
    return Number(this.#statement('SELECT total_changes() AS count').get()?.['count']);
  }

  #read<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asUserError(error, this.file);
    }
  }

  #tell(): void {
    // Not from inside a write, whose caller has not seen its result yet.
    if (this.#listeners.size > 0) setImmediate(() => this.#listeners.forEach((listener) => listener()));
  }

  #lookForChange(): void {
    const version = pragma(this.#database, 'data_version');
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.#listeners.forEach((listener) => listener());
  }

  #runRow(run: string): Row {
    const row = this.#statement(
      'SELECT id, formula, plan_digest, status, created_at, ended_at, inputs FROM runs WHERE id = ?',
    ).get(run);
    if (row === undefined) throw new UserError(`there is no run ${run}`, { hint: '`wf runs` lists them' });
    return row;
  }

  #isKnown(run: string): boolean {
    return this.#read(() => this.#statement('SELECT 1 FROM runs WHERE id = ?').get(run)) !== undefined;
  }

  #summary(row: Row): RunSummary {
    const run = String(row['id']);
    return {
      run,
      formula: String(row['formula']),
      plan: String(row['plan_digest']),
      inputs: this.#parse(String(row['inputs']), `the inputs of run ${run}`) as JsonObject,
      status: String(row['status']) as RunStatus,
      createdAt: String(row['created_at']),
      ...(row['ended_at'] !== null && { endedAt: String(row['ended_at']) }),
    };
  }

  #signal(run: string, row: Row): Signal {
    const body = this.#parse(String(row['body']), `signal ${String(row['id'])} of run ${run}`) as NewSignal;
    return { id: Number(row['id']), ...body, at: Number(row['at']) };
  }

  #parse(text: string, what: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw damaged(this.file, `${what} is not JSON`, error);
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

type Row = Record<string, SQLOutputValue>;
