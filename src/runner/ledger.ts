import type { PlanBudget } from '../plan/plan.ts';

/**
 * What may be spent, counted once for a whole tree: what is spent here is spent in everything around it too, and any
 * bound on the way up holds. Minutes are told when they have passed; tokens and money are set aside before they are
 * used, so that those who work at the same time cannot spend more together than there is.
 */
export class Ledger {
  readonly #around: Ledger | undefined;
  readonly #limits: PlanBudget;
  readonly #bound: boolean;
  #spent = 0;
  /** Used, and set aside. */
  #tokens = { used: 0, aside: 0 };
  #usd = { used: 0, aside: 0 };

  /** `around`: what this is a part of. Not `bound`: it spends, and no budget stops it. */
  constructor(limits: PlanBudget | undefined, around?: Ledger, { bound = true } = {}) {
    this.#limits = limits ?? {};
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

  /** The bound of time that is reached first, with the milliseconds until then. */
  nearest(): Limit | undefined {
    const around = this.#bound ? this.#around?.nearest() : undefined;
    const { minutes } = this.#limits;
    if (minutes === undefined) return around;
    const own = { minutes, left: Math.max(0, minutes * 60_000 - this.#spent) };
    return around && around.left <= own.left ? around : own;
  }

  /** What to say when a bound is reached. */
  exceeded(): string | undefined {
    const limit = this.nearest();
    if (limit?.left === 0) return spentMessage(limit);
    const { tokens, usd } = this.#limits;
    if (tokens !== undefined && this.#tokens.used >= tokens) return `the budget of ${tokens} tokens is spent`;
    if (usd !== undefined && this.#usd.used >= usd) return `the budget of ${usd} USD is spent`;
    return this.#bound ? this.#around?.exceeded() : undefined;
  }

  /**
   * Sets aside the worst that something can come to. Refused, with what to say, when that is more than is left anywhere on
   * the way up, or when there is a bound of money and nobody knows the price.
   */
  reserve(worst: Spending): { readonly ok: true; readonly held: Reservation } | Refused {
    for (const ledger of this.#upwards()) {
      const refused = ledger.#refuses(worst);
      if (refused !== undefined) return { ok: false, message: refused };
    }
    const all = [...this.#upwards({ unbound: true })];
    const usd = worst.usd ?? 0;
    for (const ledger of all) {
      ledger.#tokens.aside += worst.tokens;
      ledger.#usd.aside += usd;
    }
    let isOpen = true;
    return {
      ok: true,
      held: {
        settle: (used) => {
          if (!isOpen) return;
          isOpen = false;
          for (const ledger of all) {
            ledger.#tokens.aside -= worst.tokens;
            ledger.#usd.aside -= usd;
            ledger.#tokens.used += used.tokens;
            ledger.#usd.used += used.usd ?? 0;
          }
        },
      },
    };
  }

  #refuses(worst: Spending): string | undefined {
    const { tokens, usd } = this.#limits;
    if (tokens !== undefined) {
      const left = tokens - this.#tokens.used - this.#tokens.aside;
      if (worst.tokens > left)
        return `the budget of ${tokens} tokens has ${Math.max(0, left)} left, and a turn may use ${worst.tokens}`;
    }
    if (usd === undefined) return undefined;
    if (worst.usd === undefined)
      return `there is a budget of ${usd} USD, and nobody knows what the model costs`;
    const left = usd - this.#usd.used - this.#usd.aside;
    // Sums of decimals are a little off.
    return worst.usd > left + 1e-9
      ? `the budget of ${usd} USD has ${dollars(Math.max(0, left))} left, and a turn may cost ${dollars(worst.usd)}`
      : undefined;
  }

  /** This one and those around it: as far as they bound it, or all. */
  *#upwards({ unbound = false } = {}): Generator<Ledger> {
    yield this;
    if (this.#around && (this.#bound || unbound)) yield* this.#around.#upwards({ unbound });
  }
}

/** Of models. `usd` undefined: nobody knows. */
export interface Spending {
  readonly tokens: number;
  readonly usd: number | undefined;
}

/** What is set aside until it is known what was used. */
export interface Reservation {
  /** Only the first call counts. */
  settle(used: Spending): void;
}

export interface Refused {
  readonly ok: false;
  readonly message: string;
}

export interface Limit {
  readonly minutes: number;
  /** Milliseconds. */
  readonly left: number;
}

export function spentMessage({ minutes }: Limit): string {
  return `the budget of ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} is spent`;
}

function dollars(usd: number): string {
  return `${Number(usd.toPrecision(3))} USD`;
}
