import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { emptyHome, fileIn, Folder, open, repository, RUN, step, temporary, ended } from './repository.ts';

// Dozens of git processes each, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

describe('copies', () => {
  it('are merged in the order of the plan, with what was committed and staged in them, and go when released', async () => {
    const main = repository({ 'a.txt': '1\n2\n3\n4\n5\n', '.gitignore': 'cache\n' });
    const workspace = await open(main.path);
    const start = await step(
      workspace,
      workspace.initial,
      'first',
      'mkdir cache; echo warm >cache/x; echo first >first.txt',
    );
    const [one, two, three] = await Promise.all([
      step(
        workspace,
        start,
        'one',
        'cat cache/x; sed -i s/1/one/ a.txt; git add a.txt first.txt; git commit -qm one',
        'one',
      ),
      step(
        workspace,
        start,
        'two',
        'cat cache/x; sed -i s/5/five/ a.txt; git commit -qam two; git tag by-two',
        'two',
      ),
      step(workspace, start, 'three', 'echo three >three.txt; git add three.txt; rm first.txt', 'three'),
    ]);
    expect(new Folder(workspace.root).read('a.txt')).toBe('1\n2\n3\n4\n5\n');
    const merged = await workspace.merge('end', [one, two, three]);
    if (!merged.ok) throw new Error(`conflict in ${merged.files.join()}`);
    expect(await fileIn(workspace, merged.state, 'a.txt')).toBe('one\n2\n3\n4\nfive\n');
    expect(await fileIn(workspace, merged.state, 'first.txt')).toBeUndefined();
    // Whoever ended first, the order is the plan's.
    expect(await workspace.merge('end', [one, two, three])).toEqual(merged);
    expect(readdirSync(join(main.path, '.wf/work', `${RUN}.copies`)).sort()).toEqual(['one', 'three', 'two']);
    for (const copy of ['one', 'two', 'three', 'never']) await workspace.release(copy);
    expect(readdirSync(join(main.path, '.wf/work', `${RUN}.copies`))).toEqual([]);
    const last = await step(
      workspace,
      merged.state,
      'last',
      'git log --format=%s; cat three.txt cache/x; git fsck; test "$(git tag)" = by-two',
    );
    const end = await ended(workspace, last, 'rest');
    expect(end.tags).toEqual(['by-two']);
    expect(main.git('log', '--format=%s', '--no-merges', `${end.branch}`).split('\n').sort()).toEqual([
      'first',
      'one',
      'rest',
      'two',
    ]);
    expect(main.git('show', `${end.branch}:a.txt`)).toBe('one\n2\n3\n4\nfive');
  });

  it('that changed the same lines conflict by name, and what was first stays', async () => {
    const main = repository({ 'a.txt': '1\n', 'sub/b.txt': '1\n', 'c.bin': Buffer.from([0, 1]) });
    const workspace = await open(main.path);
    const one = await step(
      workspace,
      workspace.initial,
      'one',
      'echo one >a.txt; echo one >sub/b.txt; printf "\\0one" >c.bin',
      'one',
    );
    const two = await step(
      workspace,
      workspace.initial,
      'two',
      'echo two >a.txt; git rm -q sub/b.txt; printf "\\0two" >c.bin',
      'two',
    );
    const merged = await workspace.merge('end', [one, two]);
    expect(merged).toEqual({ ok: false, files: ['a.txt', 'c.bin', 'sub/b.txt'], state: one });
    // The second tries again from what the first has made.
    const again = await step(workspace, one, 'two', 'cat a.txt >>sub/b.txt', 'two-again');
    expect(await workspace.merge('end', [one, again])).toMatchObject({ ok: true });
    const commits = await Promise.all(
      ['x', 'y'].map((name) =>
        step(
          workspace,
          one,
          name,
          `echo ${name} >a.txt; git commit -qam ${name}; git rm -q a.txt; git commit -qm gone`,
          name,
        ),
      ),
    );
    expect((await workspace.merge('end', commits)).ok).toBe(true);
  });

  it('are as the state says, whatever the main directory holds by then', async () => {
    const main = repository();
    const workspace = await open(main.path);
    const later = await step(workspace, workspace.initial, 'later', 'echo later >later.txt');
    const apart = await step(
      workspace,
      workspace.initial,
      'apart',
      'test ! -e later.txt; echo apart >apart.txt',
      'apart',
    );
    expect((await workspace.changes(workspace.initial, apart)).map(({ path }) => path)).toEqual([
      'apart.txt',
    ]);
    expect((await workspace.diff(later, apart)).split('\n').filter((line) => /^[+-]\w/.test(line))).toEqual([
      '+apart',
      '-later',
    ]);
  });
});

