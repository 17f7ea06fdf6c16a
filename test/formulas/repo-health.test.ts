import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../src/journal/run-state.ts';
import { testProject } from '../support/project.ts';
import type { TestProject } from '../support/project.ts';
import { shippedProject } from '../support/shipped.ts';

async function health(project: TestProject, ...flags: readonly string[]): Promise<RunState> {
  const { stdout } = await project.wf(['run', 'repo-health', '--json', ...flags]);
  return JSON.parse(stdout) as RunState;
}

describe('repo-health', () => {
  it('finds what is wrong, each thing by its name, and changes nothing', async () => {
    const project = shippedProject();
    project.write({
      'big file\n.bin': 'x'.repeat(300_000),
      LICENCE: 'free',
      '.github/workflows/ci.yml': 'on: push\n',
    });
    project.commit();
    project.git('branch', 'fresh');
    project.git('checkout', '-q', '-b', 'stale/topic');
    project.git('commit', '-q', '--allow-empty', '-m', 'old', '--date=2020-01-01T00:00:00Z');
    project.git('checkout', '-q', 'main');
    const day = new Date(Date.now() + 200 * 86_400_000).toISOString().slice(0, 10);
    const state = await health(project, '-i', 'max_kilobytes=200', '-i', `today=${day}`);
    expect(state).toMatchObject({ status: 'succeeded', outputs: { healthy: false, unchecked: [] } });
    const findings = state.outputs?.['findings'] as readonly {
      check: string;
      where: string;
      message: string;
    }[];
    expect(findings.map(({ check, where }) => [check, where])).toEqual(
      expect.arrayContaining([
        ['large files', 'big file\n.bin'],
        ['readme', ''],
        ['stale branches', 'stale/topic'],
      ]),
    );
    // A branch that is checked out is at work, however long nobody has come by.
    expect(findings.map(({ where }) => where)).not.toContain('main');
    expect(findings.filter(({ check }) => check === 'licence' || check === 'CI')).toEqual([]);
    expect(state.outputs?.['report']).toContain(
      '!  large files: 1\n     big file\\n.bin: 293 kB, and 200 are allowed',
    );
    expect(project.git('status', '--porcelain')).toBe('');
    expect(project.git('branch', '--list', 'wf/*')).toBe('');
  });

  it('is content with a repository that has all it should, also from a folder of it', async () => {
    const project = testProject({ 'README.md': '# Hello', COPYING: 'free', '.gitlab-ci.yml': 'a: 1\n' });
    cpSync(shippedProject().root, join(project.root, 'packages/web'), { recursive: true });
    project.commit();
    const { stdout } = await project.wf('run repo-health --json', {
      cwd: join(project.root, 'packages/web'),
    });
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'succeeded',
      outputs: {
        healthy: true,
        findings: [],
        report: 'ok large files\nok licence\nok readme\nok CI\nok stale branches',
      },
    });
  });

  it('says which check could not be run, and what the others found', async () => {
    const project = shippedProject();
    project.write({
      'README.md': '# Hello',
      'molecules/find-large-files.yaml':
        'molecule: find-large-files\ninputs: {max_kilobytes: {type: integer, default: 1}}\nrun: echo "{{inputs.max_kilobytes}}"; exit 9\noutputs: {findings: {type: array, items: {$ref: schemas/finding.json}}}\n',
    });
    project.commit();
    const state = await health(project);
    expect(state).toMatchObject({
      status: 'succeeded',
      outputs: { healthy: false, unchecked: ['large files'] },
      steps: { large_files: { status: 'failed' }, ci: { status: 'succeeded' } },
    });
    expect(state.outputs?.['report']).toContain(
      '?  large files: could not be checked (failed)\n!  licence: 1',
    );
  });
});
