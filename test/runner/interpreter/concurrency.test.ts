import { describe, expect, it, vi } from 'vitest';
import { testProject } from '../../support/project.ts';

/** Writes when it begins and ends, and does not end before the file `go` is there. */
const held = (name: string) =>
  `'echo begin ${name} >> "$HOME/log"; until [ -f "$HOME/go" ]; do sleep 0.02; done; echo end ${name} >> "$HOME/log"'`;

describe('concurrency of runs', () => {
  const formula = (then: string) => `
inputs: {env: {type: string, default: prod}, n: {type: integer}}
concurrency: {group: 'deploy-{{inputs.env}}', then: ${then}}
steps: [{id: a, run: ${held('{{inputs.n}}')}}]
finally: [{id: tidy, run: 'echo tidy {{inputs.n}} >> "$HOME/log"'}]
`;

  it('queue: the next begins when the older has ended, its `finally` included', async () => {
    const project = testProject(formula('queue'));
    const env = { HOME: project.root };
    const first = await project.begin('a', { inputs: { n: 1 }, env });
    await first.seen('a started');
    const second = await project.begin('a', { inputs: { n: 2 }, env });
    expect(await second.idle()).toMatchObject([{ for: 'concurrency' }]);
    const other = await project.begin('a', { inputs: { n: 3, env: 'dev' }, env });
    await other.seen('a started');
    project.write({ go: '' });
    const ends = await Promise.all([first.end(), second.end(), other.end()]);
    expect(ends.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    const log = (project.read('log')[0] ?? '')
      .split('\n')
      .filter((line) => !line.endsWith('3') && line !== '');
    expect(log).toEqual(['begin 1', 'end 1', 'tidy 1', 'begin 2', 'end 2', 'tidy 2']);
  });

  it('cancel: the older is stopped, and its `finally` comes before the newer begins', async () => {
    const project = testProject(formula('cancel'));
    const env = { HOME: project.root };
    const first = await project.begin('a', { inputs: { n: 1 }, env });
    await vi.waitUntil(() => project.read('log').join('') === 'begin 1\n', { timeout: 10_000 });
    const second = await project.begin('a', { inputs: { n: 2 }, env });
    await second.seen('a started');
    project.write({ go: '' });
    expect((await first.end()).status).toBe('cancelled');
    expect((await second.end()).status).toBe('succeeded');
    expect(project.read('log')).toEqual(['begin 1\ntidy 1\nbegin 2\nend 2\ntidy 2\n']);
  });

  it('a run that is cancelled before its turn does nothing, not even `finally`', async () => {
    const project = testProject(formula('queue'));
    const env = { HOME: project.root };
    const first = await project.begin('a', { inputs: { n: 1 }, env });
    await first.seen('a started');
    const second = await project.begin('a', { inputs: { n: 2 }, env });
    await second.idle();
    await second.cancel();
    const cancelled = await second.end();
    expect(cancelled.status).toBe('cancelled');
    expect(cancelled.started).toEqual([]);
    project.write({ go: '' });
    expect((await first.end()).status).toBe('succeeded');
  });
});

describe('concurrency of steps', () => {
  it('steps and items of one group take turns', async () => {
    const run = testProject(`
steps:
  - {id: a, needs: [], concurrency: {group: db}, run: 'echo + >> "$HOME/log"; sleep 0.1; echo - >> "$HOME/log"'}
  - {id: b, needs: [], for_each: [1, 2], parallel: 2, concurrency: {group: db}, run: 'echo + >> "$HOME/log"; sleep 0.1; echo - >> "$HOME/log"'}
`);
    const ran = await run.run('a', { env: { HOME: run.root } });
    expect(ran.status).toBe('succeeded');
    expect(run.read('log')).toEqual(['+\n-\n+\n-\n+\n-\n']);
  });

  it('items whose groups differ run at once', async () => {
    const project = testProject(`
steps:
  - id: each
    for_each: [a, b]
    parallel: 2
    concurrency: {group: 'db-{{item}}'}
    run: 'touch "$HOME/{{item}}"; until [ -f "$HOME/a" ] && [ -f "$HOME/b" ]; do sleep 0.02; done'
`);
    expect((await project.run('a', { env: { HOME: project.root } })).status).toBe('succeeded');
  });

  it('what asks for the lock that is held around it goes on', async () => {
    const run = await testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
concurrency: {group: db}
steps: [{id: g, uses: formula/inner, concurrency: {group: db}}, {id: after, run: echo after, concurrency: {group: db}}]
`,
      'formulas/inner.yaml': `
formula: inner
concurrency: {group: db}
steps: [{id: s, run: echo s, concurrency: {group: db}}]
`,
    }).run();
    expect(run.status).toBe('succeeded');
  });

  it('a formula that is used holds its own, through its `finally`', async () => {
    const project = testProject({
      'formulas/a.yaml': `
formula: a
workspace: empty
steps:
  - {id: one, needs: [], uses: formula/inner}
  - {id: two, needs: [], uses: formula/inner}
`,
      'formulas/inner.yaml': `
formula: inner
concurrency: {group: '{{run.formula}}-db'}
steps: [{id: s, run: 'echo + >> "$HOME/log"; sleep 0.1'}]
finally: [{id: t, run: 'sleep 0.1; echo - >> "$HOME/log"'}]
`,
    });
    expect((await project.run('a', { env: { HOME: project.root } })).status).toBe('succeeded');
    expect(project.read('log')).toEqual(['+\n-\n+\n-\n']);
  });
});
