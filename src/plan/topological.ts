import type { PlanStep } from './plan.ts';

/**
 * The steps so that each comes after what it needs; among equals, in the order of the plan. In a plan that somebody made
 * by hand steps may need each other in a circle: then one of them comes first.
 */
export function topological(steps: readonly PlanStep[]): readonly PlanStep[] {
  const done = new Set<string>();
  /** What waits for others to be put in order. */
  const open = new Set<string>();
  const order: PlanStep[] = [];
  const byId = new Map(steps.map((step) => [step.id, step]));
  for (const root of steps) {
    const stack = [root];
    for (let step = stack.at(-1); step; step = stack.at(-1)) {
      const missing = done.has(step.id)
        ? []
        : step.needs.filter((need) => !done.has(need) && !open.has(need) && byId.has(need));
      if (missing.length > 0) {
        open.add(step.id);
        for (const need of [...missing].reverse()) stack.push(byId.get(need) as PlanStep);
        continue;
      }
      stack.pop();
      if (!done.has(step.id)) {
        done.add(step.id);
        order.push(step);
      }
    }
  }
  return order;
}
