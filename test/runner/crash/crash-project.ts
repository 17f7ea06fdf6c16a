import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Place, RunEvent } from '../../../src/journal/event.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import type { RunState, StepState } from '../../../src/journal/run-state.ts';
import { processesOfRun } from '../../../src/workspace/processes-of-run.ts';
import { temporaryDirectory } from '../../journal/project.ts';
import type { DriveOptions } from './drive-formula.ts';
import { files, note } from './everything.ts';

const script = join(import.meta.dirname, 'drive-formula.ts');

/** How a process that drove a run ended. */
export interface Driven {
  readonly code: number | null;
  readonly killed: boolean;
  readonly pid: number;
  /** As it printed it, at an end or when the run waits. */
  readonly state: RunState | undefined;
  readonly stderr: string;
}

/** A line that an action has left. */
export interface Note {
  readonly what: string;
  /** `fix[2]#1@3`: step, item, iteration, attempt. */
  readonly place: string;
}

/** A repository with formulas to be killed in, and what their actions say. */
export class CrashProject {
  readonly root: string;
  readonly notesFolder: string;

  constructor(directory = temporaryDirectory()) {
    this.root = join(directory, 'project');
    this.notesFolder = join(directory, 'notes');
    const bin = join(this.notesFolder, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'note'), note);
    chmodSync(join(bin, 'note'), 0o755);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text.trimStart());
    }
    this.git('init', '-q', '-b', 'main');
    this.git('add', '-A');
    this.git('commit', '-q', '-m', 'Begin');
  }

  git(...args: readonly string[]): string {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
    return execFileSync('git', [...identity, ...args], {
      cwd: this.root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  }

  start(formula: string, options: DriveOptions = {}): Driver {
    return new Driver(this, ['start', formula, JSON.stringify(options)]);
  }

  resume(run: string, options: DriveOptions = {}): Driver {
    return new Driver(this, ['resume', run, JSON.stringify(options)]);
  }

  get environment(): Readonly<Record<string, string | undefined>> {
    const path = `${join(this.notesFolder, 'bin')}:${String(process.env['PATH'])}`;
    return { ...process.env, NOTES: this.notesFolder, PATH: path };
  }

  /** Everything that actions have said so far. */
  notes(): readonly Note[] {
    const log = join(this.notesFolder, 'log');
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return { what: line.slice(0, space), place: line.slice(space + 1) };
    });
  }

  async withJournal<T>(look: (journal: Journal) => T): Promise<T> {
    const journal = await openJournal(this.root);
    try {
      return look(journal);
    } finally {
      journal.close();
    }
  }

  /** The one run of the project; undefined: none has been made. */
  run(): Promise<string | undefined> {
    return this.withJournal((journal) => journal.listRuns()[0]?.run);
  }

  events(run: string): Promise<readonly RunEvent[]> {
    return this.withJournal((journal) => journal.readEvents(run));
  }

  /** What of a run's end has to be the same whatever happened on the way. */
  end(state: RunState): object {
    const { commit, branch, kept, bundle } = state;
    return {
      status: state.status,
      outputs: state.outputs,
      error: state.error,
      changedFiles: state.changedFiles,
      branch: branch?.replace(state.run, '<run>'),
      tree: commit === undefined ? undefined : this.git('ls-tree', '-r', commit),
      commits:
        commit === undefined
          ? undefined
          : this.git('log', '--format=%s', `main..${commit}`).replaceAll(state.run, '<run>'),
      branchIsThere: branch === undefined ? undefined : this.git('rev-parse', branch) === commit,
      kept: kept === undefined ? undefined : contents(kept),
      bundle: bundle === undefined ? undefined : readdirSync(bundle).sort(),
      steps: Object.fromEntries(
        Object.entries(state.steps).map(([path, step]) => [
          path,
          // What a person had to say about it differs from what it said by itself.
          path === 'deploy' ? { status: step.status } : withoutTimes(step),
        ]),
      ),
    };
  }
}

function withoutTimes({ startedAt: _, endedAt: __, items, ...step }: StepState): object {
  return { ...step, ...(items && { items: items.map((item) => withoutTimes(item)) }) };
}

