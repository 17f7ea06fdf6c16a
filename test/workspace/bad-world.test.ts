import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { emptyHome, fileIn, Folder, open, repository, step, temporary } from './repository.ts';

// Dozens of git processes each, on machines that may be busy.
vi.setConfig({ testTimeout: 30_000 });

async function refusal(
  opening: Promise<unknown>,
): Promise<{ readonly message: string; readonly hint: string }> {
  const error = await opening.then(
    () => new Error('it was not refused'),
    (refused: Error & { readonly hint?: string }) => refused,
  );
  if (error.name !== 'UserError') throw error;
  return { message: error.message, hint: 'hint' in error ? String(error.hint) : '' };
}

describe('a clone is refused with what to do, and leaves nothing', () => {
  it('outside of a repository', async () => {
    emptyHome();
    const project = temporary();
    expect(await refusal(open(project))).toEqual({
      message: `${project} is not in a git repository, and the formula works in a clone of it`,
      hint: 'run `git init` and commit, or say `workspace: empty` in the formula',
    });
    expect(readdirSync(join(project, '.wf/work'))).toEqual([]);
  });

  it('in a repository without a commit, also in place', async () => {
    emptyHome();
    const main = new Folder(temporary());
    main.git('init', '-q', '-b', 'main');
    for (const from of ['clone', 'checkout'] as const) {
      expect(await refusal(open(main.path, { from }))).toEqual({
        message: `${main.path} has no commit yet, so there is nothing to begin with`,
        hint: 'commit first, or say `workspace: empty` in the formula',
      });
    }
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([]);
  });

  it('of a revision that is not there', async () => {
    const main = repository();
    for (const revision of ['nope', '--all', 'main..main', '0'.repeat(40)]) {
      expect((await refusal(open(main.path, { revision }))).message).toBe(
        `there is no commit, branch or tag "${revision}" in ${main.path}`,
      );
    }
  });

  it('when a branch has the place of the one that the run is to make', async () => {
    const main = repository();
    main.git('branch', 'wf/tidy');
    expect(await refusal(open(main.path))).toEqual({
      message: expect.stringContaining('there is a branch called "wf/tidy"'),
      hint: 'rename it: git branch -m wf/tidy <another name>',
    });
    expect(main.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\nrefs/heads/wf/tidy');
  });

  it('without git', async () => {
    const main = repository();
    const path = process.env['PATH'];
    const bin = join(temporary(), 'bin');
    mkdirSync(bin);
    symlinkSync('/bin/cp', join(bin, 'cp'));
    process.env['PATH'] = bin;
    const refused = await refusal(open(main.path));
    process.env['PATH'] = path;
    expect(refused).toEqual({
      message: 'git is not installed, or not on PATH',
      hint: 'install git 2.38 or newer',
    });
  });

  it('in a read-only `.wf`', async (context) => {
    const main = repository();
    mkdirSync(join(main.path, '.wf'));
    try {
      execFileSync('chattr', ['+i', join(main.path, '.wf')], { stdio: 'ignore' });
    } catch {
      context.skip('a folder cannot be made immutable here');
    }
    onTestFinished(() => void execFileSync('chattr', ['-i', join(main.path, '.wf')]));
    const refused = await refusal(open(main.path));
    execFileSync('chattr', ['-i', join(main.path, '.wf')]);
    expect(refused.message).toMatch(/\.wf.* cannot be used: permission denied/);
    expect(main.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });
});

describe('a disk that is full', () => {
  const small = (project: Folder, size: string): boolean => {
    mkdirSync(join(project.path, '.wf'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', join(project.path, '.wf')], {
        stdio: 'ignore',
      });
    } catch {
      return false;
    }
    onTestFinished(() => void execFileSync('umount', ['-l', join(project.path, '.wf')]));
    return true;
  };

  it('when the clone is made is told, and nothing is left', async (context) => {
    const main = repository({ 'big.bin': Buffer.alloc(3_000_000, 'x'), 'a.txt': 'one\n' });
    if (!small(main, '2m')) context.skip('a small file system cannot be mounted here');
    const refused = await refusal(open(main.path));
    expect(refused.message).toMatch(/space|quota/i);
    expect(refused.hint).toContain('free some space');
    expect(readdirSync(join(main.path, '.wf/work'))).toEqual([]);
    expect(main.git('for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  });

  it('in the middle of a run is told, with every earlier state intact; with room again it goes on', async (context) => {
    const main = repository({ 'a.txt': 'one\n' });
    if (!small(main, '4m')) context.skip('a small file system cannot be mounted here');
    const workspace = await open(main.path);
    const first = await step(workspace, workspace.initial, 'first', 'echo first >>a.txt');
    const directory = await workspace.enter(first);
    // What cannot be compressed has no second place.
    execFileSync('bash', ['-c', 'head -c 2500000 /dev/urandom >big.bin'], { cwd: directory.path });
    expect(await refusal(directory.snapshot('second'))).toMatchObject({
      hint: expect.stringContaining('wf resume'),
    });
    const again = await open(main.path, { resume: true });
    const entered = await again.enter(first);
    expect(existsSync(join(entered.path, 'big.bin'))).toBe(false);
    const second = await step(again, first, 'second', 'echo second >>a.txt');
    expect(await fileIn(again, second, 'a.txt')).toBe('one\nfirst\nsecond\n');
    const { branch } = await again.finish(second, 'x');
    expect(main.git('show', `${branch}:a.txt`)).toBe('one\nfirst\nsecond');
  });
});

it('a file that cannot be read is named, and can be made readable', (context) => {
  const project = new Folder(temporary());
  if (process.getuid?.() !== 0) context.skip('only root can become somebody who may not read');
  const script = join(project.path, 'unreadable.ts');
  const source = join(import.meta.dirname, '../../src/workspace/open-run-workspace.ts');
  const main = join(project.path, 'main');
  writeFileSync(
    script,
    `import { chmodSync, writeFileSync } from 'node:fs';
     import { openRunWorkspace } from ${JSON.stringify(source)};
     const workspace = await openRunWorkspace({ project: ${JSON.stringify(main)}, run: 'R', formula: 'f', from: 'clone',
       allowDirty: false, resume: false, signal: new AbortController().signal });
     const directory = await workspace.enter(workspace.initial);
     writeFileSync(directory.path + '/secret.txt', 'x');
     chmodSync(directory.path + '/secret.txt', 0);
     await directory.snapshot('one').catch((error) => console.log(error.name + ': ' + error.message + ' | ' + error.hint));
     chmodSync(directory.path + '/secret.txt', 0o600);
     console.log((await workspace.changes(workspace.initial, await directory.snapshot('one'))).length);`,
  );
  mkdirSync(main);
  const repositoryOfNobody = new Folder(main);
  repositoryOfNobody.git('init', '-q');
  repositoryOfNobody.write({ 'a.txt': '1' }).commit();
  execFileSync('chown', ['-R', 'nobody', project.path]);
  let said: string;
  try {
    said = execFileSync('setpriv', ['--reuid=nobody', '--clear-groups', process.execPath, script], {
      cwd: main,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: project.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    if (!String((error as { stderr?: string }).stderr).includes('EACCES')) throw error;
    context.skip('nobody may not read these sources here');
    return;
  }
  expect(said).toBe(
    `UserError: ${main}/.wf/work/R/secret.txt cannot be read: permission denied | make it readable, or have git ignore it; then \`wf resume\`\n1\n`,
  );
});
