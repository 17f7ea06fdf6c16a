import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testProject } from '../support/project.ts';
import type { TestProject } from '../support/project.ts';

const GREET = 'molecule: greet\ninputs: {name: {type: string}}\nrun: echo "Hello, {{inputs.name}}."\n';

/** A platform team's repository, and a project that imports it. */
function teams(more: Readonly<Record<string, string>> = {}): {
  readonly platform: TestProject;
  readonly project: TestProject;
} {
  const platform = testProject({
    'molecules/greet.yaml': GREET,
    'molecules/greet.test.yaml': 'tests: [{name: greets, with: {name: you}}]\n',
    'formulas/release.yaml':
      'formula: release\nworkspace: empty\ninputs: {level: {$ref: ../schemas/level.json, default: low}}\nsteps:\n  - {id: build, uses: greet, with: {name: "{{inputs.level}}"}}\n',
    'schemas/level.json': '{"enum": ["low", "high"]}\n',
    'README.md': 'Formulas of the platform team.\n',
    ...more,
  }).commit();
  platform.git('tag', 'v1');
  const project = testProject({
    'wf.yaml': `imports:\n  std: {git: '${platform.root}', ref: main}\n`,
    'formulas/a.yaml':
      'formula: a\nworkspace: empty\nsteps:\n  - {id: hello, uses: std/greet, with: {name: you}}\n  - {id: rest, uses: std/formula/release}\n',
  }).commit();
  return { platform, project };
}

function change(project: TestProject, files: Readonly<Record<string, string>>): string {
  project.write(files);
  project.git('add', '-A');
  project.git('commit', '-q', '-m', 'change');
  return project.git('rev-parse', 'HEAD').trim();
}

function lockOf(project: TestProject): { imports: Record<string, { commit: string; files: object }> } {
  return JSON.parse(readFileSync(join(project.root, 'wf.lock'), 'utf8')) as never;
}

it('fetches what is imported, pins it, and everything works with it from then on', async () => {
  const { platform, project } = teams();
  const before = await project.wf('check');
  expect(before.exitCode).toBe(1);
  expect(before.stdout).toContain('import "std" is not in wf.lock');
  const locked = await project.wf('lock');
  const commit = platform.git('rev-parse', 'HEAD').trim();
  expect(locked).toMatchObject({
    exitCode: 0,
    stdout: `std  main  ${commit.slice(0, 12)}  is pinned now\n`,
    stderr: `fetching  std  ${platform.root} main\n`,
  });
  expect(lockOf(project).imports['std']).toEqual({
    git: platform.root,
    ref: 'main',
    commit,
    // Neither its tests nor its README.
    files: Object.fromEntries(
      ['formulas/release.yaml', 'molecules/greet.yaml', 'schemas/level.json'].map((path) => [
        path,
        expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      ]),
    ),
  });
  expect(await project.wf('check')).toMatchObject({ exitCode: 0 });
  const ran = await project.wf('run a --json');
  expect(ran.exitCode).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({
    steps: { hello: { outputs: { stdout: 'Hello, you.' } }, rest: { status: 'succeeded' } },
  });
  // A formula of an import is run by its name as well.
  expect(JSON.parse((await project.wf('run std/release -i level=high --json')).stdout)).toMatchObject({
    formula: 'std/release',
    steps: { build: { outputs: { stdout: 'Hello, high.' } } },
  });
  expect(await project.wf('run std/releas')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('did you mean "std/release"?') as string,
  });
  expect((await project.wf('list')).stdout).toContain('  std/release\n      -i level=low\n');
  // Locked already: nothing is asked of the other side.
  rmSync(platform.root, { recursive: true });
  expect(await project.wf('lock')).toMatchObject({
    exitCode: 0,
    stdout: `std  main  ${commit.slice(0, 12)}  is pinned, and here\n`,
    stderr: '',
  });
});

