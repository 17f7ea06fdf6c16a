import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callWorkspaceTool } from '../../src/gateway/workspace-tools.ts';
import type { JsonValue } from '../../src/support/json.ts';
import { proof } from '../support/proof.ts';

/** A workspace beside a folder that it must not touch. */
function place(files: Readonly<Record<string, string>> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'wf-tools-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [inside, outside] = [join(root, 'in'), join(root, 'out')];
  for (const folder of [inside, outside, join(inside, '.git', 'hooks')])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(outside, 'secret.txt'), 'CANARY\n');
  writeFileSync(join(inside, '.git', 'config'), 'url = CANARY\n');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(inside, path, '..'), { recursive: true });
    writeFileSync(join(inside, path), text);
  }
  const call = async (name: string, args: JsonValue, signal = new AbortController().signal) => {
    const outcome = await callWorkspaceTool(name, args, {
      directory: inside,
      results: join(root, 'results'),
      signal,
      execute: (command) =>
        Promise.resolve({ exitCode: command === 'false' ? 1 : 0, output: `ran ${command}` }),
    });
    return outcome.kind === 'returned' ? `${outcome.isError ? '✗ ' : ''}${outcome.text}` : outcome.kind;
  };
  return { root, inside, outside, call };
}

describe('the tools of the workspace', () => {
  it('read, list and search', async () => {
    const { call } = place({ 'a.txt': 'one\ntwo\nthree\n', 'src/b.ts': 'const two = 2;\n', bin: '\0' });
    expect(await call('read', { path: 'a.txt' })).toBe('one\ntwo\nthree');
    expect(await call('read', { path: './src/../a.txt', offset: 2, limit: 1 })).toBe('two\n[1 more lines]');
    expect(await call('read', { path: 'a.txt', offset: 9 })).toBe('✗ it has 3 lines');
    expect(await call('read', { path: 'bin' })).toBe('✗ "bin" is no text');
    expect(await call('read', { path: 'src' })).toBe('✗ "src" is a folder');
    expect(await call('read', { path: 'no.txt' })).toBe('✗ there is no file "no.txt"');
    expect(await call('list', {})).toBe('a.txt\nbin\nsrc/b.ts');
    expect(await call('list', { glob: '*.ts' })).toBe('src/b.ts');
    expect(await call('list', { path: 'src' })).toBe('src/b.ts');
    expect(await call('search', { pattern: 'tw.' })).toBe('a.txt:2: two\nsrc/b.ts:1: const two = 2;');
    expect(await call('search', { pattern: '(' })).toContain('✗ the pattern cannot be read');
    expect(await call('search', { pattern: 'zzz' })).toBe('no matches');
  });

  it('edit what is there once, and keep its line ends and mode', async () => {
    const { inside, call } = place({ 'a.sh': 'one\r\ntwo\r\ntwo\r\n' });
    chmodSync(join(inside, 'a.sh'), 0o755);
    expect(await call('edit', { path: 'a.sh', old: 'one\ntwo', new: 'ONE\nTWO' })).toBe('done');
    expect(readFileSync(join(inside, 'a.sh'), 'utf8')).toBe('ONE\r\nTWO\r\ntwo\r\n');
    expect(statSync(join(inside, 'a.sh')).mode & 0o777).toBe(0o755);
    expect(await call('edit', { path: 'a.sh', old: 'x  y', new: '' })).toBe('✗ `old` is not in "a.sh"');
    expect(await call('edit', { path: 'a.sh', old: 'ONE  TWO', new: '' })).toContain('with other spaces');
    expect(await call('edit', { path: 'a.sh', old: '\n', new: ' ' })).toContain('is 3 times in');
    expect(await call('edit', { path: 'a.sh', old: 'o', new: '0', all: true })).toBe('done');
  });

  it('write, with the folders on the way', async () => {
    const { inside, call } = place();
    expect(await call('write', { path: 'x/y/z.txt', content: 'hello' })).toBe('done');
    expect(readFileSync(join(inside, 'x/y/z.txt'), 'utf8')).toBe('hello');
    expect(await call('write', { path: 'x/y', content: 'hello' })).toBe('✗ "x/y" is a folder');
    expect(await call('write', { path: '.', content: '' })).toContain('is the workspace itself');
  });

  it('run, and say how it ended', async () => {
    const { call } = place();
    expect(await call('run', { command: 'true' })).toBe('ran true\n[exit code 0]');
    expect(await call('run', { command: 'false' })).toBe('✗ ran false\n[exit code 1]');
  });

  it.each([
    ['read', {}, 'path'],
    ['read', 'path=', 'not JSON'],
    ['read', [], 'object'],
    ['read', { path: 4 }, 'path'],
    ['read', { path: 'a', more: 1 }, 'more'],
    ['nothing', {}, 'no tool'],
    ['constructor', {}, 'no tool'],
  ])('%s %j is told what is wrong', async (name, args, what) => {
    const { call } = place();
    const told = await call(name, args);
    expect(told).toContain('✗ ');
    expect(told).toContain(what);
  });

  it('end when they are cancelled', async () => {
    const { call } = place();
    expect(await call('list', {}, AbortSignal.abort())).toBe('cancelled');
  });
});

