import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { testProject } from '../../support/project.ts';

const parallel = (failing: string, running: string) => `
steps:
  - {id: bad, needs: [], run: 'until [ -f "$HOME/running" ]; do sleep 0.02; done; exit 1'${failing}}
  - {id: runs, needs: [], run: 'touch "$HOME/running"; until [ -f "$HOME/ended" ]; do sleep 0.02; done; echo done'${running}}
  - {id: other, needs: [bad], run: echo other}
  - {id: after, needs: [runs], run: echo after}
`;

describe('on_failure', () => {
  it('stop: nothing new starts, what runs is cancelled, then `finally`', async () => {
    const project = testProject(
      `${parallel('', '')}finally: [{id: tidy, run: 'echo {{run.status}} {{steps.runs.status}}'}]`,
    );
    const run = await project.run('a', { env: { HOME: project.root } });
    expect(run.steps).toBe('bad:failed runs:cancelled other:skipped after:skipped tidy:succeeded');
    expect(run.output('tidy')).toBe('failed cancelled');
    expect(run.state.error).toMatchObject({ kind: 'error', message: 'exit code 1', step: 'bad' });
  });

  it('stop: a `once` step that runs is left to finish', async () => {
    const project = testProject(parallel('', ', once: true'));
    const running = await project.begin('a', { env: { HOME: project.root } });
    await running.seen('bad failed');
    project.write({ ended: '' });
    const run = await running.end();
    expect(run.steps).toBe('bad:failed runs:succeeded other:skipped after:skipped');
  });

  it('continue: dependents run, and the run is not failed by it', async () => {
    const run = await testProject(`
steps:
  - {id: bad, run: touch left; exit 1, on_failure: continue}
  - {id: next, run: 'echo {{steps.bad.status}} {{default steps.bad.error.message ""}} {{default steps.bad.outputs.stdout "absent"}}; ls'}
`).run();
    expect(run.status).toBe('succeeded');
    expect(run.output('next')).toBe('failed exit code 1 absent\nleft');
  });

  it('handoff: as stop, and leaves a bundle that a person can take over from', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
steps:
  - {id: make, run: echo new > file.txt}
  - id: fix
    retry: {attempts: 2}
    on_failure: handoff
    run: 'echo "trying $WF_ATTEMPT"; echo half > half.txt; echo "cannot" >&2; [ "$WF_ATTEMPT" = 2 ]'
    verify: [{run: 'echo looked; test -f whole.txt'}]
  - {id: never, run: echo never}
finally:
  - {id: tidy, run: 'echo {{run.status}}'}
`,
      'file.txt': 'old\n',
    }).commit();
    const run = await project.run();
    expect(run.status).toBe('handed_off');
    expect(run.output('tidy')).toBe('handed_off');
    const bundle = run.state.bundle ?? '';
    expect(readdirSync(bundle).sort()).toEqual([
      'README.md',
      'attempt-1.txt',
      'attempt-2.txt',
      'changes.diff',
    ]);
    const file = (name: string) => readFileSync(join(bundle, name), 'utf8');
    expect(file('attempt-1.txt')).toMatchInlineSnapshot(`
      "exit code 1

      --- stdout ---
      trying 1

      --- stderr ---
      cannot
      "
    `);
    expect(file('attempt-2.txt')).toContain('looked');
    expect(file('changes.diff')).toMatch(/-old\n\+new/);
    expect(file('changes.diff')).toContain('half.txt');
    const known = [project.root, run.state.run, project.git('rev-parse', 'HEAD').trim()];
    const text = known.reduce(
      (text, value, index) => text.replaceAll(value, `<${index}>`),
      file('README.md'),
    );
    expect(text).toMatchInlineSnapshot(`
      "# a: handed over

      Run <1> stopped at step "fix": a check failed: \`echo looked; test -f whole.txt\`: exit code 1

      \`\`\`
      \`echo looked; test -f whole.txt\`: exit code 1
      looked
      \`\`\`

      ## What was tried

      - make: done
      - fix: attempt 1 failed: exit code 1
        - \`echo looked; test -f whole.txt\`: exit code 1
      - fix: attempt 2 failed: a check failed: \`echo looked; test -f whole.txt\`: exit code 1
      - tidy: done

      ## What is here

      - \`changes.diff\`: everything the run changed so far
      - \`attempt-1.txt\`: the output of a failed attempt
      - \`attempt-2.txt\`: the output of a failed attempt

      The working directory is kept in <0>/.wf/work/<1>, on branch wf/a/<1>, which began at <2>.

      ## How to go on

      Finish the work there by hand, or repair the cause and start anew: \`wf run a\`.
      \`wf show <1>\` and \`wf logs <1> fix\` tell more.
      "
    `);
    expect(run.file('half.txt')).toBe('half\n');
  });
});

