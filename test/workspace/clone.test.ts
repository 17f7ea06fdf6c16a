import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fileIn, Folder, open, repository, RUN, step, temporary, ended } from './repository.ts';

// Dozens of git processes each, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

const BRANCH = `wf/tidy/${RUN}`;

describe('a clone', () => {
  it('is worked in, committed with an own identity, fetched back and removed; nothing else is left', async () => {
    const main = repository({ 'a.txt': 'one\n', 'b.txt': 'two\n' });
    const base = main.git('rev-parse', 'HEAD');
    const workspace = await open(main.path);
    expect(workspace).toMatchObject({ kind: 'clone', base, branch: BRANCH });
    expect(new Folder(workspace.root).git('rev-parse', '--abbrev-ref', 'HEAD')).toBe(BRANCH);
    const state = await step(
      workspace,
      workspace.initial,
      'edit',
      'echo more >>a.txt; rm b.txt; echo new >c.txt',
    );
    const end = await ended(workspace, state, 'tidy: done');
    expect(end).toEqual({
      branch: BRANCH,
      commit: main.git('rev-parse', BRANCH),
      tags: [],
      changedFiles: ['a.txt', 'b.txt', 'c.txt'],
    });
    expect(main.git('log', '-1', '--format=%an %ae %cn %P %s', BRANCH)).toBe(
      `wf wf@localhost wf ${base} tidy: done`,
    );
    expect(main.git('show', `${BRANCH}:a.txt`)).toBe('one\nmore');
    expect(main.git('status', '--porcelain')).toBe('');
    expect(main.git('for-each-ref', '--format=%(refname)').split('\n')).toEqual([
      'refs/heads/main',
      `refs/heads/${BRANCH}`,
    ]);
    expect(main.read('.wf/.gitignore')).toBe('*\n');
    expect(readdirSync(join(main.path, '.wf', 'work'))).toEqual([]);
    expect(main.read('a.txt')).toBe('one\n');
  });

  it('without any change leaves no branch', async () => {
    const main = repository();
    const workspace = await open(main.path);
    const state = await step(workspace, workspace.initial, 'look', 'cat a.txt; git status; git log');
    expect(state).toBe(workspace.initial);
    expect(await ended(workspace, state, 'x')).toEqual({ tags: [], changedFiles: [] });
    expect(main.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });

  it('has hooks, configuration and refs of its own', async () => {
    const main = repository();
    main.git('remote', 'add', 'origin', 'https://example.com/team/repo.git');
    main.write({ '.git/hooks/post-commit': '#!/bin/sh\ntouch "$HOME/hook-of-main-ran"\n' });
    chmodSync(join(main.path, '.git/hooks/post-commit'), 0o755);
    const before = [
      main.read('.git/config'),
      main.git('for-each-ref'),
      readdirSync(join(main.path, '.git/hooks')),
    ];
    const workspace = await open(main.path);
    const state = await step(
      workspace,
      workspace.initial,
      'meddle',
      `git config user.name Mallory
       git config --add remote.origin.url evil
       printf '#!/bin/sh\\ntouch hook-ran\\n' >.git/hooks/post-commit; chmod +x .git/hooks/post-commit
       git branch mine; git tag v1; git update-ref refs/heads/main HEAD
       echo change >a.txt; git commit -qam 'by a step'; git branch -f main; git push -q . HEAD:pushed`,
    );
    expect(new Folder(workspace.root).git('remote', 'get-url', 'origin')).toBe(
      'https://example.com/team/repo.git',
    );
    expect(new Folder(workspace.root).sh('git config user.name')).toBe('Mallory');
    expect(existsSync(join(process.env['HOME'] ?? '', 'hook-of-main-ran'))).toBe(false);
    expect([
      main.read('.git/config'),
      main.git('for-each-ref').replace(/\n?.*refs\/wf.*/g, ''),
      readdirSync(join(main.path, '.git/hooks')),
    ]).toEqual(before);
    const end = await ended(workspace, state, 'x');
    expect(end.tags).toEqual(['v1']);
    // The hook of the clone left a file, which is work like any other.
    expect(main.git('show', '--stat=80', '--format=%an', BRANCH)).toContain('hook-ran');
    expect(main.git('for-each-ref', '--format=%(refname)').split('\n')).toEqual([
      'refs/heads/main',
      `refs/heads/${BRANCH}`,
      'refs/tags/v1',
    ]);
    expect(main.git('rev-parse', 'main')).toBe(workspace.base);
  });

  it('keeps settings that files and commits depend on', async () => {
    const main = repository({ 'a.up': 'text\n', '.gitattributes': '*.up filter=upper\n' });
    main.git('config', 'filter.upper.smudge', 'tr a-z A-Z');
    main.git('config', 'filter.upper.clean', 'tr A-Z a-z');
    main.git('config', 'user.name', 'Ann "the" \\ Author');
    main.git('config', 'user.email', 'ann@example.com');
    const workspace = await open(main.path);
    const clone = new Folder(workspace.root);
    expect(clone.read('a.up')).toBe('TEXT\n');
    expect(clone.sh('git config user.name')).toBe('Ann "the" \\ Author');
    const state = await step(workspace, workspace.initial, 'edit', 'echo MORE >>a.up');
    expect(await fileIn(workspace, state, 'a.up')).toBe('TEXT\nMORE\n');
    expect(await workspace.changes(workspace.initial, state)).toEqual([
      { path: 'a.up', status: 'modified', added: 1, removed: 0 },
    ]);
    await ended(workspace, state, 'x');
    expect(main.git('show', `${BRANCH}:a.up`)).toBe('text\nmore');
  });

  it('survives whatever the repository it came from collects', async () => {
    const main = repository({ 'a.txt': 'one\n' });
    main.git('checkout', '-q', '-b', 'feature');
    main.write({ 'f.txt': 'feature\n' }).commit('on the feature');
    main.git('checkout', '-q', 'main');
    const workspace = await open(main.path, { revision: 'feature' });
    main.git('branch', '-D', 'feature');
    main.git('commit', '--amend', '-q', '-m', 'another first');
    main.git('reflog', 'expire', '--expire=now', '--all');
    main.git('gc', '-q', '--prune=now');
    const state = await step(
      workspace,
      workspace.initial,
      'edit',
      'git log; git fsck; cat f.txt; git merge -q origin/feature; echo x >>f.txt',
    );
    await ended(workspace, state, 'x');
    expect(main.git('show', `${BRANCH}:f.txt`)).toBe('feature\nx');
    main.git('fsck');
    expect(main.git('for-each-ref', 'refs/wf')).toBe('');
  });

  it('survives what its own steps collect', async () => {
    const main = repository();
    const workspace = await open(main.path);
    const made = await step(
      workspace,
      workspace.initial,
      'make',
      'echo precious >p.txt; git add p.txt; git commit -qm p',
    );
    const gone = await step(
      workspace,
      made,
      'collect',
      'git reset -q --hard HEAD~1; git reflog expire --expire=now --all; git gc -q --prune=now',
    );
    expect(await fileIn(workspace, gone, 'p.txt')).toBeUndefined();
    const directory = await workspace.enter(made);
    expect(new Folder(directory.path).git('log', '-1', '--format=%s')).toBe('p');
    expect(new Folder(directory.path).git('status', '--porcelain')).toBe('');
    expect(new Folder(directory.path).read('p.txt')).toBe('precious\n');
    await ended(workspace, made, 'x');
    expect(main.git('show', `${BRANCH}:p.txt`)).toBe('precious');
  });

  it.each([
    ['of a shallow clone', 'git clone -q --depth 1 "file://$1" main'],
    ['of a linked worktree', 'git -C "$1" worktree add -q --detach "$PWD/main"'],
    ['of a detached HEAD', 'git clone -q "$1" main; git -C main checkout -q --detach'],
    [
      'of a place with spaces, quotes and percent signs',
      `git clone -q "$1" "it's 100%41 \\$HOME"; ln -s "it's 100%41 \\$HOME" main`,
    ],
    [
      'of names in SHA-256',
      'git init -q --object-format=sha256 -b main main; cd main; git pull -q "$1" 2>/dev/null || { echo two >a.txt; git add .; git commit -qm one; }',
    ],
  ])('is had %s', async (_what, make) => {
    const origin = repository();
    origin.write({ 'a.txt': 'two\n' }).commit('second');
    const around = new Folder(temporary());
    around.sh(`set -- '${origin.path}'\n${make}`);
    const main = new Folder(around.sh('cd -P main; pwd'));
    const workspace = await open(main.path);
    const state = await step(
      workspace,
      workspace.initial,
      'edit',
      'echo three >>a.txt; git commit -qam third; echo four >>a.txt',
    );
    await ended(workspace, state, 'x');
    expect(main.git('show', `${BRANCH}:a.txt`)).toBe('two\nthree\nfour');
    expect(main.git('status', '--porcelain')).toBe('');
    expect(main.git('for-each-ref', 'refs/wf')).toBe('');
  });

  it('has submodules as git clones them: empty, and as they were at the end', async () => {
    const inner = repository();
    const main = repository();
    main.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner.path, 'lib/inner');
    main.commit('with a submodule');
    const workspace = await open(main.path);
    let state = await step(
      workspace,
      workspace.initial,
      'edit',
      'ls -A lib/inner | wc -l; echo more >>a.txt',
    );
    state = await step(
      workspace,
      state,
      'init',
      'git -c protocol.file.allow=always submodule update -q --init; cat lib/inner/a.txt',
    );
    await ended(workspace, state, 'x');
    expect(main.git('diff', '--name-only', 'main', BRANCH)).toBe('a.txt');
  });

  it('is worked in where the project is in it', async () => {
    const main = repository({ 'a.txt': 'one\n', 'tools/flows/wf.yaml': '{}\n' });
    const project = join(main.path, 'tools', 'flows');
    const workspace = await open(project);
    expect(workspace.root).toBe(join(project, '.wf', 'work', RUN, 'tools', 'flows'));
    const state = await step(workspace, workspace.initial, 'edit', 'ls; echo x >here; echo y >../../above');
    expect((await workspace.changes(workspace.initial, state)).map(({ path }) => path)).toEqual([
      '../../above',
      'here',
    ]);
    expect(await fileIn(workspace, state, 'here')).toBe('x\n');
    expect(await fileIn(workspace, state, '../../above')).toBe('y\n');
    await ended(workspace, state, 'x');
    expect(main.git('diff', '--name-only', 'main', BRANCH).split('\n')).toEqual([
      'above',
      'tools/flows/here',
    ]);
    expect(main.git('status', '--porcelain')).toBe('');

    // Not committed yet: there is a place to work in all the same.
    const fresh = new Folder(join(main.path, 'new'));
    fresh.write({ 'wf.yaml': '{}\n' });
    const other = await open(fresh.path);
    expect(readdirSync(other.root)).toEqual([]);
  });

  it('keeps bytes, bits, links and names, whatever attributes say', async () => {
    const names = ['with space', 'ünï', 'new\nline', '-dash', '"quoted"', 'tab\there'];
    const main = repository({
      '.gitattributes': '*.txt text eol=crlf\n*.bin -text\n*.id ident\n',
      'crlf.txt': 'a\r\nb\r\n',
      'id.id': '$Id$\n',
      'bytes.bin': Buffer.from([0, 255, 13, 10, 0]),
      'run.sh': '#!/bin/sh\n',
      '.gitignore': 'ignored*\n',
      ...Object.fromEntries(names.map((name) => [name, `${name}\n`])),
    });
    chmodSync(join(main.path, 'run.sh'), 0o755);
    symlinkSync('a/b', join(main.path, 'link'));
    main.write({ 'ignored-but-tracked': 'x\n' });
    main.git('add', '-f', 'ignored-but-tracked');
    main.commit('more');
    const workspace = await open(main.path);
    const root = new Folder(workspace.root);
    const before = snapshot(workspace.root);
    const changed = await step(workspace, workspace.initial, 'all', (folder) => {
      for (const name of names) folder.write({ [name]: 'changed\n' });
      folder.sh(
        `printf 'x\\n' >crlf.txt; chmod -x run.sh; ln -sf c link; echo y >ignored-but-tracked; echo 1 >bytes.bin; echo $'other\\r' >id.id`,
      );
    });
    const after = snapshot(workspace.root);
    expect((await workspace.changes(workspace.initial, changed)).map(({ path }) => path).sort()).toEqual(
      [...names, 'crlf.txt', 'run.sh', 'link', 'ignored-but-tracked', 'bytes.bin', 'id.id'].sort(),
    );
    const one = await workspace.enter(workspace.initial);
    expect(snapshot(workspace.root)).toEqual(before);
    expect(root.git('status', '--porcelain')).toBe('');
    await one.restore(changed);
    expect(snapshot(workspace.root)).toEqual(after);
    await ended(workspace, changed, 'x');
    expect(main.git('show', `${BRANCH}:ignored-but-tracked`)).toBe('y');
    expect(main.git('ls-tree', BRANCH, 'run.sh')).toMatch(/^100644 /);
  });
});

