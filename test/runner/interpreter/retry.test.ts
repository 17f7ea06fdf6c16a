import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/journal/event.ts';
import type { Ran } from '../../support/project.ts';
import { testProject } from '../../support/project.ts';

/** Seconds between the end of each attempt and the start of the next. */
function pauses(run: Ran): readonly number[] {
  const at = ({ at }: RunEvent) => Date.parse(at) / 1000;
  const starts = run.events.filter(({ type }) => type === 'attempt.started').slice(1);
  const ends = run.events.filter(({ type }) => type === 'attempt.failed');
  return ends.flatMap((end, index) => {
    const next = starts[index];
    return next ? [at(next) - at(end)] : [];
  });
}

describe('retry', () => {
  it('tries again, from the workspace as it was when the step began', async () => {
    const run = await testProject(`
steps:
  - {id: before, run: echo 1 > kept}
  - {id: a, retry: {attempts: 3}, run: 'ls | tr "\\n" " "; echo 2 > kept; touch left; [ "$WF_ATTEMPT" = 3 ]'}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "before started
      before succeeded
      a started
      a attempt 1 failed (error): exit code 1
      a attempt 2
      a attempt 2 failed (error): exit code 1
      a attempt 3
      a succeeded
      run succeeded"
    `);
    expect(run.output('a')).toBe('kept ');
    expect(run.step('a').attempts).toBe(3);
  });

  it.each([
    ['error', 'error error+'],
    ['timeout', 'timeout timeout+'],
    ['verify', 'verify verify+'],
    ['error, timeout, verify', 'error error+ timeout timeout+ verify verify+'],
  ])('`on: [%s]` says which failures are worth it', async (on, tried) => {
    const run = await testProject(`
steps:
  - {id: error, on_failure: continue, retry: {attempts: 2, on: [${on}]}, run: exit 1, timeout: 1h, verify: [{run: test 1 = 1}]}
  - {id: timeout, on_failure: continue, retry: {attempts: 2, on: [${on}]}, timeout: 50ms, run: sleep 60, verify: [{run: test 1 = 1}]}
  - {id: verify, on_failure: continue, retry: {attempts: 2, on: [${on}]}, run: 'true', timeout: 1h, verify: [{run: 'exit 1'}]}
`).run();
    const failed = Object.entries(run.state.steps).flatMap(([id, { attempts }]) =>
      attempts === 2 ? [id, `${id}+`] : [],
    );
    expect(failed.join(' ')).toBe(tried);
  });

  it('waits between attempts: the same each time, or longer each time up to a limit, with jitter', async () => {
    const failing = (backoff: string) =>
      testProject(`steps: [{id: a, run: exit 1, retry: {attempts: 5, backoff: ${backoff}}}]`).run();
    expect(pauses(await failing('10s'))).toEqual([10, 10, 10, 10]);
    const growing = pauses(await failing('{initial: 10s, factor: 2, max: 25s}'));
    for (const [index, most] of [10, 20, 25, 25].entries()) {
      expect(growing[index]).toBeGreaterThanOrEqual(most / 2);
      expect(growing[index]).toBeLessThanOrEqual(most);
    }
  });

  it('with `feedback` the workspace stays, and a command finds in the file $WF_FEEDBACK why the last attempt failed', async () => {
    const run = await testProject(`
steps:
  - id: a
    retry: {attempts: 3, feedback: true}
    run: |
      echo "attempt $WF_ATTEMPT: \${WF_FEEDBACK:+told}"
      [ -z "\${WF_FEEDBACK:-}" ] || cat "$WF_FEEDBACK"
      echo "$WF_ATTEMPT" >> tried
      [ "$WF_ATTEMPT" != 2 ] || { echo 'second thoughts' >&2; exit 4; }
    verify:
      - {run: 'echo "only $(wc -l < tried) lines"; test "$(wc -l < tried)" = 3'}
      - {run: 'test "$(head -1 tried)" = 1'}
`).run();
    expect(run.status).toBe('succeeded');
    expect(run.printed.join('')).toMatchInlineSnapshot(`
      "attempt 1: 
      only 1 lines
      attempt 2: told
      a check failed: \`echo "only $(wc -l < tried) lines"; test "$(wc -l < tried)" = 3\`: exit code 1

      \`echo "only $(wc -l < tried) lines"; test "$(wc -l < tried)" = 3\`: exit code 1
      only 1 lines
      second thoughts
      attempt 3: told
      exit code 4

      second thoughts
      only 3 lines
      "
    `);
  });

  it('a group is told too, and passes it on to its commands', async () => {
    const run = await testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps:
  - {id: g, uses: formula/inner, retry: {attempts: 2, feedback: true}, verify: [{run: 'test "$(wc -l < tried)" = 2'}]}
`,
      'formulas/inner.yaml': `
formula: inner
steps: [{id: b, run: 'echo x >> tried; cat "\${WF_FEEDBACK:-/dev/null}"'}]
`,
    }).run();
    expect(run.output('g.b')).toMatchInlineSnapshot(
      `"a check failed: \`test "$(wc -l < tried)" = 2\`: exit code 1"`,
    );
  });

  it('exit code 75 is trouble of the infrastructure: more tries with growing pauses, and no attempt used', async () => {
    const project = testProject(`
steps:
  - {id: a, run: 'echo x >> "$HOME/n"; [ "$(wc -l < "$HOME/n")" -gt 3 ] || exit 75; echo "$WF_ATTEMPT"'}
  - {id: ok, run: exit 75, exit: [75]}
`);
    const run = await project.run('a', { env: { HOME: project.root } });
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a attempt 1 failed (infrastructure): exit code 75: the infrastructure failed
      a attempt 1, once more (1)
      a attempt 1 failed (infrastructure): exit code 75: the infrastructure failed
      a attempt 1, once more (2)
      a attempt 1 failed (infrastructure): exit code 75: the infrastructure failed
      a attempt 1, once more (3)
      a succeeded
      ok started
      ok succeeded
      run succeeded"
    `);
    expect(run.step('a').attempts).toBe(1);
    const pause = pauses(run);
    expect(pause[0]).toBeGreaterThanOrEqual(0.5);
    expect(pause[2]).toBeGreaterThanOrEqual(2);
  });

  it('that does not pass is given up after a bounded count', async () => {
    const run = await testProject(`steps: [{id: a, run: exit 75, retry: {attempts: 3}}]`).run();
    expect(run.state.error).toMatchObject({ kind: 'infrastructure' });
    expect(run.events.filter(({ type }) => type === 'attempt.started')).toHaveLength(6);
  });

  it('`once` excludes the rule for exit code 75', async () => {
    const run = await testProject(`steps: [{id: a, run: exit 75, once: true}]`).run();
    expect(run.events.filter(({ type }) => type === 'attempt.started')).toHaveLength(1);
    expect(run.state.error).toMatchObject({ kind: 'infrastructure' });
  });
});

