import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../../src/journal/run-state.ts';
import type { TestProject } from '../../support/project.ts';
import { testProject } from '../../support/project.ts';

const COUNT = 'echo x >> "$HOME/count"';

/** Runs with a home of their own, in which a command leaves a mark each time it really runs. */
async function ran(project: TestProject, options: { inputs?: object; env?: Record<string, string> } = {}) {
  const home = join(project.root, '.wf');
  const before = marks(project);
  const run = await project.run('a', {
    ...(options.inputs && { inputs: options.inputs as never }),
    env: { HOME: home, ...options.env },
  });
  return { run, times: marks(project) - before };
}

function marks({ root }: TestProject): number {
  const file = join(root, '.wf', 'count');
  return existsSync(file) ? readFileSync(file, 'utf8').length / 2 : 0;
}

function project(step: string, files: Readonly<Record<string, string>> = {}, rest = ''): TestProject {
  return testProject({
    'formulas/a.yaml': `formula: a\n${rest}steps:\n  - {id: build, ${step}}\n`,
    'src/a.txt': 'one\n',
    'docs/a.txt': 'a page\n',
    '.gitignore': 'dist\n',
    ...files,
  }).commit();
}

function change(tested: TestProject, files: Readonly<Record<string, string>>): void {
  tested.write(files);
  tested.git('add', '-A');
  tested.git('commit', '-q', '-m', 'change');
}

