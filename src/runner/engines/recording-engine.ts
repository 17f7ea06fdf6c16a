import { setMaxListeners } from 'node:events';
import { type Entry, entryOf, eventOf, type RecordedEvent } from '../../journal/entry.ts';
import type { EventBody, RecordedValue, RunEvent, Waiting } from '../../journal/event.ts';
import { LeaseLost } from '../../journal/lease.ts';
import type { LockPlace } from '../../journal/lock.ts';
import { hasEnded, type RunStatus, statusAfter } from '../../journal/run-state.ts';
import type { Signal } from '../../journal/signal.ts';
import type { JsonValue } from '../../support/json.ts';
import {
  Detached,
  type DrivenEngine,
  type EngineOptions,
  type StepContext,
  type StopReason,
  type WaitOptions,
} from '../engine.ts';
import type { Clock } from './clock.ts';
import type { RunStore } from './run-store.ts';
import { newId } from '../../support/ids.ts';

/**
 * How long a replay waits for a recorded name to be asked for. A deterministic interpreter asks within a turn of the
 * event loop; one that has changed since (a new plan) never does, and goes on without.
 */
const patienceMilliseconds = 1_000;

const cancelKey = '!cancel';
const startKey = (name: string): string => `>${name}`;

/** A question of the interpreter's that has no answer yet. */
interface Call {
  readonly name: string;
  /** Whether a recorded event can be the answer to this kind of call. */
  readonly fits: (event: RunEvent) => boolean;
  readonly answer: (event: RunEvent) => void;
  readonly reject: (error: unknown) => void;
  /** Listens to the caller's signal. Called at once, if the record has no answer. */
  readonly listen?: () => void;
  /** Begins what will answer it. Called after that, once the replay is over. */
  readonly live: () => void;
  /** For waits: what to answer when it is given up. */
  readonly wait?: {
    readonly waiting: () => Waiting | undefined;
    readonly giveUp: () => void;
    readonly aside: boolean;
  };
  /** For steps. */
  readonly abort?: AbortController;
  /** A cancel of the run passes it by. */
  readonly shielded?: boolean;
  /** For receivers and locks: something outside has changed. */
  readonly look?: () => void;
  /** Undoes timers and listeners. */
  readonly undo: (() => void)[];
  /** The record has the answer. */
  readonly recorded: boolean;
  settled: boolean;
}

type CallParts = Omit<Call, 'name' | 'answer' | 'reject' | 'recorded' | 'settled' | 'undo'>;

/**
 * The engine's logic, over whatever remembers a run and tells the time: it matches calls with the record, delivers one
 * answer at a time, gathers what is recorded into few transactions and sees when nothing moves any more.
 *
 * All deliveries stand in one line (`#ready`) and the pump takes them from there, one per turn of the event loop.
 * When the line is empty, what was recorded is saved, and only then work begins that was asked for meanwhile.
 */
export class RecordingEngine implements DrivenEngine {
  readonly run: string;
  readonly #store: RunStore;
  readonly #clock: Clock;
  readonly #options: EngineOptions;
  readonly #newId: (time: number) => string;

  readonly #events: RunEvent[];
  /** Recorded when the engine was opened; `#cursor` is the next to be delivered. */
  readonly #script: readonly RecordedEvent[];
  #cursor = 0;
  /** Place in the script by key. */
  readonly #places = new Map<string, number>();
  #live = false;
  #patient = true;
  /** The interpreter has asked for something: before that, no silence of its means anything. */
  #begun = false;

  readonly #names = new Set<string>();
  readonly #open = new Map<string, Call>();
  readonly #ready: (() => void)[] = [];
  #toStart: (() => void)[] = [];
  readonly #working = new Set<Promise<void>>();
  /** How many `unrecorded` are under way. */
  #still = 0;
  #pumping = false;
  /** Something came while the pump was at work. */
  #wanted = false;

  #seq: number;
  #status: RunStatus = 'queued';
  #last: RunEvent | undefined;
  #unsaved: { readonly entry: Entry; readonly event: RunEvent }[] = [];
  #releases: string[] = [];
  #saving: Promise<void> = Promise.resolve();
  #savers: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #resumed: boolean;

