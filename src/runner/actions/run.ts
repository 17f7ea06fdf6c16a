import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { RenderError } from '../../formula/render-template.ts';
import type { EventBody, StateId, StepError } from '../../journal/event.ts';
import { EXIT_INFRASTRUCTURE } from '../../plan/limits.ts';
import type { PlanRun } from '../../plan/plan.ts';
import { compileSchema } from '../../schema/validate-value.ts';
import type { JsonObject, JsonValue } from '../../support/json.ts';
import { isJsonObject } from '../../support/json.ts';
import { showDuration } from '../../formula/duration.ts';
import type { ProcessResult } from '../../workspace/run-process.ts';
import type { StepDirectory } from '../../workspace/run-workspace.ts';
import type { KeptRecord, StagedResult } from '../../workspace/step-cache.ts';
import type { Attempt } from '../attempt.ts';
import { instancePath, placeOf } from '../attempt.ts';
import { cacheKey } from '../cache-key.ts';
import { commandEnvironment } from '../command-environment.ts';
import type { StepContext } from '../engine.ts';
import { filesIn } from '../files-in.ts';
import type { Limit } from '../ledger.ts';
import { spentMessage } from '../ledger.ts';
import { askWhetherItRan } from '../once.ts';
import type { Rendered } from '../render-command.ts';
import { renderCommand } from '../render-command.ts';
import type { Result } from '../result.ts';
import { failure } from '../result.ts';
import type { Evaluated } from '../scope.ts';
import { messageOf } from '../scope.ts';

/**
 * Runs a command once, in the state the step begins with, and records how it ended with its outputs and what it left.
 * With checks still to come the record says `action.ended`, since only they make an attempt succeed.
 */
export async function runCommand(run: PlanRun, attempt: Attempt): Promise<Result> {
  const { engine, step, at, state, signal } = attempt;
  const place = placeOf(at);
  const values = await attempt.scopes.values(JSON.stringify([run, step.env ?? {}]), attempt.scope, state);
  const started: EventBody = {
    type: 'attempt.started',
    ...place,
    state,
    ...(at.trouble !== undefined && { infrastructure: at.trouble }),
    ...(attempt.anew && { anew: true }),
  };
  let staged: StagedResult | undefined;
  for (let name = at.key; ; name = `${name}:again`) {
    const event = await engine.step<EventBody>(
      name,
      async (context) => {
        if (step.once && context.repeated) return { type: 'once.interrupted', ...place };
        const acted = await act(run, attempt, values, context);
        staged = acted.staged;
        return acted.event;
      },
      { started, signal, shielded: attempt.shielded },
    );
    switch (event.type) {
      case 'action.ended':
      case 'attempt.succeeded':
        attempt.ledger.spend(event.milliseconds ?? 0);
        return {
          ok: true,
          outputs: withCapped(event),
          state: event.state ?? state,
          ...(event.cached && { cached: true }),
          ...(staged && { staged }),
        };
      case 'attempt.failed':
        attempt.ledger.spend(event.milliseconds ?? 0);
        return { ok: false, error: event.error, state: event.state ?? state };
      case 'once.interrupted': {
        const answer = await askWhetherItRan(attempt, name);
        if (answer === 'again') continue;
        if (!answer) return failure('cancelled', 'cancelled', state);
        const type = step.verify ? 'action.ended' : 'attempt.succeeded';
        await engine.record(`${name}:ran`, { type, ...place, outputs: {}, state });
        return { ok: true, outputs: {}, state };
      }
      default:
        throw new Error(`${name} was recorded as ${event.type}`);
    }
  }
}

/** What an action came to, and what of it may be kept for another time. */
interface Acted {
  readonly event: EventBody;
  readonly staged?: StagedResult | undefined;
}

async function act(run: PlanRun, attempt: Attempt, values: JsonObject, context: StepContext): Promise<Acted> {
  const { step, at, state, workspace } = attempt;
  const place = placeOf(at);
  const type = step.verify ? 'action.ended' : 'attempt.succeeded';
  const directory = await workspace.enter(state, {
    ...(at.home !== undefined && { copy: at.home }),
    signal: context.signal,
  });
  try {
    const prepared = await prepare(run, attempt, values, directory);
    const failed = (error: StepError, more: object = {}): Acted => ({
      event: { type: 'attempt.failed', ...place, error, retryable: true, ...more },
    });
    if (!prepared.ok) return failed({ kind: 'error', message: prepared.message }, { state, milliseconds: 0 });
    const kept = await keptResult(attempt, prepared.value, directory);
    const found = kept && (await kept.find());
    if (found) {
      const left = await directory.snapshot(at.key);
      return { event: { type, ...place, ...found, state: left, milliseconds: 0, cached: true } as EventBody };
    }
    const [begun, since] = [attempt.world.elapsed(), Date.now()];
    const ended = await execute(run, attempt, prepared.value, directory, context.signal);
    const milliseconds = Math.round(attempt.world.elapsed() - begun);
    const left = await directory.snapshot(at.key);
    if (!ended.result.ok) return failed(ended.result.error, { state: left, milliseconds, ...ended.streams });
    const { outputs } = ended.result;
    const staged = await kept?.stage({ outputs, ...ended.streams }, left, since);
    return { event: { type, ...place, outputs, state: left, milliseconds, ...ended.streams }, staged };
  } finally {
    await directory.leave();
  }
}