/** Every file with its kind and content. */
function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name !== '.git')
      .map((name) => {
        const stat = lstatSync(join(folder, name));
        return [
          name,
          stat.isSymbolicLink()
            ? `-> ${readlinkSync(join(folder, name))}`
            : `${stat.mode.toString(8)} ${new Folder(folder).read(name)}`,
        ];
      }),
  );
}

describe('HEAD and index belong to the steps', () => {
  it('commits, amended and on other branches, a moved HEAD, what is staged and stashed: all come back', async () => {
    const main = repository({ 'a.txt': 'one\n', 'b.txt': 'b\n' });
    const workspace = await open(main.path);
    const clone = new Folder(workspace.root);
    const look = () => [
      clone.git('rev-parse', 'HEAD'),
      clone.git('symbolic-ref', '-q', 'HEAD'),
      clone.git('status', '--porcelain'),
      clone.git('for-each-ref'),
      clone.git('ls-files', '--stage'),
    ];
    const states = [workspace.initial];
    const looks = [look()];
    for (const [index, script] of [
      'echo two >>a.txt; git commit -qam two',
      'echo staged >s.txt; git add s.txt; echo more >>s.txt',
      'git commit -q --amend -m amended; git tag -a v1 -m v1',
      'git checkout -q -b side; echo side >side.txt; git add .; git commit -qm side; echo loose >loose.txt',
      'echo stashed >>b.txt; git stash -q -u',
      `git reset -q --hard ${BRANCH}~1`,
      `git checkout -q ${BRANCH}; git branch -q -D side; git reset -q --soft HEAD~1`,
      'git rm -q --cached a.txt',
      'git update-index --assume-unchanged b.txt',
    ].entries()) {
      states.push(await step(workspace, states.at(-1) as string, `s${index}`, script));
      looks.push(look());
    }
    expect(new Set(states).size).toBe(states.length);
    for (const index of [3, 1, 8, 5, 2, 7, 6, 4, 0, 9]) {
      await workspace.enter(states[index] as string);
      expect(look()).toEqual(looks[index]);
    }
  });

  it('a merge that stopped in the middle comes back, and can be gone on with', async () => {
    const main = repository({ 'a.txt': 'one\n' });
    const workspace = await open(main.path);
    const stopped = await step(
      workspace,
      workspace.initial,
      'merge',
      `git checkout -q -b other; echo theirs >a.txt; git commit -qam theirs
       git checkout -q ${BRANCH}; echo ours >a.txt; git commit -qam ours; git merge -q other || true`,
    );
    await workspace.enter(workspace.initial);
    expect(existsSync(join(workspace.root, '.git', 'MERGE_HEAD'))).toBe(false);
    const solved = await step(
      workspace,
      stopped,
      'solve',
      'git status | grep "both modified"; echo both >a.txt; git add a.txt; git commit -qm merged',
    );
    await ended(workspace, solved, 'x');
    expect(main.git('rev-list', '--count', '--merges', BRANCH)).toBe('1');
  });

  it('a retry has the configuration that the step began with', async () => {
    const main = repository();
    const workspace = await open(main.path);
    await step(workspace, workspace.initial, 'first', 'git config wf.test yes; echo x >>a.txt');
    await workspace.enter(workspace.initial);
    expect(() => new Folder(workspace.root).git('config', 'wf.test')).toThrow();
  });

  it('what a step staged is committed in the end, also where git would ignore it; what is ignored is not', async () => {
    const main = repository({ '.gitignore': '*.log\n' });
    const workspace = await open(main.path);
    const state = await step(
      workspace,
      workspace.initial,
      'log',
      'echo a >wanted.log; git add -f wanted.log; echo b >other.log',
    );
    await ended(workspace, state, 'x');
    expect(main.git('diff', '--name-only', 'main', BRANCH)).toBe('wanted.log');
  });

  it('where HEAD is in the end is where the branch is, also on an orphan', async () => {
    const main = repository();
    const workspace = await open(main.path);
    const state = await step(
      workspace,
      workspace.initial,
      'orphan',
      'git checkout -q --orphan new; git rm -q -rf .; echo new >new.txt',
    );
    await ended(workspace, state, 'x');
    expect(main.git('log', '--format=%P|%s', BRANCH)).toBe('|x');
    expect(main.git('ls-tree', '--name-only', BRANCH)).toBe('new.txt');
  });

  it('a step that removes the repository loses its commits, and no file', async () => {
    const main = repository();
    const workspace = await open(main.path);
    const state = await step(workspace, workspace.initial, 'remove', 'rm -rf .git; echo kept >kept.txt');
    const next = await step(workspace, state, 'next', 'cat kept.txt; echo more >>kept.txt');
    expect((await ended(workspace, next, 'x')).branch).toBe(BRANCH);
    expect(main.git('show', `${BRANCH}:kept.txt`)).toBe('kept\nmore');
    expect(main.git('rev-parse', `${BRANCH}~1`)).toBe(workspace.base);
  });

  it('repositories that steps make inside stop nothing', async () => {
    const main = repository();
    const workspace = await open(main.path);
    let state = await step(
      workspace,
      workspace.initial,
      'make',
      'git init -q empty; echo x >empty/file; mkdir deep; git init -q deep/er; echo y >>a.txt',
    );
    state = await step(
      workspace,
      state,
      'again',
      'cat empty/file; git init -q full; cd full; echo 1 >f; git add f; git commit -qm f',
    );
    await workspace.enter(workspace.initial);
    await ended(workspace, state, 'x');
    expect(main.git('show', `${BRANCH}:a.txt`)).toBe('one\ny');
  });
});

