import type { Place, RunEvent, Waiting } from '../journal/event.ts';
import type { Journal } from '../journal/journal.ts';
import { LeaseLost } from '../journal/lease.ts';
import { openJournal } from '../journal/journal.ts';
import { foldRun, hasEnded } from '../journal/run-state.ts';
import type { RunState } from '../journal/run-state.ts';
import type { Plan } from '../plan/plan.ts';
import type { JsonObject } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import { onBehalfOf } from '../workspace/ownership.ts';
import { completeInputs } from './bind-inputs.ts';
import type { Engine } from './engine.ts';
import { Detached } from './engine.ts';
import { openLocalEngine } from './engines/local-engine.ts';
import { Interpreter } from './interpreter.ts';
import { LocalWorld } from './local-world.ts';
import { maskEvent, secretTexts } from './secrets.ts';

/** Who is around a run: what it tells, whether somebody can answer it, and how it is stopped. */
export interface RunHost {
  /** Told of every event once it is on disk. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Told of output as it comes, secrets masked. */
  readonly onOutput?: (place: Place, stream: 'stdout' | 'stderr', text: string) => void;
  /** Told of what happens beside the record: a workspace that is prepared, a service that is ready. */
  readonly onNotice?: (text: string) => void;
  /** Somebody is there to answer: stay while the run waits, instead of leaving it. */
  readonly attached: boolean;
  /** Aborted: the run is cancelled, and `finally` runs. */
  readonly cancel: AbortSignal;
  /** The caller's environment: what commands get of it, and where secrets are found. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface RunRequest {
  /** Absolute path of the project. */
  readonly project: string;
  readonly plan: Plan;
  /** Checked against the plan's inputs; defaults are filled in. */
  readonly inputs: JsonObject;
  /** Commit, branch or tag that the workspace begins at; absent: what is checked out. */
  readonly revision?: string;
  /** With `workspace: checkout`: begin although there are uncommitted changes. */
  readonly allowDirty?: boolean;
  /** Results that are kept (`cache`) do not stand for steps. */
  readonly noCache?: boolean;
  readonly by?: string;
}

/** Begins a run and drives it until it ends, waits for somebody while nobody is attached, or is cancelled. */
export async function startRun(request: RunRequest, host: RunHost): Promise<RunState> {
  const journal = await openJournal(request.project);
  try {
    return await drive(journal, createRun(journal, request), request, host, false);
  } finally {
    journal.close();
  }
}

/** Records the beginning of a run, for another process to carry on with {@link resumeRun}. Answers the run's id. */
export async function beginRun(request: RunRequest): Promise<string> {
  const journal = await openJournal(request.project);
  try {
    const run = createRun(journal, request);
    const engine = openLocalEngine(journal, run);
    await recordStart(engine, request.plan, journal.readRun(run).inputs, request);
    await engine.saved();
    await engine.close();
    return run;
  } finally {
    journal.close();
  }
}

function createRun(journal: Journal, { plan, inputs: given }: RunRequest): string {
  const inputs = completeInputs(plan.inputs, given);
  if (inputs.ok) return journal.createRun({ plan, inputs: inputs.value });
  throw new UserError(inputs.message, { hint: `\`wf list\` shows what ${plan.formula} takes` });
}

/** What was asked for when the run began stays what it is, whoever carries it on. */
function recordStart(
  engine: Engine,
  plan: Plan,
  inputs: JsonObject,
  { by, revision, allowDirty, noCache }: RunPlace,
) {
  return engine.record('run', {
    type: 'run.started',
    formula: plan.formula,
    plan: plan.plan,
    inputs,
    ...(by !== undefined && { by }),
    ...(revision !== undefined && { revision }),
    ...(allowDirty === true && { allowDirty }),
    ...(noCache === true && { noCache }),
  });
}

/**
 * Carries on a run from its record, with the plan it began with. A run that has ended answers how. Throws a
 * {@link UserError} when somebody else drives it, or its record is damaged.
 */
export async function resumeRun(
  request: { readonly project: string; readonly run: string; readonly by?: string },
  host: RunHost,
): Promise<RunState> {
  const journal = await openJournal(request.project);
  try {
    // Of a run that goes on, the record is read once, by the engine: it may be long.
    if (hasEnded(journal.readRun(request.run).status)) return journal.readState(request.run);
    return await drive(journal, request.run, request, host, true);
  } finally {
    journal.close();
  }
}

