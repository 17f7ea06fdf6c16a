import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventBody, RunEvent, Waiting } from '../../src/journal/event.ts';
import type { NewSignal } from '../../src/journal/signal.ts';
import { Detached, type DrivenEngine, type Engine, type EngineOptions } from '../../src/runner/engine.ts';

/** Runs on a clock that stands still, and the means to see them as another process would. */
export interface EngineWorld {
  now(): number;
  open(run: string, options?: EngineOptions): DrivenEngine;
  send(run: string, signal: NewSignal): void;
  advance(milliseconds: number): Promise<void>;
  /** What is on disk of the run. */
  events(run: string): RunEvent[];
  /** A world of its own, as it would be had the driver of `run` died with `count` events on disk. */
  upTo(run: string, count: number): Promise<EngineWorld>;
  close(): Promise<void>;
}

const run = '01J00000000000000000000000';
const other = '01J00000000000000000000001';
const third = '01J00000000000000000000002';

const proof = process.env['WF_PROOF'] === '1';

/** What every engine must do. Each gets a new world per test. */
export function engineConformance(name: string, makeWorld: () => Promise<EngineWorld>): void {
  describe(name, () => {
    let world: EngineWorld;
    const opened: EngineWorld[] = [];
    beforeEach(async () => {
      world = await makeWorld();
      opened.push(world);
    });
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    });
    /** What the next process finds, and it alone. */
    const crash = async (count = world.events(run).length): Promise<EngineWorld> => {
      const next = await world.upTo(run, count);
      opened.push(next);
      return next;
    };

    describe('records', () => {
      it('answers with the event as it stands in the record, and has it on disk once saved', async () => {
        const engine = world.open(run);
        const answer = await engine.record('a', { type: 'step.started', step: 'a' });
        expect(answer).toMatchObject({ run, seq: 1, type: 'step.started', step: 'a' });
        await engine.saved();
        expect(world.events(run)).toEqual([answer]);
        expect(engine.events).toEqual([answer]);
      });

      it('is saved, also when the answer has not come yet', async () => {
        const engine = world.open(run);
        void engine.record('a', { type: 'step.started', step: 'a' });
        await engine.saved();
        expect(world.events(run)).toHaveLength(1);
      });

      it('keeps the order of asking', async () => {
        const engine = world.open(run);
        const names = Array.from({ length: 50 }, (_, index) => `s${index}`);
        await Promise.all(names.map((step) => engine.record(step, { type: 'step.started', step })));
        await engine.saved();
        expect(world.events(run).map((event) => 'step' in event && event.step)).toEqual(names);
        expect(world.events(run).map(({ seq }) => seq)).toEqual(names.map((_, index) => index + 1));
      });

      it('answers the recorded event on a replay, whatever is asked to be recorded now', async () => {
        const first = world.open(run);
        const before = await first.record('a', { type: 'step.succeeded', step: 'a', outputs: 1 });
        await first.close();
        const second = world.open(run);
        expect(await second.record('a', { type: 'step.succeeded', step: 'a', outputs: 2 })).toEqual(before);
      });

      it('answers what JSON keeps, now as on a replay', async () => {
        const engine = world.open(run);
        const event = { type: 'check.passed', check: 0, output: undefined } as unknown as EventBody;
        expect(Object.keys(await engine.record('a', event))).not.toContain('output');
      });

      it('refuses a name that was asked for before, and one that the record has for something else', async () => {
        const first = world.open(run);
        await first.record('a', { type: 'step.started', step: 'a' });
        await expect(first.now('a')).rejects.toThrow('asked for twice');
        await first.close();
        await expect(world.open(run).now('a')).rejects.toThrow('no answer here');
      });

      it('tells of events when they are on disk, in order and once', async () => {
        const told: RunEvent[] = [];
        const engine = world.open(run, {
          onEvents: (events) => {
            told.push(...events);
            expect(world.events(run)).toEqual(told);
          },
        });
        await all(engine);
        await engine.close();
        expect(told).toEqual(world.events(run));
      });

      it('gives the same time and the same id on a replay', async () => {
        const first = world.open(run);
        const before = [await first.now('now'), await first.id('id'), await first.id('id2')];
        await first.close();
        await world.advance(1000);
        const second = world.open(run);
        expect([await second.now('now'), await second.id('id'), await second.id('id2')]).toEqual(before);
        expect(before[0]).toBe(world.now() - 1000);
        expect(before[1]).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
        expect(before[1]).not.toBe(before[2]);
      });
    });

    describe('steps', () => {
      it('begins when its start is on disk, with all that was recorded before', async () => {
        const engine = world.open(run);
        await engine.record('a', { type: 'step.started', step: 'a' });
        await engine.step(
          'b',
          async () => {
            expect(types(world.events(run))).toEqual(['step.started', 'attempt.started']);
            return ended('b');
          },
          { started: { type: 'attempt.started', step: 'b' } },
        );
      });

      it('needs one write for the end of a step and the start of the next', async () => {
        let writes = 0;
        const engine = world.open(run, { onEvents: () => (writes += 1) });
        for (let index = 0; index < 20; index += 1) {
          const step = `s${index}`;
          await engine.record(`${step} started`, { type: 'step.started', step });
          await engine.step(step, async () => ended(step), { started: { type: 'attempt.started', step } });
          await engine.record(`${step} ended`, { type: 'step.succeeded', step, outputs: {} });
        }
        await engine.close();
        expect(world.events(run)).toHaveLength(80);
        expect(writes).toBe(21);
      });

      it('overlap, and a replay delivers in the order in which they ended', async () => {
        const order = async (engine: Engine, steps: ReturnType<typeof gates>): Promise<string[]> => {
          const seen: string[] = [];
          const branch = async (step: string): Promise<void> => {
            await engine.step(step, () => steps.wait(step));
            seen.push(step);
          };
          await engine.all([branch('a'), branch('b'), branch('c')]);
          return seen;
        };
        const first = world.open(run);
        const open = gates();
        const running = order(first, open);
        await first.settled();
        expect(open.waiting()).toEqual(['a', 'b', 'c']);
        for (const step of ['c', 'a', 'b']) {
          open.end(step);
          await first.settled();
        }
        expect(await running).toEqual(['c', 'a', 'b']);
        await first.close();

        const again = gates();
        expect(await order(world.open(run), again)).toEqual(['c', 'a', 'b']);
        expect(again.waiting()).toEqual([]);
      });

      it('says when a start is on record and no end, and records no second start', async () => {
        const started: EventBody = { type: 'attempt.started', step: 'a' };
        const first = world.open(run);
        void first.step('a', ({ signal }) => reasonOf(signal), { started }).catch(() => {});
        await first.settled();
        const next = await crash();
        const engine = next.open(run, { by: 'ann' });
        const repeated = await engine.step('a', async (context) => ended(`${context.repeated}`), { started });
        expect(repeated).toMatchObject({ step: 'true' });
        await engine.close();
        expect(types(next.events(run))).toEqual(['attempt.started', 'run.resumed', 'attempt.succeeded']);
        expect(next.events(run)[1]).toMatchObject({ by: 'ann' });
      });

      it('passes on what work throws and does not record it', async () => {
        const engine = world.open(run);
        const boom = new Error('boom');
        await expect(engine.step('a', () => Promise.reject(boom))).rejects.toBe(boom);
        await engine.close();
        expect(world.events(run)).toEqual([]);
      });

      it('is aborted by its own signal, also by one that was aborted before', async () => {
        const engine = world.open(run);
        const early = AbortSignal.abort('early');
        const late = new AbortController();
        const reason = (signal: AbortSignal) =>
          engine.step(String(signal.aborted), (context) => reasonOf(context.signal), { signal });
        const both = [reason(early), reason(late.signal)];
        await engine.settled();
        late.abort('late');
        expect((await Promise.all(both)).map((event) => 'step' in event && event.step)).toEqual([
          'early',
          'late',
        ]);
      });
    });

    describe('any and all', () => {
      it('any answers the first, and a replay the same, whoever is first then', async () => {
        const race = (engine: Engine, steps: ReturnType<typeof gates>) =>
          engine.any('race', [
            engine.step('a', () => steps.wait('a')),
            engine.step('b', () => steps.wait('b')),
          ]);
        const first = world.open(run);
        const open = gates();
        const racing = race(first, open);
        await first.settled();
        open.end('b');
        expect(await racing).toMatchObject({ index: 1, value: { step: 'b' } });
        await first.settled();
        open.end('a');
        await first.close();
        expect(world.events(run).filter(({ type }) => type === 'value.recorded')).toHaveLength(1);
        expect(await race(world.open(run), gates())).toMatchObject({ index: 1, value: { step: 'b' } });
      });

      it('any sees a replayed winner although the loser goes on', async () => {
        const race = (engine: Engine) =>
          engine.any('race', [engine.step('slow', ({ signal }) => reasonOf(signal)), engine.now('b')]);
        const first = world.open(run);
        await race(first);
        await first.saved();
        const next = await crash();
        expect((await race(next.open(run))).index).toBe(1);
      });

      it('any passes on the rejection of the first to settle', async () => {
        const engine = world.open(run);
        const boom = new Error('boom');
        const never = engine.step('a', ({ signal }) => reasonOf(signal));
        await expect(engine.any('race', [never, engine.step('b', () => Promise.reject(boom))])).rejects.toBe(
          boom,
        );
      });

      it('all rejects with the first in the list once all have settled', async () => {
        const engine = world.open(run);
        const steps = gates();
        let settled = false;
        const both = engine
          .all([
            engine.step('a', () => steps.wait('a').then(() => Promise.reject(new Error('first')))),
            engine.step('b', () => Promise.reject(new Error('second'))),
          ])
          .finally(() => (settled = true));
        const checked = expect(both).rejects.toThrow('first');
        await engine.settled();
        expect(settled).toBe(false);
        steps.end('a');
        await checked;
      });
    });

    describe('sleep', () => {
      it('ends when the time has come, far away as it may be', async () => {
        const engine = world.open(run);
        const month = 31 * 24 * 3600 * 1000;
        let woke: boolean | undefined;
        void engine.sleep('a', world.now() + month).then((answer) => (woke = answer));
        await world.advance(month - 1);
        expect(woke).toBeUndefined();
        await world.advance(1);
        expect(woke).toBe(true);
      });

      it('ends at once when its time is past, also when it passed while nobody drove the run', async () => {
        const until = world.now() + 1000;
        const first = world.open(run);
        void first.sleep('a', until).catch(() => {});
        await first.settled();
        first.detach();
        await first.close();
        await world.advance(5000);
        const second = world.open(run);
        expect(await second.sleep('a', until)).toBe(true);
        expect(await second.sleep('b', 0)).toBe(true);
      });

      it('is given up by its signal, and stays so on a replay when the time is past', async () => {
        const until = world.now() + 1000;
        const stop = new AbortController();
        const first = world.open(run);
        const sleeping = first.sleep('a', until, { signal: stop.signal });
        await first.settled();
        stop.abort();
        expect(await sleeping).toBe(false);
        await first.close();
        await world.advance(2000);
        expect(await world.open(run).sleep('a', until)).toBe(false);
      });

      it('wakes in the order of the times', async () => {
        const engine = world.open(run);
        const order: string[] = [];
        const sleep = (step: string, after: number) =>
          engine.sleep(step, world.now() + after).then(() => order.push(step));
        void sleep('late', 300);
        void sleep('soon', 100);
        void sleep('mid', 200);
        await world.advance(1000);
        expect(order).toEqual(['soon', 'mid', 'late']);
      });
    });

    describe('receive', () => {
      const approve = (step: string): NewSignal => ({ kind: 'approve', step, by: 'ann', verified: false });
      const event = (name: string): NewSignal => ({
        kind: 'event',
        event: name,
        data: { n: 1 },
        verified: true,
      });

      it('finds a signal that came before, and waits for one that did not', async () => {
        const engine = world.open(run);
        world.send(run, approve('a'));
        await engine.settled();
        expect(await engine.receive('a', ({ step }) => step === 'a')).toMatchObject({ id: 1, by: 'ann' });
        const later = engine.receive('b', ({ step }) => step === 'b');
        await engine.settled();
        world.send(run, approve('b'));
        expect(await later).toMatchObject({ id: 2, step: 'b', verified: false });
      });

      it('gives each answer to one receiver, and an event to all', async () => {
        const engine = world.open(run);
        const takes = ['a', 'b'].map((name) => engine.receive(name, ({ kind }) => kind === 'approve'));
        const hears = ['c', 'd'].map((name) => engine.receive(name, ({ kind }) => kind === 'event'));
        world.send(run, approve('x'));
        world.send(run, event('ping'));
        world.send(run, approve('y'));
        expect((await Promise.all(takes)).map((signal) => signal?.step)).toEqual(['x', 'y']);
        expect((await Promise.all(hears)).map((signal) => signal?.id)).toEqual([2, 2]);
      });

      it('keeps what the record gave to one from another that asks first on a replay', async () => {
        const first = world.open(run);
        world.send(run, approve('x'));
        await first.receive('a', () => true);
        await first.close();
        const second = world.open(run);
        const b = second.receive('b', () => true);
        const a = second.receive('a', () => true);
        expect(await a).toMatchObject({ id: 1 });
        await second.settled();
        world.send(run, approve('y'));
        expect(await b).toMatchObject({ id: 2 });
      });

      it('answers undefined when given up, now and on a replay', async () => {
        const first = world.open(run);
        expect(await first.receive('a', () => true, { signal: AbortSignal.abort() })).toBeUndefined();
        await first.close();
        const second = world.open(run);
        world.send(run, approve('x'));
        expect(await second.receive('a', () => true)).toBeUndefined();
      });
    });

    describe('cancel', () => {
      const interpret = async (engine: Engine): Promise<unknown[]> => {
        const seen = await engine.all([
          engine.step('work', (context) => reasonOf(context.signal)),
          engine.sleep('wait', world.now() + 1000),
          engine.receive('answer', () => true),
          engine.lock('lock', 'group', 'queue'),
        ]);
        const after = await engine.step('after', async ({ signal }) => ended(`aborted: ${signal.aborted}`));
        return [
          ...seen.map((each) => (each && typeof each === 'object' ? 'ended' : each)),
          after.step,
          engine.signal.reason,
        ];
      };
      const end = ['ended', false, undefined, true, 'aborted: false', 'cancel'];

      it.each(['by the process', 'from outside'])(
        'ends what was asked for before, not what comes after: %s',
        async (by) => {
          const engine = world.open(run);
          const running = interpret(engine);
          await engine.settled();
          if (by === 'from outside') world.send(run, { kind: 'cancel', by: 'ann', verified: false });
          else engine.cancel('ann');
          expect(await running).toEqual(end);
          engine.cancel('a second time');
          await engine.close();
          const cancels = world.events(run).filter(({ type }) => type === 'cancel.requested');
          expect(cancels).toMatchObject([{ by: 'ann' }]);
          // Carried on after each event in turn, what follows is the same.
          for (let count = 1; count <= world.events(run).length; count += 1) {
            const next = await crash(count);
            const again = next.open(run);
            const repeated = interpret(again);
            await again.settled();
            again.cancel('bob');
            expect(await repeated).toEqual(end);
          }
        },
      );
    });

    it('a cancel on record reaches work that was under way, however late the interpreter asks for it again', async () => {
      const interpret = async (engine: Engine, slow: number): Promise<unknown> => {
        await engine.record('begin', { type: 'step.started', step: 'work' });
        // Not what an interpreter should do between two calls, but what it may cost to get from one to the next.
        await new Promise((resolve) => setTimeout(resolve, slow));
        return engine.step('work', (context) => reasonOf(context.signal), {
          started: { type: 'attempt.started', step: 'work' },
        });
      };
      const engine = world.open(run);
      void interpret(engine, 0).catch(() => {});
      while (!world.events(run).some(({ type }) => type === 'attempt.started')) await engine.settled();
      engine.cancel('ann');
      while (!world.events(run).some(({ type }) => type === 'cancel.requested')) await engine.settled();
      const cancelled = world.events(run).findIndex(({ type }) => type === 'cancel.requested');
      const next = await crash(cancelled + 1);
      expect(await interpret(next.open(run), 50)).toMatchObject({ step: 'cancel' });
    });

    it('a cancel passes by what is shielded', async () => {
      const engine = world.open(run);
      const steps = gates();
      const work = engine.step(
        'work',
        async ({ signal }) => {
          await steps.wait('work');
          return ended(`aborted: ${signal.aborted}`);
        },
        { shielded: true },
      );
      const nap = engine.sleep('nap', world.now() + 1000, { shielded: true });
      const other = engine.sleep('other', world.now() + 1000);
      await engine.settled();
      engine.cancel();
      expect(await other).toBe(false);
      steps.end('work');
      expect(await work).toMatchObject({ step: 'aborted: false' });
      await world.advance(1000);
      expect(await nap).toBe(true);
    });

    describe('resting', () => {
      const waiting: Waiting = { step: 'gate', for: 'approval', ask: 'Land it?' };

      it('is neither kept up by a wait that only bounds others, nor does that one rest by itself', async () => {
        const asked: (readonly Waiting[])[] = [];
        const engine = world.open(run, { whenIdle: (list) => (asked.push(list), 'stay') });
        const bound = engine.sleep('bound', world.now() + 1000, { aside: true });
        await engine.settled();
        expect(asked).toEqual([]);
        const gate = engine.receive('gate', () => true, { waiting });
        await engine.settled();
        expect(asked).toEqual([[waiting]]);
        world.send(run, { kind: 'approve', verified: false });
        await gate;
        await world.advance(1000);
        expect(await bound).toBe(true);
      });

      it('is noticed when only waits that people see are left, and recorded', async () => {
        const asked: (readonly Waiting[])[] = [];
        const engine = world.open(run, { whenIdle: (list) => (asked.push(list), 'stay') });
        const steps = gates();
        const working = engine.step('work', () => steps.wait('work'));
        const backOff = engine.sleep('back-off', world.now() + 1000);
        const gate = engine.receive('gate', () => true, { waiting });
        const timeout = engine.sleep('timeout', world.now() + 9000, { waiting });
        void timeout.catch(() => {});
        await engine.settled();
        steps.end('work');
        await working;
        await engine.settled();
        expect(asked).toEqual([]);
        await world.advance(1000);
        await backOff;
        await engine.settled();
        expect(asked).toEqual([[waiting]]);
        expect(world.events(run).at(-1)).toMatchObject({ type: 'run.waiting', waiting: [waiting] });
        world.send(run, { kind: 'approve', verified: false });
        expect(await gate).toMatchObject({ kind: 'approve' });
      });

      it('detaches when told to, and everything throws', async () => {
        const engine = world.open(run, { whenIdle: () => 'detach' });
        await expect(engine.receive('gate', () => true, { waiting })).rejects.toThrow(Detached);
        expect(engine.signal.reason).toBe('detach');
        for (const call of [
          engine.now('a'),
          engine.step('b', async () => ended('b')),
          engine.sleep('c', 0),
          engine.saved(),
          engine.unrecorded(async () => 1),
          engine.any('d', [Promise.resolve(1)]),
        ]) {
          await expect(call).rejects.toThrow(Detached);
        }
        await engine.close();
        expect(types(world.events(run))).toEqual(['run.waiting']);
      });

      it('records the same wait once, however often it is looked at', async () => {
        for (let time = 0; time < 3; time += 1) {
          const engine = world.open(run, { whenIdle: () => 'detach' });
          await expect(engine.receive('gate', () => true, { waiting })).rejects.toThrow(Detached);
          await engine.close();
        }
        world.send(run, { kind: 'approve', verified: false });
        const engine = world.open(run, { whenIdle: () => 'detach' });
        expect(await engine.receive('gate', () => true, { waiting })).toMatchObject({ kind: 'approve' });
        await engine.close();
        expect(types(world.events(run))).toEqual(['run.waiting', 'run.resumed', 'value.recorded']);
      });

      it('waits for work to end before the run is given back, and records nothing of it', async () => {
        const engine = world.open(run);
        let endedWork = false;
        const call = engine.step('a', async ({ signal }) => {
          await reasonOf(signal);
          await new Promise((resolve) => setTimeout(resolve, 20));
          endedWork = true;
          return ended('a');
        });
        await engine.settled();
        engine.detach();
        await expect(call).rejects.toThrow(Detached);
        expect(endedWork).toBe(false);
        await engine.close();
        expect(endedWork).toBe(true);
        expect(world.events(run)).toEqual([]);
      });
    });

    it('delivers nothing while something unrecorded is under way', async () => {
      const engine = world.open(run);
      const order: string[] = [];
      const step = engine.step('a', async () => ended('a')).then(() => order.push('a'));
      await engine.unrecorded(async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push('unrecorded');
      });
      await step;
      expect(order).toEqual(['unrecorded', 'a']);
    });

    it('goes on without records that nobody asks for any more', async () => {
      const first = world.open(run);
      for (const name of ['a', 'b', 'c']) await first.now(name);
      await first.close();
      const second = world.open(run);
      const b = await second.now('b');
      expect(b).toBe(world.now());
      expect(await second.step('d', async () => ended('d'))).toMatchObject({ seq: 5, step: 'd' });
    });

    describe('locks', () => {
      const hold = (engine: Engine, then: 'queue' | 'cancel' = 'queue') =>
        engine.lock('lock', 'deploy', then, { waiting: { step: 'ship', for: 'concurrency' } });

      it('are held by one run at a time, in order of asking', async () => {
        const engines = [run, other, third].map((each) => world.open(each));
        const got: number[] = [];
        for (const [index, engine] of engines.entries()) {
          void hold(engine).then(
            () => got.push(index),
            () => {},
          );
          await engine.settled();
        }
        expect(got).toEqual([0]);
        await engines[0]!.release('release', 'deploy');
        await world.advance(0);
        expect(got).toEqual([0, 1]);
        // The end of a run gives back what it held.
        await engines[1]!.record('end', { type: 'run.cancelled' });
        await engines[1]!.saved();
        await world.advance(0);
        expect(got).toEqual([0, 1, 2]);
      });

      it('are held on by a run that nobody drives, and the one in line says so', async () => {
        const first = world.open(run);
        await hold(first);
        await first.close();
        const second = world.open(other, { whenIdle: () => 'detach' });
        await expect(hold(second)).rejects.toThrow(Detached);
        expect(world.events(other).at(-1)).toMatchObject({
          type: 'run.waiting',
          waiting: [{ for: 'concurrency', ask: expect.stringContaining(`wf resume ${run}`) }],
        });
        await second.close();

        const again = world.open(run);
        await hold(again);
        await again.release('release', 'deploy');
        await again.close();
        expect(await hold(world.open(other))).toBe(true);
      });

      it('pass over a run in line that nobody drives, and it keeps its place', async () => {
        const first = world.open(run);
        await hold(first);
        const second = world.open(other, { whenIdle: () => 'detach' });
        await hold(second).catch(() => {});
        await second.close();
        const last = world.open(third);
        const gotLast = hold(last);
        await last.settled();
        await first.release('release', 'deploy');
        expect(await gotLast).toBe(true);
        const back = world.open(other);
        const gotBack = hold(back);
        await back.settled();
        await last.release('release', 'deploy');
        expect(await gotBack).toBe(true);
      });

      it('with cancel, ask the older run to end', async () => {
        const first = world.open(run);
        await hold(first);
        const second = world.open(other);
        const got = hold(second, 'cancel');
        await second.settled();
        await world.advance(0);
        expect(first.signal.reason).toBe('cancel');
        await first.record('end', { type: 'run.cancelled' });
        expect(await got).toBe(true);
      });

      it('are not kept by a wait that was given up', async () => {
        const first = world.open(run);
        await hold(first);
        const stop = new AbortController();
        const second = world.open(other);
        const waiting = second.lock('lock', 'deploy', 'queue', { signal: stop.signal });
        await second.settled();
        stop.abort();
        expect(await waiting).toBe(false);
        const last = world.open(third);
        const got = hold(last);
        await first.release('release', 'deploy');
        expect(await got).toBe(true);
      });

      it('keep two steps of one run apart', async () => {
        const engine = world.open(run);
        expect(await engine.lock('a', 'deploy', 'cancel')).toBe(true);
        let second = false;
        const waiting = engine.lock('b', 'deploy', 'cancel').then(() => (second = true));
        await engine.settled();
        expect(second).toBe(false);
        await engine.release('a released', 'deploy');
        await waiting;
        expect([second, engine.signal.aborted]).toEqual([true, false]);
      });
    });

    it(
      'comes to the same end after a crash at every event, and repeats nothing that has a result',
      { timeout: 20_000 },
      async () => {
        const first = world.open(run);
        const ran: Ran[] = [];
        const running = everything(first, ran);
        const result = await drive(world, running);
        await first.close();
        const events = world.events(run);
        expect(events.length).toBeGreaterThan(25);

        let repeated = 0;
        for (let count = 0; count <= events.length; count += 1) {
          const next = await crash(count);
          const again: Ran[] = [];
          const engine = next.open(run);
          expect(await drive(next, everything(engine, again))).toEqual(result);
          await engine.close();
          const before = events.slice(0, count);
          const ends = new Set(
            before.flatMap((event) => (event.type === 'attempt.succeeded' ? [event.step] : [])),
          );
          const starts = new Set(
            before.flatMap((event) => (event.type === 'attempt.started' ? [event.step] : [])),
          );
          for (const { step, second } of again) {
            expect(ends).not.toContain(step);
            expect(second).toBe(starts.has(step));
            if (second) repeated += 1;
          }
          expect(new Set([...ends, ...again.map(({ step }) => step)])).toEqual(
            new Set(ran.map(({ step }) => step)),
          );
          expect(again.length + ends.size).toBe(ran.length);
          // What was on record stays, as it was.
          expect(next.events(run).slice(0, count)).toEqual(before);
        }
        expect(repeated).toBeGreaterThan(0);
      },
    );

    it(
      'replays any interpreter in the recorded order, whatever the work took',
      { timeout: proof ? 600_000 : 20_000 },
      async () => {
        await fc.assert(
          fc.asyncProperty(
            tree,
            fc.nat(),
            fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }),
            async (shape, cut, delays) => {
              const before = await makeWorld();
              const first: string[] = [];
              const engine = before.open(run);
              await interpretTree(engine, shape, first, delays);
              await engine.close();
              const events = before.events(run);
              const count = cut % (events.length + 1);

              const next = await before.upTo(run, count);
              const second: string[] = [];
              const ran: string[] = [];
              const again = next.open(run);
              await interpretTree(again, shape, second, [...delays].reverse(), ran);
              await again.close();
              const recorded = events
                .slice(0, count)
                .flatMap((event) => (event.type === 'attempt.succeeded' ? [event.step!] : []));
              expect(second.filter((name) => recorded.includes(name))).toEqual(recorded);
              expect(ran.filter((name) => recorded.includes(name))).toEqual([]);
              if (count === events.length) expect(second).toEqual(first);
              await before.close();
              await next.close();
            },
          ),
          { seed: 7, numRuns: proof ? 2000 : 60 },
        );
      },
    );
  });
}

