import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess } from '../support/process-identity.ts';
import type { ProcessIdentity } from '../support/process-identity.ts';
import { fileProblem } from './file-problem.ts';
import { killGroup } from './kill-group.ts';
import { processesOfRun } from './processes-of-run.ts';
import type { Registry } from './run-process.ts';
import { GRACE_MILLISECONDS } from './run-process.ts';
import { scriptBeside } from './script-beside.ts';

/** A process group by its leader, told apart from a later one with the same number. */
export type Group = ProcessIdentity;

/**
 * Sees to it that no child outlives its runner. A small process of its own session hears over a pipe which groups are
 * alive; when the pipe closes, because the runner ended, even by `kill -9`, it ends them. The groups also stand in a
 * file beside the run, so that whoever carries the run on can end what is left.
 */
export class Watchdog implements Registry {
  readonly #file: string;
  readonly #run: string;
  readonly #here = identifyProcess(process.pid);
  /** Groups of this process. */
  readonly #alive = new Set<number>();
  #process: ChildProcess | undefined;

  /** `folder`: of the run, under `.wf/runs`. */
  constructor(folder: string, run: string) {
    this.#file = groupsFile(folder);
    this.#run = run;
  }

  /** Before the first child: one that starts while nobody watches would be left to itself. Safe to call twice. */
  start(): void {
    if (this.#process) return;
    // A run inside of a step of another one is not ended with that step before it has ended its own children.
    const { WF_RUN: _, ...env } = process.env;
    const child = spawn(process.execPath, [scriptBeside(import.meta.url, 'watchdog-main'), this.#run], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env,
    });
    child.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    child.unref();
    (child.stdin as unknown as { unref?: () => void }).unref?.();
    this.#process = child;
    this.#note(`!${JSON.stringify(child.pid === undefined ? {} : identifyProcess(child.pid))}`);
  }

  add(pid: number): void {
    this.#alive.add(pid);
    const start = identifyProcess(pid)?.start;
    this.#tell(`+${JSON.stringify({ ...this.#here, pid, start })}`);
  }

  remove(pid: number): void {
    this.#alive.delete(pid);
    this.#tell(`-${pid}`);
  }

  /** Ends what steps have left in the background, then lets go. */
  async close(): Promise<void> {
    const groups = readGroups((await readFile(this.#file, 'utf8').catch(() => '')).split('\n'));
    await endGroups(groups, this.#run, GRACE_MILLISECONDS);
    this.#process?.stdin?.end('.\n');
    this.#process = undefined;
    await rm(this.#file, { force: true });
  }

  /** Somebody else drives the run: ends what this process started, and leaves alone what carries the run's name. */
  async abandon(): Promise<void> {
    await Promise.all([...this.#alive].map((pid) => killGroup(pid, GRACE_MILLISECONDS)));
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }

  #tell(line: string): void {
    this.start();
    this.#process?.stdin?.write(`${line}\n`);
    this.#note(line);
  }

  #note(line: string): void {
    try {
      appendFileSync(this.#file, `${line}\n`);
    } catch (error) {
      throw fileProblem(error, this.#file);
    }
  }
}

/** Ends what a runner that died left running, before the run is carried on. */
export async function endLeftovers(folder: string, run: string): Promise<void> {
  const lines = (await readFile(groupsFile(folder), 'utf8').catch(() => '')).split('\n');
  await endGroups(readGroups(lines), run, GRACE_MILLISECONDS);
  // A runner that only stood still has a watchdog that would take the next one's children for its own.
  for (const watchdog of readWatchdogs(lines)) if (isAlive(watchdog)) send(watchdog.pid, 'SIGKILL');
  await rm(groupsFile(folder), { force: true });
}

function readWatchdogs(lines: readonly string[]): readonly ProcessIdentity[] {
  return lines.flatMap((line) => {
    if (!line.startsWith('!')) return [];
    try {
      return [JSON.parse(line.slice(1)) as ProcessIdentity];
    } catch {
      // Cut off when the runner died.
      return [];
    }
  });
}

function isAlive({ pid, host, space, start }: ProcessIdentity): boolean {
  const now = identifyProcess(pid);
  return now?.host === host && now.space === space && now.start === start;
}

/** Groups that were added and not removed. */
export function readGroups(lines: readonly string[]): readonly Group[] {
  const groups = new Map<number, Group>();
  for (const line of lines) {
    if (line.startsWith('-')) groups.delete(Number(line.slice(1)));
    if (!line.startsWith('+')) continue;
    try {
      const group = JSON.parse(line.slice(1)) as Group;
      groups.set(group.pid, group);
    } catch {
      // Cut off when the runner died.
    }
  }
  return [...groups.values()];
}

/**
 * Ends groups, and whatever else carries the run's name in its environment, since a process may have left its group:
 * SIGTERM to all, `grace` milliseconds, SIGKILL. Of these, what started after `startedBy` belongs to whoever carries the
 * run on by now.
 */
export async function endGroups(
  groups: readonly Group[],
  run: string,
  grace: number,
  startedBy = Infinity,
): Promise<void> {
  const until = Date.now() + grace;
  const strays = processesOfRun(run, startedBy);
  for (const pid of strays) send(pid, 'SIGTERM');
  await Promise.all(groups.filter(isStillThere).map(({ pid }) => killGroup(pid, grace)));
  let left = strays.length === 0 ? processesOfRun(run, startedBy) : strays;
  for (let pause = 5; left.length > 0 && Date.now() < until; pause = Math.min(pause * 2, 100)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    left = processesOfRun(run, startedBy);
  }
  // One that starts others all the time needs more than one look.
  for (let looks = 0; left.length > 0 && looks < 20; looks++) {
    for (const pid of left) send(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 10));
    left = processesOfRun(run, startedBy);
  }
}

/** The leader may be gone while others of its group live on. A number that somebody else has by now has another start. */
function isStillThere({ pid, host, space, start }: Group): boolean {
  const here = identifyProcess(process.pid);
  if (here?.host !== host || here.space !== space) return false;
  const now = identifyProcess(pid);
  return now === undefined || now.start === start;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

function groupsFile(folder: string): string {
  return join(folder, 'children');
}
