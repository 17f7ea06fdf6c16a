import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { FifoPool } from '../../src/workspace/fifo-pool.ts';
import { runProcess } from '../../src/workspace/run-process.ts';
import type { ProcessRequest, ProcessResult } from '../../src/workspace/run-process.ts';

/** Waits until something holds, and says what did not when it takes too long. */
export async function until(what: string, holds: () => boolean, within = 8_000): Promise<void> {
  const end = Date.now() + within;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Processes whose command line holds a text, those that have ended and nobody waited for excepted. */
export function running(text: string): readonly number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    try {
      const line = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(text) ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}

/** A folder, and the pipes and the registry that a process needs. */
export function processPlace(): {
  readonly folder: string;
  readonly fifos: FifoPool;
  /** Groups that are known to be alive. */
  readonly groups: Set<number>;
  run(request: Partial<ProcessRequest> & Pick<ProcessRequest, 'argv'>): Promise<ProcessResult>;
  /** A bash script. */
  bash(script: string, request?: Partial<ProcessRequest>): Promise<ProcessResult>;
} {
  const folder = mkdtempSync(join(tmpdir(), 'wf-process-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const fifos = new FifoPool(join(folder, 'pipes'));
  const groups = new Set<number>();
  const registry = { add: (pid: number) => groups.add(pid), remove: (pid: number) => groups.delete(pid) };
  const run = (request: Partial<ProcessRequest> & Pick<ProcessRequest, 'argv'>) =>
    runProcess(
      {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '' },
        signal: new AbortController().signal,
        secrets: [],
        ...request,
      },
      { fifos, registry },
    );
  const bash = (script: string, request: Partial<ProcessRequest> = {}) =>
    run({ argv: ['bash', '--norc', '--noprofile', '-c', script], ...request });
  return { folder, fifos, groups, run, bash };
}
