import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { foldRun } from '../../src/journal/run-state.ts';
import { writeYaml } from '../../src/source/write-yaml.ts';
import { runTests } from '../../src/testing/run-tests.ts';
import { testOfRun, withoutExpectations } from '../../src/testing/test-of-run.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';
import type { RunOptions } from '../support/project.ts';

const INNER: Files = {
  'formulas/inner.yaml':
    "formula: inner\nworkspace: empty\ninputs: {word: {type: string}}\nsteps: [{id: say, run: 'echo {{inputs.word}}'}]\noutputs: {said: steps.say.outputs.stdout}\n",
  'molecules/measure.yaml':
    'molecule: measure\ninputs: {word: {type: string}}\nrun: \'echo "{\\"size\\": $(printf %s {{inputs.word}} | wc -c)}" > "$WF_OUTPUT"\'\noutputs: {size: {type: integer}}\nverify: [{check: outputs.size > 0}]\n',
};

/** Formulas, each with a run that goes some way. */
const RUNS: Readonly<Record<string, readonly [steps: string, options?: RunOptions]>> = {
  'plain steps, outputs and streams': [
    `steps:
  - {id: one, run: 'echo out; echo err >&2; echo "{\\"n\\": 3}" > "$WF_OUTPUT"', outputs: {n: {type: integer}}}
  - {id: two, when: steps.one.outputs.n > 2, run: 'echo {{steps.one.outputs.n}}'}
  - {id: three, when: steps.one.outputs.n > 5, run: echo never}
outputs: {n: steps.one.outputs.n, said: "has(steps.two.outputs.stdout) ? steps.two.outputs.stdout : ''"}
`,
  ],
  'an exit code that counts, and output that is read as JSON': [
    `steps:
  - {id: one, run: 'exit 3', exit: [0, 3]}
  - {id: two, run: 'echo "[1, 2]"', parse: json}
  - {id: three, for_each: steps.two.outputs.value, run: 'echo {{item}}'}
outputs: {code: steps.one.outputs.exit_code, all: 'steps.three.outputs.map(o, o.stdout)'}
`,
  ],
  'a failure that stops': [
    `steps:\n  - {id: one, run: 'echo bad >&2; exit 7'}\n  - {id: two, run: echo never}\n`,
  ],
  'a failure that is passed over, and `finally`': [
    `steps:
  - {id: one, on_failure: continue, run: exit 1}
  - {id: two, run: 'echo {{default steps.one.error.kind "none"}}'}
finally: [{id: tidy, run: 'echo {{run.status}}'}]
outputs: {kind: steps.two.outputs.stdout}
`,
  ],
  'attempts, the last of which succeeds': [
    `steps:\n  - {id: one, run: '[ "$WF_ATTEMPT" = 3 ]', retry: {attempts: 4, backoff: 10s}}\n  - {id: two, run: 'echo {{steps.one.attempts}}'}\n`,
  ],
  'attempts that checks refuse': [
    `steps:\n  - {id: one, run: 'echo "$WF_ATTEMPT"', retry: {attempts: 3}, verify: [{check: outputs.stdout == '3'}]}\n  - {id: two, run: 'test "$WF_ATTEMPT" = 1', verify: [{run: '[ "$WF_ATTEMPT" = 2 ]'}], retry: {attempts: 2}, on_failure: continue}\n`,
  ],
  'a loop that ends': [
    `steps:\n  - {id: one, run: 'echo x >> n; wc -l < n', repeat: {until: outputs.stdout == '3', max: 5}}\noutputs: {n: steps.one.iterations}\n`,
  ],
  'items that differ, one of which fails': [
    `steps:\n  - {id: one, for_each: [a, b, c], parallel: 2, join: {quorum: 2}, run: '[ {{item}} != b ] && echo {{item}}'}\noutputs: {all: 'steps.one.outputs.map(o, o.stdout)'}\n`,
  ],
  'what is used: a formula, for each of several, and a molecule': [
    `inputs: {words: {type: array, items: {type: string}, default: [ab, cde]}}
steps:
  - {id: group, uses: formula/inner, with: {word: first}}
  - {id: each, for_each: inputs.words, uses: formula/inner, with: {word: '{{item}}'}}
  - {id: size, for_each: inputs.words, uses: measure, with: {word: '{{item}}'}}
outputs: {said: 'steps.each.outputs.map(o, o.said)', sizes: 'steps.size.outputs.map(o, o.size)'}
`,
  ],
  'a command that takes too long': [`steps:\n  - {id: one, run: sleep 30, timeout: 50ms}\n`],
  'what hangs on files, which is left out': [
    `steps:\n  - {id: one, run: 'echo x > new.txt'}\n  - {id: two, run: 'ls | wc -l'}\noutputs: {files: size(run.changed_files), two: steps.two.outputs.stdout}\n`,
  ],
};

