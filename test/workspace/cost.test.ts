import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { open, repository, step, temporary } from './repository.ts';

// Dozens of git processes, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** From now on, which git commands are started; asking starts anew. */
function countGit(): () => readonly string[] {
  const [bin, path] = [temporary(), String(process.env['PATH'])];
  const log = join(bin, 'log');
  writeFileSync(log, '');
  writeFileSync(
    join(bin, 'git'),
    `#!/bin/sh\nfor word; do case $word in -*|*=*) ;; *) echo "$word" >>'${log}'; break;; esac; done\nPATH='${path}' exec git "$@"\n`,
  );
  chmodSync(join(bin, 'git'), 0o755);
  process.env['PATH'] = `${bin}:${path}`;
  onTestFinished(() => void (process.env['PATH'] = path));
  return () => {
    const commands = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    writeFileSync(log, '');
    return commands;
  };
}

it('a step in a clone of 2,000 files costs three git processes, and none when it changed nothing', async () => {
  const names = Array.from({ length: 2_000 }, (_, index) => `folder${index % 40}/file${index}.txt`);
  const main = repository(Object.fromEntries(names.map((name) => [name, `${name}\n`])));
  const commands = countGit();
  const workspace = await open(main.path);
  expect(commands().length).toBeLessThanOrEqual(13);
  // It looks once whether the directory is still as it was made.
  let state = await step(workspace, workspace.initial, 'first', () => undefined);
  commands();
  for (let index = 0; index < 5; index++)
    state = await step(workspace, state, `look${index}`, () => undefined);
  expect(commands()).toEqual([]);
  for (let index = 0; index < 5; index++) {
    state = await step(workspace, state, `write${index}`, (folder) =>
      folder.write({ [String(names[index])]: 'new\n' }),
    );
    expect(commands()).toEqual(['add', 'write-tree', 'commit-tree']);
  }
  const copies = await Promise.all(
    [0, 1, 2].map((index) =>
      step(
        workspace,
        state,
        `copy${index}`,
        (folder) => folder.write({ [`folder${index}/more`]: 'x\n' }),
        `c${index}`,
      ),
    ),
  );
  commands();
  const merged = await workspace.merge('end', copies);
  expect(commands()).toEqual(['merge-tree', 'commit-tree', 'merge-tree', 'commit-tree']);
  const end = await workspace.finish(merged.state, 'x');
  expect(end.changedFiles).toHaveLength(8);
  expect(main.git('status', '--porcelain')).toBe('');
});