describe('a checkout', () => {
  it('is worked in place: what steps change is there in the end, not committed', async () => {
    const main = repository({ 'a.txt': 'one\n', '.gitattributes': '*.txt eol=crlf\n' });
    const before = main.git('for-each-ref');
    const workspace = await open(main.path, { from: 'checkout' });
    expect(workspace).toMatchObject({ root: main.path, kind: 'checkout', branch: undefined });
    let state = await step(workspace, workspace.initial, 'one', 'echo new >new.txt');
    state = await step(workspace, state, 'two', 'echo more >>new.txt; git add new.txt');
    expect(await ended(workspace, state, 'x')).toEqual({ tags: [], changedFiles: ['new.txt'] });
    expect(main.git('status', '--porcelain')).toBe('A  new.txt');
    expect(main.git('for-each-ref')).toBe(before);
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([]);
  });

  it('that is dirty is refused by name, and begun all the same when told to', async () => {
    const main = repository({ 'a.txt': 'one\n', 'b b.txt': 'b\n' });
    main.write({
      'a.txt': 'mine\n',
      'b b.txt': 'mine\n',
      'c.txt': '',
      'd.txt': '',
      '.wf/journal.db': '',
      '.wf/.gitignore': '*\n',
    });
    await expect(open(main.path, { from: 'checkout' })).rejects.toMatchObject({
      name: 'UserError',
      message: 'the formula works in place, and 4 files are not committed: a.txt, b b.txt, c.txt, …',
      hint: expect.stringContaining('--allow-dirty'),
    });
    const workspace = await open(main.path, { from: 'checkout', allowDirty: true });
    const state = await step(workspace, workspace.initial, 'one', 'echo more >>a.txt');
    expect((await workspace.changes(workspace.initial, state)).map(({ path }) => path)).toEqual(['a.txt']);
    await ended(workspace, state, 'x');
    expect(main.read('a.txt')).toBe('mine\nmore\n');
  });

  it('is never changed back: the run stops and asks, and goes on from what the person has made of it', async () => {
    const main = repository({ 'a.txt': 'one\n' });
    let workspace = await open(main.path, { from: 'checkout' });
    const failed = await step(workspace, workspace.initial, 'try', 'echo failed >>a.txt');
    expect(failed).not.toBe(workspace.initial);
    await expect(workspace.enter(workspace.initial)).rejects.toMatchObject({
      name: 'UserError',
      message: `${main.path} is not as it was when the step began, and with \`workspace: checkout\` only you may change it back`,
      hint: expect.stringContaining('wf resume'),
    });
    expect(main.read('a.txt')).toBe('one\nfailed\n');
    main.write({ 'a.txt': 'one, by hand\n' });
    workspace = await open(main.path, { from: 'checkout', resume: true });
    const state = await step(workspace, workspace.initial, 'again', 'cat a.txt; echo done >>a.txt');
    expect(await fileIn(workspace, state, 'a.txt')).toBe('one, by hand\ndone\n');
    // Asked once, answered once.
    main.write({ 'a.txt': 'changed by somebody else\n' });
    await expect(workspace.enter(workspace.initial)).rejects.toThrow('is not as it was');
  });

  it('that a crash left as it was is gone on with without asking', async () => {
    const main = repository();
    const first = await open(main.path, { from: 'checkout' });
    const state = await step(first, first.initial, 'one', 'echo more >>a.txt');
    const second = await open(main.path, { from: 'checkout', resume: true });
    await expect(step(second, state, 'two', 'grep more a.txt')).resolves.toBe(state);
  });

  it('takes in what steps made in copies at the same time; refs that a person made meanwhile stay', async () => {
    const main = repository({ 'a.txt': '1\n2\n3\n', 'sub/wf.yaml': '{}\n' });
    const project = join(main.path, 'sub');
    const workspace = await open(project, { from: 'checkout' });
    const [one, two] = await Promise.all([
      step(workspace, workspace.initial, 'one', 'sed -i s/1/one/ ../a.txt; git commit -qam one', 'one'),
      step(workspace, workspace.initial, 'two', 'ls -A; test ! -e .wf; sed -i s/3/three/ ../a.txt', 'two'),
    ]);
    expect(main.git('status', '--porcelain')).toBe('');
    main.git('branch', 'made-meanwhile');
    const merged = await workspace.merge('end', [one, two]);
    expect(merged.ok).toBe(true);
    const last = await step(workspace, merged.state, 'last', 'cat ../a.txt');
    await ended(workspace, last, 'x');
    expect(main.read('a.txt')).toBe('one\n2\nthree\n');
    expect(main.git('log', '-1', '--format=%s')).toBe('one');
    expect(main.git('branch', '--format=%(refname:short)')).toBe('made-meanwhile\nmain');
    expect(main.git('config', '--list', '--local')).not.toContain('remote');
  });
});