async function drive(
  journal: Journal,
  run: string,
  options: RunPlace,
  host: RunHost,
  resume: boolean,
): Promise<RunState> {
  const before = journal.readPlan(run);
  let secrets = secretTexts(before, host.env);
  const engine = openLocalEngine(journal, run, {
    mask: (event) => maskEvent(event, secrets),
    ...(options.by !== undefined && { by: options.by }),
    onEvents: (events) => {
      for (const event of events) host.onEvent?.(event);
    },
    // A timer comes by itself; for anything else somebody has to be there.
    whenIdle: (waiting: readonly Waiting[]) =>
      host.attached || waiting.every((one) => one.for === 'concurrency') ? 'stay' : 'detach',
  });
  // Nobody can replace it any more.
  const { inputs, plan: digest } = journal.readRun(run);
  const plan = digest === before.plan ? before : journal.readPlan(run);
  secrets = secretTexts(plan, host.env);
  const stop = () => engine.cancel(options.by);
  if (host.cancel.aborted) stop();
  else host.cancel.addEventListener('abort', stop, { once: true });
  try {
    await driveToEnd(engine, plan, inputs, options, { ...host, resume, confirm: () => engine.confirm() });
  } catch (error) {
    if (error instanceof Detached) throw new LeaseLost(run, journal.leaseHolder(run));
    throw error;
  } finally {
    host.cancel.removeEventListener('abort', stop);
    await engine.close();
  }
  return foldRun(journal.readRun(run), engine.events, plan);
}

/**
 * Walks a plan on an engine, from the top or from what is on record, in a world of this machine. Returns when the run
 * has ended, or was let go to be carried on later. The caller closes the engine.
 */
export async function driveToEnd(
  engine: Engine,
  plan: Plan,
  inputs: JsonObject,
  options: RunPlace,
  host: WorldHost,
): Promise<void> {
  let world: LocalWorld | undefined;
  try {
    const { revision, allowDirty, noCache } = await recordStart(engine, plan, inputs, options);
    const place = {
      project: options.project,
      ...(revision !== undefined && { revision }),
      allowDirty: allowDirty === true,
      noCache: noCache === true,
    };
    await onBehalfOf({ run: engine.run, confirm: host.confirm ?? (() => undefined) }, async () => {
      world = await openWorld(engine, plan, inputs, place, host);
      if (!world) return;
      await new Interpreter(plan, inputs, engine, world).run();
      await engine.saved();
    });
  } catch (error) {
    if (!(error instanceof Detached)) throw error;
    if (error.reason === 'lease-lost') {
      await world?.abandon();
      world = undefined;
      throw error;
    }
  } finally {
    await world?.close();
  }
}

/** Where a run takes place, and who wants it. */
export type RunPlace = Pick<RunRequest, 'project' | 'revision' | 'allowDirty' | 'noCache' | 'by'>;

/** Who is around the world of a run. */
type WorldHost = Pick<RunHost, 'env' | 'onOutput' | 'onNotice'> & {
  readonly resume: boolean;
  /** Stops the opening, which the engine's own signal cannot while it replays. */
  readonly cancel?: AbortSignal;
  /** Throws when this process may no longer touch what belongs to the run. */
  readonly confirm?: () => void;
};

/**
 * The world of a run. One that cannot be had (no git, a dirty tree) is told at once, and a run that begins is failed by
 * it; undefined: the run was cancelled meanwhile, which is recorded.
 */
async function openWorld(
  engine: Engine,
  plan: Plan,
  inputs: JsonObject,
  options: RunPlace,
  { env, onOutput, onNotice, resume, cancel }: WorldHost,
): Promise<LocalWorld | undefined> {
  const signal = cancel ? AbortSignal.any([engine.signal, cancel]) : engine.signal;
  const open = () =>
    LocalWorld.open({
      project: options.project,
      run: engine.run,
      plan,
      inputs,
      env,
      revision: options.revision,
      allowDirty: options.allowDirty,
      noCache: options.noCache,
      resume,
      signal,
      onOutput: (place, stream, text) => onOutput?.(place, stream, text),
      onNotice: (text) => onNotice?.(text),
    });
  try {
    // What is on record is answered when the interpreter is there to ask; a cancel among it must not come before.
    return resume ? await engine.unrecorded(open) : await open();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (signal.aborted && signal.reason !== 'detach' && signal.reason !== 'lease-lost') {
      await engine.record('end', { type: 'run.cancelled' });
      await engine.saved();
      return undefined;
    }
    if (!resume) {
      await engine.record('end', { type: 'run.failed', error: { kind: 'error', message: error.message } });
      await engine.saved();
    }
    throw error;
  }
}
