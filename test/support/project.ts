import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ulid } from 'ulid';
import { onTestFailed, onTestFinished, vi } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostics/code-frame.ts';
import type { RunEvent, Waiting } from '../../src/journal/event.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { foldRun, hasEnded } from '../../src/journal/run-state.ts';
import type { RunState, StepState } from '../../src/journal/run-state.ts';
import type { NewSignal } from '../../src/journal/signal.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { completeInputs } from '../../src/runner/bind-inputs.ts';
import type { DrivenEngine } from '../../src/runner/engine.ts';
import { MemoryWorld } from '../../src/runner/engines/memory-engine.ts';
import { driveToEnd, resumeRun, startRun } from '../../src/runner/run.ts';
import type { RunHost } from '../../src/runner/run.ts';
import { maskEvent, secretTexts } from '../../src/runner/secrets.ts';
import type { JsonObject, JsonValue } from '../../src/support/json.ts';
import { CountedWork } from '../../src/testing/counted-work.ts';
import type { Files } from './memory-loader.ts';
import { memoryLoader } from './memory-loader.ts';
import { tellEvent, tellEvents } from './tell-events.ts';
import { runWf } from './wf.ts';
import type { WfOptions, WfResult } from './wf.ts';

// Real processes and git on a machine that may be busy: a test that hangs is told apart from one that is slow.
vi.setConfig({ testTimeout: 30_000 });

/**
 * A project in a folder of its own, which goes when the test ends. A string is formula `a` without its first line; what
 * does not say where it works works in an empty folder.
 */
export function testProject(files: Files | string): TestProject {
  const root = mkdtempSync(join(tmpdir(), 'wf-project-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const project = new TestProject(root);
  project.write(typeof files === 'string' ? { 'formulas/a.yaml': formulaText(files) } : files);
  return project;
}

function formulaText(text: string): string {
  return `formula: a\n${/^workspace:/m.test(text) ? '' : 'workspace: empty\n'}${text}`;
}

export interface RunOptions {
  readonly inputs?: JsonObject;
  /** The caller's environment, beside `PATH` and `HOME`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly profile?: string;
}

export class TestProject {
  readonly root: string;
  #files: Files = {};
  /** All runs on the in-memory engine, which share locks and a clock. */
  readonly memory = new MemoryWorld();

  constructor(root: string) {
    this.root = root;
  }

  write(files: Files): void {
    this.#files = { ...this.#files, ...files };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
    }
  }

  /** The contents of all files below a path of the project, or that begin with it. */
  read(path: string): readonly string[] {
    const folder = dirname(join(this.root, path));
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => file.startsWith(join(this.root, path)))
      .map((file) => readFileSync(file, 'latin1'));
  }

  git(...args: readonly string[]): string {
    const identity = [
      '-c',
      'user.name=Ann',
      '-c',
      'user.email=ann@example.com',
      '-c',
      'commit.gpgsign=false',
    ];
    return execFileSync('git', [...identity, ...args], { cwd: this.root, encoding: 'utf8', stdio: 'pipe' });
  }

  /** Everything that was written so far, as the first commit. */
  commit(): this {
    this.git('init', '-q', '-b', 'main');
    this.git('add', '-A');
    this.git('commit', '-q', '-m', 'first');
    return this;
  }

  /** The plan; throws with the diagnostics when there is none. */
  async compile(name = 'a', profile?: string): Promise<Plan> {
    const compiled = await compileFormula(
      memoryLoader(this.#files),
      name,
      profile === undefined ? {} : { profile },
    );
    if (!compiled.plan) throw new Error(renderDiagnostics(compiled.diagnostics, compiled.sources));
    return compiled.plan;
  }

  /**
   * Runs a formula to its end on the in-memory engine. Whenever nothing but time can move it on, time moves on, so that
   * back-offs, timers and timeouts of questions cost nothing.
   */
  async run(name = 'a', options: RunOptions = {}): Promise<Ran> {
    const run = await this.begin(name, options);
    return run.end();
  }

  /** Begins a run on the in-memory engine, whose clock stands still until the test moves it. */
  async begin(name = 'a', options: RunOptions = {}): Promise<Running> {
    const plan = await this.compile(name, options.profile);
    const inputs = completeInputs(plan.inputs, options.inputs ?? {});
    if (!inputs.ok) throw new Error(inputs.message);
    // Of all tests on this machine: what is left of a run is ended by its id.
    const id = ulid();
    const run = new Running(this, id, plan, inputs.value, options.env ?? {});
    // Also of a test that took too long it is to be seen how far it came.
    onTestFailed(() => console.error(run.lines.join('\n')));
    return run;
  }

  /** Runs a formula as `wf run` does: on the local engine, to its end or until it waits for somebody. */
  async runLocally(name = 'a', options: RunOptions & { readonly cancel?: AbortSignal } = {}): Promise<Ran> {
    const plan = await this.compile(name, options.profile);
    const host = this.#host(options);
    const state = await startRun({ project: this.root, plan, inputs: options.inputs ?? {} }, host);
    return this.#ran(state, host.events);
  }

  /** Carries on a run as `wf resume` does; `events` of what comes out are those since. */
  async resume(run: string, options: RunOptions = {}): Promise<Ran> {
    const host = this.#host(options);
    const state = await resumeRun({ project: this.root, run }, host);
    return this.#ran(state, host.events);
  }

  /** Runs the real command here: `await project.wf('check formulas/a.yaml')`. */
  wf(args: string | readonly string[], options: WfOptions = {}): Promise<WfResult> {
    return runWf(this.root, args, options);
  }

  /** Leaves something for a run on the local engine. */
  async send(run: string, signal: NewSignal): Promise<void> {
    const journal = await openJournal(this.root);
    journal.sendSignal(run, signal);
    journal.close();
  }

  #host({ env = {}, cancel }: RunOptions & { readonly cancel?: AbortSignal }) {
    const events: RunEvent[] = [];
    const host: RunHost & { readonly events: RunEvent[] } = {
      events,
      onEvent: (event) => events.push(event),
      attached: false,
      cancel: cancel ?? new AbortController().signal,
      env: callerEnv(env),
    };
    return host;
  }

  #ran(state: RunState, events: readonly RunEvent[]): Ran {
    return new Ran(this, state, events, []);
  }
}

function callerEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string | undefined>> {
  return { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env };
}

/** What came out of a run. */
export class Ran {
  readonly state: RunState;
  readonly events: readonly RunEvent[];
  /** What commands printed, in order of arrival. */
  readonly printed: readonly string[];
  readonly #project: TestProject;

  constructor(
    project: TestProject,
    state: RunState,
    events: readonly RunEvent[],
    printed: readonly string[],
  ) {
    this.#project = project;
    this.state = state;
    this.events = events;
    this.printed = printed;
  }

  get status(): RunState['status'] {
    return this.state.status;
  }

  get outputs(): JsonObject | undefined {
    return this.state.outputs;
  }

  /** Its events in short, a line each. */
  get told(): string {
    return tellEvents(this.events).join('\n');
  }

  /** Statuses of its steps in the plan's order: `a:succeeded b:skipped`. */
  get steps(): string {
    return Object.entries(this.state.steps)
      .map(([path, { status }]) => `${path}:${status}`)
      .join(' ');
  }

  step(path: string): StepState {
    const step = this.state.steps[path];
    if (!step) throw new Error(`no step ${path} in ${Object.keys(this.state.steps).join(', ')}`);
    return step;
  }

  /** One output of a step that succeeded. */
  output(path: string, name = 'stdout'): JsonValue | undefined {
    return (this.step(path).outputs as JsonObject | undefined)?.[name];
  }

  /** Steps and items in the order in which they started. */
  get started(): readonly string[] {
    return this.events.flatMap((event) =>
      event.type === 'step.started' ? [(tellEvent(event) ?? '').replace(' started', '')] : [],
    );
  }