describe('snapshots', () => {
  it('see a change to any file, however quick and small', async () => {
    const main = repository({ 'logs/a': '1', 'objects/b': '1', 'x/logs/c': '1' });
    const workspace = await open(main.path);
    let state = workspace.initial;
    for (const [index, name] of ['logs/a', 'objects/b', 'x/logs/c', 'logs/a', 'objects/b'].entries()) {
      const directory = await workspace.enter(state);
      expect(await directory.snapshot('nothing')).toBe(state);
      writeFileSync(join(directory.path, name), String.fromCharCode(65 + index));
      const next = await directory.snapshot(`s${index}`);
      expect(await fileIn(workspace, next, name)).toBe(String.fromCharCode(65 + index));
      writeFileSync(join(directory.path, name), String.fromCharCode(97 + index));
      state = await directory.snapshot(`t${index}`);
      expect(await fileIn(workspace, state, name)).toBe(String.fromCharCode(97 + index));
      expect(state).not.toBe(next);
    }
  });

  it('are the same when nothing is meant by what changed', async () => {
    const main = repository();
    const workspace = await open(main.path);
    const state = await step(
      workspace,
      workspace.initial,
      'touch',
      'touch a.txt; git status; git update-index --refresh || true; mkdir empty; echo x >y; rm y',
    );
    expect(state).toBe(workspace.initial);
  });

  it('are found by the name of the step in a clone that is kept', async () => {
    const main = repository();
    const workspace = await open(main.path);
    let state = await step(workspace, workspace.initial, 'lint', 'echo lint >>a.txt');
    state = await step(workspace, state, 'fix[2]', 'echo fix >>a.txt');
    const kept = new Folder(await workspace.keep(state));
    expect(kept.path).toBe(join(main.path, '.wf', 'work', RUN));
    expect(kept.git('show', `refs/wf/${RUN}/lint:a.txt`)).toBe('one\nlint');
    expect(kept.git('diff', '--stat=80', `refs/wf/${RUN}/lint`, `refs/wf/${RUN}/fix-2`)).toContain(
      'a.txt | 1 +',
    );
    expect(kept.git('rev-parse', '--abbrev-ref', 'HEAD')).toBe(BRANCH);
    expect(kept.git('status', '--porcelain')).toBe('M a.txt');
    expect(main.git('branch', '--list', 'wf/*')).toBe('');
    expect(main.git('status', '--porcelain')).toBe('');
  });

  it('stay what they are when a run is carried on by another process', async () => {
    const main = repository();
    const first = await open(main.path);
    const state = await step(
      first,
      first.initial,
      'one',
      'echo staged >s; git add s; git tag t; echo loose >l',
    );
    new Folder(first.root).sh(
      'rm -rf a.txt; echo killed in the middle >half; git reset -q --hard; git tag half',
    );
    const second = await open(main.path, { resume: true });
    expect(second).toMatchObject({ initial: first.initial, base: first.base, branch: first.branch });
    await second.enter(state);
    const clone = new Folder(second.root);
    expect(clone.git('status', '--porcelain').split('\n')).toEqual(['A  s', '?? l']);
    expect(clone.git('tag')).toBe('t');
    const end = await second.finish(state, 'x');
    // A process that died before it could say so is told the same again.
    const third = await open(main.path, { resume: true });
    expect(await third.finish(state, 'x')).toEqual(end);
    expect(end.tags).toEqual(['t']);
  });

  it('merge and compare again after a death between a good end and its record', async () => {
    const main = repository();
    const first = await open(main.path);
    const sides = await Promise.all(
      ['x', 'y'].map((name) => step(first, first.initial, name, `echo ${name} >${name}`, name)),
    );
    const merged = await first.merge('both', sides);
    const diff = await first.diff(first.initial, merged.state);
    const end = await first.finish(merged.state, 'x');
    const second = await open(main.path, { resume: true });
    expect(await second.merge('both', sides)).toEqual(merged);
    expect(await second.diff(second.initial, merged.state)).toBe(diff);
    expect(await ended(second, merged.state, 'x')).toEqual(end);
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([]);
  });
});
