import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/journal/event.ts';
import { type Journal, openJournal } from '../../src/journal/journal.ts';
import { hasEnded, type RunStatus, statusAfter } from '../../src/journal/run-state.ts';
import { Detached } from '../../src/runner/engine.ts';
import { ManualClock, wallClock } from '../../src/runner/engines/clock.ts';
import { openLocalEngine } from '../../src/runner/engines/local-engine.ts';
import { emptyPlan, temporaryDirectory } from '../journal/project.ts';
import { engineConformance, type EngineWorld } from './engine-conformance.ts';

engineConformance('local engine', () =>
  worldAt(mkdtempSync(join(tmpdir(), 'wf-')), new ManualClock(Date.UTC(2026, 0, 1))),
);

describe('lease', () => {
  it('lets one engine drive a run, and says who does', async () => {
    const journal = await openJournal(temporaryDirectory());
    const run = journal.createRun({ plan: emptyPlan, inputs: {} });
    const engine = openLocalEngine(journal, run);
    expect(() => openLocalEngine(journal, run)).toThrow(
      new RegExp(`driven by pid ${process.pid} on .+ since 2`),
    );
    await engine.close();
    await openLocalEngine(journal, run).close();
    journal.close();
  });

  it('lets a driver that lost its lease write nothing more', async () => {
    const root = temporaryDirectory();
    const journal = await openJournal(root);
    const run = journal.createRun({ plan: emptyPlan, inputs: {} });
    const late = openLocalEngine(journal, run);
    await late.now('before');
    await late.saved();

    // As after a long stop of the process: its lease ran out, and somebody else took over.
    const database = new DatabaseSync(journal.file);
    database.exec('UPDATE leases SET expires = 1');
    database.close();
    const second = await openJournal(root);
    const engine = openLocalEngine(second, run);
    expect(await engine.now('before')).toEqual(expect.any(Number));
    await engine.now('after');
    await engine.saved();

    const worked: string[] = [];
    const work = late.step('late', async () => (worked.push('late'), { type: 'step.cancelled' }), {
      started: { type: 'step.started', step: 'late' },
    });
    await expect(work).rejects.toMatchObject({ name: 'Detached', reason: 'lease-lost' });
    await expect(late.now('more')).rejects.toThrow(Detached);
    expect(worked).toEqual([]);
    expect(late.signal.reason).toBe('lease-lost');
    await late.close();
    await engine.close();
    expect(second.readEvents(run).map(({ type }) => type)).toEqual([
      'value.recorded',
      'run.resumed',
      'value.recorded',
    ]);
    journal.close();
    second.close();
  });

  it('finds out that it lost the lease while it only waits', async () => {
    const journal = await openJournal(temporaryDirectory());
    const run = journal.createRun({ plan: emptyPlan, inputs: {} });
    const engine = openLocalEngine(journal, run);
    const waiting = engine.receive('a', () => true);
    const database = new DatabaseSync(journal.file);
    database.exec('UPDATE leases SET token = token + 1');
    database.close();
    await expect(waiting).rejects.toMatchObject({ reason: 'lease-lost' });
    await engine.close();
    journal.close();
  });
});

describe('wall clock', () => {
  const hour = 3_600_000;

  it('follows when the time is set, forward and back', async () => {
    let offset = 0;
    const clock = wallClock({ now: () => Date.now() + offset, lookMilliseconds: 10 });
    const inAnHour = new Promise<void>((resolve) => clock.at(clock.now() + hour, resolve));
    offset = hour;
    await inAnHour;

    const soon = new Promise<void>((resolve) => clock.at(clock.now() + 20, resolve));
    offset -= 50;
    const before = performance.now();
    await soon;
    expect(performance.now() - before).toBeGreaterThan(60);
  });

  it('takes a time further away than a timer can hold, and can be called off', async () => {
    const rang: string[] = [];
    const clock = wallClock({ lookMilliseconds: 5 });
    const offs = [
      clock.at(Date.now() + 40 * 24 * hour, () => rang.push('far')),
      clock.at(Date.now() + 15, () => rang.push('called off')),
    ];
    offs[1]!();
    await new Promise((resolve) => setTimeout(resolve, 40));
    offs[0]!();
    expect(rang).toEqual([]);
  });
});

/** A project in a directory of its own, whose runs are there as soon as they are named. */
async function worldAt(root: string, clock: ManualClock): Promise<EngineWorld> {
  const journal = await openJournal(root);
  const engines = new Map<string, ReturnType<typeof openLocalEngine>>();
  const settled = async (): Promise<void> => {
    for (const engine of engines.values()) await engine.settled();
  };
  return {
    now: () => clock.now(),
    open(run, options) {
      if (journal.listRuns().every((each) => each.run !== run)) {
        journal.createRun({ id: run, plan: emptyPlan, inputs: {} });
      }
      const engine = openLocalEngine(journal, run, { ...options, clock });
      engines.set(run, engine);
      return engine;
    },
    send: (run, signal) => void journal.sendSignal(run, signal),
    async advance(milliseconds) {
      const until = clock.now() + milliseconds;
      do await settled();
      while (clock.step(until));
      await settled();
    },
    events: (run) => journal.readEvents(run),
    async upTo(run, count) {
      const copy = mkdtempSync(join(tmpdir(), 'wf-'));
      (await openJournal(copy)).close();
      cutAfter(journal, join(copy, '.wf', 'journal.db'), run, count);
      return worldAt(copy, new ManualClock(clock.now()));
    },
    async close() {
      for (const engine of engines.values()) {
        engine.detach();
        await engine.close();
      }
      journal.close();
      rmSync(root, { recursive: true });
    },
  };
}

/** Makes `file` a copy of the journal as it was when the run had `count` events and its driver died. */
function cutAfter(journal: Journal, file: string, run: string, count: number): void {
  rmSync(file);
  const source = new DatabaseSync(journal.file);
  source.prepare('VACUUM INTO ?').run(file);
  source.close();

  const events = journal.readEvents(run).slice(0, count);
  const status = events.reduce<RunStatus>((before, { type }) => statusAfter(before, type), 'queued');
  const database = new DatabaseSync(file);
  database.prepare('DELETE FROM events WHERE run = ? AND seq > ?').run(run, count);
  database.prepare('UPDATE runs SET status = ? WHERE id = ?').run(status, run);
  database.prepare('UPDATE leases SET expires = 0 WHERE run = ?').run(run);
  if (!hasEnded(status)) {
    for (const group of heldBy(events)) {
      database.prepare('DELETE FROM locks WHERE run = ?').run(run);
      database
        .prepare('INSERT INTO locks (lock_group, run, name, held) VALUES (?, ?, ?, 1)')
        .run(group, run, 'lock');
    }
  }
  database.close();
}

function heldBy(events: readonly RunEvent[]): Set<string> {
  const held = new Set<string>();
  for (const event of events) {
    if (event.type !== 'value.recorded') continue;
    if (event.of === 'lock' && event.value !== null) held.add(String(event.value));
    if (event.of === 'release') held.delete(String(event.value));
  }
  return held;
}