describe('a test that is written from a run', () => {
  it.each(Object.entries(RUNS))('goes as it went: %s', async (_, [steps, options]) => {
    const files: Files = { ...INNER, 'formulas/a.yaml': `formula: a\nworkspace: empty\n${steps}` };
    const project = testProject(files);
    const run = await project.run('a', options);
    const plan = await project.compile('a');
    const header = { run: 'r', formula: 'a', plan: plan.plan, inputs: run.state.inputs, createdAt: '' };
    let test = testOfRun(plan, foldRun(header, run.events, plan), run.events);
    if (steps.includes('changed_files')) test = withoutExpectations(test, ['outputs.files']);
    const text = writeYaml({ tests: [test] });
    const report = await runTests(memoryLoader({ ...files, 'formulas/a.test.yaml': text }), {
      signal: new AbortController().signal,
      env: process.env,
    });
    expect({ diagnostics: report.diagnostics, tests: report.tests.filter(({ ok }) => !ok) }, text).toEqual({
      diagnostics: [],
      tests: [],
    });
  });

  it('has what people and events said, when they said it', async () => {
    const project = testProject({
      'wf.yaml': 'people: {team: [ann@example.com, bob@example.com]}\n',
      'formulas/a.yaml': `formula: a
workspace: empty
steps:
  - {id: ask, approve: {ask: 'Well?', by: [team]}}
  - {id: both, approve: {ask: 'Both?', by: [team], count: 2}}
  - {id: heard, wait: {event: ci, match: event.n == 1, pass: event.ok}}
  - {id: end, run: 'echo {{steps.ask.outputs.by}} {{steps.ask.outputs.comment}}'}
outputs: {end: steps.end.outputs.stdout}
`,
    }).commit();
    await project.wf('run a');
    // Somebody whose git says who they are.
    const as = (email: string) => {
      project.write({ '.wf/gitconfig': `[user]\n\temail = ${email}\n` });
      return { env: { GIT_CONFIG_GLOBAL: join(project.root, '.wf/gitconfig') } };
    };
    await project.wf('approve latest ask --comment fine', as('ann@example.com'));
    await project.wf('resume latest');
    await project.wf('approve latest both', as('ann@example.com'));
    await project.wf('approve latest both', as('bob@example.com'));
    await project.wf(['signal', 'latest', 'ci', '--data', '{"n": 1, "ok": true}']);
    const ended = JSON.parse((await project.wf('resume latest --json')).stdout) as {
      run: string;
      status: string;
    };
    expect(ended.status).toBe('succeeded');
    const { stdout, exitCode } = await project.wf('test --stubs-from latest');
    expect(stdout).toMatch(/^formulas\/a\.\w{6}\.test\.yaml written\nit passes\n$/);
    expect(exitCode).toBe(0);
    const [file = ''] = stdout.split(' ');
    const text = readFileSync(join(project.root, file), 'utf8');
    expect(text).toContain(`# Written from run ${ended.run} by`);
    expect(text).toMatch(/ask: ?\n? *\{?decision: approve,? ?\n? *by: ann@example.com,? ?\n? *comment: fine/);
    expect((await project.wf('test')).exitCode).toBe(0);
    expect((await project.wf('fmt --check')).exitCode).toBe(0);
    expect(await project.wf('test --stubs-from latest')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('is there already') as string,
    });
  });

  it('leaves out what hangs on files, says so, and says when it does not pass', async () => {
    const formula = (more = '') => `formula: a
steps:
  - {id: one, run: 'ls > list.txt'${more}}
outputs: {changed: size(run.changed_files)}
`;
    const project = testProject({ 'formulas/a.yaml': formula() }).commit();
    await project.wf('run a');
    const first = await project.wf('test --stubs-from latest');
    expect(first.stdout).toContain(
      'left out, since it hangs on files or the environment: outputs.changed\nit passes\n',
    );
    await project.wf('run a');
    project.write({ 'formulas/a.yaml': formula(', verify: [{check: outputs.stdout != ""}]') });
    const second = await project.wf('test --stubs-from latest');
    expect(second.exitCode).toBe(1);
    expect(second.stdout).toContain('it does not pass');
    expect(await project.wf('test --stubs-from nothing')).toMatchObject({ exitCode: 3 });
    expect(await testProject({}).wf('test --stubs-from latest')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('nothing has run in this project yet') as string,
    });
    expect((await project.wf('test formulas --stubs-from latest')).exitCode).toBe(2);
  });

  it('never holds a secret', async () => {
    const project = testProject({
      'formulas/a.yaml':
        "formula: a\nworkspace: empty\nsteps: [{id: one, run: 'echo token is $TOKEN', secrets: {TOKEN: MY_TOKEN}}]\noutputs: {said: steps.one.outputs.stdout}\n",
    }).commit();
    await project.wf('run a', { env: { MY_TOKEN: 'hush-hush-hush' } });
    const { stdout } = await project.wf('test --stubs-from latest');
    const [file = ''] = stdout.split(' ');
    expect(existsSync(join(project.root, file))).toBe(true);
    expect(readFileSync(join(project.root, file), 'utf8')).not.toContain('hush');
    expect(stdout).toContain('it passes');
  });
});
