import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventBody, RunEvent } from '../../src/journal/event.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { applyEvent, foldRun, initialRun, type RunHeader } from '../../src/journal/run-state.ts';
import type { Plan, PlanStep } from '../../src/plan/plan.ts';
import { openLocalEngine } from '../../src/runner/engines/local-engine.ts';
import { emptyPlan, temporaryDirectory } from './project.ts';

const header: RunHeader = { run: 'R', formula: 'f', plan: 'sha256:0', inputs: {}, createdAt: time(0) };

function time(seq: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString();
}

function eventsOf(...bodies: EventBody[]): RunEvent[] {
  return bodies.map((body, index) => ({ run: 'R', seq: index + 1, at: time(index + 1), ...body }));
}

function planStep(id: string, more: Partial<PlanStep> = {}): PlanStep {
  return {
    id,
    needs: [],
    action: { kind: 'wait', for: 0 },
    source: { file: 'f', line: 1, column: 1 },
    ...more,
  };
}

const plan: Plan = {
  ...emptyPlan,
  steps: [
    planStep('build'),
    planStep('fix', {
      forEach: 'inputs.paths',
      action: { kind: 'group', formula: 'g', steps: [planStep('lint'), planStep('test')] },
    }),
    planStep('release', {
      action: { kind: 'group', formula: 'r', steps: [planStep('tag')], finally: [planStep('tidy')] },
    }),
  ],
  finally: [planStep('report')],
};

const NO_USAGE = {
  turns: 0,
  tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
  usd: 0,
  unpriced: [],
  repeated: 0,
};