interface Ran {
  readonly step: string;
  readonly second: boolean;
}

/** An interpreter that uses everything an engine has. */
async function everything(engine: Engine, ran: Ran[]): Promise<unknown> {
  const work = (step: string) =>
    engine.step(
      step,
      async ({ repeated }) => {
        ran.push({ step, second: repeated });
        await new Promise((resolve) => setImmediate(resolve));
        return ended(step);
      },
      { started: { type: 'attempt.started', step } },
    );
  await engine.record('run', { type: 'run.started', formula: 'f', plan: 'sha256:0', inputs: {} });
  const now = await engine.now('now');
  const id = await engine.id('id');
  const a = await work('a');
  const both = await engine.all([work('b'), work('c').then(() => work('c2'))]);
  const stop = new AbortController();
  const nap = engine.sleep('given up', now + 1e9, { signal: stop.signal });
  const race = await engine.any('race', [nap, work('d')]);
  stop.abort();
  const locked = await engine.lock('lock', 'group', 'queue');
  await work('e');
  const pause = engine.sleep('pause', now + 60_000, { waiting: { step: 'pause', for: 'timer' } });
  const answer = engine.receive('gate', ({ kind }) => kind === 'approve', {
    waiting: { step: 'gate', for: 'approval' },
  });
  const waits = await engine.all([pause, answer.then((signal) => signal?.by)]);
  await engine.release('release', 'group');
  const event = await engine.receive('event', ({ kind }) => kind === 'event');
  await engine.unrecorded(async () => {});
  const last = await work('f');
  await engine.record('end', { type: 'run.succeeded', outputs: {} });
  return [
    a.step,
    both.map((each) => each.step),
    race.index,
    await nap,
    locked,
    waits,
    event?.event,
    last.step,
    id.length,
  ];
}

