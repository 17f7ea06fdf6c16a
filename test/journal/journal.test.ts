import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { entryOf } from '../../src/journal/entry.ts';
import type { EventBody, RunEvent } from '../../src/journal/event.ts';
import { findJournal, type Journal, openJournal } from '../../src/journal/journal.ts';
import { LeaseLost } from '../../src/journal/lease.ts';
import { migrations } from '../../src/journal/schema.ts';
import { UserError } from '../../src/support/user-error.ts';
import { emptyPlan, temporaryDirectory } from './project.ts';

/** A journal in a directory of its own, and a run in it that is driven from here. */
async function project() {
  const root = temporaryDirectory();
  const journal = await openJournal(root);
  onTestFinished(() => journal.close());
  const run = journal.createRun({ plan: emptyPlan, inputs: { a: 1 } });
  const lease = journal.acquireLease(run);
  let seq = 0;
  const append = (...events: EventBody[]): Promise<void> =>
    journal.append(
      lease,
      events.map((event) => entryOf(event, ++seq, `key ${seq}`, new Date())),
    );
  return { root, journal, run, lease, append };
}

const started: EventBody = { type: 'run.started', formula: 'nothing', plan: emptyPlan.plan, inputs: {} };
const step = (name: string): EventBody => ({ type: 'step.started', step: name });

describe('runs', () => {
  it('are listed newest first, page by page, with how they stand', async () => {
    const { journal } = await project();
    const ids = Array.from({ length: 7 }, (_, n) =>
      journal.createRun({ id: `00${n}`, plan: emptyPlan, inputs: {} }),
    );
    const own = journal.listRuns({ limit: 1 });
    expect(own).toMatchObject([
      { formula: 'nothing', plan: emptyPlan.plan, inputs: { a: 1 }, status: 'queued' },
    ]);
    const pages: string[][] = [];
    for (let before = own[0]!.run; ;) {
      const page = journal.listRuns({ limit: 3, before }).map(({ run }) => run);
      if (page.length === 0) break;
      pages.push(page);
      before = page.at(-1)!;
    }
    expect(pages).toEqual([['006', '005', '004'], ['003', '002', '001'], ['000']]);
    expect(pages.flat().reverse()).toEqual(ids);
  });

  it('keep the whole plan and add up their events', async () => {
    const { journal, run, append } = await project();
    expect(journal.readPlan(run)).toEqual(emptyPlan);
    expect(journal.readState(run).status).toBe('queued');
    await append(started, step('a'));
    expect(journal.readState(run)).toMatchObject({ status: 'running', steps: { a: { status: 'running' } } });
    expect(journal.readRun(run).status).toBe('running');
    await append({ type: 'run.waiting', waiting: [] });
    expect(journal.readRun(run).status).toBe('waiting');
    await append({ type: 'run.cancelled' });
    expect(journal.readRun(run)).toMatchObject({ status: 'cancelled', endedAt: expect.any(String) });
  });

  it('that are not there are said to be not there', async () => {
    const { journal } = await project();
    for (const look of [
      () => journal.readRun('nope'),
      () => journal.readEvents('nope'),
      () => journal.readPlan('nope'),
      () => journal.sendSignal('nope', { kind: 'cancel', verified: false }),
      () => journal.acquireLease('nope'),
      () => journal.deleteRun('nope'),
    ]) {
      expect(look).toThrow(UserError);
      expect(look).toThrow('there is no run nope');
    }
  });

  it('are forgotten with all that belongs to them, but not while somebody drives them', async () => {
    const { journal, run, lease, append } = await project();
    await append(started);
    journal.takeLock(lease, 'group', 'lock');
    journal.sendSignal(run, { kind: 'event', event: 'e', verified: true });
    expect(() => journal.deleteRun(run)).toThrow(/is being driven by pid/);
    journal.releaseLease(lease);
    journal.deleteRun(run);
    const database = new DatabaseSync(journal.file);
    for (const table of ['runs', 'events', 'inbox', 'leases', 'locks']) {
      expect(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()).toEqual({ count: 0 });
    }
    database.close();
  });
});