describe('run state', () => {
  it('has every step that can be known before anything happens, in the order of the plan', () => {
    const state = initialRun(header, plan);
    expect(Object.keys(state.steps)).toEqual([
      'build',
      'fix',
      'release',
      'release.tag',
      'release.tidy',
      'report',
    ]);
    expect(state).toMatchObject({
      status: 'queued',
      startedAt: time(0),
      usage: NO_USAGE,
    });
  });

  it('puts steps inside of items behind their group, in the order of the plan and of the items', () => {
    const paths = ['fix[10].lint', 'report', 'fix[2].test', 'fix[2].lint', 'build', 'gone'];
    const state = foldRun(
      header,
      eventsOf(...paths.map((step) => ({ type: 'step.started', step }) as const)),
      plan,
    );
    expect(Object.keys(state.steps)).toEqual([
      'build',
      'fix',
      'fix[2].lint',
      'fix[2].test',
      'fix[10].lint',
      'release',
      'release.tag',
      'release.tidy',
      'report',
      'gone',
    ]);
  });

  it('tells a run of one step from its start to its end', () => {
    const events = eventsOf(
      { type: 'run.started', formula: 'nothing', plan: 'sha256:1', inputs: { a: 1 } },
      { type: 'step.started', step: 'build' },
      { type: 'attempt.started', step: 'build', attempt: 1 },
      {
        type: 'attempt.failed',
        step: 'build',
        attempt: 1,
        retryable: true,
        error: { kind: 'error', message: 'no' },
      },
      { type: 'attempt.started', step: 'build', attempt: 2 },
      { type: 'attempt.started', step: 'build', attempt: 2, infrastructure: 1 },
      { type: 'attempt.succeeded', step: 'build', attempt: 2, outputs: { n: 1 } },
      { type: 'step.succeeded', step: 'build', outputs: { n: 1 } },
      { type: 'run.succeeded', outputs: { all: 1 }, branch: 'wf/f/R', changedFiles: ['a'] },
    );
    expect(foldRun(header, events)).toEqual({
      run: 'R',
      formula: 'nothing',
      plan: 'sha256:1',
      inputs: { a: 1 },
      status: 'succeeded',
      startedAt: time(1),
      endedAt: time(9),
      steps: {
        build: { status: 'succeeded', attempts: 2, outputs: { n: 1 }, startedAt: time(2), endedAt: time(8) },
      },
      outputs: { all: 1 },
      usage: NO_USAGE,
      branch: 'wf/f/R',
      changedFiles: ['a'],
    });
  });

  it('keeps items apart, and adds up their attempts', () => {
    const place = (item: number) => ({ step: 'fix', item });
    const state = foldRun(
      header,
      eventsOf(
        { type: 'step.started', step: 'fix' },
        { type: 'items.listed', step: 'fix', items: ['a', 'b', 'c'] },
        { type: 'attempt.started', ...place(0), attempt: 1, iteration: 1 },
        { type: 'step.succeeded', ...place(0), outputs: { ok: true } },
        { type: 'attempt.started', ...place(1), attempt: 1, iteration: 2 },
        { type: 'attempt.started', ...place(1), attempt: 2, iteration: 2 },
        { type: 'step.failed', ...place(1), error: { kind: 'verify', message: 'no' } },
        { type: 'step.cancelled', ...place(2) },
      ),
    );
    expect(state.steps['fix']).toMatchObject({ status: 'running', attempts: 3 });
    expect(state.steps['fix']!.items).toMatchObject([
      { item: 'a', status: 'succeeded', attempts: 1, iterations: 1, outputs: { ok: true } },
      { item: 'b', status: 'failed', attempts: 2, iterations: 2, error: { kind: 'verify', message: 'no' } },
      { item: 'c', status: 'cancelled', attempts: 0 },
    ]);
  });

  it('waits until the next thing happens', () => {
    const waiting = [{ step: 'gate', for: 'approval', ask: 'Land it?' }] as const;
    const before = eventsOf({ type: 'step.started', step: 'gate' }, { type: 'run.waiting', waiting });
    const state = foldRun(header, before);
    expect(state).toMatchObject({ status: 'waiting', waiting, steps: { gate: { status: 'waiting' } } });
    const [, , next] = eventsOf(started, started, {
      type: 'approval.given',
      step: 'gate',
      by: 'ann',
      verified: false,
    });
    expect(applyEvent(state, next!)).toMatchObject({
      status: 'running',
      steps: { gate: { status: 'waiting' } },
    });
    expect(applyEvent(state, next!)).not.toHaveProperty('waiting');
  });

  it.each<[EventBody, object]>([
    [
      { type: 'run.failed', error: { kind: 'error', message: 'no' }, step: 'a' },
      { status: 'failed', error: { step: 'a' } },
    ],
    [
      { type: 'run.cancelled', kept: '/x' },
      { status: 'cancelled', kept: '/x' },
    ],
    [
      { type: 'run.handed_off', error: { kind: 'verify', message: 'no' }, bundle: '/b' },
      { status: 'handed_off', bundle: '/b' },
    ],
  ])('ends with %o and stays so', (end, expected) => {
    const state = foldRun(
      header,
      eventsOf(started, end, { type: 'signal.received', event: 'late', data: null }),
    );
    expect(state).toMatchObject({ ...expected, endedAt: time(2) });
  });

  it('is the same whether events are added one by one or all at once, and adding leaves the old state alone', () => {
    const steps = ['a', 'constructor', 'fix[0].lint'];
    const place = fc.record({ step: fc.constantFrom(...steps) }, { requiredKeys: ['step'] });
    const body = fc.oneof(
      place.map((at): EventBody => ({ type: 'step.started', ...at })),
      place.map((at): EventBody => ({ type: 'attempt.started', ...at, attempt: 1 })),
      place.map((at): EventBody => ({ type: 'items.listed', ...at, items: [1, 2] })),
      place.map((at): EventBody => ({ type: 'step.succeeded', ...at, outputs: {}, item: 1 })),
      place.map((at): EventBody => ({ type: 'run.waiting', waiting: [{ ...at, for: 'timer' }] })),
      fc.constant<EventBody>({ type: 'run.resumed' }),
      fc.constant<EventBody>({ type: 'run.cancelled' }),
    );
    fc.assert(
      fc.property(fc.array(body, { maxLength: 20 }), (bodies) => {
        const events = eventsOf(...bodies);
        let state = freeze(initialRun(header));
        for (const event of events) state = freeze(applyEvent(state, event));
        expect(state).toEqual(foldRun(header, events));
      }),
      { seed: 7, numRuns: process.env['WF_PROOF'] === '1' ? 20_000 : 300 },
    );
  });
});

describe('a journal of the first version', () => {
  it('is read, and its run carried on', async () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, '.wf'));
    const database = new DatabaseSync(join(root, '.wf', 'journal.db'));
    database.exec(readFileSync(join(import.meta.dirname, '../fixtures/journal-v1.sql'), 'utf8'));
    database.close();

    const journal = await openJournal(root);
    const [ended, waits] = journal.listRuns().reverse();
    expect([ended, waits].map((run) => journal.readState(run!.run))).toMatchSnapshot();
    const engine = openLocalEngine(journal, waits!.run);
    expect(await engine.receive('gate', ({ kind }) => kind === 'approve')).toMatchObject({
      by: 'ann@example.com',
    });
    await engine.close();
    journal.close();
  });
});

const started: EventBody = { type: 'run.started', formula: 'f', plan: 'sha256:0', inputs: {} };

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}