  readonly #signals: Signal[] = [];
  #lastSignal = 0;
  readonly #taken = new Set<number>();
  #cancelAsked: boolean;
  readonly #stop = new AbortController();
  /** What every call is refused with once the run was let go. */
  #refusal: { readonly error: unknown } | undefined;
  #restsAs: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    store: RunStore,
    clock: Clock,
    options: EngineOptions & { readonly newId?: (time: number) => string } = {},
  ) {
    this.run = store.run;
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
    this.#newId = options.newId ?? newId;
    setMaxListeners(0, this.#stop.signal);

    this.#script = store.recorded;
    this.#events = this.#script.map(({ event }) => event);
    this.#script.forEach(({ key, event }, place) => {
      if (key !== null) this.#places.set(key, place);
      // A signal that the record gives to one receiver is not to be given to another, also not before it is asked for.
      if (event.type === 'value.recorded' && event.of === 'signal' && event.value !== null) {
        this.#take(event.value as unknown as Signal);
      }
      this.#status = statusAfter(this.#status, event.type);
    });
    this.#last = this.#events.at(-1);
    this.#seq = this.#events.length;
    this.#resumed = this.#events.length === 0 || hasEnded(this.#status);
    this.#cancelAsked = this.#places.has(cancelKey);

    store.watch({ changed: () => this.#look(), failed: (error) => this.#fail(error) });
    this.#look();
  }

  get events(): readonly RunEvent[] {
    return this.#events;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  record<E extends EventBody>(name: string, event: E): Promise<RunEvent & E> {
    return this.#ask(
      name,
      (recorded) => recorded as RunEvent & E,
      (call) => ({
        fits: (recorded) => recorded.type === event.type,
        live: () => this.#deliver(call(), () => event),
      }),
    );
  }

  step<E extends EventBody>(
    name: string,
    work: (context: StepContext) => Promise<E>,
    options: {
      readonly started?: EventBody;
      readonly signal?: AbortSignal;
      readonly shielded?: boolean;
    } = {},
  ): Promise<RunEvent & E> {
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const repeated = this.#places.has(startKey(name));
    return this.#ask(
      name,
      (recorded) => recorded as RunEvent & E,
      (call) => ({
        fits: (recorded) => recorded.type !== 'value.recorded',
        abort,
        shielded: options.shielded === true,
        listen: () => this.#onAbort(call(), options.signal, (reason) => abort.abort(reason)),
        live: () =>
          this.#enqueue(call(), () => {
            if (repeated) this.#noteResumed();
            else if (options.started !== undefined) this.#append(options.started, startKey(name));
            this.#toStart.push(() => this.#work(call(), () => work({ signal: abort.signal, repeated })));
          }),
      }),
    );
  }

  async unrecorded<T>(work: () => Promise<T>): Promise<T> {
    this.#begin();
    this.#still += 1;
    try {
      return await work();
    } finally {
      this.#still -= 1;
      void this.#pump();
    }
  }

  sleep(name: string, until: number, options: WaitOptions = {}): Promise<boolean> {
    return this.#wait(name, 'sleep', options, (value) => value as boolean, {
      live: (call) => {
        const wake = (): void => this.#deliverValue(call, 'sleep', () => true);
        if (until <= this.#clock.now()) wake();
        else call.undo.push(this.#clock.at(until, wake));
      },
      giveUp: () => false,
    });
  }

  receive(
    name: string,
    select: (signal: Signal) => boolean,
    options: WaitOptions = {},
  ): Promise<Signal | undefined> {
    let next = 0;
    const offer = (call: Call): void =>
      this.#enqueue(call, () => {
        while (next < this.#signals.length) {
          const signal = this.#signals[next++]!;
          if (this.#taken.has(signal.id) || !select(signal)) continue;
          this.#take(signal);
          this.#answerValue(call, 'signal', signal as unknown as JsonValue);
          return;
        }
      });
    return this.#wait(name, 'signal', options, (value) => (value ?? undefined) as Signal | undefined, {
      live: offer,
      look: (call) => {
        if (next < this.#signals.length) offer(call);
      },
      giveUp: () => null,
    });
  }

  lock(name: string, group: string, then: 'queue' | 'cancel', options: WaitOptions = {}): Promise<boolean> {
    let place: LockPlace | undefined;
    const offer = (call: Call): void =>
      this.#enqueue(call, () => {
        place = this.#store.takeLock(group, name);
        if (place.held) {
          this.#answerValue(call, 'lock', group);
        } else if (then === 'cancel') {
          const by = `run ${this.run}, which has "${group}" next`;
          for (const run of place.older) this.#store.cancelRun(run, `${this.run}/${name}`, by);
        }
      });
    return this.#wait(name, 'lock', options, (value) => value !== null, {
      live: offer,
      look: offer,
      giveUp: () => {
        this.#store.leaveLine(group, name);
        return null;
      },
      tell: (waiting) =>
        place === undefined || place.held ? waiting : { ...waiting, ask: holderText(group, place) },
    });
  }

  async release(name: string, group: string): Promise<void> {
    await this.#value(name, 'release', () => {
      this.#releases.push(group);
      return group;
    });
  }

  now(name: string): Promise<number> {
    return this.#value(name, 'time', () => this.#clock.now()) as Promise<number>;
  }

  id(name: string): Promise<string> {
    return this.#value(name, 'id', () => this.#newId(this.#clock.now())) as Promise<string>;
  }

  async any<T extends readonly Promise<unknown>[]>(
    name: string,
    branches: T,
  ): Promise<{ readonly index: number; readonly value: Awaited<T[number]> }> {
    let first: (() => void) | undefined;
    let live = false;
    const winner = this.#ask(
      name,
      (event) => valueOf(event) as number,
      (call) => {
        const settle = (deliver: () => void): void => {
          if (first !== undefined) return;
          first = deliver;
          if (live) deliver();
        };
        branches.forEach((branch, index) => {
          branch.then(
            () => settle(() => this.#deliverValue(call(), 'winner', () => index)),
            (error: unknown) => settle(() => this.#enqueue(call(), () => call().reject(error))),
          );
        });
        return {
          fits: isValue('winner'),
          live: () => {
            live = true;
            first?.();
          },
        };
      },
    );
    const index = await winner;
    return { index, value: (await branches[index]) as Awaited<T[number]> };
  }

  async all<T extends readonly unknown[]>(branches: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
    const settled = await Promise.allSettled(branches as readonly Promise<unknown>[]);
    return settled.map((branch) => {
      if (branch.status === 'rejected') throw branch.reason;
      return branch.value;
    }) as unknown as T;
  }

  saved(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#refusal !== undefined) return reject(this.#refusal.error);
      // In the middle of a replay all that was answered is on disk, and to wait would keep the rest from being asked.
      if (!this.#begun || this.#cursor < this.#script.length) return resolve();
      this.#ready.push(() => this.#savers.push({ resolve, reject }));
      void this.#pump();
    });
  }

  cancel(by?: string): void {
    if (this.#cancelAsked || this.#refusal !== undefined) return;
    this.#cancelAsked = true;
    this.#ready.push(() => {
      if (hasEnded(this.#status)) return;
      this.#append({ type: 'cancel.requested', ...(by !== undefined && { by }) }, cancelKey);
      this.#cancelled();
    });
    void this.#pump();
  }

  confirm(): void {
    try {
      this.#store.confirm();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#refusal?.error instanceof Detached && this.#refusal.error.reason === 'lease-lost') {
      throw this.#refusal.error;
    }
  }

  detach(): void {
    this.#letGo(new Detached('detach'), 'detach');
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      if (this.#pumping || this.#still > 0) quiet = 0;
      await nextTurn();
    }
  }

  async #close(): Promise<void> {
    try {
      if (this.#refusal === undefined) {
        await this.saved();
        // After a good end nobody is to be told of anything; later calls are refused all the same.
        if (this.#open.size === 0 && this.#working.size === 0)
          this.#refusal = { error: new Detached('detach') };
        else this.detach();
      }
      await Promise.all(this.#working);
      const refused = this.#refusal?.error;
      if (!(refused instanceof Detached)) throw refused;
      // What was delivered before the run was let go has happened, and is still ours to write.
      if (refused.reason === 'detach') await this.#save();
    } finally {
      this.#store.close();
    }
  }

  #ask<T>(name: string, read: (event: RunEvent) => T, parts: (call: () => Call) => CallParts): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      this.#begin();
      if (/^[>!]/.test(name)) throw new Error(`"${name}" begins like the engine's own keys`);
      if (this.#names.has(name)) throw new Error(`"${name}" was asked for twice in run ${this.run}`);
      this.#names.add(name);

      const place = this.#places.get(name);
      const settle = (then: () => void): void => {
        if (call.settled) return;
        call.settled = true;
        this.#open.delete(name);
        for (const undo of call.undo) undo();
        then();
      };
      const call: Call = {
        name,
        recorded: place !== undefined,
        settled: false,
        undo: [],
        answer: (event) => settle(() => resolve(read(event))),
        reject: (error) => settle(() => reject(error)),
        ...parts(() => call),
      };
      this.#open.set(name, call);
      if (place === undefined) {
        call.listen?.();
        if (this.#live) call.live();
      } else if (place < this.#cursor) {
        // Its turn has passed: the replay did not wait for it.
        this.#enqueue(call, () => this.#answerRecorded(call, place));
      }
      void this.#pump();
    });
    // Whoever lost a race is never looked at again; that the run was let go must not end the process for it.
    promise.catch(() => {});
    return promise;
  }

  #value(name: string, of: RecordedValue, value: () => JsonValue): Promise<JsonValue> {
    return this.#ask(name, valueOf, (call) => ({
      fits: isValue(of),
      live: () => this.#deliverValue(call(), of, value),
    }));
  }

  #wait<T>(
    name: string,
    of: RecordedValue,
    options: WaitOptions,
    read: (value: JsonValue) => T,
    how: {
      readonly live: (call: Call) => void;
      readonly look?: (call: Call) => void;
      readonly giveUp: () => JsonValue;
      readonly tell?: (waiting: Waiting) => Waiting;
    },
  ): Promise<T> {
    let live = false;
    let givenUp = false;
    return this.#ask(
      name,
      (event) => read(valueOf(event)),
      (call) => {
        const giveUp = (): void => {
          if (givenUp) return;
          givenUp = true;
          if (live) this.#deliverValue(call(), of, how.giveUp);
        };
        return {
          fits: isValue(of),
          listen: () => this.#onAbort(call(), options.signal, giveUp),
          live: () => {
            live = true;
            if (givenUp) this.#deliverValue(call(), of, how.giveUp);
            else how.live(call());
          },
          ...(how.look && { look: () => live && how.look!(call()) }),
          shielded: options.shielded === true,
          wait: {
            giveUp,
            aside: options.aside === true,
            waiting: () => options.waiting && (how.tell?.(options.waiting) ?? options.waiting),
          },
        };
      },
    );
  }

  #onAbort(call: Call, signal: AbortSignal | undefined, then: (reason: unknown) => void): void {
    if (signal === undefined || call.settled) return;
    if (signal.aborted) return then(signal.reason);
    const listener = (): void => then(signal.reason);
    setMaxListeners(0, signal);
    signal.addEventListener('abort', listener, { once: true });
    call.undo.push(() => signal.removeEventListener('abort', listener));
  }

  #begin(): void {
    if (this.#refusal !== undefined) throw this.#refusal.error;
    this.#begun = true;
  }

  /** Puts a delivery in line, unless its call has been answered when its turn comes. */
  #enqueue(call: Call, delivery: () => void): void {
    this.#ready.push(() => {
      if (!call.settled) delivery();
    });
    void this.#pump();
  }

  #deliver(call: Call, event: () => EventBody): void {
    this.#enqueue(call, () => call.answer(this.#append(event(), call.name)));
  }

  #deliverValue(call: Call, of: RecordedValue, value: () => JsonValue): void {
    this.#deliver(call, () => ({ type: 'value.recorded', of, value: value() }));
  }

  /** From inside a delivery. */
  #answerValue(call: Call, of: RecordedValue, value: JsonValue): void {
    call.answer(this.#append({ type: 'value.recorded', of, value }, call.name));
  }

  #answerRecorded(call: Call, place: number): void {
    const { event } = this.#script[place]!;
    if (call.fits(event)) call.answer(event);
    else
      call.reject(
        new Error(`run ${this.run} has ${event.type} on record as "${call.name}", which is no answer here`),
      );
  }

  #append(body: EventBody, key: string | null): RunEvent {
    this.#noteResumed();
    return this.#write(body, key);
  }

  /** Goes before the first new thing, so that trying to resume a run that still waits leaves no trace. */
  #noteResumed(): void {
    if (this.#resumed) return;
    this.#resumed = true;
    const { by } = this.#options;
    this.#write({ type: 'run.resumed', ...(by !== undefined && { by }) }, null);
  }

  #write(body: EventBody, key: string | null): RunEvent {
    const entry = entryOf(
      this.#options.mask?.(body) ?? body,
      this.#seq + 1,
      key,
      new Date(this.#clock.now()),
    );
    // Read back, so that an answer is now what it will be on a replay.
    const event = eventOf(this.run, entry);
    this.#seq += 1;
    this.#status = statusAfter(this.#status, body.type);
    this.#last = event;
    this.#restsAs = undefined;
    this.#unsaved.push({ entry, event });
    return event;
  }

  #take(signal: Signal): void {
    if (signal.kind !== 'event') this.#taken.add(signal.id);
  }

  #look(): void {
    if (this.#refusal !== undefined) return;
    try {
      for (const signal of this.#store.signals(this.#lastSignal)) {
        this.#lastSignal = signal.id;
        if (signal.kind === 'cancel') this.cancel(signal.by);
        else this.#signals.push(signal);
      }
      for (const call of this.#open.values()) call.look?.();
    } catch (error) {
      this.#fail(error);
    }
  }

  #cancelled(): void {
    this.#stop.abort('cancel' satisfies StopReason);
    for (const call of [...this.#open.values()]) {
      if (call.recorded || call.shielded) continue;
      call.abort?.abort('cancel' satisfies StopReason);
      call.wait?.giveUp();
    }
  }

  async #pump(): Promise<void> {
    this.#wanted = true;
    if (this.#pumping || !this.#begun) return;
    this.#pumping = true;
    try {
      for (let more = true; more || this.#wanted;) {
        this.#wanted = false;
        await nextTurn();
        more = this.#refusal === undefined && this.#still === 0 && (await this.#move());
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pumping = false;
    }
  }

  /** Does the next thing there is to do. False: nothing before something comes from outside. */
  async #move(): Promise<boolean> {
    if (!this.#live) return this.#replay();

    const deliver = this.#ready.shift();
    if (deliver !== undefined) {
      deliver();
      return true;
    }
    if (this.#unsaved.length > 0 || this.#savers.length > 0) {
      const savers = this.#savers;
      this.#savers = [];
      try {
        await this.#save();
      } catch (error) {
        for (const { reject } of savers) reject(error);
        throw error;
      }
      for (const { resolve } of savers) resolve();
    }
    if (this.#refusal !== undefined) return false;
    const toStart = this.#toStart;
    this.#toStart = [];
    for (const start of toStart) start();
    if (this.#ready.length > 0 || this.#working.size > 0) return this.#ready.length > 0;
    return this.#rest();
  }

  /** Delivers the next recorded answer. Goes live after the last one. */
  async #replay(): Promise<boolean> {
    for (; this.#cursor < this.#script.length; this.#cursor += 1) {
      const { key } = this.#script[this.#cursor]!;
      // Nobody asks for what the engine noted by itself.
      if (key === null) continue;
      // A start has no answer, but whose it is had been asked for by then: a cancel that follows has to reach it.
      if (key.startsWith('>')) {
        await this.#asked(key.slice(1));
        continue;
      }
      if (key === cancelKey) {
        this.#cancelled();
      } else {
        const call = await this.#asked(key);
        if (call === undefined) continue;
        this.#answerRecorded(call, this.#cursor);
      }
      this.#cursor += 1;
      return true;
    }
    this.#live = true;
    for (const call of [...this.#open.values()]) if (!call.recorded) call.live();
    return true;
  }

  /** The call for a recorded name; undefined when the interpreter does not ask for it. */
  async #asked(name: string): Promise<Call | undefined> {
    let since = performance.now();
    for (;;) {
      if (this.#still > 0) {
        since = performance.now();
      } else {
        const call = this.#open.get(name);
        if (call !== undefined || !this.#patient || this.#refusal !== undefined) return call;
        if (performance.now() - since > patienceMilliseconds) this.#patient = false;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #save(): Promise<void> {
    const saving = this.#saving.then(async () => {
      const unsaved = this.#unsaved;
      const releases = this.#releases;
      this.#unsaved = [];
      this.#releases = [];
      if (unsaved.length === 0) return;
      await this.#store.commit(
        unsaved.map(({ entry }) => entry),
        releases,
      );
      const events = unsaved.map(({ event }) => event);
      for (const event of events) this.#events.push(event);
      this.#options.onEvents?.(events);
    });
    this.#saving = saving.catch(() => {});
    await saving;
  }

  #work(call: Call, work: () => Promise<EventBody>): void {
    if (call.settled) return;
    const working = (async () => {
      try {
        const event = await work();
        this.#deliver(call, () => event);
      } catch (error) {
        this.#enqueue(call, () => call.reject(error));
      }
    })().then(() => {
      this.#working.delete(working);
    });
    this.#working.add(working);
  }

  /** Nothing is under way. When people, timers or other runs are all that is waited for, the run is recorded as waiting. */
  async #rest(): Promise<boolean> {
    const waits = [...this.#open.values()]
      .flatMap(({ wait }) => (wait === undefined || wait.aside ? [] : wait))
      .map((wait) => wait.waiting());
    const waiting = new Map(waits.map((wait) => [JSON.stringify(wait), wait]));
    const list = [...waiting.values()].filter((wait) => wait !== undefined);
    const restsAs = [...waiting.keys()].join();
    if (list.length === 0 || list.length < waiting.size || restsAs === this.#restsAs) return false;

    const last = this.#last;
    if (last?.type !== 'run.waiting' || JSON.stringify(last.waiting) !== JSON.stringify(list)) {
      this.#append({ type: 'run.waiting', waiting: list }, null);
      await this.#save();
      if (this.#ready.length > 0) return true;
    }
    this.#restsAs = restsAs;
    if (this.#options.whenIdle?.(list) === 'detach') this.detach();
    return false;
  }

  #fail(error: unknown): void {
    if (error instanceof LeaseLost) this.#letGo(new Detached('lease-lost'), 'lease-lost');
    else this.#letGo(error, 'detach');
  }

  #letGo(error: unknown, reason: StopReason): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = { error };
    this.#ready.length = 0;
    this.#toStart = [];
    for (const call of [...this.#open.values()]) {
      call.reject(error);
      call.abort?.abort(reason);
    }
    for (const { reject } of this.#savers) reject(error);
    this.#stop.abort(reason);
  }
}

/** When everything that followed from the last delivery has come to rest. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isValue =
  (of: RecordedValue) =>
  (event: RunEvent): boolean =>
    event.type === 'value.recorded' && event.of === of;

function valueOf(event: RunEvent): JsonValue {
  if (event.type !== 'value.recorded') throw new Error(`${event.type} is not a recorded value`);
  return event.value;
}

function holderText(group: string, place: LockPlace & { readonly held: false }): string {
  const held = `"${group}" is held by run ${place.holder}`;
  return place.driven
    ? held
    : `${held}, which nobody drives: \`wf resume ${place.holder}\` or \`wf cancel ${place.holder}\``;
}