describe('appending', () => {
  it('gathers what one turn of the event loop brings into one transaction', async () => {
    const { journal, lease } = await project();
    const database = new DatabaseSync(journal.file);
    onTestFinished(() => database.close());
    const versions = new Set<unknown>();
    const version = () => database.prepare('PRAGMA data_version').get()?.['data_version'];
    versions.add(version());
    const appends = Array.from({ length: 20 }, (_, n) =>
      journal
        .append(lease, [entryOf(step(`s${n}`), n + 1, null, new Date())])
        .then(() => versions.add(version())),
    );
    await Promise.all(appends);
    expect(versions.size).toBe(2);
    expect(journal.readEvents(lease.run)).toHaveLength(20);
  });

  it('takes all of it or nothing, never a gap and never a key twice', async () => {
    const { journal, run, lease } = await project();
    const entry = (seq: number, key: string) => entryOf(step(key), seq, key, new Date());
    await journal.append(lease, [entry(1, 'a')]);
    await expect(journal.append(lease, [entry(2, 'b'), entry(4, 'c')])).rejects.toThrow('does not follow');
    await expect(journal.append(lease, [entry(2, 'b'), entry(3, 'a')])).rejects.toThrow('UNIQUE');
    expect(journal.readEvents(run)).toHaveLength(1);
  });

  it('refuses one run that lost its lease and takes the other in the same transaction', async () => {
    const { journal, run, lease } = await project();
    const other = journal.acquireLease(journal.createRun({ plan: emptyPlan, inputs: {} }));
    const entry = entryOf(started, 1, null, new Date());
    const lost = journal.append({ ...lease, token: lease.token - 1 }, [entry]);
    const kept = journal.append(other, [entry]);
    await expect(lost).rejects.toThrow(LeaseLost);
    await kept;
    expect(journal.readEvents(run)).toEqual([]);
    expect(journal.readEvents(other.run)).toHaveLength(1);
  });
});

describe('leases', () => {
  it('count up with each holder, and end when given up', async () => {
    const { journal, run, lease } = await project();
    expect(journal.leaseHolder(run)).toMatchObject({ alive: true, token: 1, process: { pid: process.pid } });
    expect(() => journal.acquireLease(run)).toThrow(`pid ${process.pid}`);
    journal.releaseLease(lease);
    expect(journal.leaseHolder(run)).toMatchObject({ alive: false });
    expect(journal.acquireLease(run).token).toBe(2);
    expect(() => journal.renewLease(lease)).toThrow(LeaseLost);
    journal.releaseLease(lease);
    expect(journal.leaseHolder(run)).toMatchObject({ alive: true, token: 2 });
  });

  it('are kept by a process that cannot be judged from here, and not by one that is surely gone', async () => {
    const { journal, run } = await project();
    const database = new DatabaseSync(journal.file);
    onTestFinished(() => database.close());
    const holder = (change: object): void => {
      const own = journal.leaseHolder(run)!.process;
      database.prepare('UPDATE leases SET process = ?').run(JSON.stringify({ ...own, ...change }));
    };
    holder({ host: 'elsewhere', pid: 999_999_999 });
    expect(() => journal.acquireLease(run)).toThrow('pid 999999999 on elsewhere since');
    holder({ host: journal.leaseHolder(run)!.process.host, pid: process.pid });
    const { hostname } = await import('node:os');
    // The number lives, but belongs to a later process.
    holder({ host: hostname(), start: '1' });
    expect(journal.acquireLease(run).token).toBe(2);
    holder({ pid: 999_999_999 });
    expect(journal.acquireLease(run).token).toBe(3);
  });
});

