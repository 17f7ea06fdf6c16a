import { chmodSync, cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../src/journal/run-state.ts';
import { fastImport } from '../support/fast-import.ts';
import type { NewCommit } from '../support/fast-import.ts';
import { testProject } from '../support/project.ts';
import type { TestProject } from '../support/project.ts';
import { shippedProject } from '../support/shipped.ts';

/** What people, tools and attackers have written into commit messages. */
const hostile: readonly string[] = [
  'feat: say "hello" to \'everybody\'',
  'fix(shell): $(touch hacked) `touch hacked` ${IFS}; touch hacked',
  'chore: 🎉 größer — 日本語',
  `docs: ${'a very long line '.repeat(640)}`,
  '- looks like a list',
  '-n --exec=touch hacked',
  '<script>alert(1)</script> [link](javascript:alert) ![](x)',
  '* **bold** _under_ #12 | table |',
  'feat!: break everything\n\nBREAKING CHANGE: really',
  '<!-- end of section v0.1.0 -->',
  '{{inputs.version}} \\{{x}}',
  'tab\tand\u0007bell and \u2028 separator',
  'named like another (`0123456789ab`)',
  "quote ' and \\ and $PATH",
  '   ',
  'turned \u202e round \u009b2J',
  '- - 1. [ ] a list in a list',
  '1. first',
  'feat: take `Array<T>` and `a_b[0]`, not `',
  'feat: take `Array<T>` and `a_b[0]`',
  '&lt;b&gt; and &#60;',
];

function history(count: number): readonly NewCommit[] {
  return Array.from({ length: count }, (_, at): NewCommit => {
    const message =
      at % 7 === 0 ? (hostile[(at / 7) % hostile.length] as string) : `fix: number ${at}\n\nwith a body\n`;
    const folder = ['src', 'docs', 'with space', 'ünï'][at % 4] as string;
    const merges = at > 10 && at % 50 === 0;
    return {
      message: merges ? `Merge branch 'topic-${at}'` : message,
      files: merges ? {} : { [`${folder}/file-${at % 30}.txt`]: `${at}\n` },
      ...(merges && { merge: at - 3 }),
      ...(at > 10 && at % 50 === 48 && { from: at - 2 }),
    };
  });
}

/** A repository with the shipped formulas and this history. */
function repository(commits: readonly NewCommit[]): TestProject {
  const project = shippedProject();
  project.git('init', '-q', '-b', 'main');
  fastImport(project.root, commits);
  project.git('reset', '-q');
  project.git('add', '-A', 'formulas', 'molecules');
  project.git('commit', '-q', '-m', 'Take formulas');
  project.git('checkout', '-q', '--', '.');
  return project;
}

async function run(project: TestProject, ...flags: readonly string[]): Promise<RunState> {
  const { stdout } = await project.wf(['run', 'release-notes', '--json', ...flags]);
  return JSON.parse(stdout) as RunState;
}

/** The ids that a changelog names, in its own order. */
function named(changelog: string): readonly string[] {
  return changelog.split('\n').flatMap((line) => /^- .* \(`([0-9a-f]{12})`\)$/.exec(line)?.[1] ?? []);
}

describe('release-notes', () => {
  it('names each of 2,000 commits once, whatever they are called, and changes nothing but the changelog', async () => {
    const project = repository(history(2_001));
    const state = await run(project);
    expect(state.error).toBeUndefined();
    expect(state).toMatchObject({
      status: 'succeeded',
      outputs: { commits: 2_002, version: 'v0.1.0' },
      changedFiles: ['CHANGELOG.md'],
    });

    const changelog = project.git('show', `${state.branch ?? ''}:CHANGELOG.md`);
    const there = project
      .git('rev-list', 'main')
      .trim()
      .split('\n')
      .map((sha) => sha.slice(0, 12));
    expect([...named(changelog)].sort()).toEqual([...there].sort());
    expect(changelog).toMatch(/### Breaking changes\n[^#]*\n- break everything \(`/);
    expect(changelog).toContain('### Merges');
    expect(changelog).toContain('- take `Array<T>` and `a_b[0]` (`');
    expect(changelog).toContain('- take \\`Array\\<T\\>\\` and \\`a_b\\[0\\]\\`, not \\` (`');
    expect(changelog).toContain('- \\- looks like a list (`');
    expect(changelog).toContain('- 1\\. first (`');
    expect(changelog).toContain('- \\&lt;b\\&gt; and \\&\\#60; (`');
    expect(changelog).toContain('- turned round 2J (`');
    expect(changelog).toContain('\\<script\\>alert(1)\\</script\\> \\[link\\](javascript:alert)');
    expect(Math.max(...changelog.split('\n').map((line) => line.length))).toBeLessThan(300);
    expect(existsSync(join(project.root, 'hacked'))).toBe(false);
    expect(project.git('status', '--porcelain')).toBe('');
    // The repository has got the branch of the run and nothing else.
    expect(project.git('for-each-ref', '--format=%(refname)').trim().split('\n').sort()).toEqual([
      'refs/heads/main',
      `refs/heads/${state.branch ?? ''}`,
    ]);
  });

  it('begins after the last tag, names the next version, keeps what was written, and is the same twice', async () => {
    const project = repository([
      {
        message: 'first',
        files: { 'CHANGELOG.md': '# Changes\n\nBy hand.\n\n## 1.0.0\n\n- the beginning\n' },
      },
      { message: 'fix: a', files: { 'src/a': '1' } },
    ]);
    project.git('tag', 'v1.4.2', 'main~1');
    const first = await run(project);
    expect(first.outputs).toMatchObject({ commits: 1, version: 'v1.4.3' });
    project.git('merge', '-q', first.branch ?? '');
    const changelog = project.git('show', 'HEAD:CHANGELOG.md');
    expect(changelog).toMatch(
      /^# Changes\n\nBy hand\.\n\n<!-- section v1\.4\.3 -->\n## v1\.4\.3 \(2\d{3}-\d\d-\d\d\)\n/,
    );
    expect(changelog).toMatch(/<!-- end of section v1\.4\.3 -->\n\n## 1\.0\.0\n\n- the beginning\n$/);

    const second = await run(project);
    project.git('merge', '-q', second.branch ?? '');
    const again = project.git('show', 'HEAD:CHANGELOG.md');
    expect(again.match(/<!-- section /g)).toHaveLength(1);
    expect(named(again)).toHaveLength(2);
  });

  it('comes behind what is not released yet, with the ends of lines that the file has', async () => {
    const project = repository([
      {
        message: 'feat: first',
        files: { 'CHANGELOG.md': '# Changes\r\n\r\n## [Unreleased]\r\n\r\n- by hand\r\n\r\n## 1.0.0\r\n' },
      },
    ]);
    const changelogs = [];
    for (const since of ['main', 'main~1']) {
      const { branch = '', error } = await run(project, '-i', 'version=1.1.0', '-i', `since=${since}~1`);
      expect(error).toBeUndefined();
      project.git('merge', '-q', branch);
      changelogs.push(project.git('show', 'HEAD:CHANGELOG.md'));
    }
    const [first = '', second = ''] = changelogs;
    expect(first).toMatch(
      /^# Changes\r\n\r\n## \[Unreleased\]\r\n\r\n- by hand\r\n\r\n<!-- section 1\.1\.0 -->\r\n## 1\.1\.0 \(/,
    );
    expect(first).toMatch(/<!-- end of section 1\.1\.0 -->\r\n\r\n## 1\.0\.0\r\n$/);
    expect(first.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(second.split('<!-- section ')).toHaveLength(2);
  });

  it('has nothing to do when nothing came since', async () => {
    const project = repository([{ message: 'first', files: { a: '1' } }]);
    project.git('tag', '1.0.0');
    expect(await run(project)).toMatchObject({
      status: 'succeeded',
      outputs: { commits: 0, version: '1.0.0', notes: 'nothing has changed' },
    });
  });

  it('begins where it is told to, and says when there is no such place', async () => {
    const project = repository(history(10));
    expect((await run(project, '-i', 'since=main~3')).outputs).toMatchObject({ commits: 3 });
    expect((await run(project, '-i', 'since=--all')).error).toMatchObject({
      step: 'range',
      detail: 'there is no tag, branch or commit "--all" here',
    });
  });

  it('tags after somebody has said yes, and not before', async () => {
    const project = repository(history(5));
    project.write({
      'home/.gitconfig':
        '[commit]\ngpgSign = true\n[tag]\ngpgSign = true\n[log]\nshowSignature = true\n[diff]\nrelative = true\n' +
        '[color]\nui = always\n[core]\nhooksPath = ~/hooks\n[i18n]\nlogOutputEncoding = latin1\n',
      'home/hooks/pre-commit': '#!/bin/sh\nexit 1\n',
    });
    chmodSync(join(project.root, 'home/hooks/pre-commit'), 0o755);
    // Nothing of it is anything to the run.
    const env = { HOME: join(project.root, 'home') };
    const asked = await project.wf('run release-notes -i tag=true -i version=2.0.0', { env });
    expect(asked.exitCode).toBe(4);
    expect(asked.stdout).toContain('approve_tag: Tag 2.0.0 with 6 commits?');
    expect(project.git('tag')).toBe('');
    await project.wf('approve latest approve_tag');
    const { stdout } = await project.wf('resume latest --json', { env });
    const state = JSON.parse(stdout) as RunState;
    expect(state.status).toBe('succeeded');
    expect(project.git('tag')).toBe('2.0.0\n');
    expect(project.git('log', '-1', '--format=%an %s', '2.0.0')).toBe('wf Release notes of 2.0.0\n');
    expect(named(project.git('show', '2.0.0:CHANGELOG.md'))).toHaveLength(6);
    expect(project.git('rev-parse', '2.0.0^{commit}')).toBe(project.git('rev-parse', state.branch ?? ''));
  });

  it('fails when a commit is left out, one is named twice, or another file is changed', async () => {
    const project = repository(history(5));
    const edit = (file: string, from: string, to: string) => {
      const text = readFileSync(join(project.root, file), 'utf8');
      expect(text).toContain(from);
      project.write({ [file]: text.replace(from, to) });
    };
    edit(
      'molecules/group-commits.yaml',
      'of commits) sections',
      'of [...commits.slice(1), commits[1]]) sections',
    );
    edit('molecules/insert-section.yaml', 'run: |\n', 'run: |\n  echo more >> README.md\n');
    project.git('commit', '-q', '-a', '-m', 'Break it');
    const { error } = await run(project);
    expect(error).toMatchObject({ kind: 'verify', step: 'write' });
    expect(error?.message).toContain('it changed README.md, outside of CHANGELOG.md');
    expect(error?.detail).toMatch(/^[0-9a-f]{12} is named 0 times$/m);
    expect(error?.detail).toMatch(/^[0-9a-f]{12} is named 2 times$/m);
  });

  it('says before it asks that the tag cannot be made', async () => {
    const project = repository(history(3));
    project.git('tag', '1.0.0', 'main~1');
    const problem = async (version: string) =>
      (await run(project, '-i', 'tag=true', '-i', `version=${version}`)).error;
    expect(await problem('1.0.0')).toMatchObject({
      step: 'name_tag',
      detail: 'there is a tag 1.0.0 already; the input "version" can name another',
    });
    expect(await problem('1..0')).toMatchObject({
      step: 'name_tag',
      detail: '1..0 cannot be the name of a tag',
    });
  });

  it('does not tag when somebody says no', async () => {
    const project = repository(history(3));
    await project.wf('run release-notes -i tag=true --quiet');
    await project.wf('reject latest approve_tag');
    expect((await project.wf('resume latest')).exitCode).toBe(1);
    expect(project.git('tag')).toBe('');
  });

  it('works in a folder of a repository, and changes nothing but the changelog there', async () => {
    const project = testProject({});
    cpSync(shippedProject().root, join(project.root, 'packages/web'), { recursive: true });
    project.commit();
    project.git('tag', 'web/v1.2.3');
    project.git('commit', '-q', '--allow-empty', '-m', 'feat: new');
    const { stdout } = await project.wf('run release-notes --json', {
      cwd: join(project.root, 'packages/web'),
    });
    const state = JSON.parse(stdout) as RunState;
    expect(state).toMatchObject({ status: 'succeeded', outputs: { commits: 1, version: 'web/v1.3.0' } });
    expect(project.git('diff', '--name-only', 'main', state.branch ?? '')).toBe(
      'packages/web/CHANGELOG.md\n',
    );
  });

  it('works where the history is cut off, and on no branch', async () => {
    const whole = repository(history(20));
    const project = shippedProject();
    project.git('clone', '-q', '--depth', '4', `file://${whole.root}`, 'shallow');
    project.git('-C', 'shallow', 'checkout', '-q', '--detach');
    const { stdout } = await project.wf('run release-notes --json', { cwd: join(project.root, 'shallow') });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'succeeded', outputs: { commits: 4 } });
  });
});
