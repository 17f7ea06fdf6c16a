import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../src/journal/run-state.ts';
import { testProject } from '../support/project.ts';
import { without } from '../support/without.ts';

const files = {
  'formulas/ok.yaml':
    "formula: ok\nworkspace: empty\nsteps:\n  - {id: say, for_each: [x, y], run: 'echo {{item}}'}\n  - {id: end, uses: formula/inner}\n",
  'formulas/inner.yaml':
    'formula: inner\nworkspace: empty\nsteps:\n  - {id: deep, run: echo deep, verify: [{run: "echo checked; test -d ."}]}\n',
  'formulas/bad.yaml':
    'formula: bad\nworkspace: empty\nsteps:\n  - {id: fails, run: exit 2}\n  - {id: never, run: echo never}\n',
};

describe('looking at runs', () => {
  it('lists, shows and prints what ran', async () => {
    const project = testProject(files);
    expect((await project.wf('runs')).stdout).toBe(
      'nothing has run in this project yet (`wf run <formula>`)\n',
    );
    expect(JSON.parse((await project.wf('runs --json')).stdout)).toEqual({ runs: [] });
    await project.wf('run ok --quiet');
    await project.wf('run bad --quiet');

    expect(without((await project.wf('runs')).stdout)).toBe(
      `<id>  failed       bad  <date>     <time>  fails: exit code 2
<id>  succeeded    ok   <date>     <time>
`,
    );
    const { runs } = JSON.parse((await project.wf('runs --json')).stdout) as { runs: RunState[] };
    expect(runs.map(({ formula, status }) => [formula, status])).toEqual([
      ['bad', 'failed'],
      ['ok', 'succeeded'],
    ]);

    const [, ok] = runs;
    const id = ok?.run ?? '';
    expect(JSON.parse((await project.wf(`show ${id.slice(-8).toLowerCase()} --json`)).stdout)).toEqual(ok);
    expect(without((await project.wf(`show ${id}`)).stdout)).toBe(`ok succeeded in <time>  run <id>
began <date>, ended <date>

steps
  ✓ say  <time>  2/2
  ✓ end  <time>
    ✓ deep  <time>
`);
    expect(without((await project.wf('show')).stdout)).toContain(`steps
  ✗ fails  <time>  exit code 2
  – never
`);

    expect((await project.wf(`logs ${id}`)).stdout).toBe(
      '── say[0]\nx\n── say[1]\ny\n── end.deep\ndeep\n── end.deep check 1\nchecked\n',
    );
    expect((await project.wf(`logs ${id} say[1]`)).stdout).toBe('y\n');
    expect((await project.wf(`logs ${id} end --json`)).stdout).toContain('"text": "deep\\n"');
    const typo = await project.wf(`logs ${id} sya`);
    expect(typo.stderr).toContain('help: did you mean "say"?');
    expect(typo.exitCode).toBe(3);
  });

  it('cancels a run that another process drives, and runs its `finally`', async () => {
    const project = testProject(
      'steps:\n  - {id: long, run: "echo begun; sleep 60"}\nfinally:\n  - {id: clean, run: "echo {{run.status}}"}\n',
    );
    const running = project.wf('run a --events');
    await expect.poll(async () => (await project.wf('logs')).stdout, { timeout: 20_000 }).toBe('begun\n');
    const cancelled = await project.wf('cancel latest');
    expect(without(cancelled.stdout)).toContain('a was cancelled in <time>');
    expect(cancelled.exitCode).toBe(0);
    expect((await running).exitCode).toBe(130);
    expect((await project.wf('logs latest clean')).stdout).toBe('cancelled\n');
  });

  it('removes what ended runs have left, and nothing that may still be wanted', async () => {
    const project = testProject({
      ...files,
      'formulas/ask.yaml': 'formula: ask\nworkspace: empty\nsteps:\n  - {id: ask, approve: {ask: Go on?}}\n',
      'formulas/leaves.yaml': 'formula: leaves\nworkspace: empty\nsteps:\n  - {id: file, run: echo > file}\n',
    });
    for (const name of ['leaves', 'bad', 'ask']) await project.wf(`run ${name} --quiet`);
    expect(readdirSync(join(project.root, '.wf', 'work'))).toHaveLength(3);
    const { stdout } = await project.wf('runs --prune');
    expect(without(stdout)).toBe('<id>  1 thing removed\n');
    expect(readdirSync(join(project.root, '.wf', 'work'))).toHaveLength(2);
    expect((await project.wf('runs --prune')).stdout).toBe('nothing is left over\n');
    expect((await project.wf('runs')).stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('cancels a run that nobody drives', async () => {
    const project = testProject(
      'steps:\n  - {id: ask, approve: {ask: Go on?}}\nfinally:\n  - {id: clean, run: echo bye}\n',
    );
    await project.wf('run a --quiet');
    const { stdout, exitCode } = await project.wf('cancel latest --json');
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'cancelled',
      steps: { clean: { status: 'succeeded' } },
    });
    expect(exitCode).toBe(0);
  });
});

describe('a word that is not there', () => {
  it('is not taken from standard input', async () => {
    const project = testProject('steps: [{id: hi, run: echo hi}]\n');
    await project.wf('run a');
    // As in `wf runs … | while read -r run; do wf logs "$run"; done`, where it would be the rest of the list.
    const input = 'no-such-thing\n';
    expect((await project.wf('logs latest', { input })).stdout).toContain('hi');
    expect(await project.wf('check', { input })).toMatchObject({ exitCode: 0 });
    expect(await project.wf('plan', { input })).toMatchObject({ exitCode: 2 });
  });
});
