import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openJournal } from '../../src/journal/journal.ts';
import { openLocalEngine } from '../../src/runner/engines/local-engine.ts';
import { UserError } from '../../src/support/user-error.ts';
import { emptyPlan, temporaryDirectory } from '../journal/project.ts';

const proof = process.env['WF_PROOF'] === '1';
const script = join(import.meta.dirname, 'drive-run.ts');

async function newRun(root: string): Promise<string> {
  const journal = await openJournal(root);
  const run = journal.createRun({ plan: emptyPlan, inputs: {} });
  journal.close();
  return run;
}

/** Starts a process that drives the run; `killAfter` milliseconds later it is no more. */
async function drive(
  root: string,
  run: string,
  killAfter?: number,
): Promise<{ readonly code: number | null; readonly pid: number; readonly stderr: string }> {
  const child = spawn(process.execPath, [script, root, run, join(root, 'log')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, pid: child.pid ?? 0, stderr };
}

describe('processes', () => {
  it(
    'of several that want one run, one drives it and the others say who does',
    { timeout: 30_000 },
    async () => {
      const root = temporaryDirectory();
      const run = await newRun(root);
      const all = await Promise.all([1, 2, 3, 4].map(() => drive(root, run)));
      const winners = all.filter(({ code }) => code === 0);
      expect(winners).toHaveLength(1);
      for (const loser of all.filter((each) => each !== winners[0])) {
        expect(loser).toMatchObject({ code: 3 });
        expect(loser.stderr).toContain(`run ${run} is being driven by pid ${winners[0]!.pid} on `);
      }
      const workers = new Set(logOf(root).map(({ pid }) => pid));
      expect([...workers]).toEqual([winners[0]!.pid]);
    },
  );

  it(
    'killed at any time, the next one carries on at once and repeats nothing that has a result',
    { timeout: proof ? 1_200_000 : 60_000 },
    async () => {
      const wanted = proof ? 200 : 10;
      let kills = 0;
      let lives = 0;
      let repeats = 0;
      while (kills < wanted) {
        const root = temporaryDirectory();
        const run = await newRun(root);
        for (;;) {
          lives += 1;
          const before = await eventsOf(root, run);
          const finished = new Set(
            before.flatMap((event) => (event.type === 'attempt.succeeded' ? [event.step] : [])),
          );
          // Spread over start-up and the run by a fixed sequence, so that a failure can be had again, near enough.
          const { code, pid, stderr } = await drive(
            root,
            run,
            kills < wanted ? 60 + ((lives * 137) % 240) : undefined,
          );
          const mine = logOf(root).filter((line) => line.pid === pid);
          expect(mine.filter(({ step }) => finished.has(step))).toEqual([]);
          repeats += mine.filter(({ repeated }) => repeated).length;
          expect((await eventsOf(root, run)).slice(0, before.length)).toEqual(before);
          expect(stderr).toBe('');
          if (code === 0) break;
          expect(code).toBeNull();
          kills += 1;
        }
        const events = await eventsOf(root, run);
        expect(events.at(-1)).toMatchObject({ type: 'run.succeeded' });
        const steps = events.flatMap((event) => (event.type === 'attempt.succeeded' ? [event.step] : []));
        expect(steps).toHaveLength(91);
        expect(new Set(steps).size).toBe(91);
      }
      console.log(
        `${kills} kills, ${repeats} pieces of work under way were done again, none that had a result`,
      );
    },
  );

  it('a full disk stops the run with everything acknowledged in the record, and it goes on later', async (context) => {
    const root = temporaryDirectory();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root], { stdio: 'ignore' });
    } catch {
      context.skip('a small file system cannot be mounted here');
    }
    onTestFinished(() => void execFileSync('umount', ['-l', root]));
    const ballast = join(root, 'ballast');
    writeFileSync(ballast, Buffer.alloc(300_000));

    const run = await newRun(root);
    const first = await openJournal(root);
    const engine = openLocalEngine(first, run);
    const kept: string[] = [];
    const fill = async (): Promise<void> => {
      for (let index = 0; index < 500; index += 1) {
        const step = `s${index}`;
        await engine.record(step, { type: 'step.succeeded', step, outputs: 'x'.repeat(5000) });
        await engine.saved();
        kept.push(step);
      }
    };
    await expect(fill()).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('no space left'),
    });
    await expect(engine.now('more')).rejects.toThrow(UserError);
    await expect(engine.close()).rejects.toThrow(UserError);
    first.close();
    expect(kept.length).toBeGreaterThan(10);

    rmSync(ballast);
    endLease(root);
    const second = await openJournal(root);
    const steps = second
      .readEvents(run)
      .flatMap((event) => (event.type === 'step.succeeded' ? [event.step] : []));
    expect(steps).toEqual(kept);
    const again = openLocalEngine(second, run);
    for (const step of kept) await again.record(step, { type: 'step.succeeded', step, outputs: '' });
    await again.record('end', { type: 'run.succeeded', outputs: {} });
    await again.close();
    expect(second.readRun(run).status).toBe('succeeded');
    second.close();
  });
});

/** As when the process that drove has ended; this one has not, and could not write that it let go. */
function endLease(root: string): void {
  const database = new DatabaseSync(join(root, '.wf', 'journal.db'));
  database.exec('UPDATE leases SET expires = 0');
  database.close();
}

async function eventsOf(root: string, run: string) {
  const journal = await openJournal(root);
  const events = journal.readEvents(run);
  journal.close();
  return events;
}

function logOf(root: string): { readonly pid: number; readonly step: string; readonly repeated: boolean }[] {
  const log = join(root, 'log');
  if (!existsSync(log)) return [];
  return readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([pid, step = '', repeated]) => ({ pid: Number(pid), step, repeated: repeated === 'true' }));
}