describe('signals', () => {
  it('arrive once when sent twice under one id, and are numbered', async () => {
    const { journal, run } = await project();
    const approve = { kind: 'approve', step: 'a', by: 'ann', verified: false } as const;
    const first = journal.sendSignal(run, approve, { sender: 'x' });
    expect(first).toMatchObject({ id: 1, ...approve });
    expect(journal.sendSignal(run, approve, { sender: 'x' })).toEqual(first);
    expect(journal.sendSignal(run, approve).id).toBe(2);
    expect(journal.readSignals(run).map(({ id }) => id)).toEqual([1, 2]);
    expect(journal.readSignals(run, 1).map(({ id }) => id)).toEqual([2]);
  });

  it('are refused when the run has ended, but for one that had arrived', async () => {
    const { journal, run, append } = await project();
    const cancel = { kind: 'cancel', verified: false } as const;
    const before = journal.sendSignal(run, cancel, { sender: 'x' });
    await append(started, { type: 'run.cancelled' });
    expect(() => journal.sendSignal(run, cancel)).toThrow('has ended: cancelled');
    expect(journal.sendSignal(run, cancel, { sender: 'x' })).toEqual(before);
  });
});

describe('watching', () => {
  it.each(['the same process', 'another'])('follows what %s records, to the end', async (who) => {
    const { root, journal, run, append } = await project();
    const watcher = who === 'another' ? await openJournal(root) : journal;
    const seen: RunEvent[] = [];
    await append(started, step('a'));
    const watching = (async () => {
      for await (const event of watcher.watch(run, 1, new AbortController().signal)) seen.push(event);
    })();
    await append(step('b'));
    await expect.poll(() => seen.length).toBe(2);
    await append(step('c'), { type: 'run.succeeded', outputs: {} });
    await watching;
    expect(seen).toEqual(journal.readEvents(run, 1));
    if (watcher !== journal) watcher.close();
  });

  it('ends when told to, and when the run is deleted', async () => {
    const { journal, run, lease } = await project();
    const stop = new AbortController();
    const watch = async (signal: AbortSignal): Promise<string> => {
      for await (const _ of journal.watch(run, 0, signal)) expect.unreachable();
      return 'ended';
    };
    const told = watch(stop.signal);
    setTimeout(() => stop.abort(), 10);
    expect(await told).toBe('ended');
    const deleted = watch(new AbortController().signal);
    journal.releaseLease(lease);
    journal.deleteRun(run);
    expect(await deleted).toBe('ended');
  });
});

