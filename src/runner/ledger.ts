/** Minutes of work, counted once for a whole tree: what a step spends, its group and its run spend too. */
export class Ledger {
  #spent = 0;
  /** Amounts of `#spent` that must not be passed. */
  readonly #limits = new Set<Limit>();

  constructor(minutes: number | undefined) {
    if (minutes !== undefined) this.limit(minutes);
  }

  spend(milliseconds: number): void {
    this.#spent += milliseconds;
  }

  /** Another bound on what is spent from now on. */
  limit(minutes: number): Limit {
    const limit = { minutes, at: this.#spent + minutes * 60_000 };
    this.#limits.add(limit);
    return limit;
  }

  lift(limit: Limit): void {
    this.#limits.delete(limit);
  }

  /** Milliseconds until the nearest bound; infinite without one. */
  remaining(): number {
    return Math.min(...[...this.#limits].map((limit) => Math.max(0, limit.at - this.#spent)), Infinity);
  }

  /** What to say when a bound is reached. */
  exceeded(): string | undefined {
    const over = [...this.#limits].find((limit) => this.#spent >= limit.at);
    return over && `the budget of ${over.minutes} ${over.minutes === 1 ? 'minute' : 'minutes'} is spent`;
  }
}

export interface Limit {
  readonly minutes: number;
  readonly at: number;
}
