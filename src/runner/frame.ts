import type { StepError } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import type { Ledger } from './ledger.ts';
import type { WorkPlace } from './work-place.ts';

/** What `steps.<id>` holds for templates and expressions. */
export interface StepValue {
  readonly outputs: JsonValue;
  readonly status: 'succeeded' | 'failed' | 'skipped' | 'cancelled';
  readonly attempts: number;
  readonly iterations: number;
  readonly cached: boolean;
  readonly error?: StepError;
  readonly items?: readonly JsonValue[];
}

/** Why a list of steps stopped before its end. */
export interface Stop {
  readonly error: StepError;
  /** Path of the step that failed, the innermost. */
  readonly step: string;
  readonly handoff: boolean;
}

export interface FrameOptions {
  /** How people name what is inside: `` for the run, `release.` for a group. */
  readonly path: string;
  /** How the engine does: the same with attempts and iterations, since names are used once. */
  readonly key: string;
  /** The path with iterations, without attempts: the same for every try of one piece of work. */
  readonly identity: string;
  readonly inputs: JsonObject;
  readonly steps: readonly PlanStep[];
  readonly last: readonly PlanStep[];
  readonly workspace: WorkPlace;
  /** Copy of the workspace that its steps share; undefined: the main directory. */
  readonly home: string | undefined;
  /** Minutes that are left to its steps. */
  readonly ledger: Ledger;
  /** Locks (`concurrency`) that it holds, or that are held around it. */
  readonly holds: ReadonlySet<string>;
  /** A cancel of the run does not reach its steps: it is a `finally`, or inside of one. */
  readonly shielded: boolean;
  /** Why the pass before failed, when the step around it asked to be told. */
  readonly feedback?: string | undefined;
  /** What ends it from outside. */
  readonly outer?: AbortSignal;
}

/**
 * One pass through the steps of a formula: of the run itself, or of a group. Its values grow as steps end; they are one
 * object for all steps, since copying them for each of thousands would cost the square of their number.
 */
export class Frame {
  readonly #options: FrameOptions;
  /** Aborted when nothing new may start and what runs is to end. */
  readonly signal: AbortSignal;
  readonly #stopping = new AbortController();
  #values: Record<string, JsonValue> = {};
  #stop: Stop | undefined;

  constructor(options: FrameOptions) {
    this.#options = options;
    const own = this.#stopping.signal;
    this.signal = options.outer ? AbortSignal.any([options.outer, own]) : own;
  }

  get path(): string {
    return this.#options.path;
  }
  get key(): string {
    return this.#options.key;
  }
  get identity(): string {
    return this.#options.identity;
  }
  get inputs(): JsonObject {
    return this.#options.inputs;
  }
  get steps(): readonly PlanStep[] {
    return this.#options.steps;
  }
  get last(): readonly PlanStep[] {
    return this.#options.last;
  }
  get workspace(): WorkPlace {
    return this.#options.workspace;
  }
  get home(): string | undefined {
    return this.#options.home;
  }
  get ledger(): Ledger {
    return this.#options.ledger;
  }
  get holds(): ReadonlySet<string> {
    return this.#options.holds;
  }
  get shielded(): boolean {
    return this.#options.shielded;
  }
  get feedback(): string | undefined {
    return this.#options.feedback;
  }

  /** What `steps` means here. Grows. */
  get values(): JsonObject {
    return this.#values;
  }

  get stop(): Stop | undefined {
    return this.#stop;
  }

  /** The same names, for one step of `finally`: nothing that stopped this pass stops it, and no budget does. */
  ending(ledger: Ledger): Frame {
    const { outer: _, ...options } = this.#options;
    const frame = new Frame({ ...options, steps: [], last: [], ledger, shielded: true });
    frame.#values = this.#values;
    return frame;
  }

  ended(id: string, value: StepValue): void {
    this.#values[id] = value as unknown as JsonValue;
  }

  /** The first failure decides how it ends. */
  fail(stop: Stop): void {
    if (this.#stop) return;
    this.#stop = stop;
    this.#stopping.abort('stopped');
  }
}