/** Path and text of every file under a directory but git's own. */
function contents(directory: string): Readonly<Record<string, string>> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const own = paths.filter((path) => !path.startsWith(join(directory, '.git/'))).sort();
  return Object.fromEntries(
    own.map((path) => [path.slice(directory.length + 1), readFileSync(path, 'utf8')]),
  );
}

/** A process that drives a run. */
export class Driver {
  readonly ended: Promise<Driven>;
  readonly pid: number;
  #output = '';
  #told: (() => void)[] = [];

  constructor(project: CrashProject, args: readonly string[]) {
    const child = spawn(process.execPath, [script, project.root, ...args], {
      env: project.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.pid = child.pid ?? 0;
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    child.stdout.on('data', (chunk) => {
      this.#output += String(chunk);
      for (const told of this.#told.splice(0)) told();
    });
    this.ended = once(child, 'close').then(([code, signal]) => {
      const last = this.#output.trimEnd().split('\n').at(-1) ?? '';
      const state = last.startsWith('{') ? (JSON.parse(last) as RunState) : undefined;
      return { code: code as number | null, killed: signal === 'SIGKILL', pid: this.pid, state, stderr };
    });
  }

  /** Resolves when it has printed a line that has this text in it; to be started with `tell`. */
  async told(text: string): Promise<void> {
    while (!this.#output.includes(text)) {
      const more = new Promise<void>((resolve) => this.#told.push(resolve));
      const { state, stderr } = (await Promise.race([more, this.ended])) ?? {};
      if ((state ?? stderr) !== undefined && !this.#output.includes(text))
        throw new Error(`it ended without "${text}": ${String(stderr)}`);
    }
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    process.kill(this.pid, signal);
  }

  /** As when the machine loses power: everything that it started dies at the same moment, or what `which` says of it. */
  killAll(which: (process: { readonly command: string }) => boolean = () => true): void {
    const dead = new Set([this.pid]);
    stop(this.pid);
    // What was being started meanwhile is seen by another look.
    for (let before = 0; before < dead.size;) {
      before = dead.size;
      for (const { pid, parent, session } of allProcesses()) {
        if (dead.has(pid) || !(dead.has(parent) || dead.has(session))) continue;
        dead.add(pid);
        stop(pid);
      }
    }
    for (const pid of dead)
      send(pid, pid === this.pid || which({ command: commandOf(pid) }) ? 'SIGKILL' : 'SIGCONT');
  }
}

const stop = (pid: number) => send(pid, 'SIGSTOP');

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

function allProcesses(): { readonly pid: number; readonly parent: number; readonly session: number }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), parent: Number(parent), session: Number(session) }];
    } catch {
      return [];
    }
  });
}

/** Waits until nothing of the run runs; says how long that took, or undefined when something is left after five seconds. */
export async function untilNothingRuns(run: string): Promise<number | undefined> {
  const begun = performance.now();
  while (processesOfRun(run).length > 0) {
    if (performance.now() - begun > 5_000) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - begun;
}

/** Waits for a condition; fails after twenty seconds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !(await holds());) {
    if (performance.now() > end) throw new Error(`it never came to be that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What events say has ended, in the words of the notes: an attempt, or the check of one. */
export function finishedWork(events: readonly RunEvent[]): ReadonlySet<string> {
  return new Set(
    events.flatMap((event) => {
      switch (event.type) {
        case 'attempt.succeeded':
        case 'action.ended':
          return [`begin ${placeText(event)}`, `end ${placeText(event)}`];
        case 'attempt.failed':
          // The same attempt is made again when only the infrastructure failed.
          return event.error.kind === 'infrastructure' ? [] : [`begin ${placeText(event)}`];
        case 'check.passed':
        case 'check.failed':
          return event.check === 0 ? [`check ${placeText(event)}`] : [];
        default:
          return [];
      }
    }),
  );
}

function placeText({ step = '', item, iteration, attempt = 1 }: Place): string {
  return `${step}${item === undefined ? '' : `[${item}]`}${iteration === undefined ? '' : `#${iteration}`}@${attempt}`;
}
