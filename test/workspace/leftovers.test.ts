import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { pruneLeftovers } from '../../src/workspace/leftovers.ts';
import { Folder, open, repository, step } from './repository.ts';

// Dozens of git processes each, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const [DEAD, KEPT] = ['01JDH5Z0000000000000000001', '01JDH5Z0000000000000000002'];

it('what dead runs have left is collected, and nothing of the others', async () => {
  const main = repository();
  const dead = await open(main.path, { run: DEAD });
  await step(dead, dead.initial, 'a', 'mkdir -p mod; echo x >mod/read-only; chmod -R a-w mod', 'a_copy');
  await open(main.path, { run: `${DEAD}.own@1` });
  const kept = await open(main.path, { run: KEPT });
  main.write({
    [`.wf/runs/${DEAD}/logs/a.log`]: 'log',
    [`.wf/runs/${DEAD}/scratch/1.output`]: '{}',
    [`.wf/runs/${DEAD}/pipes-123/0`]: '',
    '.wf/cache/prepare/abc/node_modules/x': 'x',
    '.wf/cache/prepare/def/node_modules/x': 'x',
    '.wf/cache/prepare/abc.12.34/node_modules/x': 'x',
  });
  const old = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
  for (const name of ['abc', 'abc.12.34']) utimesSync(join(main.path, '.wf/cache/prepare', name), old, old);

  const all = await pruneLeftovers(main.path, (run) => run === KEPT);
  const short = (path: string) => path.replace(`${main.path}/`, '').replaceAll(DEAD, '<run>');
  expect({
    runs: all.runs.map(({ run, removed }) => ({ run, removed: removed.map(short) })),
    prepared: all.prepared.map(short),
  }).toEqual({
    runs: [
      {
        run: DEAD,
        removed: [
          '.wf/runs/<run>/pipes-123',
          '.wf/runs/<run>/scratch',
          '.wf/work/<run>',
          '.wf/work/<run>.copies',
          '.wf/work/<run>.own@1',
          '.wf/work/<run>.own@1.states',
          '.wf/work/<run>.states',
          'refs/wf/<run>.own@1/base',
          'refs/wf/<run>.own@1/shared',
          'refs/wf/<run>/base',
          'refs/wf/<run>/shared',
        ],
      },
    ],
    prepared: ['.wf/cache/prepare/abc', '.wf/cache/prepare/abc.12.34'],
  });
  expect(readdirSync(join(main.path, '.wf/work')).sort()).toEqual([KEPT, `${KEPT}.states`]);
  expect(existsSync(join(main.path, `.wf/runs/${DEAD}/logs/a.log`))).toBe(true);
  expect(main.git('for-each-ref', '--format=%(refname)', 'refs/wf')).toBe(
    `refs/wf/${KEPT}/base\nrefs/wf/${KEPT}/shared`,
  );
  expect(await pruneLeftovers(main.path, (run) => run === KEPT)).toEqual({ runs: [], prepared: [] });
  const state = await step(kept, kept.initial, 'b', 'echo x >>a.txt');
  expect((await kept.finish(state, 'x')).branch).toBeDefined();
});

it('in a folder without a repository, or without anything, there is nothing to do', async () => {
  repository();
  const bare = new Folder(execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim());
  expect(await pruneLeftovers(bare.path, () => false)).toEqual({ runs: [], prepared: [] });
  mkdirSync(join(bare.path, '.wf/work/R1'), { recursive: true });
  expect((await pruneLeftovers(bare.path, () => false)).runs).toHaveLength(1);
});
