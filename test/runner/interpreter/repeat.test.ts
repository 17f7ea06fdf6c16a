import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

describe('repeat', () => {
  it('runs again until `until`, which sees the outputs of the iteration', async () => {
    const run = await testProject(`
steps:
  - {id: grow, run: 'printf x >> n; wc -c < n', repeat: {until: "outputs.stdout == '3'", max: 5}}
outputs: {n: steps.grow.outputs.stdout, iterations: steps.grow.iterations, attempts: steps.grow.attempts}
`).run();
    expect(run.outputs).toEqual({ n: '3', iterations: 3, attempts: 3 });
    expect(run.told).toMatchInlineSnapshot(`
      "grow started
      grow iteration 1 attempt 1
      grow iteration 2 attempt 1
      grow iteration 3 attempt 1
      grow succeeded
      run succeeded {"n":"3","iterations":3,"attempts":3}"
    `);
  });

  it('`previous.outputs` is the iteration before, absent in the first', async () => {
    const run = await testProject(`
steps:
  - id: count
    env: {LAST: '{{default previous.outputs.stdout "none"}}'}
    run: 'echo "$LAST+"'
    repeat: {until: "outputs.stdout == 'none+++'", max: 3}
outputs: {n: steps.count.outputs.stdout}
`).run();
    expect(run.outputs).toEqual({ n: 'none+++' });
  });

  it('reaching `max` fails the step; with `or: keep` it takes the last outputs', async () => {
    const text = (or: string) => `
steps:
  - {id: a, run: 'echo "$WF_KEY"', repeat: {until: outputs.stdout == 'done', max: 2${or}}, on_failure: continue}
outputs: {status: steps.a.status, last: 'has(steps.a.outputs.stdout) ? steps.a.outputs.stdout : "absent"', kind: 'has(steps.a.error) ? steps.a.error.kind : ""'}
`;
    const failed = await testProject(text('')).run();
    expect(failed.outputs).toEqual({ status: 'failed', last: 'absent', kind: 'exhausted' });
    const kept = await testProject(text(', or: keep')).run();
    expect(kept.outputs).toEqual({ status: 'succeeded', last: `${kept.state.run}/a#2`, kind: '' });
  });

  it('a failing iteration ends it', async () => {
    const run = await testProject(`
steps:
  - {id: a, run: 'printf x >> n; [ "$(wc -c < n)" != 2 ]', repeat: {until: outputs.stdout == 'done', max: 5}}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a iteration 1 attempt 1
      a iteration 2 attempt 1
      a attempt 1 failed (error): exit code 1
      a failed (error)
      run failed at a (error): exit code 1"
    `);
  });
});

it('nests `when`, `for_each`, `repeat`, attempt, action, then `verify`', async () => {
  const run = testProject(`
steps:
  - id: a
    when: 'true == true'
    for_each: [x, y]
    repeat: {until: "outputs.stdout == '2'", max: 3}
    retry: {attempts: 2}
    run: |
      printf . >> {{item}}
      [ -f "$HOME/{{item}}" ] || { touch "$HOME/{{item}}"; exit 1; }
      wc -c < {{item}}
    verify: [{run: 'test -f {{item}}'}]
`);
  const ran = await run.run('a', { env: { HOME: run.root } });
  expect(ran.told).toMatchInlineSnapshot(`
    "a started
    a has 2 items
    a[0] started
    a[0] iteration 1 attempt 1
    a[0] attempt 1 failed (error): exit code 1
    a[0] iteration 1 attempt 2
    a[0] check 0 passed
    a[0] iteration 2 attempt 1
    a[0] check 0 passed
    a[0] succeeded
    a[1] started
    a[1] iteration 1 attempt 1
    a[1] attempt 1 failed (error): exit code 1
    a[1] iteration 1 attempt 2
    a[1] check 0 passed
    a[1] iteration 2 attempt 1
    a[1] check 0 passed
    a[1] succeeded
    a succeeded [{},{}]
    run succeeded"
  `);
});
