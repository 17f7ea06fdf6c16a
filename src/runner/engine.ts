import type { EventBody, RunEvent, Waiting } from '../journal/event.ts';
import type { Signal } from '../journal/signal.ts';

export type { Signal };

/** Why an engine's `signal` was aborted. */
export type StopReason =
  /** The run is to end: somebody cancelled it. What follows (`finally`) still runs through the engine. */
  | 'cancel'
  /** The run goes on later, elsewhere: the process shuts down, nobody is attached. Nothing more may be recorded. */
  | 'detach'
  /** Somebody else drives the run now. Nothing more may be recorded. */
  | 'lease-lost';

/** Thrown out of every engine call once the engine has been told to let go ('detach', 'lease-lost'). */
export class Detached extends Error {
  override readonly name = 'Detached';
  readonly reason: 'detach' | 'lease-lost';
  constructor(reason: 'detach' | 'lease-lost') {
    super(`the run was let go: ${reason}`);
    this.reason = reason;
  }
}

export interface StepContext {
  /**
   * Reaches the child process or request. Aborted with a {@link StopReason}, or with the reason of the caller's own
   * signal. May be aborted when `work` begins; `work` then ends soon and returns how.
   */
  readonly signal: AbortSignal;
  /** The start was recorded by an earlier process and no end: what `work` does may have happened already, in part. */
  readonly repeated: boolean;
}

/**
 * The door between the interpreter and the world that must remember. Everything the interpreter may not do twice, or
 * must see alike on a replay, goes through it. Names are unique within a run and the same on every replay; asking for
 * one twice is an error.
 *
 * **Life cycle.** An engine is opened for one run by one driver (a lease with a fencing token). The interpreter is
 * started from the top; calls whose record exists are answered from it, in recorded order, and live work starts only
 * when every record that the interpreter asks for has been delivered. Calls may overlap. After {@link Detached} was
 * thrown no call records anything.
 *
 * **One answer at a time.** Live as on a replay, an answer is delivered when everything that followed from the one
 * before has come to rest (all microtasks). So two runs of a deterministic interpreter that get the same answers in
 * the same order ask the same things in the same order. Between two engine calls the interpreter therefore only
 * computes; what takes time is a `step`, or `unrecorded`.
 *
 * **What is on disk when.** An answer is delivered as soon as its place in the record is settled, so that what the
 * interpreter does next can share its transaction (one fsync for the end of a step and the start of the next). Before
 * anyone can see a consequence it is on disk: before any `work` asked for later begins, before `events` has it, before
 * `saved` resolves. Hence what cannot be taken back is done in a `step`, or after `saved`.
 *
 * **Cancel.** A cancel is an event with its place in the record. It aborts `signal` and the work and waits that were
 * asked for before it (waits answer as when given up); what is asked for later is untouched, so that `finally` runs
 * like anything else. What is asked for as `shielded` is untouched too: what must not stop halfway. There is one cancel
 * per run.
 */
export interface Engine {
  readonly run: string;

  /** Everything on disk so far, oldest first; grows while the run goes on. On a replay all of it is there at once. */
  readonly events: readonly RunEvent[];

  /** Aborted with a {@link StopReason} as its reason; the first one stays. */
  readonly signal: AbortSignal;

  /** Record a fact that needs no work. Answers the recorded one when there is one. */
  record<E extends EventBody>(name: string, event: E): Promise<RunEvent & E>;

  /**
   * Do `work` once and record what it returns. With `started`, that event is on disk before `work` begins. A replay
   * answers from the record; when only `started` is there, `work` runs again with `repeated: true`. `work` must not
   * throw for what can be expected: a failed step is an event. What it throws passes through and is not recorded.
   * `signal` adds the caller's own reason to stop. `work` does not call the engine.
   */
  step<E extends EventBody>(
    name: string,
    work: (context: StepContext) => Promise<E>,
    options?: {
      readonly started?: EventBody;
      readonly signal?: AbortSignal;
      /** A cancel of the run does not reach it. */
      readonly shielded?: boolean;
    },
  ): Promise<RunEvent & E>;

