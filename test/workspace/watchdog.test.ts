import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { identifyProcess } from '../../src/support/process-identity.ts';
import { endLeftovers, readGroups, Watchdog } from '../../src/workspace/watchdog.ts';
import { running, until } from './processes.ts';

let runs = 0;

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'wf-watchdog-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const run = `RUN${process.pid}X${(runs += 1)}`;
  return { folder, run, children: join(folder, 'children') };
}

/** A process of its own group that sleeps, with the run's name in its environment or without. */
function sleeper(env: Record<string, string> = {}): {
  readonly pid: number;
  readonly ended: Promise<unknown>;
} {
  const child = spawn('sleep', ['600'], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...env },
  });
  const ended = once(child, 'exit');
  onTestFinished(() => void child.kill('SIGKILL'));
  return { pid: child.pid as number, ended };
}

const alive = (pid: number) => identifyProcess(pid) !== undefined;

describe('after the runner was killed', () => {
  it('nothing of its children runs on after five seconds, whatever they do', async () => {
    const { folder, run } = place();
    const mark = `${process.pid}77${runs}`;
    const runner = spawn(
      process.execPath,
      [join(import.meta.dirname, 'run-and-hang.ts'), folder, run, mark],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await once(runner.stdout, 'data');
    expect(running(`.${mark}`).length).toBeGreaterThanOrEqual(5);
    runner.kill('SIGKILL');
    await until('all of them have ended', () => running(`.${mark}`).length === 0, 5_000);
    // Nor does the watchdog itself.
    await until('the watchdog has ended', () => running(run).length === 0, 2_000);
  }, 20_000);

  it('whoever carries on ends what is left, before the watchdog has', async () => {
    const { folder, run, children } = place();
    const [known, stray] = [sleeper(), sleeper({ WF_RUN: run })];
    writeFileSync(children, `+${JSON.stringify(identifyProcess(known.pid))}\n+{"pid":12`);
    await endLeftovers(folder, run);
    await Promise.all([known.ended, stray.ended]);
    expect(existsSync(children)).toBe(false);
    await endLeftovers(folder, run);
  });

  it('somebody who has the number of one of them by now is left alone', async () => {
    const { folder, run, children } = place();
    const { pid } = sleeper();
    const now = identifyProcess(pid);
    const others = [
      { ...now, start: String(Number(now?.start) - 1) },
      { ...now, space: 'another boot pid:[1]' },
      { ...now, host: 'another-machine' },
    ];
    for (const other of others) {
      writeFileSync(children, `+${JSON.stringify(other)}\n`);
      await endLeftovers(folder, run);
      expect(alive(pid)).toBe(true);
    }
  });

  it('a group whose leader has ended is still ended', async () => {
    const { folder, run, children } = place();
    const leader = spawn('bash', ['-c', 'sleep 600 & echo $!'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const identity = { ...identifyProcess(process.pid), pid: leader.pid, start: '1' };
    const [line] = (await once(leader.stdout, 'data')) as [Buffer];
    await until('the leader has ended', () => !alive(leader.pid as number));
    const member = Number(String(line));
    expect(alive(member)).toBe(true);
    writeFileSync(children, `+${JSON.stringify(identity)}\n`);
    await endLeftovers(folder, run);
    expect(alive(member)).toBe(false);
  });
});

describe('the watchdog', () => {
  it('goes when it is let go, and takes along what steps left in the background', async () => {
    const { folder, run, children } = place();
    const watchdog = new Watchdog(folder, run);
    watchdog.start();
    const [group, ended, stray] = [sleeper(), sleeper(), sleeper({ WF_RUN: run })];
    for (const { pid } of [group, ended]) watchdog.add(pid);
    process.kill(-ended.pid, 'SIGKILL');
    await ended.ended;
    watchdog.remove(ended.pid);
    expect(readGroups(readFileSync(children, 'utf8').split('\n'))).toEqual([identifyProcess(group.pid)]);
    await watchdog.close();
    await Promise.all([group.ended, stray.ended]);
    await until('the watchdog has ended', () => running(run).length === 0);
    expect(existsSync(children)).toBe(false);
  });
});
