import type { StepError } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';

/** What `steps.<id>` holds for templates and expressions. */
export interface StepValue {
  readonly outputs: JsonValue;
  readonly status: 'succeeded' | 'failed' | 'skipped' | 'cancelled';
  readonly attempts: number;
  readonly iterations: number;
  readonly cached: false;
  readonly error?: StepError;
  readonly items?: readonly JsonValue[];
}

/** Why a list of steps stopped before its end. */
export interface Stop {
  readonly error: StepError;
  /** Path of the step that failed. */
  readonly step: string;
  readonly handoff: boolean;
}

/**
 * One pass through the steps of a formula: of the run itself, or of a group. Its values grow as steps end; they are one
 * object for all steps, since copying them for each of thousands would cost the square of their number.
 */
export class Frame {
  /** How people name what is inside: `` for the run, `release.` for a group. */
  readonly path: string;
  /** How the engine does: the same with attempts and iterations, since names are used once. */
  readonly key: string;
  readonly inputs: JsonObject;
  readonly steps: readonly PlanStep[];
  readonly last: readonly PlanStep[];
  /** Copy of the workspace that its steps share; undefined: the main directory. */
  readonly home: string | undefined;
  /** Aborted when nothing new may start and what runs is to end. */
  readonly stopped: AbortController;
  readonly #values: Record<string, JsonValue> = {};
  #stop: Stop | undefined;

  constructor(options: {
    readonly path: string;
    readonly key: string;
    readonly inputs: JsonObject;
    readonly steps: readonly PlanStep[];
    readonly last: readonly PlanStep[];
    readonly home: string | undefined;
    readonly outer?: AbortSignal;
  }) {
    this.path = options.path;
    this.key = options.key;
    this.inputs = options.inputs;
    this.steps = options.steps;
    this.last = options.last;
    this.home = options.home;
    this.stopped = new AbortController();
    const { outer } = options;
    if (outer?.aborted) this.stopped.abort(outer.reason);
    else
      outer?.addEventListener('abort', () => this.stopped.abort(outer.reason), {
        once: true,
        signal: this.stopped.signal,
      });
  }

  /** What `steps` means here. Grows. */
  get values(): JsonObject {
    return this.#values;
  }

  get stop(): Stop | undefined {
    return this.#stop;
  }

  /** The same names, for one step of `finally`: nothing that stopped this pass stops it. */
  ending(): Frame {
    const frame = new Frame({
      path: this.path,
      key: this.key,
      inputs: this.inputs,
      steps: [],
      last: [],
      home: this.home,
    });
    Object.assign(frame.#values, this.#values);
    return frame;
  }

  /** Takes over how a step of `finally` ended. */
  adopt(id: string, from: Frame): void {
    const value = from.#values[id];
    if (value !== undefined) this.#values[id] = value;
  }

  ended(id: string, value: StepValue): void {
    this.#values[id] = value as unknown as JsonValue;
  }

  /** The first failure decides how it ends. */
  fail(stop: Stop): void {
    if (this.#stop) return;
    this.#stop = stop;
    this.stopped.abort('stopped');
  }
}
