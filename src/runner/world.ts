import type { Model } from '../agents/model.ts';
import type { PlanWorkspace } from '../plan/plan.ts';
import type { JsonObject } from '../support/json.ts';
import type { ProcessResult } from '../workspace/run-process.ts';
import type { StepCache } from '../workspace/step-cache.ts';
import type { RunWorkspace } from '../workspace/run-workspace.ts';
import type { Rendered } from './render-command.ts';

/**
 * What a run touches beside its record: files, processes, the environment, secrets. Everything in it may be called
 * again after a crash.
 */
export interface World {
  /** The run's own workspace; opened, prepared and with its services started by the time it is asked for. */
  readonly workspace: RunWorkspace;
  /** A workspace for one step alone. Closed with {@link RunWorkspace.discard}. */
  openWorkspace(
    plan: PlanWorkspace,
    values: JsonObject,
    name: string,
    signal: AbortSignal,
  ): Promise<RunWorkspace>;
  execute(command: Rendered, options: ExecuteOptions): Promise<ProcessResult>;
  /** Undefined when nobody has set it. Its value is masked in whatever a command prints. */
  secret(name: string): string | undefined;
  /** The environment that every command gets. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** A file for a command to write or read, empty, outside of every workspace. */
  scratch(name: string): Promise<string>;
  /** Leaves what a person needs to take over; returns where. */
  writeHandoff(files: Readonly<Record<string, string>>): Promise<string>;
  readonly project: string;
  /** Milliseconds on a clock that only goes forward: how long a command has worked is told by it, and counted in budgets. */
  elapsed(): number;
  /** The model of an id, or why there is none: nobody has a key for it. */
  model(id: string): Promise<ModelService>;
  /** Keeps what did not fit into a result; answers the path by which `workspace/read` finds it. */
  keepResult(text: string): Promise<string>;
  /** The folder in which those are. */
  readonly resultsFolder: string;
  /** What a test has in the place of an agent's work. Absent: models do it. */
  standIn?(options: StandInOptions): Promise<StoodIn>;
  /** What a test says that a judge finds. Absent, or undefined: it is asked. */
  judged?(place: ExecuteOptions['place']): 'pass' | 'fail' | undefined;
  /** A word to whoever watches, which is no part of the record. */
  notice?(text: string): void;
  /** Where results of steps with `cache` are kept. Absent: nowhere, and every step is run. */
  readonly cache?: StepCache | undefined;
  /** Whether a result that is kept may stand for a step; if not, it is only replaced. */
  readonly usesCache?: boolean;
}

export type ModelService =
  { readonly ok: true; readonly model: Model } | { readonly ok: false; readonly message: string };

export interface StandInOptions extends Pick<ExecuteOptions, 'cwd' | 'timeout' | 'signal' | 'place'> {
  /** What the agent would be given. */
  readonly prompt: string;
}

/** What something that stands for an agent came to. */
export type StoodIn =
  | { readonly kind: 'submitted'; readonly outputs: JsonObject }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'cancelled' };

export interface ExecuteOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeout?: number | undefined;
  readonly signal: AbortSignal;
  /** Name of its log. */
  readonly log: string;
  readonly place: { readonly step: string; readonly item?: number };
}