describe('timeout', () => {
  it('ends one attempt, with everything it started', async () => {
    const run = await testProject(`
steps: [{id: a, timeout: 200ms, run: 'echo begun; sleep 60 & sleep 60', retry: {attempts: 2}}]
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a attempt 1 failed (timeout): it took longer than 200ms
      a attempt 2
      a attempt 2 failed (timeout): it took longer than 200ms
      a failed (timeout)
      run failed at a (timeout): it took longer than 200ms"
    `);
  });

  it('of a group is for one pass; `finally` inside still runs', async () => {
    const run = await testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps: [{id: g, uses: formula/inner, timeout: 1h}]
`,
      'formulas/inner.yaml': `
formula: inner
steps: [{id: b, run: sleep 60}, {id: c, run: echo c}]
finally: [{id: tidy, run: 'echo {{run.status}} {{default run.error.kind ""}}'}]
`,
    }).begin();
    await run.seen('g.b started');
    await run.advance(3_600_000);
    const ran = await run.end();
    expect(ran.told).toMatchInlineSnapshot(`
      "g started
      g.b started
      g.b attempt 1 failed (cancelled): cancelled
      g.b cancelled
      g.c skipped (run ended)
      g.tidy started
      g.tidy succeeded
      g attempt 1 failed (timeout): it took longer than 1h
      g failed (timeout)
      run failed at g (timeout): it took longer than 1h"
    `);
    expect(ran.output('g.tidy')).toBe('failed timeout');
  });

  it('of a group does not keep a run from being left while a person is asked', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps: [{id: g, uses: formula/inner, timeout: 1h}]
`,
      'formulas/inner.yaml': `
formula: inner
steps: [{id: ask, approve: {ask: Well?}}]
`,
    });
    const run = await project.runLocally();
    expect(run.status).toBe('waiting');
    expect(run.state.waiting).toEqual([{ step: 'g.ask', for: 'approval', ask: 'Well?' }]);
    await project.send(run.state.run, { kind: 'approve', step: 'g.ask', by: 'ann', verified: false });
    expect((await project.resume(run.state.run)).status).toBe('succeeded');
  });
});