it('stays at its commit until it is told to look again', async () => {
  const { platform, project } = teams();
  await project.wf('lock');
  const old = platform.git('rev-parse', 'HEAD').trim();
  const young = change(platform, {
    'molecules/greet.yaml': GREET.replace('Hello', 'Welcome'),
    'molecules/part.yaml': 'molecule: part\nrun: echo bye\n',
  });
  const first = readFileSync(join(project.root, 'wf.lock'), 'utf8');
  await project.wf('lock');
  expect(readFileSync(join(project.root, 'wf.lock'), 'utf8')).toBe(first);
  // Another clone has the lockfile, and not the files.
  rmSync(join(project.root, '.wf'), { recursive: true });
  const missing = await project.wf('check formulas/a.yaml');
  expect(missing.exitCode).toBe(1);
  expect(missing.stdout).toContain(`the files of import "std" at ${old.slice(0, 12)} are not here`);
  expect(missing.stdout.match(/lock-mismatch/g)).toHaveLength(1);
  expect(await project.wf('lock --check')).toMatchObject({
    exitCode: 0,
    stdout: `std  main  ${old.slice(0, 12)}  is pinned, and was fetched\n`,
  });
  expect(await project.wf('lock --update')).toMatchObject({
    exitCode: 0,
    stdout: `std  main  ${old.slice(0, 12)} → ${young.slice(0, 12)}  has moved\n  molecules/greet.yaml\n  molecules/part.yaml\n`,
  });
  expect(lockOf(project).imports['std']?.commit).toBe(young);
  expect(await project.wf('lock other --update')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('wf.yaml imports no "other"') as string,
  });
});

it('tells a copy that was changed, a lockfile that was, and one that is not what wf.yaml says', async () => {
  const { platform, project } = teams();
  await project.wf('lock');
  const commit = platform.git('rev-parse', 'HEAD').trim();
  const copy = join(project.root, `.wf/imports/std@${commit.slice(0, 12)}/molecules/greet.yaml`);
  writeFileSync(copy, GREET.replace('echo', 'curl'));
  const changed = await project.wf('run a');
  expect(changed.exitCode).toBe(1);
  expect(changed.stdout + changed.stderr).toContain(
    'molecules/greet.yaml of import "std" is not what wf.lock pins',
  );
  expect(await project.wf('lock')).toMatchObject({ exitCode: 0 });
  expect(readFileSync(copy, 'utf8')).toBe(GREET);

  const text = readFileSync(join(project.root, 'wf.lock'), 'utf8');
  const digest = /molecules\/greet.yaml": "(sha256:\w+)"/.exec(text)?.[1] ?? '';
  project.write({ 'wf.lock': text.replace(digest, `sha256:${'0'.repeat(64)}`) });
  const forged = await project.wf('lock');
  expect(forged.exitCode).toBe(3);
  expect(forged.stderr).toContain('wf.lock pins molecules/greet.yaml of import "std" with another digest');
  project.write({ 'wf.lock': text });

  project.write({ 'wf.yaml': `imports:\n  std: {git: '${platform.root}', ref: v1}\n` });
  const other = await project.wf('lock --check');
  expect(other.exitCode).toBe(1);
  expect(other.stdout).toContain('wf.lock is not what wf.yaml says');
  expect(readFileSync(join(project.root, 'wf.lock'), 'utf8')).toBe(text);
  expect((await project.wf('check')).stdout).toContain('says ref "v1", and wf.lock pins it with "main"');
  project.write({ 'wf.yaml': 'env: []\n' });
  expect((await project.wf('lock')).stdout).toBe('std  is imported no more\n');
  expect(lockOf(project).imports).toEqual({});

  project.write({ 'wf.lock': `<<<<<<< ours\n${text}` });
  const broken = await project.wf('lock');
  expect(broken.exitCode).toBe(1);
  expect(broken.stdout).toMatch(/^wf\.lock:1:1 .*\n {2}wf.lock holds both sides of a merge\n/);
});

