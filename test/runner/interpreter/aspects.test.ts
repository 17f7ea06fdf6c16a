import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

const guard = `aspect: guard
rules:
  - match: {tags: [deploy]}
    before:
      - id: lock
        run: 'echo "{\\"token\\": \\"token of {{target.id}}\\"}" > "$WF_OUTPUT"'
        outputs: {token: {type: string}}
        effects: []
    after:
      - id: unlock
        when: target.status == 'succeeded' || target.status == 'failed'
        run: 'echo "{{steps.lock.outputs.token}}, {{target.status}}, {{target.attempts}}"'
        effects: []
`;

const project = (text: string) =>
  testProject({
    'formulas/a.yaml': `formula: a\nworkspace: empty\n${text.trimStart()}`,
    'formulas/guard.yaml': guard,
  });

describe('steps that an aspect has put in', () => {
  it('run around their target, and read it and each other', async () => {
    const run = await project(`
aspects: [guard]
steps:
  - {id: build, run: 'true'}
  - {id: deploy, tags: [deploy], run: 'true'}
  - {id: tell, needs: [deploy], run: 'echo told'}
`).run();
    expect(run.state.status).toBe('succeeded');
    expect(run.step('unlock_deploy').outputs).toMatchObject({ stdout: 'token of deploy, succeeded, 1' });
    expect(run.told.split('\n').filter((line) => line.endsWith('started'))).toEqual([
      'build started',
      'lock_deploy started',
      'deploy started',
      'unlock_deploy started',
      'tell started',
    ]);
  });

  it('are skipped with it', async () => {
    const run = await project(`
aspects: [guard]
inputs: {go: {type: boolean, default: false}}
steps:
  - {id: deploy, when: inputs.go, tags: [deploy], run: 'true'}
  - {id: tell, run: 'echo told'}
`).run();
    expect(['lock_deploy', 'deploy', 'unlock_deploy', 'tell'].map((id) => run.step(id).status)).toEqual([
      'skipped',
      'skipped',
      'skipped',
      'succeeded',
    ]);
  });

  it('stand once around all items of a loop, and run after a failure that the run goes on from', async () => {
    const run = await project(`
aspects: [guard]
steps:
  - {id: deploy, tags: [deploy], on_failure: continue, for_each: [a, b], run: 'test {{item}} = a'}
`).run();
    expect(run.state.status).toBe('succeeded');
    expect(run.step('unlock_deploy').outputs).toMatchObject({
      stdout: expect.stringContaining('token of deploy, failed') as unknown,
    });
    expect(Object.keys(run.state.steps).filter((id) => id.includes('lock'))).toEqual([
      'lock_deploy',
      'unlock_deploy',
    ]);
  });

  it('are woven into the formulas that are used as well, and by the policy into all', async () => {
    const run = await testProject({
      'wf.yaml': 'policy: {aspects: [guard]}\n',
      'formulas/a.yaml': 'formula: a\nworkspace: empty\nsteps: [{id: inner, uses: formula/inner}]\n',
      'formulas/inner.yaml':
        "formula: inner\nsteps: [{id: deploy, tags: [deploy], run: 'true'}]\nfinally: [{id: last, tags: [deploy], run: 'true'}]\n",
      'formulas/guard.yaml': guard,
    }).run();
    expect(Object.keys(run.state.steps)).toEqual([
      'inner',
      'inner.lock_deploy',
      'inner.deploy',
      'inner.unlock_deploy',
      'inner.last',
    ]);
  });
});

describe('effects', () => {
  it('a step that says it changes no files fails when it does', async () => {
    const run = await testProject(`
steps:
  - {id: fine, effects: [], run: 'echo hello'}
  - {id: outside, effects: [external], run: 'echo > /dev/null'}
  - {id: bad, effects: [external], run: 'touch new.txt'}
`).run();
    expect(['fine', 'outside', 'bad'].map((id) => run.step(id).status)).toEqual([
      'succeeded',
      'succeeded',
      'failed',
    ]);
    expect(run.state.error).toMatchObject({
      kind: 'verify',
      message: 'a check failed: it changed new.txt, and may change no files',
    });
  });
});
