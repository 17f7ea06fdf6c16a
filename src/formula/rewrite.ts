import type { ResolvedFormula, ResolvedStep } from './resolve.ts';
import { graphProblem } from './step-graph.ts';
import type { StepGraph } from './step-graph.ts';
import { needsOf } from './step-order.ts';

/** The same steps, each with all that it waits for written out, so that they can be moved. */
export function pinned(resolved: Pick<ResolvedFormula, 'steps' | 'finally'>): readonly ResolvedStep[] {
  const needs = needsOf(resolved);
  return resolved.steps.map((step, at) => withNeeds(step, needs[at] ?? []));
}

/** The order of pinned steps. */
export function graphOf(steps: readonly ResolvedStep[]): StepGraph {
  return steps.map(({ step }) => ({
    id: step.id.value,
    needs: (step.needs ?? []).map((need) => need.value),
  }));
}

/** How steps that are put somewhere together wait for each other. What they wait for beside that comes later. */
export function graphAmong(steps: readonly ResolvedStep[]): StepGraph {
  const ids = new Set(steps.map(({ step }) => step.id.value));
  const alone = steps.map((one) => ({
    ...one,
    step: { ...one.step, needs: one.step.needs?.filter(({ value }) => ids.has(value)) },
  }));
  return graphOf(pinned({ steps: alone, finally: [] }));
}

/**
 * Pinned steps after a rewrite of their order. Throws when that made something of a sound order that is none: no formula
 * that anybody could write does so.
 *
 * @param steps all that the new order names
 */
export function rewritten(
  rewrite: string,
  steps: readonly ResolvedStep[],
  before: StepGraph,
  after: StepGraph,
): readonly ResolvedStep[] {
  const problem = graphProblem(before) === undefined ? graphProblem(after) : undefined;
  if (problem !== undefined) throw new Error(`${rewrite} broke the order of steps: ${problem}`);
  const byId = new Map(steps.map((step) => [step.step.id.value, step]));
  return after.flatMap(({ id, needs }) => {
    const step = byId.get(id);
    return step ? [withNeeds(step, needs)] : [];
  });
}

/** A step that waits for all of these, and for nothing else. Needs that its author wrote keep their place. */
export function withNeeds(step: ResolvedStep, needs: readonly string[]): ResolvedStep {
  const written = new Map((step.step.needs ?? []).map((need) => [need.value, need]));
  const located = [...new Set(needs)].map(
    (value) => written.get(value) ?? { value, span: step.step.id.span },
  );
  return { ...step, step: { ...step.step, needs: located } };
}