  /**
   * Something that takes time but may be done again and needs no record: a merge that gives the same state each time,
   * a lazy import. Nothing is delivered while it lasts, so that its duration changes no order. `work` does not call
   * the engine.
   */
  unrecorded<T>(work: () => Promise<T>): Promise<T>;

  /**
   * True at `until` (milliseconds since the epoch, by the wall clock), at once when that is past; false when `signal`
   * was aborted or the run cancelled first.
   */
  sleep(name: string, until: number, options?: WaitOptions): Promise<boolean>;

  /**
   * The first signal that `select` takes, also one that came before the call; each signal is given to one receiver
   * only unless it is an `event`. Undefined when `signal` was aborted or the run cancelled first. Which signal it was
   * is recorded. `select` looks at the signal and at nothing else: it is asked once for each.
   */
  receive(
    name: string,
    select: (signal: Signal) => boolean,
    options?: WaitOptions,
  ): Promise<Signal | undefined>;

  /** Milliseconds since the epoch; recorded. */
  now(name: string): Promise<number>;

  /** A new ULID; recorded. */
  id(name: string): Promise<string>;

  /** The index of the first of several to settle, recorded so that a replay sees the same winner. Rejections pass through, unrecorded. */
  any<T extends readonly Promise<unknown>[]>(
    name: string,
    branches: T,
  ): Promise<{ readonly index: number; readonly value: Awaited<T[number]> }>;

  /** All of them, in order. When one or more reject: once all have settled, the rejection of the first in the list. */
  all<T extends readonly unknown[]>(branches: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T>;

  /**
   * Take a named lock that runs share (`concurrency`); steps of one run exclude each other too. Waits for its turn in
   * order of asking; with `cancel` the runs ahead in line are asked to cancel. Held until `release` or the run's end,
   * through crashes and resumes of this run. False when `signal` was aborted or the run cancelled first.
   */
  lock(name: string, group: string, then: 'queue' | 'cancel', options?: WaitOptions): Promise<boolean>;

  /** Give back the lock that this run holds; others get it once everything recorded before is on disk. */
  release(name: string, group: string): Promise<void>;

  /** Resolves when everything that was recorded before the call is on disk. */
  saved(): Promise<void>;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /**
   * What the run waits for, as people see it; equal ones are listed once. A wait without it (a back-off, the timeout
   * of a command) keeps a run alive; so the timeout of an approval has the approval's.
   */
  readonly waiting?: Waiting;
  /**
   * It bounds something else that the run does or waits for (the timeout of a whole group): by itself it neither keeps
   * a run alive nor is it told.
   */
  readonly aside?: boolean;
  /** A cancel of the run does not reach it. */
  readonly shielded?: boolean;
}

/** The engine as the process around the interpreter holds it. */
export interface DrivenEngine extends Engine {
  /** Ends the run in good order; a second call does nothing. Whoever wants it dead now ends the children and the process. */
  cancel(by?: string): void;
  /** Lets go at once: work is aborted with 'detach', every open call throws {@link Detached}. The run can be resumed. */
  detach(): void;
  /**
   * Writes what is left, waits for the work under way to end (the interpreter should have returned, else this lets go
   * first), and gives up the lease. Rejects when something could not be written. Safe to call twice.
   */
  close(): Promise<void>;
  /**
   * Throws {@link Detached} when somebody else drives the run by now. To be asked before anything is done to the world:
   * a process that was stopped, or a laptop that slept, does not know how long it stood still. Costs next to nothing.
   */
  confirm(): void;
  /** Resolves when nothing moves but by time, by something from outside, or by the end of work under way. */
  settled(): Promise<void>;
}

/** What an engine is told when it is opened. */
export interface EngineOptions {
  /** What every event goes through before anybody has it: takes out what must not be kept. */
  readonly mask?: (event: EventBody) => EventBody;
  /** Who resumes the run, for `run.resumed`. */
  readonly by?: string;
  /** Told of events once they are on disk, in order; not of those that were there when the engine was opened. */
  readonly onEvents?: (events: readonly RunEvent[]) => void;
  /**
   * Asked when nothing is under way and only waits with `waiting` are left, and again whenever the list has changed.
   * The run is recorded as waiting then. `detach` lets go of it. Without it the engine stays.
   */
  readonly whenIdle?: (waiting: readonly Waiting[]) => 'stay' | 'detach';
}
