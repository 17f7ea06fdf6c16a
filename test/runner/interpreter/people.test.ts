import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

const withPeople = (steps: string) =>
  testProject({
    'wf.yaml': 'people: {maintainers: [ann@x, bob@x], security: [cid@x]}\n',
    'formulas/a.yaml': `formula: a\nworkspace: empty\n${steps}`,
  });

describe('approve', () => {
  it('asks with what is to be shown, waits, and puts out who decided', async () => {
    const run = await withPeople(`
inputs: {version: {type: string, default: '1.2'}}
steps:
  - {id: build, run: echo built > out}
  - {id: ask, approve: {ask: 'Publish {{inputs.version}}?', show: [run.changed_files, inputs.version + '!'], by: [maintainers]}}
  - {id: publish, run: 'echo {{steps.ask.outputs.decision}} by {{steps.ask.outputs.by}}: {{steps.ask.outputs.comment}}'}
`).begin();
    expect(await run.idle()).toEqual([{ step: 'ask', for: 'approval', ask: 'Publish 1.2?' }]);
    await run.approve('ask', 'ann@x', 'ship it');
    const ran = await run.end();
    expect(ran.output('publish')).toBe('approved by ann@x: ship it');
    expect(ran.events.find(({ type }) => type === 'approval.asked')).toMatchObject({
      ask: 'Publish 1.2?',
      shown: [
        { expression: 'run.changed_files', value: ['out'] },
        { expression: "inputs.version + '!'", value: '1.2!' },
      ],
      by: { maintainers: ['ann@x', 'bob@x'] },
    });
  });

  it('who is not in the groups is left alone, and one person counts once', async () => {
    const run = await withPeople(`
steps: [{id: ask, approve: {ask: Well?, by: [maintainers, security], count: 2}}]
`).begin();
    await run.idle();
    for (const by of ['eve@x', undefined, 'ann@x', 'ann@x']) await run.approve('ask', by);
    await run.reject('ask', 'eve@x');
    expect(await run.idle()).toMatchObject([{ step: 'ask' }]);
    await run.approve('ask', 'cid@x');
    expect((await run.end()).told).toMatchInlineSnapshot(`
      "ask started
      ask asks: Well?
      waiting: ask for approval
      ask approved by ann@x
      waiting: ask for approval
      ask approved by cid@x
      ask succeeded {"decision":"approved","by":"ann@x, cid@x","comment":""}
      run succeeded"
    `);
  });

  it('one no fails the step, also of who said yes before', async () => {
    const run = await withPeople(`
steps:
  - {id: ask, approve: {ask: Well?, count: 2}}
  - {id: next, run: echo next}
`).begin();
    await run.idle();
    await run.approve('ask', 'ann@x');
    await run.reject('ask', 'ann@x', 'found a bug');
    const ran = await run.end();
    expect(ran.state.error).toMatchObject({
      kind: 'rejected',
      message: 'ann@x said no: found a bug',
      detail: 'found a bug',
      step: 'ask',
    });
    expect(ran.step('next').status).toBe('skipped');
  });

  it('`timeout` is how long to wait', async () => {
    const run = await withPeople(`
steps:
  - {id: ask, timeout: 24h, approve: {ask: Well?}, on_failure: continue}
  - {id: next, run: 'echo {{default steps.ask.error.kind ""}}: {{default steps.ask.error.message ""}}'}
`).run();
    expect(run.output('next')).toBe('timeout: nobody answered within 1d');
  });

  it('a question asked again wants an answer of its own: one left over from before is none', async () => {
    const run = await withPeople(`
steps: [{id: ask, retry: {attempts: 2, backoff: 1m}, approve: {ask: Well?}}]
`).begin();
    await run.idle();
    await Promise.all([run.reject('ask', 'ann@x'), run.approve('ask', 'bob@x')]);
    await run.advance(60_000);
    await run.seen('asks', 2);
    expect(await run.idle()).toMatchObject([{ step: 'ask' }]);
    await run.approve('ask', 'cid@x');
    expect((await run.end()).told).toMatchInlineSnapshot(`
      "ask started
      ask asks: Well?
      waiting: ask for approval
      ask refused by ann@x
      ask attempt 1 failed (rejected): ann@x said no
      ask attempt 2
      ask asks: Well?
      waiting: ask for approval
      ask approved by cid@x
      ask succeeded {"decision":"approved","by":"cid@x","comment":""}
      run succeeded"
    `);
  });

  it('each item asks by itself, under its own name', async () => {
    const run = await withPeople(`
steps:
  - {id: ask, for_each: [dev, prod], parallel: 2, approve: {ask: 'Deploy {{item}}?'}}
outputs: {by: 'steps.ask.outputs.map(o, o.by)'}
`).begin();
    expect(await run.idle()).toHaveLength(2);
    await run.approve('ask[1]', 'bob@x');
    await run.approve('ask[0]', 'ann@x');
    expect((await run.end()).outputs).toEqual({ by: ['ann@x', 'bob@x'] });
  });
});

