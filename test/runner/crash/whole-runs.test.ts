import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { proving } from '../../support/proof.ts';
import { CrashProject, until, untilNothingRuns } from './crash-project.ts';

const journalOf = (project: CrashProject): string => join(project.root, '.wf', 'journal.db');

/** As when the lease of a driver that stands still has run out. */
function endLease(project: CrashProject): void {
  const database = new DatabaseSync(journalOf(project));
  database.exec('UPDATE leases SET expires = 0');
  database.close();
}

/** What actions said, in order, without attempts. */
const saidIn = (project: CrashProject): readonly string[] =>
  project.notes().map(({ what, place }) => `${what} ${place.replace(/@\d+$/, '')}`);

/** A run of `patient` that waits for its event. */
async function waitingRun(): Promise<{ readonly project: CrashProject; readonly run: string }> {
  const project = new CrashProject();
  const { code, state, stderr } = await project.start('patient', { alone: true }).ended;
  expect({ code, status: state?.status, stderr }).toEqual({ code: 4, status: 'waiting', stderr: '' });
  return { project, run: String(state?.run) };
}

/** A run whose driver was killed in the middle of its first step. */
async function killedIn(formula: string): Promise<{ readonly project: CrashProject; readonly run: string }> {
  const project = new CrashProject();
  writeFileSync(join(project.notesFolder, 'hold'), '');
  const driver = project.start(formula);
  await until('the step has begun', () => project.notes().length > 0);
  driver.kill();
  await driver.ended;
  return { project, run: String(await project.run()) };
}

const letGo = (project: CrashProject) => rmSync(join(project.notesFolder, 'hold'));

describe('several that want one run', () => {
  it('one drives it, and the others are told who does', { timeout: 60_000 }, async () => {
    const { project, run } = await waitingRun();
    const all = [1, 2, 3].map(() => project.resume(run, { silent: true, tell: true }));
    const losers = all.map((driver) =>
      driver.ended.then(({ code, stderr }) => ({ pid: driver.pid, code, stderr })),
    );
    // The winner stays; so two of three end, whichever they are.
    const first = await Promise.race(losers);
    const others = all.filter(({ pid }) => pid !== first.pid);
    const second = await Promise.race(losers.filter((_, index) => all[index]?.pid !== first.pid));
    const winner = others.find(({ pid }) => pid !== second.pid);
    for (const { code, stderr } of [first, second]) {
      expect(code).toBe(3);
      expect(stderr).toMatch(`run ${run} is being driven by pid ${winner?.pid} on ${hostname()} since 20`);
    }
    await project.withJournal((journal) =>
      journal.sendSignal(run, { kind: 'event', event: 'go', data: 7, verified: false }),
    );
    expect(await winner?.ended).toMatchObject({
      code: 0,
      state: { status: 'succeeded', outputs: { event: 7 } },
    });
    expect(saidIn(project)).toEqual(
      ['before', 'after', 'report'].flatMap((step) => [`begin ${step}`, `end ${step}`]),
    );
  });

  it.each(proving ? ['ran out', 'was taken'] : ['was taken'])(
    'one that stood still, and whose lease %s, does nothing more',
    { timeout: 60_000 },
    async (how) => {
      const project = new CrashProject();
      writeFileSync(join(project.notesFolder, 'hold'), '');
      const first = project.start('held');
      await until('the step has begun', () => project.notes().length === 1);
      first.kill('SIGSTOP');
      const run = String(await project.run());
      expect(await project.resume(run).ended).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(`run ${run} is being driven by pid ${first.pid} on `),
      });
      if (how === 'was taken') endLease(project);
      else
        await until('the lease has run out', () =>
          project.withJournal((j) => j.leaseHolder(run)?.alive === false),
        );
      const second = project.resume(run);
      await until('the other has begun it again', () => project.notes().length === 2);

      const noted = project.notes();
      first.kill('SIGCONT');
      const { code, stderr } = await first.ended;
      expect(code).toBe(3);
      expect(stderr).toContain(`run ${run} is no longer driven by this process but by pid ${second.pid} on `);
      // What the other does goes on as if nothing had been.
      expect(project.notes()).toEqual(noted);
      letGo(project);
      expect(await second.ended).toMatchObject({ code: 0, stderr: '', state: { status: 'succeeded' } });
      expect(saidIn(project)).toEqual([
        'begin work',
        ...['work', 'after', 'report'].flatMap((step) => [`begin ${step}`, `end ${step}`]),
      ]);
      expect(await untilNothingRuns(run)).toBeDefined();
    },
  );
});

