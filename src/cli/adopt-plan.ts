import { createInterface } from 'node:readline/promises';
import { loadBashParser } from '../formula/bash/load-parser.ts';
import type { Journal } from '../journal/journal.ts';
import type { Plan } from '../plan/plan.ts';
import type { PlanChange } from '../plan/compare/change.ts';
import { comparePlans } from '../plan/compare/compare-plans.ts';
import { UserError } from '../support/user-error.ts';
import { layOut, line, widthOf } from './outline.ts';
import type { ChangesTextOptions } from './render-changes.ts';
import { changeLines } from './render-changes.ts';
import { textStyle } from './text-style.ts';
import { UsageError } from './usage-error.ts';

/**
 * Lets a run go on with the plan its formula compiles to now: shows what differs, asks, and records it. Answers the plan
 * that the run follows from here on.
 */
export async function adoptPlan(
  journal: Journal,
  run: string,
  plan: Plan,
  options: { readonly yes: boolean; readonly by: string | undefined },
): Promise<Plan> {
  const before = journal.readPlan(run);
  if (before.plan === plan.plan) {
    process.stderr.write('the formula compiles to the plan that the run has already\n');
    return before;
  }
  const state = journal.readState(run);
  const ended = new Set(
    Object.entries(state.steps).flatMap(([path, step]) => (step.endedAt === undefined ? [] : [path])),
  );
  const look = {
    style: textStyle(process.stderr),
    width: widthOf(process.stderr),
    bash: await loadBashParser(),
  };
  process.stderr.write(`${renderDifference(comparePlans(before, plan), ended, look)}\n`);
  if (!options.yes && !(await agrees()))
    throw new UserError('the run keeps the plan it has', { hint: `wf resume ${run} carries it on` });
  journal.replacePlan(run, plan, options.by);
  return plan;
}

/** What a new plan means for a run; steps that have ended keep their results, whatever the plan says of them now. */
export function renderDifference(
  changes: readonly PlanChange[],
  ended: ReadonlySet<string>,
  options: ChangesTextOptions,
): string {
  const kept = (step: string) => (ended.has(step) ? '  (has ended, and keeps its result)' : '');
  return layOut(
    [line(0, ['the new plan differs:', 'plain']), ...changeLines(changes, options.bash, kept)],
    options,
  );
}

async function agrees(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError('nobody is here to agree to the new plan', 'look at what differs, then say --yes');
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question('carry the run on with it? [y/N] ')).trim());
  } finally {
    lines.close();
  }
}
