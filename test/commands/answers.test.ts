import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../src/journal/run-state.ts';
import { temporaryDirectory } from '../journal/project.ts';
import { testProject } from '../support/project.ts';
import { without } from '../support/without.ts';

const asking = `steps:
  - {id: build, run: echo built}
  - id: land
    approve: {ask: 'Land {{steps.build.outputs.stdout}}?', show: [steps.build.outputs.stdout]}
  - {id: ship, run: 'echo "by {{steps.land.outputs.by}}: {{steps.land.outputs.comment}}"'}
outputs: {shipped: steps.ship.outputs.stdout}
`;

/** Somebody whose git says who they are. */
function as(email: string) {
  const config = join(temporaryDirectory(), 'gitconfig');
  writeFileSync(config, `[user]\n\temail = ${email}\n`);
  return { env: { GIT_CONFIG_GLOBAL: config } };
}

describe('an approval without a terminal', () => {
  it('leaves the run waiting, exit 4, says what to do, and goes on where it stood', async () => {
    const project = testProject(asking);
    const first = await project.wf('run a');
    expect(first.exitCode).toBe(4);
    expect(without(first.stdout)).toBe(`a waits  run <id>
  land: Land built?
  wf approve <id> land, or wf reject; then wf resume <id>
`);

    const yes = await project.wf(['approve', 'latest', 'land', '-m', 'looks good'], as('ann@example.com'));
    expect(without(yes.stdout)).toBe('approved land as ann@example.com\nwf resume <id> carries the run on\n');

    const second = await project.wf('resume latest');
    expect(without(second.stdout)).toContain('a succeeded');
    expect(second.stdout).toContain('shipped: by ann@example.com: looks good');
    expect(second.stderr).not.toContain('build: started');
    expect(second.exitCode).toBe(0);
  });

  it('fails the step when somebody says no', async () => {
    const project = testProject(asking);
    await project.wf('run a --quiet');
    await project.wf(['reject', 'latest', 'land', '--comment', 'not today'], as('ann@example.com'));
    const { stdout, exitCode } = await project.wf('resume latest --json');
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      error: {
        kind: 'rejected',
        step: 'land',
        message: 'ann@example.com said no: not today',
        detail: 'not today',
      },
    });
    expect(exitCode).toBe(1);
  });

  it('takes answers only from those who may, and says who that is', async () => {
    const project = testProject({
      'wf.yaml': 'people: {owners: [ann@example.com]}\n',
      'formulas/a.yaml': `formula: a\nworkspace: empty\nsteps:\n  - {id: land, approve: {ask: Land it?, by: [owners]}}\n`,
    });
    await project.wf('run a --quiet');
    const bob = await project.wf('approve latest land', as('bob@example.com'));
    expect(bob.stderr).toContain(
      'error: bob@example.com may not answer "land"\nhelp: these may: ann@example.com',
    );
    expect(bob.exitCode).toBe(3);
    const nobody = await project.wf('approve latest land');
    expect(nobody.stderr).toContain('git does not say who you are');
    expect(nobody.exitCode).toBe(3);
    expect((await project.wf('approve latest land', as('ann@example.com'))).exitCode).toBe(0);
    expect((await project.wf('resume latest')).exitCode).toBe(0);
  });

  it('refuses answers to what was not asked, and after the end', async () => {
    const project = testProject(asking);
    expect((await project.wf('approve latest land')).stderr).toContain('nothing has run in this project yet');
    await project.wf('run a --quiet');
    const wrong = await project.wf('approve latest lnd');
    expect(wrong.stderr).toContain('does not ask about "lnd"\nhelp: it asks about land');
    expect(wrong.exitCode).toBe(3);
    expect((await project.wf('approve 01ZZZZ land')).stderr).toContain('there is no run 01ZZZZ');
    await project.wf('cancel latest');
    expect((await project.wf('approve latest land')).stderr).toMatch(/has ended: cancelled/);
  });
});

describe('wf signal', () => {
  it('gives a waiting step its event', async () => {
    const project = testProject(
      "steps:\n  - {id: ci, wait: {event: ci.finished, match: event.sha == 'abc', pass: event.ok}}\n",
    );
    expect((await project.wf('run a')).exitCode).toBe(4);
    await project.wf(['signal', 'latest', 'ci.finished', '--data', '{"sha": "other", "ok": false}']);
    expect((await project.wf('resume latest')).exitCode).toBe(4);
    await project.wf(['signal', 'latest', 'ci.finished', '--data', '{"sha": "abc", "ok": true}']);
    const { stdout, exitCode } = await project.wf('resume latest');
    expect(without(stdout)).toContain('a succeeded');
    expect(exitCode).toBe(0);
  });

  it('says what is wrong with its data', async () => {
    const project = testProject(asking);
    await project.wf('run a --quiet');
    const { stderr, exitCode } = await project.wf(['signal', 'latest', 'x', '--data', '{ok}']);
    expect(stderr).toContain('error: --data is not JSON');
    expect(exitCode).toBe(2);
  });
});

describe('wf resume --with-new-plan', () => {
  it('shows what differs, asks, and goes on with it; what has ended keeps its result', async () => {
    const project = testProject(asking);
    await project.wf('run a --quiet');
    await project.wf('approve latest land');
    project.write({
      'formulas/a.yaml': `formula: a\nworkspace: empty\n${asking.replace('echo built', 'echo rebuilt').replace('by {{', 'landed by {{')}`,
    });
    const refused = await project.wf('resume latest --with-new-plan');
    expect(refused.stderr).toContain(
      '~ step build  run  echo built → echo rebuilt  (has ended, and keeps its result)\n  ~ step ship  run\n',
    );
    expect(refused.stderr).toContain('help: look at what differs, then say --yes');
    expect(refused.exitCode).toBe(2);
    const agreed = await project.wf('resume latest --with-new-plan --yes --json');
    const state = JSON.parse(agreed.stdout) as RunState;
    expect(state).toMatchObject({
      status: 'succeeded',
      outputs: { shipped: expect.stringContaining('landed by') as string },
    });
    expect(state.plan).not.toBe(
      (JSON.parse((await project.wf('runs --json')).stdout) as { runs: RunState[] }).runs[1]?.plan,
    );
    expect(state.steps['build']).toMatchObject({ outputs: { stdout: 'built' } });
  });
});
