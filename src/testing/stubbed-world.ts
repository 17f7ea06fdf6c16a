import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { fillScript } from '../formula/bash/fill-script.ts';
import { shellWords, writeInto } from '../formula/bash/quote.ts';
import type { Stub, Test, Try } from '../formula/test-file.ts';
import type { PlanStep, PlanWorkspace } from '../plan/plan.ts';
import type { Clock } from '../runner/engines/clock.ts';
import { launch } from '../runner/launch.ts';
import { fileNameOf } from '../runner/local-world.ts';
import type { Rendered } from '../runner/render-command.ts';
import type { ExecuteOptions, ModelService, StandInOptions, StoodIn, World } from '../runner/world.ts';
import { isJsonObject } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import type { ProcessResult } from '../workspace/run-process.ts';
import type { RunWorkspace } from '../workspace/run-workspace.ts';
import type { CountedWork } from './counted-work.ts';

/** Starts real processes, for actions and checks that no stub stands for. */
export type Execute = (
  argv: readonly [string, ...string[]],
  options: ExecuteOptions,
) => Promise<ProcessResult>;

export interface StubbedWorldOptions {
  readonly test: Test;
  /** Steps of the plan by path. */
  readonly steps: ReadonlyMap<string, PlanStep>;
  readonly workspace: RunWorkspace;
  /** Where files of this test may be made, outside of the workspace. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly work: CountedWork;
  readonly execute: Execute;
  readonly bash: BashParser | undefined;
}

/** What surrounds a run in a test: stubs in the place of actions; checks are commands of their own and run for real. */
export class StubbedWorld implements World {
  readonly project: string;
  readonly workspace: RunWorkspace;
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Commands as they were started the last time, by step. */
  readonly rendered = new Map<string, string>();
  /** Steps whose action was reached and has no stub. */
  readonly unstubbed = new Set<string>();
  readonly #options: StubbedWorldOptions;
  readonly #used = new Map<string, number>();
  /** The try that stands for an action at the moment, by step and item. */
  readonly #current = new Map<string, Try>();
  #scratched = 0;

  constructor(options: StubbedWorldOptions) {
    this.#options = options;
    this.workspace = options.workspace;
    this.project = options.folder;
    this.baseEnv = options.env;
  }

  async execute(command: Rendered, options: ExecuteOptions): Promise<ProcessResult> {
    const { step, item } = options.place;
    const instance = item === undefined ? step : `${step}[${item}]`;
    if (/:check\d+$/.test(options.log)) {
      const checks = this.#current.get(instance)?.checks;
      return checks === undefined ? this.#really(command, options) : exited(checks === 'pass' ? 0 : 1);
    }
    this.rendered.set(step, this.#textOf(command));
    const stub = this.#stubOf(step, instance);
    if (stub === undefined) {
      this.unstubbed.add(step);
      return { ...exited(undefined), ended: 'failed', message: `the test has no stub for step "${step}"` };
    }
    if (stub === 'real') return this.#really(command, options);
    return this.#play(this.#next(stub, instance), step, options);
  }

  /** The try that comes now; the last one stands for all after it. */
  #next(
    { key, tries }: { readonly key: string; readonly tries: Exclude<Stub, 'real'> },
    instance: string,
  ): Try {
    const used = this.#used.get(key) ?? 0;
    this.#used.set(key, used + 1);
    const one = tries[Math.min(used, tries.length - 1)] as Try;
    this.#current.set(instance, one);
    return one;
  }

