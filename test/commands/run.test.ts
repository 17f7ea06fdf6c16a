import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/journal/event.ts';
import { openJournal } from '../../src/journal/journal.ts';
import type { RunState } from '../../src/journal/run-state.ts';
import { testProject } from '../support/project.ts';
import { without } from '../support/without.ts';

const greeting = `inputs:
  name: {type: string, default: world}
  times: {type: integer, default: 1}
  tags: {type: array, items: {type: string}, default: []}
  level: {enum: [low, high], default: low}
steps:
  - id: greet
    run: 'echo "hello, {{inputs.name}}" {{inputs.times}} {{inputs.level}} {{args inputs.tags}}'
outputs:
  text: steps.greet.outputs.stdout
`;

describe('wf run', () => {
  it('shows progress on stderr and the result on stdout, and ends with 0', async () => {
    const project = testProject(greeting);
    const { stdout, stderr, exitCode } = await project.wf('run a -i name=Ann');
    expect(without(stderr)).toBe(`a: run <id>
greet: started
greet | hello, Ann 1 low
greet: succeeded (<time>)
`);
    expect(without(stdout)).toBe(`a succeeded in <time>  run <id>
  text: hello, Ann 1 low
`);
    expect(exitCode).toBe(0);
  });

  it('prints the run as one document with --json, and nothing else', async () => {
    const { stdout, stderr, exitCode } = await testProject(greeting).wf('run a --json');
    const run = JSON.parse(stdout) as RunState;
    expect(run).toMatchObject({
      formula: 'a',
      status: 'succeeded',
      inputs: { name: 'world', times: 1, tags: [], level: 'low' },
      outputs: { text: 'hello, world 1 low' },
      steps: { greet: { status: 'succeeded', attempts: 1 } },
      usage: { tokens: {}, usd: 0, unpriced: [] },
    });
    expect(run.run).toMatch(/^[0-9A-Z]{26}$/);
    expect(run.plan).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  it('streams the events of the journal with --events', async () => {
    const { stdout, exitCode } = await testProject(greeting).wf('run a --events');
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events[0]).toMatchObject({ type: 'run.started', formula: 'a' });
    expect(events.at(-1)).toMatchObject({ type: 'run.succeeded', outputs: { text: 'hello, world 1 low' } });
    expect(exitCode).toBe(0);
  });

  it('says only the result with --quiet', async () => {
    const { stdout, stderr } = await testProject(greeting).wf('run a --quiet');
    expect(stderr).toBe('');
    expect(without(stdout)).toContain('a succeeded in <time>');
  });

  it('ends with 1 when the run fails, and says why and where to look', async () => {
    const project = testProject("steps:\n  - {id: bad, run: 'echo going; echo oops >&2; exit 3'}\n");
    const { stdout, exitCode } = await project.wf('run a');
    expect(without(stdout)).toBe(`a failed in <time>  run <id>
  step bad: exit code 3
    oops
  wf logs <id> bad shows its whole output
  its workspace is kept in <root>/.wf/work/<id>
`);
    expect(exitCode).toBe(1);
  });

  it('ends with 1 when the formula has mistakes, and shows them', async () => {
    const project = testProject('steps:\n  - {id: x, run: ls, needs: [y]}\n');
    const text = await project.wf('run a');
    expect(text.stderr).toContain('formulas/a.yaml:4:30  error  unknown-need');
    expect(text.exitCode).toBe(1);
    const json = await project.wf('run a --json');
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, diagnostics: [{ rule: 'unknown-need' }] });
    expect(json.exitCode).toBe(1);
    expect(existsSync(join(project.root, '.wf'))).toBe(false);
  });

  it('reads inputs by their schemas', async () => {
    const project = testProject({
      'formulas/a.yaml': `formula: a\nworkspace: empty\n${greeting}`,
      'name.txt': 'from a file',
    });
    const read = async (...flags: string[]) =>
      (
        JSON.parse(
          (await project.wf(['run', 'a', '--json', ...flags.flatMap((flag) => ['-i', flag])])).stdout,
        ) as RunState
      ).inputs;
    expect(await read('name=3', 'times=4', 'tags=["a b","$(x)"]', 'level=high')).toEqual({
      name: '3',
      times: 4,
      tags: ['a b', '$(x)'],
      level: 'high',
    });
    expect(await read('name=@name.txt')).toMatchObject({ name: 'from a file' });
    expect(await read('name=@@x=y')).toMatchObject({ name: '@x=y' });
  });

  it('takes inputs from a file or standard input, flags winning', async () => {
    const project = testProject(greeting);
    const { stdout } = await project.wf('run a --json --inputs - -i times=9', {
      input: 'name: Bob\ntimes: 2\n',
    });
    expect((JSON.parse(stdout) as RunState).inputs).toMatchObject({ name: 'Bob', times: 9 });
  });

  it.each([
    [['-i', 'nam=x'], 'formula "a" has no input "nam"\nhelp: did you mean "name"?'],
    [['-i', 'times=many'], 'input "times" does not fit: "many" is no integer\nhelp: -i times=<integer>'],
    [['-i', 'times=1.5'], 'input "times" does not fit: "1.5" is no integer'],
    [['-i', 'tags=[1]'], 'input "tags" does not fit: '],
    [['-i', 'level=middle'], 'input "level" does not fit: '],
    [['-i', 'name'], '-i name is not name=value'],
    [['-i', 'name=@missing'], 'input "name": missing cannot be read: ENOENT'],
    [['--inputs', 'missing.yaml'], '--inputs missing.yaml cannot be read: ENOENT'],
    [['--nonsense'], 'Nonexistent flag: --nonsense'],
  ])('calls %j wrong usage, ends with 2 and runs nothing', async (flags, message) => {
    const project = testProject(greeting);
    const { stderr, exitCode } = await project.wf(['run', 'a', ...flags]);
    expect(stderr).toContain(`error: ${message}`);
    expect(exitCode).toBe(2);
    expect(existsSync(join(project.root, '.wf'))).toBe(false);
  });

  it('names the input that has no value', async () => {
    const project = testProject(
      'inputs: {version: {type: string, description: What to release}}\nsteps:\n  - {id: x, run: "echo {{inputs.version}}"}\n',
    );
    const { stderr, exitCode } = await project.wf('run a');
    expect(stderr).toBe(
      'error: input "version" of formula "a" has no value and no default\nhelp: -i version=<string>: What to release\n',
    );
    expect(exitCode).toBe(2);
  });

  it('tells a failure as JSON with --json', async () => {
    const { stdout, exitCode } = await testProject(greeting).wf('run b --json');
    expect(JSON.parse(stdout)).toEqual({
      error: {
        kind: 'world',
        message: 'there is no formula "b" in this project',
        hint: 'there are: a',
        exit: 3,
      },
    });
    expect(exitCode).toBe(3);
  });

  it('works in a clone and leaves its changes on a branch, without an identity of git', async () => {
    const project = testProject(
      'workspace: clone\nsteps:\n  - {id: write, run: echo new > file.txt}\n',
    ).commit();
    const { stdout, exitCode } = await project.wf('run a');
    expect(exitCode).toBe(0);
    const branch = /on branch (\S+)/.exec(stdout)?.[1] ?? '';
    expect(branch).toMatch(/^wf\/a\/[0-9A-Z]{26}$/);
    expect(project.git('show', `${branch}:file.txt`)).toBe('new\n');
    expect(project.git('status', '--porcelain')).toBe('');
    expect(existsSync(join(project.root, 'file.txt'))).toBe(false);
  });

  it('says what a run in a clone does not see', async () => {
    const project = testProject('workspace: clone\nsteps:\n  - {id: see, run: ls}\n').commit();
    expect((await project.wf('run a')).stderr).not.toContain('not committed');
    project.write({
      'new file.txt': '1',
      'formulas/a.yaml': 'formula: a\nworkspace: clone\nsteps:\n  - {id: see, run: ls}\n\n',
    });
    expect((await project.wf('run a')).stderr).toMatch(
      /^2 files not committed, which the run does not see: formulas\/a\.yaml, new file\.txt\n/,
    );
    expect((await project.wf('run a --revision HEAD')).stderr).not.toContain('not committed');
  });

  it('begins at the revision asked for', async () => {
    const project = testProject(
      'workspace: clone\nsteps:\n  - {id: read, run: cat version}\noutputs: {version: steps.read.outputs.stdout}\n',
    );
    project.write({ version: 'one' });
    project.commit().write({ version: 'two' });
    project.git('tag', 'old');
    project.git('commit', '-qam', 'second');
    const { stdout } = await project.wf('run a --revision old --json');
    expect((JSON.parse(stdout) as RunState).outputs).toEqual({ version: 'one' });
  });

  it('returns from --detach when the other process has taken the run', async () => {
    const project = testProject('steps:\n  - {id: x, run: sleep 60}\n');
    const begun = await project.wf('run a --detach --json');
    const { run } = JSON.parse(begun.stdout) as RunState;
    const journal = await openJournal(project.root);
    expect(journal.leaseHolder(run)?.alive).toBe(true);
    journal.close();
    const { stdout } = await project.wf(`cancel ${run} --json`);
    expect(JSON.parse(stdout)).toMatchObject({ run, status: 'cancelled' });
  });

  it('leaves a run to a process of its own with --detach', async () => {
    const project = testProject(greeting);
    const begun = await project.wf('run a --detach --json');
    const { run } = JSON.parse(begun.stdout) as RunState;
    const { stdout, exitCode } = await project.wf(`watch ${run} --json`);
    expect(JSON.parse(stdout)).toMatchObject({
      run,
      status: 'succeeded',
      outputs: { text: 'hello, world 1 low' },
    });
    expect(exitCode).toBe(0);
    expect(readFileSync(join(project.root, '.wf', 'runs', run, 'detached.log'), 'utf8')).toContain(
      'succeeded',
    );
  });
});