describe('budget', () => {
  const minutes = (milliseconds: number) => milliseconds / 60_000;

  it('of a step is for all its attempts', async () => {
    const run = await testProject(`
steps:
  - {id: a, budget: {minutes: ${minutes(500)}}, retry: {attempts: 100}, run: sleep 0.2; exit 1, on_failure: continue}
  - {id: b, run: echo b}
`).run();
    expect(run.step('a').error).toMatchObject({
      kind: 'budget',
      message: `the budget of ${minutes(500)} minutes is spent`,
    });
    expect(run.step('a').attempts).toBeLessThanOrEqual(3);
    expect(run.status).toBe('succeeded');
  });

  it('of the run ends it, whatever its steps say about failures; `finally` runs', async () => {
    const run = await testProject(`
budget: {minutes: ${minutes(400)}}
steps:
  - {id: a, run: sleep 60, on_failure: continue}
  - {id: b, run: echo b}
finally:
  - {id: tidy, run: 'echo {{run.status}} {{default run.error.kind ""}}'}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a attempt 1 failed (budget): the budget of 0.006666666666666667 minutes is spent
      a failed (budget)
      b skipped (run ended)
      tidy started
      tidy succeeded
      run failed at a (budget): the budget of 0.006666666666666667 minutes is spent"
    `);
    expect(run.output('tidy')).toBe('failed budget');
  });

  it('counts the work of groups and items, and of checks, in everything around them', async () => {
    const run = await testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
budget: {minutes: ${minutes(500)}}
steps:
  - {id: items, for_each: [1, 2], parallel: 2, run: sleep 0.1, verify: [{run: sleep 0.1; test 1 = 1}]}
  - {id: g, uses: formula/inner}
  - {id: never, run: echo never}
`,
      'formulas/inner.yaml': 'formula: inner\nsteps: [{id: b, run: sleep 0.2}, {id: c, run: echo c}]\n',
    }).run();
    expect(run.state.error).toMatchObject({ kind: 'budget' });
    expect(run.step('never').status).toBe('skipped');
    expect(run.step('g.c').status).toBe('skipped');
  });

  it('of a group is its own: what runs beside it does not count, and its failure is the group’s', async () => {
    const run = await testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps:
  - {id: slow, needs: [], run: sleep 0.6}
  - {id: g, needs: [], uses: formula/inner}
  - {id: small, needs: [slow], uses: formula/small, on_failure: continue}
  - {id: bound, needs: [slow], uses: formula/inner, budget: {minutes: ${minutes(5)}}, on_failure: continue}
  - {id: end, run: 'echo {{default steps.small.error.kind ""}} {{default steps.bound.error.kind ""}}'}
`,
      'formulas/inner.yaml': `
formula: inner
budget: {minutes: ${minutes(500)}}
steps: [{id: b, run: sleep 0.05}, {id: c, run: sleep 0.1}, {id: d, run: 'true'}]
`,
      'formulas/small.yaml': `
formula: small
budget: {minutes: ${minutes(100)}}
steps: [{id: b, run: sleep 60, on_failure: continue}, {id: c, run: 'true'}]
`,
    }).run();
    expect(run.output('end')).toBe('budget budget');
    expect(run.step('g').status).toBe('succeeded');
    expect(run.step('small.c').status).toBe('skipped');
  });

  it('waiting for people and timers does not count', async () => {
    const run = await testProject(`
budget: {minutes: ${minutes(5_000)}}
steps:
  - {id: ask, approve: {ask: Well?}}
  - {id: nap, wait: {for: 3h}}
  - {id: a, run: echo a}
`).begin();
    await run.idle();
    await run.advance(7_200_000);
    await run.approve('ask', 'ann');
    expect((await run.end()).status).toBe('succeeded');
  });
});