describe('what is outside of the workspace', () => {
  it.each([
    '../out/secret.txt',
    'x/../../out/secret.txt',
    '/etc/passwd',
    'link/secret.txt',
    'file-link',
    'dangling',
    'up/out/secret.txt',
    '.git/config',
    '.GIT/config',
    'sub/.git/config',
    '.wf/journal.db',
    '.WF/journal.db',
    'wf-link/journal.db',
    'git-link/config',
    'git-link',
    'a\0b',
    'x'.repeat(5000),
    'x'.repeat(300),
    'fifo',
  ])('is neither read nor written by %j', async (path) => {
    const { root, inside, outside, call } = place({
      'sub/.git/config': 'CANARY',
      '.wf/journal.db': 'CANARY',
    });
    symlinkSync('.wf', join(inside, 'wf-link'));
    symlinkSync(outside, join(inside, 'link'));
    symlinkSync(join(outside, 'secret.txt'), join(inside, 'file-link'));
    symlinkSync(join(outside, 'new.txt'), join(inside, 'dangling'));
    symlinkSync('..', join(inside, 'up'));
    symlinkSync('.git', join(inside, 'git-link'));
    execFileSync('bash', ['-c', 'mkfifo "$0"', join(inside, 'fifo')]);
    for (const [name, args] of [
      ['read', { path }],
      ['edit', { path, old: 'CANARY', new: 'x' }],
      ['write', { path, content: 'x' }],
      ['search', { pattern: 'CANARY', path }],
      ['list', { path }],
    ] as const) {
      const told = await call(name, args);
      expect(told, name).not.toContain('CANARY');
      if (name !== 'list' && name !== 'search') expect(told, name).toContain('✗');
    }
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('CANARY\n');
    expect(existsSync(join(outside, 'new.txt'))).toBe(false);
    expect(readFileSync(join(inside, '.git', 'config'), 'utf8')).toBe('url = CANARY\n');
    expect(readFileSync(join(inside, '.wf', 'journal.db'), 'utf8')).toBe('CANARY');
    expect(lstatSync(root).isDirectory()).toBe(true);
  });

  it('is not changed through a second name of a file', async () => {
    const { inside, outside, call } = place();
    linkSync(join(outside, 'secret.txt'), join(inside, 'same.txt'));
    expect(await call('write', { path: 'same.txt', content: 'mine' })).toBe('done');
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('CANARY\n');
  });

  it('is not changed when a folder becomes a link meanwhile', async () => {
    const { inside, outside, call } = place({ 'dir/x.txt': 'x' });
    symlinkSync(outside, join(inside, 'evil'));
    let on = true;
    // A write may make the folder anew while it is aside, at any moment.
    const move = (from: string, to: string) => {
      for (;;) {
        try {
          renameSync(join(inside, from), join(inside, to));
          return;
        } catch {
          rmSync(join(inside, to), { recursive: true, force: true });
        }
      }
    };
    const swapping = (async () => {
      while (on) {
        move('dir', 'aside');
        move('evil', 'dir');
        await new Promise((resolve) => setImmediate(resolve));
        move('dir', 'evil');
        move('aside', 'dir');
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let at = 0; at < 300; at++) {
      await call('write', { path: 'dir/secret.txt', content: 'mine' });
      await call('write', { path: 'dir/fresh/x.txt', content: 'mine' });
      expect(await call('read', { path: 'dir/secret.txt' })).not.toContain('CANARY');
    }
    on = false;
    await swapping;
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('CANARY\n');
    expect(existsSync(join(outside, 'fresh'))).toBe(false);
  });

  it('stays as it is, whatever the arguments are', async () => {
    const { inside, outside, call } = place({ 'a.txt': 'one\n' });
    symlinkSync(outside, join(inside, 'link'));
    const segment = fc.constantFrom(
      '..',
      '.',
      'link',
      '.git',
      '.Git',
      'a.txt',
      'x',
      'secret.txt',
      'out',
      '',
      '\u0000',
      'é',
    );
    const path = fc.oneof(
      fc.array(segment, { maxLength: 5 }).map((parts) => parts.join('/')),
      fc.constantFrom(
        join(outside, 'secret.txt'),
        `${inside}/../out/secret.txt`,
        `${inside}/link/secret.txt`,
      ),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('read', 'write', 'edit', 'list', 'search'),
        path,
        async (name, where) => {
          const args = {
            read: { path: where },
            write: { path: where, content: 'x' },
            edit: { path: where, old: 'CANARY', new: 'x' },
            list: { path: where },
            search: { path: where, pattern: 'CANARY' },
          }[name] as JsonValue;
          expect(await call(name, args)).not.toContain('CANARY');
        },
      ),
      proof({ few: 300, many: 20_000 }),
    );
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('CANARY\n');
    expect(readFileSync(join(inside, '.git', 'config'), 'utf8')).toBe('url = CANARY\n');
  });
});
