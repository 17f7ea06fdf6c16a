import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { OpenWorkspace } from '../../src/workspace/open-run-workspace.ts';
import { UserError } from '../../src/support/user-error.ts';
import { until } from './processes.ts';
import { emptyHome, Folder, open, repository, RUN, step, temporary, ended } from './repository.ts';

// Dozens of git processes each, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

/** Installs as a package manager would, and counts how often. */
function install(
  script = 'mkdir -p node_modules/.bin; cat lock >node_modules/lib; ln -sf ../lib node_modules/.bin/lib',
) {
  const places: string[] = [];
  const prepare: OpenWorkspace['prepare'] = {
    files: ['lock', 'packages/*/lock'],
    key: script,
    run: async (directory) => {
      places.push(directory);
      try {
        new Folder(directory).sh(script);
      } catch (error) {
        throw new UserError('`prepare` failed', { cause: error });
      }
    },
  };
  return { prepare, places };
}

const run = (index: number) => RUN.slice(0, -1) + String(index);
const files = { lock: 'v1\n', 'a.txt': 'one\n', '.gitignore': 'node_modules\n' };

describe('prepare', () => {
  it('runs once per content of its files, and every run gets what it left', async () => {
    const main = repository(files);
    const { prepare, places } = install();
    for (const index of [1, 2]) {
      const workspace = await open(main.path, { run: run(index), prepare });
      const state = await step(
        workspace,
        workspace.initial,
        'use',
        'test "$(cat node_modules/.bin/lib)" = v1; echo broken >node_modules/lib',
      );
      expect(state).toBe(workspace.initial);
      await ended(workspace, state, 'x');
    }
    expect(places).toHaveLength(1);
    main.write({ 'packages/x/lock': 'v2\n', 'a.txt': 'two\n' }).commit();
    const other = await open(main.path, { run: run(3), prepare });
    main.write({ 'a.txt': 'three\n' }).commit();
    await open(main.path, { run: run(4), prepare });
    await open(main.path, { run: run(5), prepare: { ...prepare, key: 'another command' } });
    expect(places.map((place) => place.slice(-1))).toEqual(['1', '3', '5']);
    await step(other, other.initial, 'copy', 'cat node_modules/lib', 'copy');
  });

  it('is no work of the run: what it leaves is never committed, what it changes in files of git is undone', async () => {
    const main = repository({ lock: 'v1\n', 'a.txt': 'one\n' });
    const { prepare } = install(
      'echo generated >"gen [1].txt"; mkdir deps; echo x >deps/x; echo touched >>a.txt; rm lock',
    );
    for (const index of [1, 2]) {
      const workspace = await open(main.path, { run: run(index), prepare });
      const state = await step(
        workspace,
        workspace.initial,
        'edit',
        'test "$(git status --porcelain)" = ""; cat deps/x "gen [1].txt"; echo more >>a.txt; rm -r deps',
      );
      const end = await ended(workspace, state, 'x');
      expect(end.changedFiles).toEqual(['a.txt']);
      expect(main.git('show', `${end.branch}:a.txt`)).toBe('one\nmore');
      expect(main.git('ls-tree', '--name-only', `${end.branch}`)).toBe('a.txt\nlock');
    }
  });

  it('that fails leaves nothing, and runs again the next time', async () => {
    const main = repository(files);
    const { prepare, places } = install('mkdir node_modules; exit 1');
    for (const index of [1, 2]) {
      await expect(open(main.path, { run: run(index), prepare })).rejects.toThrow('`prepare` failed');
    }
    expect(places).toHaveLength(2);
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([]);
    expect(existsSync(join(main.path, '.wf/cache'))).toBe(false);
    expect(main.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
    // Nor does one that is cancelled in the middle.
    const over = new AbortController();
    const { prepare: slow } = install('mkdir node_modules');
    const cancelled = open(main.path, {
      signal: over.signal,
      prepare: {
        ...slow,
        run: async (directory) => {
          await slow.run(directory);
          over.abort();
        },
      },
    });
    await expect(cancelled).rejects.toThrow();
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([]);
  });

  it('by two at once is done by both, and one result is kept', async () => {
    const main = repository(files);
    const { prepare, places } = install();
    const begun: string[] = [];
    const together: typeof prepare = {
      ...prepare,
      run: async (directory) => {
        begun.push(directory);
        await until('all of them have begun', () => begun.length >= 3);
        await prepare.run(directory);
      },
    };
    const opening = [1, 2, 3].map((index) => open(main.path, { run: run(index), prepare: together }));
    const all = await Promise.all(opening);
    for (const workspace of all)
      expect(readFileSync(join(workspace.root, 'node_modules/lib'), 'utf8')).toBe('v1\n');
    const kept = readdirSync(join(main.path, '.wf/cache/prepare'));
    expect(kept).toHaveLength(1);
    expect(kept[0]).not.toContain('.');
    await open(main.path, { run: run(4), prepare });
    expect(places).toHaveLength(3);
  });

  it('in place runs again when something that it left is gone', async () => {
    const main = repository(files);
    const { prepare, places } = install();
    const again = async (index: number) =>
      (await open(main.path, { run: run(index), from: 'checkout', prepare })).finish;
    await again(1);
    await again(2);
    expect(places).toHaveLength(1);
    rmSync(join(main.path, 'node_modules'), { recursive: true });
    await again(3);
    main.write({ lock: 'v2\n' }).commit();
    await again(4);
    expect(places).toHaveLength(3);
    expect(main.git('status', '--porcelain')).toBe('');
  });

  it('of an empty workspace is reused by its command', async () => {
    emptyHome();
    const project = new Folder(temporary());
    const { prepare, places } = install('echo tool >tool; chmod +x tool');
    for (const index of [1, 2]) {
      const workspace = await open(project.path, { run: run(index), from: 'empty', prepare });
      const state = await step(workspace, workspace.initial, 'use', 'test -x tool; echo out >out');
      expect((await workspace.changes(workspace.initial, state)).map(({ path }) => path)).toEqual(['out']);
    }
    expect(places).toHaveLength(1);
  });
});
