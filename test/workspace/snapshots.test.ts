import { mkdirSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Snapshots } from '../../src/workspace/snapshots.ts';
import { temporary } from './repository.ts';

it('shows a git that reads all refs no state that is half written', async () => {
  const root = temporary();
  const directory = join(root, 'work');
  mkdirSync(directory);
  const snapshots = new Snapshots({ store: join(root, 'states'), prefix: 'refs/wf/run' });
  await snapshots.take(directory, 'first', undefined);
  const seen = new Set<string>();
  const watcher = watch(join(root, 'states/refs/wf/run'), (_, name) => seen.add(String(name)));
  writeFileSync(join(directory, 'a.txt'), 'a');
  await snapshots.take(directory, 'second', undefined);
  await expect.poll(() => [...seen]).toEqual(['second']);
  watcher.close();
});