describe('the file', () => {
  it('is made with a directory that git ignores, and nothing is made by looking', async () => {
    const root = temporaryDirectory();
    expect(await findJournal(root)).toBeUndefined();
    expect(existsSync(join(root, '.wf'))).toBe(false);
    (await openJournal(root)).close();
    expect(readdirSync(join(root, '.wf')).sort()).toEqual(['.gitignore', 'journal.db']);
    expect(readFileSync(join(root, '.wf', '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('is one, when several make it at once', async () => {
    const root = temporaryDirectory();
    const script = `
      import { openJournal } from ${JSON.stringify(join(import.meta.dirname, '../../src/journal/journal.ts'))};
      const journal = await openJournal(${JSON.stringify(root)});
      journal.createRun({ plan: ${JSON.stringify(emptyPlan)}, inputs: {} });
      journal.close();`;
    const { spawn } = await import('node:child_process');
    const codes = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise((resolve) =>
            spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }).on(
              'close',
              resolve,
            ),
          ),
      ),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    const journal = await openJournal(root);
    expect(journal.listRuns()).toHaveLength(4);
    journal.close();
  });

  it('of a newer wf is refused and left alone', async () => {
    const { root, journal } = await project();
    journal.close();
    const database = new DatabaseSync(journal.file);
    database.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    database.close();
    await refuses(root, 'was written by a newer wf');
  });

  it('that is no journal is refused and left alone', async () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, '.wf'));
    const file = join(root, '.wf', 'journal.db');
    const database = new DatabaseSync(file);
    database.exec('CREATE TABLE mine (a)');
    database.close();
    await refuses(root, 'is not a journal of wf');
    writeFileSync(file, 'hello '.repeat(1000));
    await refuses(root, 'is damaged');
    writeFileSync(file, '');
    await refuses(root, 'it is empty');
  });

  it('cut off anywhere is found when it is opened or verified', async () => {
    const { root, journal, append } = await project();
    for (let n = 0; n < 40; n += 1)
      await append({ type: 'step.succeeded', step: `s${n}`, outputs: 'x'.repeat(3000) });
    journal.close();
    const whole = join(root, 'whole.db');
    copyFileSync(journal.file, whole);
    const { size } = statSync(whole);
    for (let part = 0; part < 40; part += 1) {
      copyFileSync(whole, journal.file);
      truncateSync(journal.file, Math.floor((size * part) / 40));
      await refuses(root, 'is damaged');
    }
  });

  it('with pages that were overwritten is found when it is verified', async () => {
    const { root, journal, append } = await project();
    for (let n = 0; n < 40; n += 1)
      await append({ type: 'step.succeeded', step: `s${n}`, outputs: 'x'.repeat(300) });
    journal.close();
    const bytes = readFileSync(journal.file);
    // From the second page on: the first alone is what opening looks at.
    for (let page = 4096; page < bytes.length; page += 4096) bytes.fill(0xa5, page, page + 200);
    writeFileSync(journal.file, bytes);
    await refuses(root, 'is damaged');
  });

  it('with an event that is no JSON, or with one missing, is refused when that run is read', async () => {
    const { journal, run, append } = await project();
    await append(started, step('a'), step('b'));
    const database = new DatabaseSync(journal.file);
    onTestFinished(() => database.close());
    database.exec(`UPDATE events SET body = '{"step":' WHERE seq = 2`);
    expect(() => journal.readEvents(run)).toThrow(`event 2 of run ${run} is not JSON`);
    database.exec('DELETE FROM events WHERE seq = 2');
    expect(() => journal.readEvents(run)).toThrow(`event 2 of run ${run} is missing`);
  });

  it('that another program keeps locked is told so, in the end', { timeout: 20_000 }, async () => {
    const { journal, run } = await project();
    const database = new DatabaseSync(journal.file);
    database.exec('BEGIN IMMEDIATE');
    expect(() => journal.sendSignal(run, { kind: 'cancel', verified: false })).toThrow(
      'has been locked by another program',
    );
    database.exec('ROLLBACK');
    database.close();
    expect(journal.sendSignal(run, { kind: 'cancel', verified: false }).id).toBe(1);
  });

  it('in a directory that cannot be written says so', async (context) => {
    const root = temporaryDirectory();
    (await openJournal(root)).close();
    const directory = join(root, '.wf');
    try {
      execFileSync('chattr', ['+i', directory, join(directory, 'journal.db')], { stdio: 'ignore' });
    } catch {
      context.skip('files cannot be made immutable here');
    }
    onTestFinished(() => void execFileSync('chattr', ['-i', directory, join(directory, 'journal.db')]));
    await expect(openJournal(root)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(/cannot be (opened for writing|written)/),
      hint: expect.stringContaining('writable'),
    });
  });

  it('whose directory is a file says so', async () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, '.wf'), '');
    await expect(openJournal(root)).rejects.toThrow('.wf is not a directory');
  });
});

/** Opening or verifying throws, with this in the message, and the file is byte for byte as before. */
async function refuses(root: string, message: string): Promise<void> {
  const file = join(root, '.wf', 'journal.db');
  const before = readFileSync(file);
  let journal: Journal | undefined;
  await expect(
    (async () => {
      journal = await openJournal(root);
      journal.verify();
    })(),
  ).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining(message),
    hint: expect.any(String),
  });
  journal?.close();
  expect(readFileSync(file).equals(before)).toBe(true);
}
