import type { Engine } from '../runner/engine.ts';

/** An engine that tells how much work is under way: while there is some, a clock that is moved by hand has to stand still. */
export class CountedWork {
  #busy = 0;
  #turns = 0;
  readonly #changed: () => void;

  /** `changed` is called whenever work has ended. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get busy(): boolean {
    return this.#busy > 0;
  }

  /** How often work has begun or ended: what it brings about may still be under way when it differs from a while ago. */
  get turns(): number {
    return this.#turns;
  }

  #count(by: 1 | -1): void {
    this.#busy += by;
    this.#turns += 1;
    if (by < 0) this.#changed();
  }

  /** Waits inside of work for what only the clock can bring, so that it may move. */
  async idle<T>(waiting: Promise<T>): Promise<T> {
    this.#count(-1);
    try {
      return await waiting;
    } finally {
      this.#count(1);
    }
  }

  /** The same engine, counted. */
  over(engine: Engine): Engine {
    const counted = async <T>(work: () => Promise<T>): Promise<T> => {
      this.#count(1);
      try {
        return await work();
      } finally {
        this.#count(-1);
      }
    };
    return new Proxy<Engine>(engine, {
      get: (target, name) => {
        if (name === 'step') {
          const step: Engine['step'] = (key, work, options) =>
            target.step(key, (context) => counted(() => work(context)), options);
          return step;
        }
        if (name === 'unrecorded') {
          const unrecorded: Engine['unrecorded'] = (work) => target.unrecorded(() => counted(work));
          return unrecorded;
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
