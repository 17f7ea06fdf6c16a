import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../src/journal/run-state.ts';
import { testProject } from './support/project.ts';
import type { TestProject } from './support/project.ts';

const folder = fileURLToPath(new URL('../examples', import.meta.url));

/** What each example shows, and that it does. */
const shows: Readonly<Record<string, (project: TestProject) => Promise<void>>> = {
  sequence: async (project) => {
    expect(await run(project, 'word-count')).toMatchObject({
      status: 'succeeded',
      outputs: { words: 9, verdict: '9 words are a long text' },
    });
    expect(await run(project, 'word-count', '-i', 'text=$(touch /tmp/x) two')).toMatchObject({
      outputs: { words: 3, verdict: 'a short text' },
      steps: { judge: { status: 'skipped' } },
    });
  },
  'fan-out': async (project) => {
    expect(await run(project, 'survey')).toMatchObject({
      status: 'succeeded',
      outputs: { letters: [3, 5, 5, 5] },
    });
  },
  approval: async (project) => {
    expect(await run(project, 'release')).toMatchObject({
      status: 'waiting',
      waiting: [{ step: 'ask', for: 'approval' }],
    });
    expect((await project.wf('approve latest ask')).exitCode).toBe(0);
    const { stdout, exitCode } = await project.wf('resume latest --json');
    expect(JSON.parse(stdout)).toMatchObject({
      outputs: { published: 'published 1.0.0; the answer was approved' },
      steps: { build: { attempts: 1 } },
    });
    expect(exitCode).toBe(0);
  },
  verify: async (project) => {
    expect(await run(project, 'answer')).toMatchObject({
      status: 'succeeded',
      outputs: { answer: '42', attempts: 2 },
    });
  },
  repeat: async (project) => {
    expect(await run(project, 'countdown')).toMatchObject({ outputs: { said: 'lift-off after 3 counts' } });
    expect((await run(project, 'countdown', '-i', 'from=20')).steps['count']).toMatchObject({
      iterations: 20,
    });
  },
  'sub-formula': async (project) => {
    expect(await run(project, 'publish-site')).toMatchObject({
      outputs: { said: 'published 2 pages\nabout.html\nhome.html' },
      steps: { 'site.render': { status: 'succeeded' } },
    });
    expect(await run(project, 'build-site')).toMatchObject({ outputs: { pages: 1 } });
  },
  services: async (project) => {
    const port = String(20_000 + (process.pid % 20_000));
    expect(await run(project, 'integration-test', '-i', `port=${port}`)).toMatchObject({
      outputs: { built: true },
    });
    expect((await project.wf('logs latest service.web')).stdout).toBe('listening\n');
  },
  handoff: async (project) => {
    const state = await run(project, 'upgrade');
    expect(state).toMatchObject({
      status: 'handed_off',
      steps: { notify: { status: 'failed' }, roll_back: { status: 'succeeded' } },
    });
    expect(readFileSync(join(state.bundle ?? '', 'README.md'), 'utf8')).toContain(
      '3 tests fail with the new version',
    );
    expect(readFileSync(join(state.bundle ?? '', 'changes.diff'), 'utf8')).toContain('+dependency 2.0.0');
    expect(await run(project, 'upgrade', '-i', 'breaks=false')).toMatchObject({
      status: 'succeeded',
      steps: { roll_back: { status: 'skipped' } },
    });
  },
};

async function run(project: TestProject, ...args: readonly string[]): Promise<RunState> {
  const { stdout, stderr } = await project.wf(['run', ...args, '--json']);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as RunState;
}

describe('examples', () => {
  it('each has a test here and a README', () => {
    const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
    // The extension for an editor is tested with the language server.
    expect([...Object.keys(shows), 'editor'].sort()).toEqual(names.sort());
    expect(names.filter((name) => !existsSync(join(folder, name, 'README.md')))).toEqual([]);
  });

  it.each(Object.entries(shows))('%s checks clean and does what it says', async (name, show) => {
    const project = testProject({});
    cpSync(join(folder, name), project.root, { recursive: true });
    project.commit();
    const { stdout, exitCode } = await project.wf('check --strict');
    expect(stdout).toMatch(/nothing to report\n$/);
    expect(exitCode).toBe(0);
    await show(project);
    expect(project.git('status', '--porcelain')).toBe('');
  });
});
