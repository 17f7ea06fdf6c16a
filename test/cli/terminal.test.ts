import { describe, expect, it } from 'vitest';
import { testProject } from '../support/project.ts';
import { atTerminal, hasTerminal } from '../support/terminal.ts';

const asking = `steps:
  - {id: build, run: echo built}
  - {id: land, approve: {ask: 'Land it?', show: [steps.build.outputs.stdout]}}
  - {id: ship, run: 'echo {{steps.land.outputs.decision}}'}
outputs: {shipped: steps.ship.outputs.stdout}
`;

describe.skipIf(!hasTerminal)('at a terminal (needs `script`)', () => {
  it('draws the steps, asks what the run asks, and goes on with the answer', async () => {
    const terminal = atTerminal(testProject(asking).root, 'run a');
    await terminal.shows('Land it?');
    await terminal.shows('[y] yes');
    terminal.type('y');
    const { shown, exitCode } = await terminal.ended;
    expect(shown).toContain('\u001B[32m✓\u001B[39m ship');
    expect(shown).toContain('shipped: approved');
    expect(exitCode).toBe(0);
  });

  it('fails the step when the answer is no', async () => {
    const terminal = atTerminal(testProject(asking).root, 'run a');
    await terminal.shows('[y] yes');
    terminal.type('n');
    const { shown, exitCode } = await terminal.ended;
    expect(shown).toContain('somebody said no');
    expect(exitCode).toBe(1);
  });

  it('cancels at Ctrl-C, also while it asks, and runs `finally`', async () => {
    const project = testProject(`${asking}finally:\n  - {id: clean, run: 'echo "end: {{run.status}}"'}\n`);
    const terminal = atTerminal(project.root, 'run a');
    await terminal.shows('[y] yes');
    terminal.type('\u0003');
    const { shown, exitCode } = await terminal.ended;
    expect(shown).toContain('cancelling: what runs is stopped');
    expect(exitCode).toBe(130);
    expect((await project.wf('logs latest clean')).stdout).toBe('end: cancelled\n');
  });

  it('leaves at once at the second Ctrl-C, with nothing running on', async () => {
    const project = testProject(
      `steps:\n  - {id: long, run: "trap '' INT TERM; echo here; while :; do sleep 0.1; done"}\n`,
    );
    const terminal = atTerminal(project.root, 'run a');
    await terminal.shows('here');
    terminal.type('\u0003');
    await terminal.shows('cancelling');
    terminal.type('\u0003');
    const { shown, exitCode } = await terminal.ended;
    expect(exitCode).toBe(130);
    expect(shown).toMatch(/left in the middle: wf cancel [0-9A-Z]{26} ends it in good order/);
    const { stdout } = await project.wf('cancel latest --json');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'cancelled' });
  });
});
