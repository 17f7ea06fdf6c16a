import { execFile, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../scripts/build.ts';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wf-package-'));

/** What npm says when no registry answers. */
const UNREACHABLE = /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|network/i;

let unreachable: string | undefined;

async function inPackage(command: string, ...args: readonly string[]) {
  return execute(command, [...args], { cwd: folder, env: { ...process.env, NO_COLOR: '1', CI: 'true' } });
}

beforeAll(async () => {
  await build();
  await execute('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(
    join(folder, 'package.json'),
    '{"name": "somebody", "version": "1.0.0", "type": "module", "private": true}\n',
  );
  try {
    await inPackage('npm', 'install', '--no-audit', '--no-fund', `./${tarball}`);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    if (!UNREACHABLE.test(stderr)) throw error;
    unreachable = 'no package registry answers, so the package cannot be installed';
  }
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package, installed into an empty project', () => {
  it('makes, checks and runs a first formula', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    await inPackage('npx', 'wf', 'init');
    expect((await inPackage('npx', 'wf', 'check')).stdout).toBe('3 files checked, nothing to report\n');
    const { stdout } = await inPackage('npx', 'wf', 'run', 'hello', '--quiet');
    expect(stdout).toMatch(/^hello succeeded in /);
    expect(stdout).toContain('greeting: Hello, world! Your name has 5 letters.');
  });

  it('has help, a version, and a word for a command that is not there', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    expect((await inPackage('npx', 'wf', '--version')).stdout).toMatch(
      /^formulary\/\d+\.\d+\.\d+ .* node-v\d+/,
    );
    expect((await inPackage('npx', 'wf', 'help', 'run')).stdout).toContain('Compile a formula and run it.');
    expect((await inPackage('npx', 'wf', 'run', '--help')).stdout).toContain('--dry-run');
    await expect(inPackage('npx', 'wf', 'chek')).rejects.toMatchObject({
      code: 2,
      stderr: 'error: wf has no command "chek"\nhelp: did you mean "check"?\n',
    });
  });

  it('is a library with types for a TypeScript project', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    writeFileSync(
      join(folder, 'use.ts'),
      `import { check, compile, run, UserError } from 'formulary';
import type { Diagnostic, Plan, RunState } from 'formulary';

const project = process.cwd();
const { ok, diagnostics } = await check({ project });
const problems: readonly Diagnostic[] = diagnostics;
const { plan } = await compile('hello', { project });
if (!plan) throw new Error('no plan');
const named: Plan = plan;
const state: RunState = await run(named, { project, inputs: { name: 'Ada' }, env: process.env });
const refused = await compile('nothing', { project }).catch((error: unknown) => error);
console.log(JSON.stringify({ ok, problems, status: state.status, outputs: state.outputs, user: refused instanceof UserError }));
`,
    );
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '@types'), { recursive: true });
    for (const name of ['@types/node', 'undici-types'])
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await inPackage(process.execPath, tsc, ...options, 'use.ts');
    const { stdout } = await inPackage(process.execPath, 'use.ts');
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      problems: [],
      status: 'succeeded',
      outputs: { greeting: 'Hello, Ada! Your name has 3 letters.' },
      user: true,
    });
  });

  it('holds what ships and nothing else', () => {
    const { files, oclif } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly files: readonly string[];
      readonly oclif: object;
    };
    expect(oclif).toMatchObject({ bin: 'wf' });
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/run.js',
        'dist',
        'schemas',
        'formulas',
        'molecules',
        'docs/checks',
        'oclif.manifest.json',
      ]),
    );
  });
});

describe('a Node that is too old', () => {
  const old = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((path) => join(path, 'node'))
    .find(
      (path) => Number(/^v(\d+)/.exec(String(spawnSync(path, ['--version']).stdout ?? ''))?.[1] ?? 99) < 22,
    );

  it.skipIf(old === undefined)('is told so in one line, exit 3 (needs one on PATH)', () => {
    const { stderr, status } = spawnSync(old ?? '', [join(root, 'bin', 'run.js'), 'check'], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^wf needs Node 22\.13 or newer, and this is \d+\.\d+\.\d+[^\n]*\n$/);
    expect(status).toBe(3);
    expect(dirname(old ?? '')).not.toBe('');
  });
});
