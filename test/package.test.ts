import { execFile, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
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
    expect((await inPackage('npx', 'wf', 'check')).stdout).toBe('4 files checked, nothing to report\n');
    expect((await inPackage('npx', 'wf', 'test')).stdout).toMatch(/^4 passed in 1 file/);
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

  it('leaves nothing running when it is killed', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const pid = join(folder, 'pid');
    writeFileSync(
      join(folder, 'formulas', 'long.yaml'),
      `formula: long\nworkspace: empty\nsteps: [{id: nap, run: 'echo $$ > ${pid}; exec sleep 300'}]\n`,
    );
    const wf = join(folder, 'node_modules/formulary/bin/run.js');
    const runner = spawn(process.execPath, [wf, 'run', 'long'], { cwd: folder, stdio: 'ignore' });
    await expect.poll(() => existsSync(pid) && readFileSync(pid, 'utf8'), { timeout: 20_000 }).toMatch(/\d/);
    const child = Number(readFileSync(pid, 'utf8'));
    runner.kill('SIGKILL');
    await expect.poll(() => isAlive(child), { timeout: 5000 }).toBe(false);
  });

  it('checks many files in several threads, and remembers what it found', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const many = join(folder, 'many');
    mkdirSync(join(many, 'formulas'), { recursive: true });
    const count = 200 * Math.max(2, availableParallelism());
    for (let index = 0; index < count; index++) {
      const step = index === 77 ? '{id: s, run: ls, needs: [t]}' : '{id: s, run: ls}';
      writeFileSync(join(many, `formulas/f${index}.yaml`), `formula: f${index}\nsteps: [${step}]\n`);
    }
    for (const _ of ['first', 'again']) {
      await expect(inPackage('npx', 'wf', 'check', '--cwd', many, '--json')).rejects.toMatchObject({
        code: 1,
        stdout: expect.stringMatching(
          new RegExp(`"files": ${count},\\s+"diagnostics": \\[\\s+{\\s+"rule": "unknown-need"`),
        ) as string,
      });
    }
    expect(readdirSync(join(many, '.wf/cache'))).toEqual(['check.json']);
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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

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