  /** A file as the run left it: on its branch, or where the work was kept. Undefined: there is none. */
  file(path: string): string | undefined {
    const { branch, kept, run } = this.state;
    try {
      if (branch !== undefined && this.status === 'succeeded')
        return this.#project.git('show', `${branch}:${path}`);
      return readFileSync(join(kept ?? join(this.#project.root, '.wf', 'work', run), path), 'utf8');
    } catch {
      return undefined;
    }
  }
}

/** A run under way on the in-memory engine. */
export class Running {
  readonly id: string;
  readonly #project: TestProject;
  readonly #plan: Plan;
  readonly #inputs: JsonObject;
  readonly #engine: DrivenEngine;
  readonly #done: Promise<void>;
  readonly #printed: string[] = [];
  #ended = false;
  readonly #work = new CountedWork(() => this.#wake());
  #idle: readonly Waiting[] | undefined;
  #wake: () => void = () => undefined;

  constructor(
    project: TestProject,
    id: string,
    plan: Plan,
    inputs: JsonObject,
    env: Readonly<Record<string, string>>,
  ) {
    this.#project = project;
    this.id = id;
    this.#plan = plan;
    this.#inputs = inputs;
    const secrets = secretTexts(plan, env);
    this.#engine = project.memory.open(id, {
      mask: (event) => maskEvent(event, secrets),
      onEvents: () => {
        this.#idle = undefined;
        this.#wake();
      },
      whenIdle: (waiting) => {
        this.#idle = waiting;
        this.#wake();
        return 'stay';
      },
    });
    const host = {
      env: callerEnv(env),
      onOutput: (_place: unknown, _stream: unknown, text: string) => void this.#printed.push(text),
      resume: false,
    };
    this.#done = driveToEnd(
      this.#work.over(this.#engine),
      plan,
      inputs,
      { project: project.root },
      host,
    ).finally(async () => {
      this.#ended = true;
      this.#wake();
      await this.#engine.close();
    });
    // Looked at in `end`; until then nobody is to be bothered by it.
    this.#done.catch(() => undefined);
  }

  get lines(): readonly string[] {
    return tellEvents(this.#engine.events);
  }

  /** Waits until something was told, so many times. */
  async seen(text: string, times = 1): Promise<void> {
    const count = () => this.lines.filter((line) => line.includes(text)).length;
    while (count() < times) {
      if (this.#ended) throw new Error(`"${text}" was not seen before the end:\n${this.lines.join('\n')}`);
      await this.#change();
    }
  }

  /** Waits until the run waits for people, events or other runs, and nothing else goes on. */
  async idle(): Promise<readonly Waiting[]> {
    while (!this.#idle) {
      if (this.#ended) throw new Error(`it ended without waiting:\n${this.lines.join('\n')}`);
      await this.#change();
    }
    return this.#idle;
  }

  /** Lets time pass. */
  async advance(milliseconds: number): Promise<void> {
    await this.#project.memory.advance(milliseconds);
  }

  approve(step: string, by?: string, comment?: string): Promise<void> {
    return this.#send({ kind: 'approve', step, by, comment });
  }

  reject(step: string, by?: string, comment?: string): Promise<void> {
    return this.#send({ kind: 'reject', step, by, comment });
  }

  event(event: string, data: JsonValue = null): Promise<void> {
    return this.#send({ kind: 'event', event, data });
  }

  cancel(by?: string): Promise<void> {
    return this.#send({ kind: 'cancel', by });
  }

  /** Waits for the end; when only time can move it on, time does. */
  async end(): Promise<Ran> {
    while (!this.#ended) {
      const { turns } = this.#work;
      await this.#project.memory.settled();
      // What has ended meanwhile may have begun something.
      if (this.#work.turns !== turns) continue;
      const begun = this.#engine.events.some(({ type }) => type === 'workspace.prepared');
      if (this.#work.busy || !begun || this.#ended) await this.#change(2);
      else if (!this.#project.memory.clock.step(this.#project.memory.clock.now() + YEAR)) {
        // Another run may let it go on.
        if (this.#idle?.every((one) => one.for !== 'concurrency'))
          throw new Error(`it waits for ${JSON.stringify(this.#idle)}:\n${this.lines.join('\n')}`);
        await this.#change(2);
      }
    }
    await this.#done;
    const { events, run } = this.#engine;
    const header = {
      run,
      formula: this.#plan.formula,
      plan: this.#plan.plan,
      inputs: this.#inputs,
      createdAt: events[0]?.at ?? '',
    };
    const state = foldRun(header, events, this.#plan);
    if (!hasEnded(state.status)) throw new Error(`it did not end:\n${this.lines.join('\n')}`);
    return new Ran(this.#project, state, events, this.#printed);
  }

  /** Resolves when what follows at once has happened. */
  async #send(
    signal: { readonly [K in keyof NewSignal]?: NewSignal[K] | undefined } & Pick<NewSignal, 'kind'>,
  ): Promise<void> {
    const given = Object.fromEntries(Object.entries(signal).filter(([, value]) => value !== undefined));
    this.#project.memory.send(this.id, { verified: false, ...given } as NewSignal);
    await this.#project.memory.settled();
  }

  #change(milliseconds = 10_000): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const YEAR = 365 * 24 * 3_600_000;
