import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TestProject } from '../support/project.ts';
import { testProject } from '../support/project.ts';

const dev = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));
const good = 'formula: a\nsteps:\n  - {id: one, run: ls}\n  - {id: two, run: ls, needs: [one]}\n';
const bad = good.replace('[one]', '[oen]');

/** A `wf check --watch` of its own process, and what it has printed. */
function watching(project: TestProject, ...args: readonly string[]) {
  const child = spawn(process.execPath, [dev, 'check', '--watch', ...args], {
    cwd: project.root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: project.root, NO_COLOR: '1' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  let wake: () => void = () => undefined;
  const add = (chunk: string) => {
    text += chunk;
    wake();
  };
  child.stdout.setEncoding('utf8').on('data', add);
  child.stderr.setEncoding('utf8').on('data', add);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    /** Waits until what was printed since the last call says this, and gives it back. */
    async until(words: string): Promise<string> {
      while (!text.includes(words)) {
        const gone = await Promise.race([
          new Promise<'more'>((resolve) => (wake = () => resolve('more'))),
          ended.then(() => 'gone' as const),
        ]);
        if (gone === 'gone' && !text.includes(words))
          throw new Error(`it ended and did not say "${words}":\n${text}`);
      }
      const seen = text;
      text = '';
      return seen;
    },
    async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
      child.kill(signal);
      return ended;
    },
  };
}

describe('wf check --watch', () => {
  it('checks again when something changes, however it is saved', async () => {
    const project = testProject({ 'formulas/a.yaml': good });
    const file = join(project.root, 'formulas/a.yaml');
    const watch = watching(project);
    expect(await watch.until('nothing to report')).toBe('1 file checked, nothing to report\n');
    writeFileSync(file, bad);
    expect(await watch.until('1 error in 1 file')).toContain('\nformulas/a.yaml changed\nformulas/a.yaml:4:');
    // As editors do: another file that takes its place.
    writeFileSync(`${file}.tmp`, good);
    renameSync(`${file}.tmp`, file);
    expect(await watch.until('nothing to report')).toContain('formulas/a.yaml');
    writeFileSync(join(project.root, 'formulas/b.yaml'), 'formula: b\nsteps: [{id: s, uses: formula/a}]\n');
    await watch.until('2 files checked, nothing to report');
    rmSync(file);
    await watch.until('there is no formula "a"');
    writeFileSync(join(project.root, 'wf.yaml'), 'env: [\n');
    await watch.until('wf.yaml:');
    rmSync(join(project.root, 'wf.yaml'));
    writeFileSync(file, good);
    await watch.until('2 files checked, nothing to report');
    expect(await watch.stop()).toBe(130);
  });

  it('goes on when what it was asked to check is gone for a while', async () => {
    const project = testProject({ 'formulas/a.yaml': good });
    const watch = watching(project, 'formulas/a.yaml');
    await watch.until('nothing to report');
    rmSync(join(project.root, 'formulas/a.yaml'));
    await watch.until('error: there is no file formulas/a.yaml');
    writeFileSync(join(project.root, 'formulas/a.yaml'), good);
    await watch.until('nothing to report');
    expect(await watch.stop('SIGTERM')).toBe(130);
  });

  it('does not look at what git ignores, nor at packages', async () => {
    const project = testProject({ 'formulas/a.yaml': good, '.gitignore': 'out/\n' });
    execFileSync('git', ['init', '-q'], { cwd: project.root });
    for (const folder of ['out', 'node_modules', '.wf']) {
      mkdirSync(join(project.root, folder));
      writeFileSync(join(project.root, folder, 'x'), '');
    }
    const watch = watching(project);
    await watch.until('nothing to report');
    for (const folder of ['out', 'node_modules', '.wf']) writeFileSync(join(project.root, folder, 'x'), 'y');
    writeFileSync(join(project.root, 'formulas/a.yaml'), bad);
    expect(await watch.until('1 error')).toMatch(/^\nformulas\/a\.yaml changed\n/);
    await watch.stop();
  });

  it('prints a line of JSON for each check', async () => {
    const project = testProject({ 'formulas/a.yaml': bad });
    const watch = watching(project, '--json');
    const first = await watch.until('\n');
    expect(JSON.parse(first)).toMatchObject({ ok: false, files: 1, diagnostics: [{ rule: 'unknown-need' }] });
    writeFileSync(join(project.root, 'formulas/a.yaml'), good);
    expect(JSON.parse(await watch.until('\n'))).toMatchObject({ ok: true, diagnostics: [] });
    expect(await watch.stop()).toBe(130);
  });

  it('is refused beside formats that are one document', async () => {
    const project = testProject({ 'formulas/a.yaml': good });
    const { exitCode, stderr } = await project.wf('check --watch --format sarif');
    expect([exitCode, stderr.split('\n')[0]]).toEqual([
      2,
      'error: --watch goes with text and JSON, and not with --format sarif',
    ]);
  });
});