interface Executed {
  readonly result: Result;
  readonly streams: object;
}

/** A command as it is started. */
interface Prepared {
  readonly command: Rendered;
  readonly env: Readonly<Record<string, string>>;
  readonly outputFile: string;
}

async function prepare(
  run: PlanRun,
  attempt: Attempt,
  values: JsonObject,
  directory: StepDirectory,
): Promise<Evaluated<Prepared>> {
  const { world, at } = attempt;
  const files = filesIn(directory.path);
  const outputFile = await world.scratch(`${at.key}.output`);
  try {
    const command = renderCommand(run, values, files);
    const environment = await commandEnvironment(attempt, values, files, {
      WF_OUTPUT: outputFile,
      WF_WORKSPACE: directory.path,
    });
    if (!environment.ok) return environment;
    return { ok: true, value: { command, env: environment.value.env, outputFile } };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

async function execute(
  run: PlanRun,
  attempt: Attempt,
  { command, env, outputFile }: Prepared,
  directory: StepDirectory,
  signal: AbortSignal,
): Promise<Executed> {
  const { world, step, at } = attempt;
  const budget = attempt.ledger.nearest();
  const limit = Math.min(step.timeout ?? Infinity, budget?.left ?? Infinity);
  const ended = await world.execute(command, {
    cwd: directory.path,
    env,
    signal,
    ...(limit !== Infinity && { timeout: limit }),
    log: at.key,
    place: { step: at.path, ...(at.item !== undefined && { item: at.item }) },
  });
  return { result: await judge(run, attempt, ended, outputFile, budget), streams: streamsOf(ended) };
}

/** The result that is kept of a step with `cache`, or will be. */
interface KeptPlace {
  /** Puts the result that is kept in its place. Undefined: there is none that fits. */
  find(): Promise<KeptRecord | undefined>;
  stage(record: KeptRecord, left: StateId, since: number): Promise<StagedResult | undefined>;
}

/**
 * Undefined where the step is run in any case: it has no `cache`, none of its files is there, or an attempt before this one
 * did not hold, so that a result of the same kind would not either.
 */
async function keptResult(
  { step, at, state, workspace, world, feedback, anew }: Attempt,
  { command, env }: Prepared,
  { path }: StepDirectory,
): Promise<KeptPlace | undefined> {
  const { cache } = world;
  const results = step.cache && cache ? await workspace.results() : undefined;
  if (!step.cache || !cache || !results || feedback !== undefined) return undefined;
  const files = await results.matching(state, step.cache.files);
  if (files.length === 0) {
    world.notice?.(
      `${instancePath(at)}: no file here matches \`cache: {files: [${step.cache.files.join(', ')}]}\`, so it is run each time`,
    );
    return undefined;
  }
  const key = cacheKey(step, command, env, files);
  return {
    find: async () => {
      // What a check has refused once it would refuse again.
      if (anew || at.attempt > 1 || at.trouble !== undefined || world.usesCache === false) return undefined;
      const found = await cache.find(key);
      if (!found || !(await results.fits(path, state, found.files))) return undefined;
      await found.put((file) => results.placeOf(path, file));
      return found.record;
    },
    stage: async (record, left, since) => {
      const made = await results.made(path, state, left, since);
      return made && cache.stage(key, record, made);
    },
  };
}

/** What the record keeps of a process beside its outputs: whatever did not fit, and its exit code. */
function streamsOf(ended: ProcessResult): object {
  const capped = (output: ProcessResult['stdout']) => ({
    text: output.text,
    ...(output.omitted !== undefined && { omitted: output.omitted }),
  });
  const failed = ended.ended !== 'exit' || ended.exitCode !== 0;
  return {
    ...(ended.exitCode !== undefined && { exitCode: ended.exitCode }),
    ...((ended.stdout.omitted !== undefined || failed) &&
      ended.stdout.text !== '' && { stdout: capped(ended.stdout) }),
    ...((ended.stderr.omitted !== undefined || failed) &&
      ended.stderr.text !== '' && { stderr: capped(ended.stderr) }),
  };
}

async function judge(
  run: PlanRun,
  attempt: Attempt,
  ended: ProcessResult,
  outputFile: string,
  budget: Limit | undefined,
): Promise<Result> {
  const { step, state } = attempt;
  const tail = lastLines(ended.stderr.text === '' ? ended.stdout.text : ended.stderr.text);
  switch (ended.ended) {
    case 'failed':
      return failure('error', ended.message ?? 'it could not be started', state);
    case 'cancelled':
      return failure('cancelled', 'cancelled', state);
    case 'timeout': {
      if (budget && (step.timeout === undefined || budget.left < step.timeout))
        return failure('budget', spentMessage(budget), state, tail);
      return failure('timeout', `it took longer than ${showDuration(step.timeout ?? 0)}`, state, tail);
    }
    case 'exit':
      break;
  }
  const { exitCode } = ended;
  const accepted = run.exit ?? [0];
  if (exitCode === undefined)
    return failure('error', `it was ended by ${ended.killedBy ?? 'a signal'}`, state, tail);
  if (exitCode === EXIT_INFRASTRUCTURE && !accepted.includes(exitCode)) {
    return failure('infrastructure', `exit code ${exitCode}: the infrastructure failed`, state, tail);
  }
  if (!accepted.includes(exitCode)) return failure('error', `exit code ${exitCode}`, state, tail);
  const parsed = run.parse === 'json' ? parseStdout(ended) : await parseOutputFile(outputFile);
  if (!parsed.ok) return failure('error', parsed.message, state, tail);
  const problem = checkOutputs(attempt, parsed.value);
  if (problem !== undefined) return failure('error', problem, state, tail);
  return {
    ok: true,
    state,
    outputs: {
      ...parsed.value,
      // Reading what did not fit has to fail, so it is not there.
      ...(ended.stdout.omitted === undefined && { stdout: ended.stdout.text.replace(/\n+$/, '') }),
      ...(ended.stderr.omitted === undefined && { stderr: ended.stderr.text.replace(/\n+$/, '') }),
      exit_code: exitCode,
    },
  };
}

type Parsed =
  { readonly ok: true; readonly value: JsonObject } | { readonly ok: false; readonly message: string };

function parseStdout(ended: ProcessResult): Parsed {
  const { whole } = ended.stdout;
  if (whole === undefined)
    return { ok: false, message: 'its output is over 32 MiB, too long to be read as JSON' };
  return parseJson(whole, 'its output');
}

async function parseOutputFile(path: string): Promise<Parsed> {
  // Most commands write none, and to look costs less than to fail.
  const text = existsSync(path) ? await readFile(path, 'utf8').catch(() => '') : '';
  if (text.trim() === '') return { ok: true, value: {} };
  const parsed = parseJson(text, 'what it wrote to $WF_OUTPUT');
  if (
    parsed.ok &&
    'value' in parsed.value &&
    Object.keys(parsed.value).length === 1 &&
    !text.trimStart().startsWith('{')
  ) {
    return { ok: false, message: 'what it wrote to $WF_OUTPUT is not a JSON object' };
  }
  return parsed;
}

function parseJson(text: string, what: string): Parsed {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    return { ok: false, message: `${what} is not JSON: ${(error as Error).message}` };
  }
  return { ok: true, value: isJsonObject(value) ? value : { value } };
}

/**
 * The outputs of an attempt, in which to read a stream that was too long to keep is an error: a default in its place
 * would be as wrong as a part of it.
 */
function withCapped(
  event: Extract<EventBody, { readonly type: 'attempt.succeeded' | 'action.ended' }>,
): JsonObject {
  const outputs = { ...event.outputs };
  for (const stream of ['stdout', 'stderr'] as const) {
    if (event[stream]?.omitted === undefined) continue;
    const message = `\`${stream}\` was too long to be kept whole (${event[stream].omitted} bytes are left out), so it cannot be read; write it to a file, or print less`;
    // Not enumerable: as JSON, and for whoever copies it, it is not there.
    Object.defineProperty(outputs, stream, {
      enumerable: false,
      get: () => {
        throw new RenderError(message);
      },
    });
  }
  return outputs;
}

/** Every declared output has to be there and fit its schema; others are let through only when none is declared. */
function checkOutputs({ step }: Attempt, values: JsonObject): string | undefined {
  for (const [name, schema] of Object.entries(step.outputs ?? {})) {
    const value = values[name];
    if (value === undefined) return `it did not put out "${name}"`;
    const [problem] = compileSchema(schema, name)(value);
    if (problem) return `output ${problem.message}`;
  }
  return undefined;
}

/** What a person needs to see first. */
export function lastLines(text: string, lines = 20): string {
  return text.replace(/\s+$/, '').split('\n').slice(-lines).join('\n');
}
