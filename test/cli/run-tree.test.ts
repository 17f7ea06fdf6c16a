import { describe, expect, it } from 'vitest';
import { renderTree } from '../../src/cli/run-tree.ts';
import { textStyle } from '../../src/cli/text-style.ts';
import type { RunEvent } from '../../src/journal/event.ts';
import { foldRun } from '../../src/journal/run-state.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { testProject } from '../support/project.ts';

const style = textStyle(process.stdout, ['--no-color']);

/** The tree as it stood after the first event of a type at a step, and any number of them at the end. */
function treeAt(
  plan: Plan,
  events: readonly RunEvent[],
  until: (event: RunEvent) => boolean,
  options: { readonly width?: number; readonly height?: number } = {},
): string {
  const end = events.findIndex(until);
  const seen = end === -1 ? events : events.slice(0, end + 1);
  const header = {
    run: 'r',
    formula: 'a',
    plan: plan.plan,
    inputs: {},
    createdAt: '2026-01-01T00:00:00.000Z',
  };
  // Lengths of time depend on the machine; the tree is given one in which nothing takes any.
  const still = seen.map((event) => ({ ...event, at: '2026-01-01T00:00:00.000Z' }));
  const now = Date.parse('2026-01-01T00:00:00.000Z');
  return renderTree(plan, foldRun(header, still, plan), { style, now, width: 60, ...options }).join('\n');
}

const never = () => false;

describe('the tree of a run', () => {
  it('indents groups, shows items that run or failed, and counts the others', async () => {
    const project = testProject({
      'formulas/a.yaml': `formula: a
workspace: empty
steps:
  - {id: first, title: The first one, run: echo 1}
  - {id: each, for_each: [x, y, z], run: 'test {{item}} != y', on_failure: continue, join: {quorum: 3}}
  - {id: inner, uses: formula/b}
  - {id: skipped, when: steps.first.attempts == 7, run: echo}
finally:
  - {id: last, run: echo}
`,
      'formulas/b.yaml':
        'formula: b\nworkspace: empty\nsteps:\n  - {id: deep, run: echo}\n  - {id: deeper, run: echo}\n',
    });
    const plan = await project.compile();
    const { events } = await project.run();
    expect(
      treeAt(
        plan,
        events,
        (event) => event.type === 'step.started' && event.step === 'each' && event.item === 1,
      ),
    ).toMatchInlineSnapshot(`
      "  ✓ The first one  0.0s
        ▸ each  0.0s  1/3, 1 running
          ▸ [1]  y  0.0s
        · inner
          · deep
          · deeper
        · skipped
        · last"
    `);
    expect(treeAt(plan, events, never)).toMatchInlineSnapshot(`
      "  ✓ The first one  0.0s
        ✗ each  0.0s  2/3, 1 failed  2 of 3 items succeeded, and …
          ✗ [1]  y  0.0s  exit code 1
        ✓ inner  0.0s
          ✓ deep  0.0s
          ✓ deeper  0.0s
        – skipped
        ✓ last  0.0s"
    `);
  });

  it('says what it waits for, and why something failed, in the room there is', async () => {
    const project = testProject(
      "steps:\n  - {id: ask, approve: {ask: 'Shall we really do what nobody has ever done before us?'}}\n  - {id: bad, run: 'exit 9'}\n",
    );
    const plan = await project.compile();
    const running = await project.begin();
    await running.idle();
    await running.approve('ask', 'ann@example.com');
    const { events } = await running.end();
    expect(treeAt(plan, events, (event) => event.type === 'run.waiting', { width: 40 }))
      .toMatchInlineSnapshot(`
      "  ? ask  0.0s  Shall we really do what …
        · bad"
    `);
    expect(treeAt(plan, events, never, { width: 40 })).toMatchInlineSnapshot(`
      "  ✓ ask  0.0s
        ✗ bad  0.0s  exit code 9"
    `);
  });

  it('folds what has ended and what is to come when there is little room', async () => {
    const steps = Array.from({ length: 30 }, (_, index) => `  - {id: s${index}, run: ':'}`).join('\n');
    const project = testProject(`steps:\n${steps}\n`);
    const plan = await project.compile();
    const { events } = await project.run();
    const at = treeAt(plan, events, (event) => event.type === 'step.started' && event.step === 's12', {
      height: 8,
    });
    expect(at).toMatchInlineSnapshot(`
      "  … 11 done
        ✓ s11  0.0s
        ▸ s12  0.0s
        · s13
        … 16 to come"
    `);
  });
});