describe('finally', () => {
  it('runs in written order, each despite earlier failures, and sees how the run ends', async () => {
    const run = await testProject(`
steps: [{id: a, run: echo a}]
finally:
  - {id: one, run: 'echo {{run.status}}'}
  - {id: two, run: 'echo {{run.status}}; exit 1'}
  - {id: three, run: 'echo {{run.status}} {{default run.error.message ""}} {{steps.two.status}}'}
outputs: {x: steps.a.outputs.stdout}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a succeeded
      one started
      one succeeded
      two started
      two attempt 1 failed (error): exit code 1
      two failed (error)
      three started
      three succeeded
      run failed at two (error): exit code 1"
    `);
    expect(run.output('three')).toBe('failed exit code 1 failed');
  });

  it('one that fails with `on_failure: continue` changes nothing', async () => {
    const run = await testProject(`
steps: [{id: a, run: echo a}]
finally: [{id: one, run: exit 1, on_failure: continue}]
`).run();
    expect(run.status).toBe('succeeded');
  });

  it('rolls back what was done, and only that', async () => {
    const text = (then: string) => `
steps:
  - {id: tag, run: echo tagged}
  - {id: push, run: ${then}}
finally:
  - {id: roll_back, when: run.status == 'failed' && steps.tag.status == 'succeeded', run: echo rolled back}
  - {id: no, when: run.status == 'failed' && steps.push.status == 'succeeded', run: echo no}
`;
    expect((await testProject(text('exit 1')).run()).steps).toBe(
      'tag:succeeded push:failed roll_back:succeeded no:skipped',
    );
    expect((await testProject(text('"true"')).run()).steps).toBe(
      'tag:succeeded push:succeeded roll_back:skipped no:skipped',
    );
  });

  it('takes all that a step takes: items, groups, retries, checks', async () => {
    const run = await testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps: [{id: a, run: exit 1}]
finally:
  - {id: each, for_each: [1, 2], parallel: 2, run: 'touch f{{item}}; [ "$WF_ATTEMPT" = 2 ]', retry: {attempts: 2}, verify: [{run: 'test -f f{{item}}'}]}
  - {id: g, uses: formula/inner}
  - {id: look, run: 'ls; echo {{default steps.g.outputs.x ""}} {{size steps.each.outputs}}'}
`,
      'formulas/inner.yaml': `
formula: inner
steps: [{id: one, run: echo one}]
finally: [{id: two, run: touch two}]
outputs: {x: steps.one.outputs.stdout}
`,
    }).run();
    expect(run.output('look')).toBe('f1\nf2\ntwo\none 2');
    expect(run.state.error).toMatchObject({ step: 'a' });
  });
});

describe('cancel', () => {
  it('ends what runs, starts nothing new, and runs `finally`', async () => {
    const run = await testProject(`
steps:
  - {id: a, run: sleep 60}
  - {id: b, run: echo b}
finally:
  - {id: tidy, run: 'sleep 0.05; echo {{run.status}} {{default run.error.kind ""}}'}
  - {id: group, for_each: [1], run: echo more}
`).begin();
    await run.seen('a started');
    await run.cancel('ann');
    const ran = await run.end();
    expect(ran.told).toMatchInlineSnapshot(`
      "a started
      cancel requested by ann
      a attempt 1 failed (cancelled): cancelled
      a cancelled
      b skipped (run ended)
      tidy started
      tidy succeeded
      group started
      group has 1 items
      group[0] started
      group[0] succeeded
      group succeeded [{}]
      run cancelled"
    `);
    expect(ran.output('tidy')).toBe('cancelled cancelled');
  });

  it('leaves a `once` step to finish, and does not reach `finally`, nor groups in it', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps:
  - {id: a, once: true, run: 'until [ -f "$HOME/go" ]; do sleep 0.02; done; echo done', verify: [{run: sleep 0.1; test 1 = 1}]}
  - {id: b, run: echo b}
`,
    });
    const run = await project.begin('a', { env: { HOME: project.root } });
    await run.seen('a started');
    await run.cancel();
    project.write({ go: '' });
    const ran = await run.end();
    expect(ran.steps).toBe('a:succeeded b:skipped');
    expect(ran.status).toBe('cancelled');
  });

  it('that comes during `finally` changes nothing any more', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps: [{id: a, run: echo a}]
finally:
  - {id: one, run: 'until [ -f "$HOME/go" ]; do sleep 0.02; done; echo {{run.status}}'}
  - {id: g, uses: formula/inner}
`,
      'formulas/inner.yaml':
        'formula: inner\nsteps: [{id: b, run: sleep 0.1; echo b}]\nfinally: [{id: c, run: echo c}]\n',
    });
    const run = await project.begin('a', { env: { HOME: project.root } });
    await run.seen('one started');
    await run.cancel();
    project.write({ go: '' });
    const ran = await run.end();
    expect(ran.steps).toBe('a:succeeded one:succeeded g:succeeded g.b:succeeded g.c:succeeded');
    expect(ran.status).toBe('succeeded');
  });

  it('while it waits, and while items run', async () => {
    const run = await testProject(`
steps:
  - {id: ask, needs: [], approve: {ask: Well?}}
  - {id: each, needs: [], for_each: [60, 60, 60], parallel: 2, run: 'sleep {{item}}'}
  - {id: nap, needs: [], wait: {for: 1d}}
  - {id: event, needs: [], wait: {event: x}, timeout: 1d}
  - {id: again, needs: [], run: exit 1, retry: {attempts: 2, backoff: 1d}}
`).begin();
    await run.seen('each[1] started');
    await run.seen('again attempt 1 failed');
    await run.cancel();
    const ran = await run.end();
    expect(ran.steps).toBe('ask:cancelled each:cancelled nap:cancelled event:cancelled again:cancelled');
    expect(ran.step('each').items?.map(({ status }) => status)).toEqual([
      'cancelled',
      'cancelled',
      'skipped',
    ]);
    expect(ran.status).toBe('cancelled');
  });

  it('while the workspace is prepared', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
workspace: {from: clone, prepare: {run: 'touch "$HOME/preparing"; sleep 60', files: [f]}}
steps: [{id: a, run: echo a}]
`,
      f: '',
    }).commit();
    const cancel = new AbortController();
    const running = project.runLocally('a', { cancel: cancel.signal, env: { HOME: project.root } });
    await vi.waitUntil(() => existsSync(join(project.root, 'preparing')), { timeout: 4_000 });
    cancel.abort();
    const run = await running;
    expect(run.status).toBe('cancelled');
    expect(run.steps).toBe('a:skipped');
  });
});