describe('a damaged journal', () => {
  it.each([
    ['cut off in the middle', (file: string) => truncateSync(file, 3 * 4096 + 100), /damaged/],
    ['cut off to nothing', (file: string) => truncateSync(file, 0), /damaged: it is empty/],
    ['something else', (file: string) => writeFileSync(file, 'SQLite format 4'.padEnd(8192, '?')), /damaged/],
    [
      'with an event missing',
      (file: string) => change(file, 'DELETE FROM events WHERE seq = 5'),
      /event 5 of run .* is missing/,
    ],
    [
      'with a word of an event changed',
      (file: string) => flip(file, '"stderr":""', '"stderr":"!'),
      /damaged/,
    ],
    [
      'with a letter of an event changed',
      (file: string) => flip(file, 'step.started', 'step.starteD'),
      /damaged/,
    ],
    [
      'with a letter of an output changed',
      (file: string) => flip(file, '"exit_code":0', '"exit_code":1'),
      /damaged: event \d+ of run .* is not what was written/,
    ],
    [
      'with a letter of the plan changed',
      (file: string) => flip(file, 'echo after', 'echo aftxr'),
      /damaged: the plan of run .* is not what was written/,
    ],
  ])('%s is told, and left as it was', { timeout: 60_000 }, async (_, damage, message) => {
    const { project, run } = await waitingRun();
    const file = journalOf(project);
    damage(file);
    copyFileSync(file, `${file}.kept`);
    const { code, stderr } = await project.resume(run, { alone: true }).ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(message);
    expect(readFileSync(file).equals(readFileSync(`${file}.kept`))).toBe(true);
    expect(saidIn(project)).toEqual(['begin before', 'end before']);
  });

  function change(file: string, sql: string): void {
    const database = new DatabaseSync(file);
    database.exec(sql);
    database.close();
  }

  /** As a bad disk does, behind the back of SQLite. */
  function flip(file: string, from: string, to: string): void {
    const bytes = readFileSync(file);
    const at = bytes.indexOf(from);
    expect(at).toBeGreaterThan(0);
    bytes.write(to, at);
    writeFileSync(file, bytes);
  }
});