/** Lets time pass and people answer until the run is at its end. */
async function drive<T>(world: EngineWorld, running: Promise<T>): Promise<T> {
  let done = false;
  const end = running.finally(() => (done = true));
  end.catch(() => {});
  for (let turn = 0; !done && turn < 20; turn += 1) {
    await world.advance(10_000);
    if (turn === 3 && !done) world.send(run, { kind: 'approve', step: 'gate', by: 'ann', verified: false });
    if (turn === 4 && !done) world.send(run, { kind: 'event', event: 'ping', verified: true });
  }
  return end;
}

type Tree =
  { readonly kind: 'all' | 'any' | 'seq'; readonly of: readonly Tree[] } | { readonly kind: 'step' | 'now' };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ kind: fc.constantFrom('step' as const, 'step' as const, 'now' as const) }),
    fc.record({
      kind: fc.constantFrom('all' as const, 'any' as const, 'seq' as const),
      of: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
    }),
  ),
}));

/** `seen` gets the names of steps in the order in which the interpreter hears of their ends. */
async function interpretTree(
  engine: Engine,
  shape: Tree,
  seen: string[],
  delays: readonly number[],
  ran: string[] = [],
): Promise<void> {
  let steps = 0;
  const visit = async (node: Tree, path: string): Promise<void> => {
    switch (node.kind) {
      case 'step': {
        const turns = delays[steps++ % delays.length]!;
        await engine.step(
          path,
          async () => {
            ran.push(path);
            for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
            return ended(path);
          },
          { started: { type: 'attempt.started', step: path } },
        );
        seen.push(path);
        return;
      }
      case 'now':
        await engine.now(path);
        return;
      case 'seq':
        for (const [index, each] of node.of.entries()) await visit(each, `${path}.${index}`);
        return;
      case 'all':
        await engine.all(node.of.map((each, index) => visit(each, `${path}.${index}`)));
        return;
      case 'any': {
        const branches = node.of.map((each, index) => visit(each, `${path}.${index}`));
        await engine.any(path, branches);
        await engine.all(branches);
      }
    }
  };
  await visit(shape, 'r');
}

/** An interpreter that only records. */
async function all(engine: Engine): Promise<void> {
  for (let index = 0; index < 5; index += 1) {
    await engine.record(`s${index}`, { type: 'step.started', step: `s${index}` });
    await engine.step(`w${index}`, async () => ended(`s${index}`));
  }
}

const ended = (step: string) => ({ type: 'attempt.succeeded', step, outputs: {} }) as const;

const types = (events: readonly RunEvent[]): string[] => events.map(({ type }) => type);

/** Ends when the signal is aborted, with its reason as the step. */
function reasonOf(signal: AbortSignal): Promise<ReturnType<typeof ended>> {
  return new Promise((resolve) => {
    const end = (): void => resolve(ended(String(signal.reason)));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

/** Work that ends when it is told to. */
function gates() {
  const open = new Map<string, () => void>();
  return {
    wait: (step: string): Promise<ReturnType<typeof ended>> =>
      new Promise((resolve) => open.set(step, () => resolve(ended(step)))),
    waiting: () => [...open.keys()],
    end: (step: string): void => open.get(step)!(),
  };
}
