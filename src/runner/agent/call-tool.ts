import type { ToolOutcome } from '../../gateway/tool-outcome.ts';
import { callWorkspaceTool } from '../../gateway/workspace-tools.ts';
import { WORKSPACE_SERVER } from '../../formula/workspace-tools.ts';
import type { EventBody, StateId, StepError } from '../../journal/event.ts';
import type { PlanTool } from '../../plan/plan.ts';
import type { JsonValue } from '../../support/json.ts';
import type { Attempt } from '../attempt.ts';
import { placeOf } from '../attempt.ts';
import { commandEnvironment } from '../command-environment.ts';
import type { StepContext } from '../engine.ts';
import { filesIn } from '../files-in.ts';
import { timeLeft } from '../time-left.ts';
import { nameOf } from './agent-tools.ts';
import { cappedResult, isTooLong } from './tool-result.ts';

export interface Call {
  /** Its name for the engine. */
  readonly key: string;
  readonly tool: PlanTool;
  /** The model's id of it. */
  readonly call: string;
  /** As the model wrote it. */
  readonly input: JsonValue;
  /** Where the workspace is. */
  readonly state: StateId;
  /** The model can read a file with what does not fit. */
  readonly readsFiles: boolean;
}

/** What the model is told, and where the workspace is then; or what ends the attempt. */
export type Called =
  | { readonly ok: true; readonly text: string; readonly isError: boolean; readonly state: StateId }
  | { readonly ok: false; readonly error: StepError };

/** Makes a call that a model asked for, of a tool that the step has. */
export async function callTool(attempt: Attempt, call: Call): Promise<Called> {
  const { engine, at, signal, ledger } = attempt;
  if (signal.aborted) return { ok: false, error: { kind: 'cancelled', message: 'cancelled' } };
  const time = timeLeft(attempt);
  if (time.milliseconds === 0) return { ok: false, error: time.over };
  const told = { ...placeOf(at), tool: nameOf(call.tool), call: call.call };
  const event = await engine.step<EventBody>(call.key, (context) => make(attempt, call, context), {
    started: { type: 'tool.called', ...told, input: call.input },
    signal,
    shielded: attempt.shielded,
  });
  if (event.type !== 'tool.returned') throw new Error(`${call.key} was recorded as ${event.type}`);
  ledger.spend(event.milliseconds);
  if (signal.aborted) return { ok: false, error: { kind: 'cancelled', message: 'cancelled' } };
  return {
    ok: true,
    text: event.text,
    isError: event.isError === true,
    state: event.state ?? call.state,
  };
}

async function make(attempt: Attempt, call: Call, { signal, repeated }: StepContext): Promise<EventBody> {
  const { world, at } = attempt;
  const begun = world.elapsed();
  const returned = (
    text: string,
    more: { readonly isError?: true; readonly omitted?: number; readonly state?: StateId } = {},
  ): EventBody => ({
    type: 'tool.returned',
    ...placeOf(at),
    tool: nameOf(call.tool),
    call: call.call,
    text,
    ...more,
    milliseconds: Math.round(world.elapsed() - begun),
    ...(repeated && { repeated }),
  });
  const { text, isError, state } = await outcomeIn(attempt, call, signal);
  const rest = isTooLong(text) && call.readsFiles ? await world.keepResult(text) : undefined;
  const capped = cappedResult(text, rest);
  return returned(capped.text, {
    ...(isError && { isError }),
    ...(capped.omitted > 0 && { omitted: capped.omitted }),
    ...(state !== call.state && { state }),
  });
}

interface Made {
  readonly text: string;
  readonly isError: boolean;
  readonly state: StateId;
}

/** Makes the call in the workspace as the calls before have left it. */
async function outcomeIn(attempt: Attempt, call: Call, signal: AbortSignal): Promise<Made> {
  const { workspace, at } = attempt;
  const { tool, state } = call;
  if (tool.server !== WORKSPACE_SERVER) throw new Error(`no server ${tool.server}`);
  const { milliseconds: limit } = timeLeft(attempt);
  const directory = await workspace.enter(state, {
    ...(at.home !== undefined && { copy: at.home }),
    signal,
  });
  try {
    const outcome = await callWorkspaceTool(tool.name, call.input, {
      directory: directory.path,
      results: attempt.world.resultsFolder,
      signal,
      execute: (command, stop) => runCommandOf(attempt, call, command, directory.path, limit, stop),
    });
    const left = tool.effects.includes('files') ? await directory.snapshot(call.key) : state;
    return { ...toldOf(outcome), state: left };
  } finally {
    await directory.leave();
  }
}

/** What a model is told of an outcome. */
function toldOf(outcome: ToolOutcome): { readonly text: string; readonly isError: boolean } {
  switch (outcome.kind) {
    case 'returned':
      return { text: outcome.text, isError: outcome.isError };
    case 'cancelled':
      return { text: 'cancelled', isError: true };
  }
}

/** A command of the model, in the environment that a command of the step has. */
async function runCommandOf(
  attempt: Attempt,
  { key }: Call,
  command: string,
  cwd: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number | undefined; readonly output: string; readonly problem?: string }> {
  const { world, at, step, scope, scopes, state } = attempt;
  const values = await scopes.values(JSON.stringify(step.env ?? {}), scope, state);
  const environment = await commandEnvironment(attempt, values, filesIn(cwd), { WF_WORKSPACE: cwd });
  if (!environment.ok) return { exitCode: undefined, output: '', problem: environment.message };
  const ended = await world.execute(
    { kind: 'bash', script: command, values: [] },
    {
      cwd,
      env: environment.value.env,
      signal,
      ...(limit !== Infinity && { timeout: Math.max(1, limit) }),
      log: key,
      place: { step: at.path, ...(at.item !== undefined && { item: at.item }) },
    },
  );
  const output = [ended.stdout.text, ended.stderr.text].filter((text) => text !== '').join('\n');
  const problem = {
    exit: ended.exitCode === undefined ? `ended by ${ended.killedBy ?? 'a signal'}` : undefined,
    timeout: 'it took too long',
    cancelled: 'cancelled',
    failed: ended.message ?? 'it could not be started',
  }[ended.ended];
  return { exitCode: ended.exitCode, output, ...(problem !== undefined && { problem }) };
}