describe('an empty workspace', () => {
  it('needs no repository, and git only when something is made', async () => {
    emptyHome();
    const project = new Folder(temporary());
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    const workspace = await open(project.path, { from: 'empty' });
    const directory = await workspace.enter(workspace.initial);
    expect(readdirSync(directory.path)).toEqual([]);
    expect(await directory.snapshot('nothing')).toBe('empty');
    expect(await ended(workspace, 'empty', 'x')).toEqual({ tags: [], changedFiles: [] });
    expect(readdirSync(join(project.path, '.wf/work'))).toEqual([]);
    process.env['PATH'] = path;
  });

  it('is brought back to any state, and what is left in the end stays', async () => {
    emptyHome();
    const project = new Folder(temporary());
    const workspace = await open(project.path, { from: 'empty' });
    const made = await step(workspace, workspace.initial, 'make', 'echo 1 >out; mkdir d; echo 2 >d/e');
    expect(await step(workspace, workspace.initial, 'again', 'test -z "$(ls -A)"')).toBe('empty');
    const [x, y] = await Promise.all(
      ['x', 'y'].map((name) => step(workspace, made, name, `echo ${name} >${name}`, name)),
    );
    const merged = await workspace.merge('end', [x as string, y as string]);
    expect(merged.ok).toBe(true);
    const end = await ended(workspace, merged.state, 'x');
    expect(end.changedFiles).toEqual(['d/e', 'out', 'x', 'y']);
    expect(readdirSync(join(project.path, '.wf/work', RUN)).sort()).toEqual(['d', 'out', 'x', 'y']);
  });
});

describe('another repository', () => {
  it.each([
    ['a branch', 'dev', 'dev'],
    ['a tag', 'v1', 'tagged'],
    ['a commit that is on no branch', 'HEAD', 'loose'],
    ['what is checked out there', undefined, 'main'],
  ])('is begun at %s', async (_what, ref, expected) => {
    const other = repository({ 'f.txt': 'main\n' });
    other.sh(
      'git checkout -q -b dev; echo dev >f.txt; git commit -qam dev; git checkout -q -b t; echo tagged >f.txt; git commit -qam t; git tag v1; git checkout -q main; git branch -qD t',
    );
    other.sh(
      'git checkout -q --detach; echo loose >f.txt; git commit -qam loose; git tag -f keep; git config uploadpack.allowAnySHA1InWant true',
    );
    const commit = other.git('rev-parse', 'HEAD');
    other.git('tag', '-d', 'keep');
    other.git('checkout', '-q', 'main');
    const project = new Folder(temporary());
    const workspace = await open(project.path, {
      from: { git: `file://${other.path}`, ...(ref !== undefined && { ref: ref === 'HEAD' ? commit : ref }) },
    });
    expect(new Folder(workspace.root).read('f.txt')).toBe(`${expected}\n`);
    const before = other.git('for-each-ref');
    const state = await step(
      workspace,
      workspace.initial,
      'edit',
      'echo more >>f.txt; git commit -qam more; git gc -q --prune=now; echo rest >rest',
    );
    await workspace.enter(workspace.initial);
    const end = await ended(workspace, state, 'x');
    // It has no other place to be.
    const kept = new Folder(join(project.path, '.wf/work', RUN));
    expect(kept.git('show', `${end.branch}:f.txt`)).toBe(`${expected}\nmore`);
    expect(kept.git('show', `${end.branch}:rest`)).toBe('rest');
    expect(other.git('for-each-ref')).toBe(before);
  });

  it('that cannot be had is told without the password in its address', async () => {
    const project = repository();
    const refused = await open(project.path, { from: { git: 'http://ann:s3cret@127.0.0.1:9/x.git' } }).catch(
      (error: Error) => error,
    );
    expect(refused).toMatchObject({ name: 'UserError', hint: expect.stringContaining('address') });
    expect(String(refused)).toContain('http://***@127.0.0.1:9/x.git cannot be cloned');
    expect(JSON.stringify([String(refused), refused])).not.toContain('s3cret');
    await expect(open(project.path, { from: { git: '../gone' } })).rejects.toThrow(
      '../gone cannot be cloned',
    );
    await expect(
      open(project.path, { from: { git: `--upload-pack=touch ${project.path}/hacked` } }),
    ).rejects.toThrow('cannot be cloned');
    await expect(open(project.path, { from: { git: '.', ref: 'nope' } })).rejects.toThrow(
      'there is no commit, branch or tag "nope" in .',
    );
    await expect(open(project.path, { from: { git: '.', ref: '--all' } })).rejects.toThrow(
      'there is no commit',
    );
    expect(existsSync(join(project.path, 'hacked'))).toBe(false);
    expect(readdirSync(join(project.path, '.wf/work'))).toEqual([]);
  });

  it('of one step alone goes with all that is in it, its states with those of the run', async () => {
    const main = repository();
    const workspace = await open(main.path, { run: `${RUN}.step@1` });
    const sides = await Promise.all(
      ['x', 'y'].map((name) => step(workspace, workspace.initial, name, `echo ${name} >${name}`, name)),
    );
    const merged = await workspace.merge('both', sides);
    await workspace.discard();
    // A run that is carried on goes through all of it once more.
    const again = await open(main.path, { run: `${RUN}.step@1`, resume: true });
    expect(await again.merge('both', sides)).toEqual(merged);
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([`${RUN}.step@1.states`]);
    const whole = await open(main.path);
    await whole.finish(whole.initial, 'nothing');
    await whole.forget();
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([]);
    expect(readdirSync(join(main.path, '.wf/runs', RUN))).toEqual(['workspace.json']);
    expect(main.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });
});
