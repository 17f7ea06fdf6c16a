import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { anthropicFromEnvironment, anthropicModel, CREDENTIALS } from '../agents/anthropic.ts';
import { showDuration } from '../formula/duration.ts';
import { renderTemplate } from '../formula/render-template.ts';
import type { Plan, PlanWorkspace } from '../plan/plan.ts';
import type { JsonObject } from '../support/json.ts';
import { digestOf } from '../support/digest.ts';
import { maskText } from '../support/mask.ts';
import { UserError } from '../support/user-error.ts';
import { withFiles } from '../workspace/file-problem.ts';
import { FifoPool } from '../workspace/fifo-pool.ts';
import { openRunWorkspace } from '../workspace/open-run-workspace.ts';
import { runProcess } from '../workspace/run-process.ts';
import type { ProcessResult } from '../workspace/run-process.ts';
import type { RunWorkspace } from '../workspace/run-workspace.ts';
import type { Services } from '../workspace/services.ts';
import { startServices } from '../workspace/services.ts';
import { StepCache } from '../workspace/step-cache.ts';
import { removeStaleLocks, removeStaleRefLocks } from '../workspace/stale-locks.ts';
import { endLeftovers, Watchdog } from '../workspace/watchdog.ts';
import { filesIn } from './files-in.ts';
import { logFile, runFolder } from './run-logs.ts';
import { launch } from './launch.ts';
import type { Rendered } from './render-command.ts';
import { renderCommand, renderVariable } from './render-command.ts';
import { secretTexts } from './secrets.ts';
import type { ExecuteOptions, ModelService, World } from './world.ts';

/** What of the caller's environment every command gets, beside what wf.yaml lets through. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TERM', 'TMPDIR'];

export interface LocalWorldOptions {
  /** Absolute path of the project. */
  readonly project: string;
  readonly run: string;
  readonly plan: Plan;
  readonly inputs: JsonObject;
  /** The caller's environment: what is passed on, and where secrets are found. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly revision?: string | undefined;
  readonly allowDirty?: boolean | undefined;
  /** Results that are kept do not stand for steps. */
  readonly noCache?: boolean | undefined;
  /** The run was begun before, perhaps by a process that died. */
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly onOutput?: (place: ExecuteOptions['place'], stream: 'stdout' | 'stderr', text: string) => void;
  readonly onNotice?: (text: string) => void;
}

/** This machine: real processes, real git, files under `.wf/`. */
export class LocalWorld implements World {
  readonly project: string;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly cache: StepCache;
  readonly usesCache: boolean;
  readonly #options: LocalWorldOptions;
  readonly #folder: string;
  readonly #fifos: FifoPool;
  readonly #watchdog: Watchdog;
  readonly #secrets: readonly string[];
  #model: ModelService | undefined;
  #workspace: RunWorkspace | undefined;
  #services: Services | undefined;
  #scratched = 0;

