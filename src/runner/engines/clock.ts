/** The time, and being told when it has come. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `wake` once, when `now()` is `time` or later, never from inside this call. The function it returns calls that off. */
  at(time: number, wake: () => void): () => void;
}

/**
 * The machine's wall clock. Timers run on another clock, which stands still while a laptop sleeps, does not follow when
 * the time is set, and holds 24.8 days at most; so a long wait is many short ones, each of which looks again.
 */
export function wallClock({ now = Date.now, lookMilliseconds = 30_000 } = {}): Clock {
  return {
    now,
    at(time, wake) {
      let timer: NodeJS.Timeout;
      const look = (): void => {
        const left = time - now();
        timer = setTimeout(left <= 0 ? wake : look, Math.min(Math.max(left, 0), lookMilliseconds));
      };
      look();
      return () => clearTimeout(timer);
    },
  };
}

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  #now: number;
  #alarms: { readonly time: number; readonly wake: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  at(time: number, wake: () => void): () => void {
    const alarm = { time, wake };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** Moves on to the next alarm that is due by `time` and rings it; false when there is none, and it is `time` now. */
  step(time: number): boolean {
    const due = this.#alarms.filter((alarm) => alarm.time <= time).sort((a, b) => a.time - b.time)[0];
    this.#now = Math.max(this.#now, due?.time ?? time);
    if (due === undefined) return false;
    this.#alarms = this.#alarms.filter((alarm) => alarm !== due);
    due.wake();
    return true;
  }
}