  async standIn({ prompt, place, cwd, timeout = Infinity, signal }: StandInOptions): Promise<StoodIn> {
    const { step, item } = place;
    this.rendered.set(step, prompt);
    const instance = item === undefined ? step : `${step}[${item}]`;
    const stub = this.#stubOf(step, instance);
    if (stub === undefined) {
      this.unstubbed.add(step);
      return { kind: 'failed', message: `the test has no stub for step "${step}"` };
    }
    if (stub === 'real') {
      return { kind: 'failed', message: 'a test asks no model: give the step a stub with its outputs' };
    }
    const one = this.#next(stub, instance);
    const late = one.after > timeout;
    if (one.after > 0 && !(await this.#pass(Math.min(one.after, timeout), signal)))
      return { kind: 'cancelled' };
    if (late) return { kind: 'timeout' };
    for (const [path, text] of Object.entries(one.writes)) writeWithin(cwd, path, text);
    if (one.exit !== 0)
      return { kind: 'failed', message: one.stderr === '' ? 'the agent failed' : one.stderr };
    const outputs = one.outputs?.value;
    return { kind: 'submitted', outputs: isJsonObject(outputs) ? outputs : {} };
  }

  judged({ step, item }: ExecuteOptions['place']): 'pass' | 'fail' {
    const checks = this.#current.get(item === undefined ? step : `${step}[${item}]`)?.checks;
    return checks ?? 'pass';
  }

  model(): Promise<ModelService> {
    return Promise.resolve({ ok: false, message: 'a test asks no model' });
  }

  get resultsFolder(): string {
    return join(this.#options.folder, 'results');
  }

  keepResult(): Promise<string> {
    return Promise.reject(new Error('nothing in a test calls tools'));
  }

  openWorkspace(_: PlanWorkspace): Promise<RunWorkspace> {
    return Promise.resolve(this.workspace);
  }

  /** By the clock of the test: a stub that takes an hour takes it from the budget. */
  elapsed(): number {
    return this.#options.clock.now();
  }

  /** Made up, and the same each time: a test needs none, and must not have any. */
  secret(name: string): string {
    return `made-up-${name}`;
  }

  scratch(name: string): Promise<string> {
    return Promise.resolve(this.#scratchPath(name));
  }

  writeHandoff(): Promise<string> {
    return Promise.resolve(join(this.#options.folder, 'handoff'));
  }

  #stubOf(
    step: string,
    instance: string,
  ): { readonly key: string; readonly tries: Exclude<Stub, 'real'> } | 'real' | undefined {
    const { stubs } = this.#options.test;
    const found =
      stubs.find(({ name }) => name.value === instance) ?? stubs.find(({ name }) => name.value === step);
    if (!found) return undefined;
    return found.value === 'real' ? 'real' : { key: found.name.value, tries: found.value };
  }

  async #play(
    one: Try,
    step: string,
    { cwd, env, timeout = Infinity, signal }: ExecuteOptions,
  ): Promise<ProcessResult> {
    const late = one.after > timeout;
    if (one.after > 0 && !(await this.#pass(Math.min(one.after, timeout), signal)))
      return { ...exited(undefined), ended: 'cancelled' };
    if (late) return { ...exited(undefined), ended: 'timeout' };
    for (const [path, text] of Object.entries(one.writes)) writeWithin(cwd, path, text);
    let { stdout } = one;
    if (one.outputs) {
      const text = JSON.stringify(one.outputs.value);
      const action = this.#options.steps.get(step)?.action;
      if (action?.kind === 'run' && action.parse === 'json') stdout = stdout === '' ? text : stdout;
      else writeFileSync(String(env['WF_OUTPUT']), text);
    }
    return exited(one.exit, stdout, one.stderr);
  }

  /** Waits for the clock; false when the wait was ended before. */
  #pass(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    const { clock, work } = this.#options;
    return work.idle(
      new Promise((resolve) => {
        const end = (came: boolean) => () => {
          off();
          signal.removeEventListener('abort', abort);
          resolve(came);
        };
        const abort = () => end(false)();
        const off = clock.at(clock.now() + milliseconds, () => end(true)());
        if (signal.aborted) abort();
        else signal.addEventListener('abort', abort);
      }),
    );
  }

  #really(command: Rendered, options: ExecuteOptions): Promise<ProcessResult> {
    return this.#options.execute(
      launch(command, (name) => this.#scratchPath(`${options.log}.${name}`)),
      options,
    );
  }

  #scratchPath(name: string): string {
    const folder = join(this.#options.folder, 'scratch');
    mkdirSync(folder, { recursive: true });
    return join(folder, `${this.#scratched++}.${fileNameOf(name).slice(-80)}`);
  }

  /** A command with its values in place. */
  #textOf(command: Rendered): string {
    switch (command.kind) {
      case 'argv':
        return shellWords(command.argv, new Set());
      case 'program':
        return command.script;
      case 'bash': {
        const { bash } = this.#options;
        if (command.values.length === 0 || !bash) return command.script;
        const values = new Map(command.values.map(({ name, value }) => [name, value]));
        return fillScript(bash, command.script, (slot) => {
          const value = values.get(slot.name);
          return value === undefined ? undefined : writeInto(slot, value, new Set());
        });
      }
    }
  }
}

function writeWithin(folder: string, path: string, text: string | null): void {
  const file = join(folder, path);
  if (!file.startsWith(`${folder}/`))
    throw new UserError(`a stub cannot write ${path}: it is outside of the workspace`);
  if (text === null) return rmSync(file, { force: true });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function exited(exitCode: number | undefined, stdout = '', stderr = ''): ProcessResult {
  const output = (text: string) => ({ text, whole: text });
  return {
    ended: 'exit',
    exitCode,
    killedBy: undefined,
    message: undefined,
    stdout: output(stdout),
    stderr: output(stderr),
  };
}
