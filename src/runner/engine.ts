import type { EventBody, RunEvent, Waiting } from '../journal/event.ts';
import type { JsonValue } from '../support/json.ts';

/** What somebody outside sent into a run: an answer to an approval, an event, a decision about a `once` step. */
export interface Signal {
  /** Unique in its run; counts from 1 in order of arrival. */
  readonly id: number;
  readonly kind: 'approve' | 'reject' | 'event' | 'ran' | 'again';
  /** For all but `event`: the step's path with its item, as people write it (`fix[2]`, `release.build`). */
  readonly step?: string;
  /** For `event`: its name. */
  readonly event?: string;
  readonly data?: JsonValue;
  readonly by?: string;
  /** Whether `by` was proved (locally it is git's user.email and is not). */
  readonly verified: boolean;
  readonly comment?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

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
  /** Reaches the child process or request. Aborted on cancel, detach and by the caller's own signal. */
  readonly signal: AbortSignal;
  /** The start was recorded by an earlier process and no end: what `work` does may have happened already, in part. */
  readonly repeated: boolean;
}

/**
 * The door between the interpreter and the world that must remember. Everything the interpreter may not do twice, or
 * must see alike on a replay, goes through it. Names are unique within a run and the same on every replay.
 *
 * Life cycle: an engine is opened for one run by one driver (a lease with a fencing token). The interpreter is started
 * from the top; calls whose record exists are answered from it, in recorded order, and live work starts only when
 * every record that the interpreter asks for has been delivered. Calls may overlap. After `Detached` was thrown no
 * call records anything.
 */
export interface Engine {
  readonly run: string;

  /** Everything recorded so far, oldest first; grows while the run goes on. */
  readonly events: readonly RunEvent[];

  /** Aborted with a {@link StopReason} as its reason. */
  readonly signal: AbortSignal;

  /** Record a fact that needs no work. Answers the recorded one when there is one. On disk when it resolves. */
  record<E extends EventBody>(name: string, event: E): Promise<RunEvent & E>;

  /**
   * Do `work` once and record what it returns. `started` is on disk before `work` begins. A replay answers from the
   * record; when only `started` is there, `work` runs again with `repeated: true`. `work` must not throw for what can
   * be expected: a failed step is an event. What it throws passes through and is not recorded.
   * `signal` adds the caller's own reason to stop.
   */
  step<E extends EventBody>(
    name: string,
    work: (context: StepContext) => Promise<E>,
    options?: { readonly started?: EventBody; readonly signal?: AbortSignal },
  ): Promise<RunEvent & E>;

  /** Resolves at `until` (milliseconds since the epoch), at once when that is past; true: it came, false: `signal` was aborted first. */
  sleep(name: string, until: number, options?: WaitOptions): Promise<boolean>;

  /**
   * The first signal that `select` takes, also one that came before the call; each signal is given to one receiver
   * only unless it is an `event`. Undefined when `signal` was aborted first. Which signal it was is recorded.
   */
  receive(name: string, select: (signal: Signal) => boolean, options?: WaitOptions): Promise<Signal | undefined>;

  /** Milliseconds since the epoch; recorded. */
  now(name: string): Promise<number>;

  /** A new ULID; recorded. */
  id(name: string): Promise<string>;

  /** The index of the first of several to settle, recorded so that a replay sees the same winner. Rejections pass through. */
  any<T>(name: string, branches: readonly Promise<T>[]): Promise<{ readonly index: number; readonly value: T }>;

  /** All of them, in order; the first rejection passes through when all have settled. */
  all<T>(branches: readonly Promise<T>[]): Promise<T[]>;

  /**
   * Take a named lock that runs share (`concurrency`). Waits for its turn in order of asking; with `cancel` the holder
   * is asked to cancel. Held until `release`, through crashes and resumes of this run.
   */
  lock(name: string, group: string, then: 'queue' | 'cancel', options?: WaitOptions): Promise<boolean>;
  release(name: string, group: string): Promise<void>;
}

export interface WaitOptions {
  readonly signal?: AbortSignal;
  /** What the run waits for, as people see it. A wait without it (a back-off, a timeout) keeps a run alive. */
  readonly waiting?: Waiting;
}