describe('a step with `cache`', () => {
  const step = `run: '${COUNT}; cat src/a.txt; echo built > out.txt', cache: {files: [src/**]}`;

  it('is not run again while its files are the same: its outputs and its changes are put in its place', async () => {
    const tested = project(step);
    const first = await ran(tested);
    expect(first).toMatchObject({ times: 1, run: { told: 'build started\nbuild succeeded\nrun succeeded' } });
    const second = await ran(tested);
    expect(second.times).toBe(0);
    expect(second.run.told).toBe('build started\nbuild succeeded, cached\nrun succeeded');
    expect(second.run.step('build')).toMatchObject({
      cached: true,
      attempts: 1,
      outputs: { stdout: 'one', exit_code: 0 },
    });
    expect(second.run.state.changedFiles).toEqual(['out.txt']);
    expect(tested.git('show', `${second.run.state.branch}:out.txt`)).toBe('built\n');
    // A file that it does not name may change.
    change(tested, { 'docs/a.txt': 'another page\n' });
    expect((await ran(tested)).times).toBe(0);
    change(tested, { 'src/b.txt': 'two\n' });
    expect((await ran(tested)).times).toBe(1);
  });

  it.each([
    ['a file', (tested: TestProject) => change(tested, { 'src/a.txt': 'two\n' }), {}],
    [
      'the mode of a file',
      (tested: TestProject) => {
        chmodSync(join(tested.root, 'src/a.txt'), 0o755);
        change(tested, {});
      },
      {},
    ],
    [
      'the command',
      (tested: TestProject) =>
        change(tested, {
          'formulas/a.yaml': readFileSync(join(tested.root, 'formulas/a.yaml'), 'utf8').replace(
            '; cat',
            '; : ; cat',
          ),
        }),
      {},
    ],
    ['an input', () => undefined, { inputs: { name: 'other' } }],
    ['a variable that wf.yaml lets through', () => undefined, { env: { LEVEL: 'high' } }],
  ])('is run again for %s', async (_, before, options) => {
    const tested = project(
      `run: '${COUNT}; cat src/a.txt; echo {{inputs.name}}', cache: {files: [src/**]}`,
      { 'wf.yaml': 'env: [LEVEL]\n' },
      'inputs: {name: {type: string, default: you}}\n',
    );
    expect((await ran(tested)).times).toBe(1);
    expect((await ran(tested)).times).toBe(0);
    before(tested);
    expect((await ran(tested, options)).times).toBe(1);
    expect((await ran(tested, options)).times).toBe(0);
  });

  it('counts the variables of a run only where the step names them', async () => {
    const tested = project(`run: '${COUNT}; echo "$WF_RUN"', cache: {files: [src/**]}`);
    expect((await ran(tested)).times).toBe(1);
    expect((await ran(tested)).times).toBe(1);
  });

  it('brings back what was added, changed and removed, modes, links, and what git ignores', async () => {
    const tested = project(
      `run: '${COUNT}; mkdir -p dist/deep; echo bundle > dist/deep/a.js; chmod +x dist/deep/a.js; ln -s deep/a.js dist/link; echo more >> src/a.txt; rm docs/a.txt; head -c 2000000 /dev/zero > big.bin; ln -s src/a.txt link', cache: {files: [src/**]}`,
      {},
      '',
    );
    tested.write({
      'formulas/a.yaml': `${readFileSync(join(tested.root, 'formulas/a.yaml'), 'utf8')}  - {id: look, run: 'ls -l dist/deep/a.js dist/link link | cut -c1-10; cat dist/link src/a.txt; ls docs 2>&1 | wc -l; wc -c < big.bin'}\n`,
    });
    change(tested, {});
    const first = await ran(tested);
    const second = await ran(tested);
    expect([first.times, second.times]).toEqual([1, 0]);
    expect(second.run.step('build').cached).toBe(true);
    expect(second.run.output('look')).toBe(first.run.output('look'));
    expect(first.run.output('look')).toContain('-rwxr-xr-x');
    expect(second.run.state.changedFiles).toEqual(first.run.state.changedFiles);
    const tree = (branch = '') => tested.git('ls-tree', '-r', branch);
    expect(tree(second.run.state.branch)).toBe(tree(first.run.state.branch));
  });

  it('is run where what it changes is not what it was then', async () => {
    const tested = project(`run: '${COUNT}; echo more >> docs/a.txt', cache: {files: [src/**]}`);
    await ran(tested);
    change(tested, { 'docs/a.txt': 'another page\n' });
    const again = await ran(tested);
    expect(again.times).toBe(1);
    expect(tested.git('show', `${again.run.state.branch}:docs/a.txt`)).toBe('another page\nmore\n');
  });

  it('does not write through a link that leads out of the workspace by now', async () => {
    const tested = project(`run: '${COUNT}; mkdir -p dist; echo x > dist/a', cache: {files: [src/**]}`);
    await ran(tested);
    const outside = join(tested.root, '.wf', 'outside');
    change(tested, {
      'formulas/a.yaml': readFileSync(join(tested.root, 'formulas/a.yaml'), 'utf8').replace(
        'steps:\n',
        `steps:\n  - {id: trap, run: 'mkdir -p ${outside}; ln -s ${outside} dist'}\n`,
      ),
    });
    const again = await ran(tested);
    expect(again.run.step('build').cached).toBeUndefined();
    expect(again.times).toBe(1);
  });

  it('is proved each time: checks run, and one that fails has it run in earnest', async () => {
    const tested = project(
      `run: '${COUNT}; echo built > out.txt', cache: {files: [src/**]}, verify: [{run: 'test ! -e "$HOME/stop" && test -e out.txt'}]`,
    );
    await ran(tested);
    const hit = await ran(tested);
    expect(hit.run.told).toBe('build started\nbuild check 0 passed\nbuild succeeded, cached\nrun succeeded');
    writeFileSync(join(tested.root, '.wf', 'stop'), '');
    const stopped = await ran(tested);
    expect(stopped.times).toBe(1);
    expect(stopped.run.told.split('\n').slice(0, 6)).toEqual([
      'build started',
      expect.stringContaining('build check 0 failed'),
      expect.stringContaining('build attempt 1 failed (verify)'),
      'build anew',
      expect.stringContaining('build check 0 failed'),
      expect.stringContaining('build attempt 1 failed (verify)'),
    ]);
    expect(stopped.run.step('build')).toMatchObject({ status: 'failed', attempts: 1 });
  });

  it('keeps nothing of what did not hold, failed, moved HEAD, or shows a secret', async () => {
    const bad = project(`run: '${COUNT}; exit 1', cache: {files: [src/**]}`);
    await ran(bad);
    expect((await ran(bad)).times).toBe(1);
    const unproved = project(`run: '${COUNT}', cache: {files: [src/**]}, verify: [{run: test -e nothing}]`);
    await ran(unproved);
    expect((await ran(unproved)).times).toBe(1);
    const commits = project(
      `run: '${COUNT}; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x', cache: {files: [src/**]}`,
    );
    await ran(commits);
    expect((await ran(commits)).times).toBe(1);
    const told = project(`run: '${COUNT}; echo hush-hush > out.txt', cache: {files: [src/**]}`);
    change(told, {
      'formulas/a.yaml': `${readFileSync(join(told.root, 'formulas/a.yaml'), 'utf8')}  - {id: other, run: 'true', secrets: {A: TOKEN}}\n`,
    });
    const secret = { env: { TOKEN: 'hush-hush' } };
    await ran(told, secret);
    expect((await ran(told, secret)).times).toBe(1);
    for (const one of [bad, unproved, commits, told])
      expect(one.read('.wf/').filter((text) => text.includes('"version":1'))).toEqual([]);
  });

  it('is run where a kept result was damaged, and where no file matches', async () => {
    const tested = project(step);
    await ran(tested);
    const [file] = tested
      .git('ls-files', '--others', '--ignored', '--exclude-standard', '-z', '.wf/cache/steps')
      .split('\0')
      .filter((name) => name.endsWith('/0'));
    writeFileSync(join(tested.root, String(file)), 'something else');
    expect((await ran(tested)).times).toBe(1);
    expect((await ran(tested)).times).toBe(0);
    const none = project(`run: '${COUNT}', cache: {files: [lib/**]}`);
    await ran(none);
    expect((await ran(none)).times).toBe(1);
  });

  it('goes item by item, and iteration by iteration', async () => {
    const tested = project(
      `for_each: inputs.names, run: '${COUNT}; echo {{item}} > {{item}}.out', cache: {files: [src/**]}`,
      {},
      'inputs: {names: {type: array, items: {type: string}, default: [a, b]}}\n',
    );
    expect((await ran(tested)).times).toBe(2);
    const all = await ran(tested);
    expect(all.times).toBe(0);
    expect(all.run.step('build').cached).toBe(true);
    const some = await ran(tested, { inputs: { names: ['a', 'c', 'b'] } });
    expect(some.times).toBe(1);
    expect(some.run.step('build').cached).toBeUndefined();
    expect(some.run.step('build').items?.map(({ cached }) => cached)).toEqual([true, undefined, true]);
    expect(some.run.state.changedFiles).toEqual(['a.out', 'b.out', 'c.out']);
    const loop = project(
      `repeat: {until: 'outputs.n >= 2', max: 3}, parse: json, outputs: {n: {type: integer}}, run: '${COUNT}; n=$(($(cat n 2>/dev/null || echo 0) + 1)); echo $n > n; echo "{\\"n\\": $n}"', cache: {files: [src/**, n]}`,
    );
    expect((await ran(loop)).times).toBe(2);
    const again = await ran(loop);
    expect(again.times).toBe(0);
    expect(again.run.step('build')).toMatchObject({ cached: true, iterations: 2, outputs: { n: 2 } });
  });

  it('tells others whether it was run', async () => {
    const tested = project(step);
    change(tested, {
      'formulas/a.yaml': `${readFileSync(join(tested.root, 'formulas/a.yaml'), 'utf8')}  - {id: after, when: '!steps.build.cached', run: echo new}\n`,
    });
    expect((await ran(tested)).run.step('after').status).toBe('succeeded');
    expect((await ran(tested)).run.step('after').status).toBe('skipped');
  });

  it('works in an empty folder that an earlier step has filled, and in a copy of its own', async () => {
    const tested = testProject({
      'formulas/a.yaml': `formula: a
workspace: empty
steps:
  - {id: write, run: 'echo 1 > in.txt'}
  - {id: left, needs: [write], run: '${COUNT}; cp in.txt left.txt', cache: {files: [in.txt]}}
  - {id: right, needs: [write], run: '${COUNT}; cp in.txt right.txt', cache: {files: [in.txt]}}
  - {id: both, run: 'cat left.txt right.txt'}
`,
    });
    const first = await ran(tested);
    const second = await ran(tested);
    expect([first.times, second.times]).toEqual([2, 0]);
    expect(second.run.output('both')).toBe('1\n1');
  });
});

