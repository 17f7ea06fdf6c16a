import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identifyProcess } from '../support/process-identity.ts';
import { killGroup } from './kill-group.ts';
import { processesOfRun } from './processes-of-run.ts';
import type { Registry } from './run-process.ts';

/** A process group, told apart from a later one with the same number. */
export interface Group {
  readonly pid: number;
  /** When its leader started, as the system counts it; empty where it does not tell. */
  readonly start: string;
}

/**
 * Sees to it that no child outlives its runner. A small process of its own session hears over a pipe which groups are
 * alive; when the pipe closes, because the runner ended, even by `kill -9`, it ends them. The groups also stand in a
 * file beside the run, so that whoever carries the run on can end what is left.
 */
export class Watchdog implements Registry {
  readonly #file: string;
  readonly #run: string;
  #process: ChildProcess | undefined;

  /** `folder`: of the run, under `.wf/runs`. */
  constructor(folder: string, run: string) {
    this.#file = groupsFile(folder);
    this.#run = run;
  }

  add(pid: number): void {
    const line = `${pid} ${identifyProcess(pid)?.start ?? ''}`;
    appendFileSync(this.#file, `+${line}\n`);
    this.#tell(`+${line}`);
  }

  remove(pid: number): void {
    appendFileSync(this.#file, `-${pid}\n`);
    this.#tell(`-${pid}`);
  }

  /** Lets it go; with nothing left alive it ends by itself. */
  async close(): Promise<void> {
    this.#process?.stdin?.end('.\n');
    this.#process = undefined;
    await rm(this.#file, { force: true });
  }

  #tell(line: string): void {
    if (!this.#process) {
      const script = watchdogScript();
      this.#process = spawn(process.execPath, [script, this.#run], {
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      this.#process.on('error', () => undefined);
      this.#process.stdin?.on('error', () => undefined);
      this.#process.unref();
      (this.#process.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    }
    this.#process.stdin?.write(`${line}\n`);
  }
}

/** Ends what a runner that died left running, before the run is carried on. */
export async function endLeftovers(folder: string, run: string): Promise<void> {
  const text = await readFile(groupsFile(folder), 'utf8').catch(() => '');
  await endGroups(readGroups(text.split('\n')), run, 5_000);
  await rm(groupsFile(folder), { force: true });
}

/** Groups that were added and not removed. */
export function readGroups(lines: readonly string[]): readonly Group[] {
  const groups = new Map<number, Group>();
  for (const line of lines) {
    const match = /^([+-])(\d+)(?: (.*))?$/.exec(line);
    if (!match) continue;
    const pid = Number(match[2]);
    if (match[1] === '+') groups.set(pid, { pid, start: match[3] ?? '' });
    else groups.delete(pid);
  }
  return [...groups.values()];
}

/** Ends groups, and whatever else carries the run's name in its environment: a process may have left its group. */
export async function endGroups(groups: readonly Group[], run: string, grace: number): Promise<void> {
  // The leader may be gone while others of its group live on; a number taken by somebody else has another start.
  const ours = groups.filter(({ pid, start }) => {
    const now = identifyProcess(pid);
    return now === undefined || (now.start ?? '') === start;
  });
  await Promise.all(ours.map(({ pid }) => killGroup(pid, grace)));
  for (const pid of processesOfRun(run)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

function groupsFile(folder: string): string {
  return join(folder, 'children');
}

/** Beside this file among the sources, beside or above the chunk in a build. */
function watchdogScript(): string {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith('.ts')) return join(dirname(here), 'watchdog-main.ts');
  const candidates = [dirname(here), dirname(dirname(here))].map((folder) =>
    join(folder, 'watchdog-main.js'),
  );
  return candidates.find((path) => existsSync(path)) ?? (candidates[0] as string);
}
