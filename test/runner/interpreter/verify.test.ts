import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

describe('verify', () => {
  it('runs every check after the action, also after one has failed, and records each', async () => {
    const run = await testProject(`
inputs: {file: {type: string, default: 'my file'}}
steps:
  - id: a
    run: 'echo 1 > "$WF_WORKSPACE/x"; echo "{\\"n\\": 3}" > "$WF_OUTPUT"'
    outputs: {n: {type: integer}}
    verify:
      - run: test -f {{inputs.file}}
      - check: outputs.n > 2
      - run: [grep, '{{inputs.file}}', x]
      - check: outputs.n > 5
      - changes: {only: [y]}
      - run: test 1 = 1
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a check 0 failed: \`test -f {{inputs.file}}\`: exit code 1
      a check 1 passed
      a check 2 failed: \`grep {{inputs.file}} x\`: exit code 1
      a check 3 failed: \`outputs.n > 5\` is not true
      a check 4 failed: it changed x, outside of y
      a check 5 passed
      a attempt 1 failed (verify): 4 checks failed: \`test -f {{inputs.file}}\`: exit code 1; \`grep {{inputs.file}} x\`: exit code 1; \`outputs.n > 5\` is not true; it changed x, outside of y
      a failed (verify)
      run failed at a (verify): 4 checks failed: \`test -f {{inputs.file}}\`: exit code 1; \`grep {{inputs.file}} x\`: exit code 1; \`outputs.n > 5\` is not true; it changed x, outside of y"
    `);
  });

  it('keeps the tail of what a failed check printed, for people and for the next attempt', async () => {
    const run = await testProject(`
steps: [{id: a, run: 'true', verify: [{run: 'echo out; echo err >&2; exit 3'}]}]
`).run();
    expect(run.state.error).toMatchObject({
      kind: 'verify',
      message: 'a check failed: `echo out; echo err >&2; exit 3`: exit code 3',
      detail: '`echo out; echo err >&2; exit 3`: exit code 3\nout\n\nerr',
    });
  });

  it('a check that could not run has not passed', async () => {
    const run = await testProject(`
inputs: {list: {type: array, items: {type: integer}, default: []}}
steps:
  - {id: gone, on_failure: continue, run: 'true', verify: [{run: [no-such-program]}]}
  - {id: absent, on_failure: continue, run: 'true', verify: [{check: 'inputs.list[0] > 1'}]}
  - {id: value, on_failure: continue, run: 'true', verify: [{run: 'test -n {{file "none.txt"}}'}]}
  - {id: killed, on_failure: continue, run: 'true', verify: [{run: 'kill -9 $$'}]}
`).run();
    expect(run.events.filter(({ type }) => type === 'check.passed')).toEqual([]);
    expect(['gone', 'absent', 'value', 'killed'].map((id) => run.step(id).error?.message))
      .toMatchInlineSnapshot(`
      [
        "a check failed: \`no-such-program\`: there is no program "no-such-program" on PATH",
        "a check failed: inputs.list[0] is absent",
        "a check failed: {{file}} cannot read "none.txt": there is no such file",
        "a check failed: \`kill -9 $$\`: it was ended by SIGKILL",
      ]
    `);
  });

  it('does not run when the action failed, and what a check changes is undone', async () => {
    const run = await testProject(`
steps:
  - {id: bad, run: exit 1, on_failure: continue, verify: [{run: 'echo checked; test -f x'}]}
  - {id: a, run: echo a > a, verify: [{run: 'touch b; echo changed > a'}, {run: 'test "$(cat a)" = a && test ! -e b'}]}
  - {id: look, run: 'ls; cat a'}
`).run();
    expect(run.printed.join('')).not.toContain('checked');
    expect(run.output('look')).toBe('a\na');
  });

  it('`changes` compares with where the step began, over all attempts', async () => {
    const project = testProject(`
steps:
  - {id: base, run: 'echo 1 > judge; echo 1 > work'}
  - id: a
    retry: {attempts: 2, feedback: true}
    on_failure: continue
    run: '[ "$WF_ATTEMPT" = 2 ] || echo 2 > judge; echo 2 > work'
    verify: [{changes: {never: [judge]}}, {run: '[ "$WF_ATTEMPT" = 2 ]'}]
  - {id: ok, run: echo 3 > work, verify: [{changes: {only: ['wor*'], max_files: 1, max_lines: 2}}]}
`);
    const run = await project.run();
    expect(run.step('a').error?.message).toBe('a check failed: it changed judge, which it must not');
    expect(run.step('ok').status).toBe('succeeded');
  });

  it.each([
    ['only: ["*.md"]', 'it changed .hidden, a.ts, b.ts, outside of *.md'],
    ['never: ["{{inputs.never}}"]', 'it changed a.ts, which it must not'],
    ['max_files: 2', 'it changed 3 files, and at most 2 are allowed'],
    ['max_lines: 3', 'it changed 4 lines, and at most 3 are allowed'],
  ])('`changes: {%s}`', async (changes, message) => {
    const run = await testProject(`
inputs: {never: {type: string, default: a.*}}
steps:
  - {id: a, run: 'echo 1 > a.ts; printf "1\\n2\\n" > b.ts; echo 1 > .hidden', verify: [{changes: {${changes}}}]}
`).run();
    expect(run.state.error?.message).toBe(`a check failed: ${message}`);
  });

  it('`from: base` runs with files as they were before the step, through attempts and iterations', async () => {
    const run = await testProject(`
steps:
  - {id: base, run: 'echo "exit 1" > judge.sh'}
  - id: a
    retry: {attempts: 2, feedback: true}
    on_failure: continue
    run: 'echo "exit 0" > judge.sh; echo new > new.sh'
    verify: [{run: 'test ! -e new.sh && sh judge*', from: base, files: ['*.sh']}]
  - {id: fixed, run: 'echo "exit 0" > judge.sh', on_failure: continue, verify: [{run: sh judge*}]}
  - {id: look, run: cat judge.sh}
`).run();
    expect(run.steps).toBe('base:succeeded a:failed fixed:succeeded look:succeeded');
    expect(run.output('look')).toBe('exit 0');
  });

  it('`wait` waits for somebody else’s check, and `pass` judges it', async () => {
    const run = await testProject(`
steps:
  - id: a
    run: 'echo "{\\"sha\\": \\"abc\\"}" > "$WF_OUTPUT"'
    outputs: {sha: {type: string}}
    retry: {attempts: 2}
    verify: [{wait: {event: ci.finished, match: event.sha == outputs.sha, pass: event.ok}, timeout: 1h}]
`).begin();
    expect(await run.idle()).toMatchObject([{ step: 'a', for: 'event', ask: 'ci.finished' }]);
    await run.event('ci.finished', { sha: 'other', ok: true });
    expect(await run.idle()).toHaveLength(1);
    await run.event('ci.finished', { sha: 'abc', ok: false });
    const ran = await run.end();
    expect(ran.told).toMatchInlineSnapshot(`
      "a started
      waiting: a for event
      a check 0 failed: event "ci.finished" did not pass: event.ok
      a attempt 1 failed (verify): a check failed: event "ci.finished" did not pass: event.ok
      a attempt 2
      a check 0 failed: event "ci.finished" did not pass: event.ok
      a attempt 2 failed (verify): a check failed: event "ci.finished" did not pass: event.ok
      a failed (verify)
      run failed at a (verify): a check failed: event "ci.finished" did not pass: event.ok"
    `);
  });

  it('`wait` whose time is up has not passed', async () => {
    const run = await testProject(`
steps:
  - {id: a, run: 'true', verify: [{wait: {event: ci}, timeout: 1h}]}
`).run();
    expect(run.state.error).toMatchObject({
      kind: 'verify',
      message: 'a check failed: no event "ci" came within 1h',
    });
  });

  it('the checks of a step with a workspace of its own look into that', async () => {
    const run = await testProject(`
steps:
  - {id: here, run: touch here}
  - {id: a, workspace: empty, run: 'ls; touch there', verify: [{run: 'test -f there && test ! -f here'}, {changes: {only: [there]}}]}
  - {id: look, run: ls}
`).run();
    expect(run.steps).toBe('here:succeeded a:succeeded look:succeeded');
    expect(run.output('look')).toBe('here');
  });

  it('the step’s `timeout` counts for the checks too', async () => {
    const run = await testProject(`
steps: [{id: a, timeout: 300ms, run: 'true', verify: [{run: sleep 60; test -f x}], retry: {attempts: 2, on: [timeout]}}]
`).run();
    expect(run.state.error).toMatchObject({
      kind: 'timeout',
      message: 'a check failed: `sleep 60; test -f x`: the step took longer than 300ms',
    });
    expect(run.step('a').attempts).toBe(2);
  });
});