describe('a run that is carried on', () => {
  it('follows the plan it began with, whatever the files say by now', { timeout: 60_000 }, async () => {
    const { project, run } = await waitingRun();
    rmSync(join(project.root, 'formulas'), { recursive: true });
    rmSync(join(project.root, 'wf.yaml'));
    const { code, state } = await project.resume(run).ended;
    expect(code).toBe(0);
    expect(state).toMatchObject({ status: 'succeeded', outputs: { event: { ok: false } } });
    expect(project.git('show', `${state?.branch}:file.txt`)).toBe('before\nafter');
  });

  it('begins when nothing has happened to it yet', { timeout: 60_000 }, async () => {
    const { project, run } = await waitingRun();
    const other = await project.withJournal((journal) =>
      journal.createRun({ plan: journal.readPlan(run), inputs: {} }),
    );
    expect(await project.resume(other).ended).toMatchObject({ code: 0, state: { status: 'succeeded' } });
  });

  it('is not held up by what git had locked when it was killed', { timeout: 60_000 }, async () => {
    const { project, run } = await waitingRun();
    const other = await project.withJournal((journal) =>
      journal.createRun({ plan: journal.readPlan(run), inputs: {} }),
    );
    const lock = (ref: string) => {
      const file = join(project.root, '.git', `${ref}.lock`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, '');
      return file;
    };
    const foreign = lock('refs/wf/01J00000000000000000000000/base');
    lock(`refs/heads/wf/patient/${run}`);
    lock(`refs/wf/${other}/base`);
    expect(await project.resume(run).ended).toMatchObject({ code: 0, state: { status: 'succeeded' } });
    expect(await project.resume(other).ended).toMatchObject({ code: 0, state: { status: 'succeeded' } });
    expect(existsSync(foreign)).toBe(true);
  });

  it('is cancelled when somebody cancelled it while nobody drove it', { timeout: 60_000 }, async () => {
    const { project, run } = await killedIn('held');
    await project.withJournal((journal) =>
      journal.sendSignal(run, { kind: 'cancel', by: 'ann@example.com', verified: false }),
    );
    const { code, state } = await project.resume(run).ended;
    expect({ code, status: state?.status }).toEqual({ code: 0, status: 'cancelled' });
    expect(Object.entries(state?.steps ?? {}).map(([id, { status }]) => `${id} ${status}`)).toEqual([
      'work cancelled',
      'after skipped',
      'report succeeded',
    ]);
    expect(saidIn(project).slice(-2)).toEqual(['begin report', 'end report']);
    expect(saidIn(project)).not.toContain('end work');
    expect(await untilNothingRuns(run)).toBeDefined();
  });

  it.each(['ran', 'again'] as const)(
    'asks about a step that must never run twice and was under way: %s',
    { timeout: 60_000 },
    async (kind) => {
      const { project, run } = await killedIn('careful');
      const asked = await project.resume(run, { alone: true }).ended;
      expect(asked).toMatchObject({ code: 4, stderr: '', state: { status: 'waiting' } });
      expect(asked.state?.waiting).toEqual([
        {
          step: 'deploy',
          for: 'decision',
          ask: `did "deploy" happen? Say \`wf resume ${run} --ran deploy\` or \`--again deploy\``,
        },
      ]);
      // Asking again changes nothing.
      expect(await project.resume(run, { alone: true }).ended).toMatchObject({ code: 4 });
      expect(saidIn(project)).toEqual(['begin deploy']);

      letGo(project);
      await project.withJournal((journal) =>
        journal.sendSignal(run, { kind, step: 'deploy', verified: false }),
      );
      const { code, state } = await project.resume(run, { alone: true }).ended;
      expect({ code, status: state?.status }).toEqual({ code: 0, status: 'succeeded' });
      expect(state?.steps['deploy']).toMatchObject({ status: 'succeeded' });
      expect(saidIn(project)).toEqual([
        'begin deploy',
        ...(kind === 'ran' ? [] : ['begin deploy', 'end deploy']),
        'begin after',
        'end after',
      ]);
    },
  );
});

describe('what a killed driver leaves', () => {
  it(
    'ends within five seconds, also what hears no SIGTERM or has left its group',
    { timeout: 60_000 },
    async () => {
      const { project, run } = await killedIn('stubborn');
      expect(await untilNothingRuns(run)).toBeDefined();
      expect(existsSync(journalOf(project))).toBe(true);
    },
  );

  it('is ended by whoever carries the run on, before anything starts', { timeout: 60_000 }, async () => {
    const project = new CrashProject();
    writeFileSync(join(project.notesFolder, 'hold'), '');
    const driver = project.start('held');
    await until('the step has begun', () => project.notes().length > 0);
    // The watchdog dies as well, so that nobody ends the step's command.
    driver.killAll(({ command }) => !command.includes('hold'));
    await driver.ended;
    const run = String(await project.run());
    const second = project.resume(run);
    await until('it was begun again', () => project.notes().length === 2);
    letGo(project);
    expect(await second.ended).toMatchObject({ code: 0, state: { status: 'succeeded' } });
    expect(saidIn(project).filter((said) => said === 'end work')).toHaveLength(1);
  });
});