it('keeps results as files that nobody else may read', () => {
  const tested = project(`run: 'true', cache: {files: [src/**]}`);
  return ran(tested).then(() => {
    const home = join(tested.root, '.wf/cache/steps');
    const [entry = ''] = readdirSync(home);
    expect(lstatSync(join(home, entry)).mode & 0o777).toBe(0o700);
    expect(() => readlinkSync(join(home, entry))).toThrow();
  });
});

it('says when no file matches, so that nothing is ever kept', async () => {
  const tested = project(`run: 'true', cache: {files: [lib/**]}`);
  const { stdout, stderr } = await tested.wf('run a');
  expect(stdout + stderr).toContain(
    'build: no file here matches `cache: {files: [lib/**]}`, so it is run each time',
  );
});

it('serves two processes at the same time: both are right, and one result is kept', async () => {
  const tested = project(
    `run: 'cat src/a.txt > out.txt; head -c 3000000 /dev/urandom > random.bin', cache: {files: [src/**]}`,
  );
  const runs = await Promise.all(['', '', ''].map(() => tested.wf('run a --json')));
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const kept = readdirSync(join(tested.root, '.wf/cache/steps'));
  expect(kept).toHaveLength(1);
  expect(kept[0]).toMatch(/^[0-9a-f]{64}$/);
  const state = async (flags = '') =>
    JSON.parse((await tested.wf(`run a --json ${flags}`)).stdout) as RunState;
  const [hit, other] = [await state(), await state()];
  expect(hit.steps['build']?.cached).toBe(true);
  const blob = (run: RunState) => tested.git('rev-parse', `${run.branch}:random.bin`);
  expect(blob(hit)).toBe(blob(other));
  // Asked to run it all the same, what it comes to takes the place of what was kept.
  const anew = await state('--no-cache');
  expect(anew.steps['build']?.cached).toBeUndefined();
  expect(blob(anew)).not.toBe(blob(hit));
  expect(blob(await state())).toBe(blob(anew));
});