it.each([
  ['a branch that is not there', { ref: 'nowhere' }, 'there is no branch or tag "nowhere" in'],
  ['a commit with too few digits', { ref: '1234567' }, 'a commit needs all its digits'],
  ['a repository that is not there', { git: './none' }, './none cannot be fetched'],
  ['a folder without formulas', { path: 'docs' }, 'import "std" has no formulas'],
])('says what is wrong with %s, and leaves nothing behind', async (_, wrong: object, message) => {
  const { platform, project } = teams({ 'docs/a.md': 'a\n' });
  const entry = { git: platform.root, ref: 'main', ...wrong };
  project.write({ 'wf.yaml': `imports: ${JSON.stringify({ std: entry })}\n` });
  const locked = await project.wf('lock');
  expect(locked.exitCode).toBe(3);
  expect(locked.stderr).toContain(message);
  expect(existsSync(join(project.root, 'wf.lock'))).toBe(false);
  expect(project.read('.wf/imports/')).toEqual([]);
});

it('pins a tag, a commit that no branch has, and a project in a folder', async () => {
  const { platform, project } = teams();
  const lost = change(platform, { 'tools/wf/molecules/part.yaml': 'molecule: part\nrun: echo bye\n' });
  platform.git('reset', '-q', '--hard', 'v1');
  project.write({
    'wf.yaml': `imports:\n  one: {git: '${platform.root}', ref: v1}\n  two: {git: '${platform.root}', ref: ${lost}, path: tools/wf}\n`,
    'formulas/a.yaml':
      'formula: a\nsteps: [{id: s, uses: two/part}, {id: t, uses: one/greet, with: {name: you}}]\n',
  });
  expect(await project.wf('lock')).toMatchObject({ exitCode: 0 });
  const { imports } = lockOf(project);
  expect(Object.keys(imports['two']?.files ?? {})).toEqual(['molecules/part.yaml']);
  expect(imports['two']?.commit).toBe(lost);
  expect(await project.wf('check')).toMatchObject({ exitCode: 0 });
});

it('compares with a commit that pins another one', async () => {
  const { platform, project } = teams();
  await project.wf('lock');
  project.git('add', '-A');
  project.git('commit', '-q', '-m', 'lock');
  change(platform, { 'molecules/greet.yaml': GREET.replace('Hello', 'Welcome') });
  await project.wf('lock --update');
  const diff = await project.wf('plan a --diff HEAD');
  expect(diff.exitCode).toBe(0);
  expect(diff.stdout).toContain('Welcome');
  // On a machine that never had the one before.
  rmSync(join(project.root, '.wf'), { recursive: true });
  await project.wf('lock');
  const missing = await project.wf('plan a --diff HEAD');
  expect(missing.exitCode).toBe(3);
  expect(missing.stderr).toContain('wf lock --at');
  expect(await project.wf('lock --at HEAD')).toMatchObject({ exitCode: 0 });
  expect((await project.wf('plan a --diff HEAD')).stdout).toBe(diff.stdout);
});

it('never runs nor follows what a repository would have it do', async () => {
  const { platform, project } = teams();
  platform.write({ 'formulas/real.txt': 'x', '../escape': '' });
  platform.git('config', 'uploadpack.packObjectsHook', 'touch /tmp/wf-hook-ran');
  rmSync('/tmp/wf-hook-ran', { force: true });
  platform.git('rm', '-q', '--cached', 'molecules/greet.yaml');
  rmSync(join(platform.root, 'molecules/greet.yaml'));
  const { symlinkSync } = await import('node:fs');
  symlinkSync('/etc/passwd', join(platform.root, 'molecules/greet.yaml'));
  symlinkSync('release.yaml', join(platform.root, 'formulas/again.yaml'));
  platform.git('add', '-A');
  platform.git('commit', '-q', '-m', 'links');
  const locked = await project.wf('lock');
  expect(locked.exitCode).toBe(0);
  expect(Object.keys(lockOf(project).imports['std']?.files ?? {})).toEqual([
    'formulas/again.yaml',
    'formulas/release.yaml',
    'schemas/level.json',
  ]);
  expect(existsSync('/tmp/wf-hook-ran')).toBe(false);
});
