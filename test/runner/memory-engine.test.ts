import { expect, it } from 'vitest';
import { eventOf } from '../../src/journal/entry.ts';
import { MemoryWorld } from '../../src/runner/engines/memory-engine.ts';
import { engineConformance, type EngineWorld } from './engine-conformance.ts';

engineConformance('memory engine', async () => worldOf(new MemoryWorld()));

it('a world is as JSON what it was', async () => {
  const world = new MemoryWorld();
  const engine = world.open('R');
  await engine.now('now');
  await engine.lock('lock', 'g', 'queue');
  world.send('R', { kind: 'event', event: 'e', verified: true });
  await engine.close();
  const copy = new MemoryWorld(JSON.parse(JSON.stringify(world.snapshot())));
  expect(copy.snapshot()).toEqual(world.snapshot());
  expect(await copy.open('R').now('now')).toBe(Date.UTC(2026, 0, 1));
});

function worldOf(world: MemoryWorld): EngineWorld {
  return {
    now: () => world.clock.now(),
    open: (run, options) => world.open(run, options),
    send: (run, signal) => world.send(run, signal),
    advance: (milliseconds) => world.advance(milliseconds),
    events: (run) => (world.snapshot().runs[run]?.entries ?? []).map((entry) => eventOf(run, entry)),
    upTo: async (run, count) => worldOf(world.upTo(run, count)),
    close: async () => {},
  };
}
