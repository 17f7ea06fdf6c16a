/**
 * Formulary as a library: check, compile and run formulas from a program of your own.
 *
 * ```ts
 * import { compile, run } from 'formulary';
 *
 * const { plan } = await compile('release-notes', { project: '.' });
 * if (plan) {
 *   const state = await run(plan, { project: '.', inputs: { tag: false }, env: process.env });
 *   console.log(state.status);
 * }
 * ```
 *
 * @module
 */
import type { RunState } from './journal/run-state.ts';
import type { Compilation } from './plan/compile.ts';
import { compileFormula } from './plan/compile.ts';
import type { CheckReport } from './plan/check-project.ts';
import { checkProject } from './plan/check-project.ts';
import type { Plan } from './plan/plan.ts';
import type { RunHost, RunRequest } from './runner/run.ts';
import { resumeRun, startRun } from './runner/run.ts';
import { openProject } from './workspace/project-loader.ts';

export { renderDiagnostics } from './diagnostics/code-frame.ts';
export type { Diagnostic, Position, Range, Related, Severity } from './diagnostics/diagnostic.ts';
export type { ErrorKind, Place, RunEvent, StepError, Waiting } from './journal/event.ts';
export type { ItemState, RunState, RunStatus, StepState, StepStatus, Usage } from './journal/run-state.ts';
export type { CheckReport } from './plan/check-project.ts';
export type { Compilation } from './plan/compile.ts';
export type { Plan, PlanAction, PlanStep } from './plan/plan.ts';
export type { JsonObject, JsonSchema, JsonValue } from './support/json.ts';
export { UserError } from './support/user-error.ts';

/** Which project, and how it is read. */
export interface ProjectOptions {
  /** A folder in the project; the nearest one upwards that holds `wf.yaml` or `formulas/` is its root. */
  readonly project: string;
  /** A profile of `wf.yaml`. */
  readonly profile?: string;
}

/** How a run begins, and who is around it. */
export interface RunOptions extends Partial<Pick<RunHost, 'onEvent' | 'onOutput' | 'attached'>> {
  /** A folder in the project; the nearest one upwards that holds `wf.yaml` or `formulas/` is its root. */
  readonly project: string;
  /** The caller's environment, `process.env` as a rule: what commands get of it, and where secrets are found. */
  readonly env: RunHost['env'];
  /** Aborted: the run is cancelled, and its `finally` runs. */
  readonly signal?: AbortSignal;
  /** Who wants it; recorded as unproved. */
  readonly by?: string;
}

/** Of a run that begins. */
export interface StartOptions
  extends RunOptions, Partial<Pick<RunRequest, 'inputs' | 'revision' | 'allowDirty' | 'noCache'>> {}

/**
 * Tells every mistake of a project, or of some of its files (`paths`, relative to its root). Throws a {@link UserError}
 * when the world is not as needed: a file that cannot be read, a profile that is not there.
 */
export function check(
  options: ProjectOptions & { readonly paths?: readonly string[] },
): Promise<CheckReport> {
  return checkProject(openProject(options.project), options);
}

/**
 * Compiles a formula into its plan, which is absent when there is an error among the diagnostics. Throws a
 * {@link UserError} when the project has no such formula or profile.
 */
export function compile(formula: string, options: ProjectOptions): Promise<Compilation> {
  return compileFormula(openProject(options.project), formula, options);
}

/**
 * Begins a run and drives it until it ends, or waits for somebody while nobody is attached (`status: 'waiting'`; carry
 * on with {@link resume}). A run that fails is a state and no exception; throws a {@link UserError} when an input does
 * not fit or the world is not as needed.
 */
export function run(plan: Plan, options: StartOptions): Promise<RunState> {
  const { project, inputs = {}, revision, allowDirty, noCache, by } = options;
  return startRun(
    {
      project: openProject(project).root,
      plan,
      inputs,
      ...(revision !== undefined && { revision }),
      ...(allowDirty !== undefined && { allowDirty }),
      ...(noCache !== undefined && { noCache }),
      ...(by !== undefined && { by }),
    },
    hostOf(options),
  );
}

/**
 * Carries on a run from its record after a crash or an answer, with the plan it began with. Throws a {@link UserError}
 * when another process drives it.
 */
export function resume(run: string, options: RunOptions): Promise<RunState> {
  const { project, by } = options;
  return resumeRun(
    { project: openProject(project).root, run, ...(by !== undefined && { by }) },
    hostOf(options),
  );
}

function hostOf({ onEvent, onOutput, attached = false, signal, env }: RunOptions): RunHost {
  return {
    ...(onEvent && { onEvent }),
    ...(onOutput && { onOutput }),
    attached,
    cancel: signal ?? new AbortController().signal,
    env,
  };
}