describe('wait', () => {
  it('`for` a length of time, `until` a moment', async () => {
    const run = await testProject(`
inputs: {at: {type: string, default: '2026-01-01T05:00:00Z'}}
steps:
  - {id: nap, wait: {for: 3h}}
  - {id: moment, wait: {until: '{{inputs.at}}'}}
  - {id: past, wait: {until: '2020-01-01T00:00:00Z'}}
`).run();
    // The clock of these tests begins at midnight of 2026-01-01.
    expect(run.step('nap').endedAt).toBe('2026-01-01T03:00:00.000Z');
    expect(run.step('moment').endedAt).toBe('2026-01-01T05:00:00.000Z');
    expect(run.step('past').endedAt).toBe('2026-01-01T05:00:00.000Z');
  });

  it('a moment that is none fails the step', async () => {
    const run = await testProject(`
inputs: {at: {type: string, default: tomorrow}}
steps: [{id: a, wait: {until: '{{inputs.at}}'}}]
`).run();
    expect(run.state.error?.message).toBe('"tomorrow" is not a point in time with a zone');
  });

  it('an event that came early is found; `match` selects, `pass` judges', async () => {
    const run = await testProject(`
inputs: {sha: {type: string, default: abc}}
steps:
  - {id: gate, approve: {ask: Go?}}
  - {id: ci, wait: {event: ci, match: event.sha == inputs.sha, pass: event.ok}}
outputs: {url: steps.ci.outputs.event.url}
`).begin();
    await run.idle();
    await run.event('ci', { sha: 'other', ok: false });
    await run.event('ci', 'not an object');
    await run.event('build', { sha: 'abc', ok: false });
    await run.event('ci', { sha: 'abc', ok: true, url: 'https://ci.example.com/1' });
    await run.approve('gate', 'ann');
    expect((await run.end()).outputs).toEqual({ url: 'https://ci.example.com/1' });
  });

  it('one event is for everybody who waits for it', async () => {
    const run = await testProject(`
steps:
  - {id: a, needs: [], wait: {event: go}}
  - {id: b, needs: [], wait: {event: go}}
`).begin();
    expect(await run.idle()).toHaveLength(2);
    await run.event('go');
    expect((await run.end()).steps).toBe('a:succeeded b:succeeded');
  });

  it('an event that does not pass fails the step; a retry waits for another', async () => {
    const run = await testProject(`
steps: [{id: ci, retry: {attempts: 2}, wait: {event: ci, pass: event.ok}}]
`).begin();
    await run.idle();
    await run.event('ci', { ok: false });
    await run.seen('ci attempt 2');
    expect(await run.idle()).toMatchObject([{ step: 'ci', for: 'event', ask: 'ci' }]);
    await run.event('ci', { ok: true });
    expect((await run.end()).told).toMatchInlineSnapshot(`
      "ci started
      waiting: ci for event
      ci attempt 1 failed (refused): event "ci" did not pass: event.ok
      ci attempt 2
      waiting: ci for event
      ci succeeded {"event":{"ok":true}}
      run succeeded"
    `);
  });

  it('a `pass` that cannot be evaluated fails the step, and time that is up does', async () => {
    const bad = await testProject(`
steps: [{id: ci, wait: {event: ci, pass: event.ok}}]
`).begin();
    await bad.idle();
    await bad.event('ci', {});
    expect((await bad.end()).state.error).toMatchObject({ kind: 'error', message: 'event.ok is absent' });
    const late = await testProject(`steps: [{id: ci, timeout: 2h, wait: {event: ci}}]`).run();
    expect(late.state.error).toMatchObject({ kind: 'timeout', message: 'no event "ci" came within 2h' });
  });

  it('as `wf run` does: the run is left, and carried on when the answer has come', async () => {
    const project = testProject(`
steps:
  - {id: a, run: echo once >> "$HOME/log"}
  - {id: ask, approve: {ask: Well?}}
  - {id: ci, wait: {event: ci}}
  - {id: b, run: 'echo {{steps.ask.outputs.by}} {{json steps.ci.outputs.event}}'}
`);
    const env = { HOME: project.root };
    const { state } = await project.runLocally('a', { env });
    expect(state.status).toBe('waiting');
    await project.send(state.run, { kind: 'event', event: 'ci', data: { n: 1 }, verified: false });
    expect((await project.resume(state.run, { env })).status).toBe('waiting');
    await project.send(state.run, { kind: 'approve', step: 'ask', by: 'ann', verified: false });
    const ran = await project.resume(state.run, { env });
    expect(ran.status).toBe('succeeded');
    expect(ran.output('b')).toBe('ann {"n":1}');
    expect(project.read('log')).toEqual(['once\n']);
  });
});
