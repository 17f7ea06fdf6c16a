/**
 * Minutes of work, counted once for a whole tree: what is spent here is spent in everything around it too, and any bound
 * on the way up holds.
 */
export class Ledger {
  readonly #around: Ledger | undefined;
  readonly #minutes: number | undefined;
  readonly #bound: boolean;
  #spent = 0;

  /** `around`: what this is a part of. Not `bound`: it spends, and no budget stops it. */
  constructor(minutes: number | undefined, around?: Ledger, { bound = true } = {}) {
    this.#minutes = minutes;
    this.#around = around;
    this.#bound = bound;
  }

  /** Milliseconds. */
  get spent(): number {
    return this.#spent;
  }

  spend(milliseconds: number): void {
    this.#spent += milliseconds;
    this.#around?.spend(milliseconds);
  }

  /** The bound that is reached first, with the milliseconds until then. */
  nearest(): Limit | undefined {
    const around = this.#bound ? this.#around?.nearest() : undefined;
    if (this.#minutes === undefined) return around;
    const own = { minutes: this.#minutes, left: Math.max(0, this.#minutes * 60_000 - this.#spent) };
    return around && around.left <= own.left ? around : own;
  }

  /** What to say when a bound is reached. */
  exceeded(): string | undefined {
    const limit = this.nearest();
    return limit?.left === 0 ? spentMessage(limit) : undefined;
  }
}

export interface Limit {
  readonly minutes: number;
  /** Milliseconds. */
  readonly left: number;
}

export function spentMessage({ minutes }: Limit): string {
  return `the budget of ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} is spent`;
}