  private constructor(options: LocalWorldOptions) {
    this.#options = options;
    this.project = options.project;
    this.#folder = runFolder(options.project, options.run);
    this.#fifos = new FifoPool(join(this.#folder, `pipes-${process.pid}`));
    this.#watchdog = new Watchdog(this.#folder, options.run);
    this.#secrets = secretTexts(options.plan, options.env);
    this.cache = new StepCache(join(options.project, '.wf'), this.#secrets);
    this.usesCache = options.noCache !== true;
    const passed = [...PASSED_ON, ...(options.plan.env ?? [])];
    this.baseEnv = Object.fromEntries(
      passed.flatMap((name) => (options.env[name] === undefined ? [] : [[name, options.env[name]]])),
    );
  }

  /** Ends what a dead runner left, then makes or finds the workspace, prepares it, and starts its services. */
  static async open(options: LocalWorldOptions): Promise<LocalWorld> {
    const world = new LocalWorld(options);
    const { workspace: plan } = options.plan;
    const values = { inputs: options.inputs, profile: options.plan.profile ?? '' };
    refuseWithoutBash(options.plan, world.baseEnv['PATH']);
    await withFiles(world.#folder, () => mkdir(join(world.#folder, 'logs'), { recursive: true }));
    if (options.resume) await world.#tidy();
    world.#watchdog.start();
    try {
      world.#workspace = await world.#open(plan, values, options.run, options.signal);
      world.#services = await world.#serve(plan, values, world.#workspace.root, options.signal);
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  get workspace(): RunWorkspace {
    return this.#workspace as RunWorkspace;
  }

  openWorkspace(
    plan: PlanWorkspace,
    values: JsonObject,
    name: string,
    signal: AbortSignal,
  ): Promise<RunWorkspace> {
    return this.#open(plan, values, `${this.#options.run}.${fileNameOf(name)}`, signal);
  }

  execute(
    command: Rendered,
    { env, signal, timeout, log, place, cwd }: ExecuteOptions,
  ): Promise<ProcessResult> {
    const argv = launch(command, (name) => this.#scratchPath(`${log}.${name}`));
    return runProcess(
      {
        argv,
        cwd,
        env,
        signal,
        secrets: this.#secrets,
        timeout,
        log: logFile(this.#folder, log),
        onOutput: (stream, text) => this.#options.onOutput?.(place, stream, text),
      },
      { fifos: this.#fifos, registry: this.#watchdog },
    );
  }

  model(): Promise<ModelService> {
    this.#model ??= modelFrom(this.#options.env);
    return Promise.resolve(this.#model);
  }

  get resultsFolder(): string {
    return join(this.#folder, 'results');
  }

  async keepResult(text: string): Promise<string> {
    const masked = maskText(text, this.#secrets);
    const name = digestOf(masked).slice('sha256:'.length).slice(0, 16);
    await mkdir(this.resultsFolder, { recursive: true });
    await writeFile(join(this.resultsFolder, `${name}.txt`), masked);
    return `result:${name}`;
  }

  notice(text: string): void {
    this.#options.onNotice?.(text);
  }

  elapsed(): number {
    return performance.now();
  }

  secret(name: string): string | undefined {
    return this.#options.env[name];
  }

  scratch(name: string): Promise<string> {
    return Promise.resolve(this.#scratchPath(name));
  }

  async writeHandoff(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.#folder, 'handoff');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), maskText(text, this.#secrets));
    return folder;
  }

  /** Stops the services and leaves nothing running. Safe to call twice. */
  async close(): Promise<void> {
    await this.#services?.stop();
    await this.#fifos.close();
    await rm(join(this.#folder, 'scratch'), { recursive: true, force: true });
    await this.#watchdog.close();
  }

  /** In place of {@link close} when somebody else drives the run by now: ends what is ours and touches nothing else. */
  async abandon(): Promise<void> {
    await this.#services?.stop();
    await this.#fifos.close();
    await this.#watchdog.abandon();
  }

  /** Ends what a dead runner left, and takes away the locks of what died with it. */
  async #tidy(): Promise<void> {
    const { project, run, plan } = this.#options;
    await endLeftovers(this.#folder, run);
    await removeStaleRefLocks(project, run, plan.formula);
    const work = join(project, '.wf', 'work');
    for (const name of await readdir(work).catch(() => [])) {
      if (!name.startsWith(run) || name.endsWith('.copies')) continue;
      await removeStaleLocks(name.endsWith('.states') ? join(work, name) : join(work, name, '.git'));
    }
  }

  async #open(
    plan: PlanWorkspace,
    values: JsonObject,
    run: string,
    signal: AbortSignal,
  ): Promise<RunWorkspace> {
    const { project, revision, allowDirty, resume, plan: whole } = this.#options;
    const files = filesIn(project);
    const { from } = plan;
    const source =
      typeof from === 'object'
        ? {
            git: renderTemplate(from.git, values, files),
            ...(from.ref !== undefined && { ref: renderTemplate(from.ref, values, files) }),
          }
        : from;
    const workspace = await openRunWorkspace({
      project,
      run,
      formula: whole.formula,
      from: source,
      ...(revision !== undefined && { revision }),
      allowDirty: allowDirty ?? false,
      resume,
      signal,
      prepare: plan.prepare && {
        files: plan.prepare.files,
        key: JSON.stringify(plan.prepare.run),
        run: async (directory: string) => {
          this.#options.onNotice?.('preparing the workspace');
          const command = renderCommand(
            plan.prepare?.run ?? { kind: 'run', argv: [] },
            values,
            filesIn(directory),
          );
          const ended = await this.execute(command, {
            cwd: directory,
            env: { ...this.baseEnv, WF_RUN: this.#options.run, WF_WORKSPACE: directory },
            signal,
            timeout: plan.prepare?.timeout,
            log: 'prepare',
            place: { step: 'prepare' },
          });
          if (ended.ended === 'exit' && ended.exitCode === 0) return;
          const tail = (ended.stderr.text || ended.stdout.text).trimEnd().split('\n').slice(-10).join('\n');
          throw new UserError(`\`prepare\` failed: ${whyEnded(ended, plan.prepare?.timeout)}\n${tail}`, {
            hint: `its whole output is in ${logFile(this.#folder, 'prepare')}`,
          });
        },
      },
    });
    return workspace;
  }

  async #serve(
    plan: PlanWorkspace,
    values: JsonObject,
    root: string,
    signal: AbortSignal,
  ): Promise<Services | undefined> {
    // A run that has handed over its work and died before it could say so has nothing to serve any more.
    if (!plan.services || !existsSync(root)) return undefined;
    return startServices(
      plan.services.map((service) => {
        const files = filesIn(root);
        const own = Object.fromEntries(
          Object.entries(service.env ?? {}).map(([name, text]) => [
            name,
            renderVariable(text, values, files),
          ]),
        );
        const env = { ...this.baseEnv, WF_RUN: this.#options.run, WF_WORKSPACE: root, ...own };
        const start = (run: Parameters<typeof renderCommand>[0], name: string) =>
          launch(renderCommand(run, values, files), (file) => this.#scratchPath(`${name}.${file}`));
        return {
          id: service.id,
          argv: start(service.run, `service.${service.id}`),
          cwd: root,
          env,
          log: logFile(this.#folder, `service.${service.id}`),
          ready:
            'run' in service.ready
              ? { argv: start(service.ready.run, `service.${service.id}.ready`) }
              : service.ready,
        };
      }),
      {
        fifos: this.#fifos,
        registry: this.#watchdog,
        signal,
        onChange: (service, what) =>
          this.#options.onNotice?.(`service ${service} ${what === 'started' ? 'is ready' : 'has stopped'}`),
      },
    );
  }

  #scratchPath(name: string): string {
    const folder = join(this.#folder, 'scratch');
    if (!existsSync(folder)) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      // Whether a script for Node is a module is for it to say, and not for the package.json of the project around.
      writeFileSync(join(folder, 'package.json'), '{}');
    }
    return join(folder, `${this.#scratched++}.${fileNameOf(name).slice(-80)}`);
  }
}

function modelFrom(env: LocalWorldOptions['env']): ModelService {
  const settings = anthropicFromEnvironment(env);
  if (settings) return { ok: true, model: anthropicModel(settings) };
  return {
    ok: false,
    message: `there is no key for the model; export ${CREDENTIALS.join(' or ')} where the run is started`,
  };
}

function whyEnded({ ended, message, exitCode }: ProcessResult, timeout = 0): string {
  if (ended === 'timeout') return `it took longer than ${showDuration(timeout)}`;
  return message ?? (exitCode === undefined ? ended : `exit code ${exitCode}`);
}

/** Most commands are bash scripts: better told before anything has run than by the first step. */
function refuseWithoutBash(plan: Plan, path: string | undefined): void {
  if (path === undefined || !JSON.stringify(plan).includes('"bash":')) return;
  for (const folder of path.split(delimiter)) {
    try {
      accessSync(join(folder, 'bash'), constants.X_OK);
      return;
    } catch {
      // Not here.
    }
  }
  throw new UserError(
    'bash is not installed, or not on PATH, and the formula has steps that are bash scripts',
    {
      hint: 'install bash 4.4 or newer, or write the steps as lists (`run: [program, argument]`)',
    },
  );
}

/** A key as the name of a file. */
export function fileNameOf(key: string): string {
  return key.replace(/[^a-zA-Z0-9_.@#-]+/g, '_');
}
