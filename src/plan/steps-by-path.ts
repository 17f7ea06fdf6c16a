import type { Plan, PlanStep } from './plan.ts';

/** Steps of a plan by path, those inside of groups included. */
export function stepsByPath(plan: Plan): ReadonlyMap<string, PlanStep> {
  const found = new Map<string, PlanStep>();
  const visit = (steps: readonly PlanStep[], prefix: string): void => {
    for (const step of steps) {
      found.set(`${prefix}${step.id}`, step);
      if (step.action.kind === 'group')
        visit([...step.action.steps, ...(step.action.finally ?? [])], `${prefix}${step.id}.`);
    }
  };
  visit([...plan.steps, ...(plan.finally ?? [])], '');
  return found;
}
