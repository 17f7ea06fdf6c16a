import type { PlanStep } from '../plan/plan.ts';
import { topological } from '../plan/topological.ts';

/**
 * The steps that may run while another one that could write does: each works in a copy of its own. Found from the
 * graph alone, so that a step works in the same place in every run of a plan.
 */
export function overlappingSteps(steps: readonly PlanStep[]): ReadonlySet<string> {
  const index = new Map(steps.map((step, position) => [step.id, position]));
  const words = Math.ceil(steps.length / 32);
  const ancestors: Uint32Array[] = [];
  const order = topological(steps);
  for (const step of order) {
    const set = new Uint32Array(words);
    for (const need of step.needs) {
      const at = index.get(need) as number;
      const other = ancestors[at] as Uint32Array;
      for (let word = 0; word < words; word++) set[word] = (set[word] ?? 0) | (other[word] ?? 0);
      set[at >>> 5] = (set[at >>> 5] ?? 0) | (1 << (at & 31));
    }
    ancestors[index.get(step.id) as number] = set;
  }
  const before = (a: number, b: number) => (((ancestors[b]?.[a >>> 5] ?? 0) >>> (a & 31)) & 1) === 1;
  const writers = steps.filter(mayWrite).map((step) => index.get(step.id) as number);
  // A chain has as many ancestors as its place in it says; only where that does not hold is there anything to compare.
  const chained = writers.every((at, place) => place === 0 || before(writers[place - 1] as number, at));
  if (chained) return new Set();
  return new Set(
    writers
      .filter((a) => writers.some((b) => a !== b && !before(a, b) && !before(b, a)))
      .map((at) => (steps[at] as PlanStep).id),
  );
}

/** Whether an action could change files: people and waits do not. */
function mayWrite(step: PlanStep): boolean {
  // An agent that only reads is at work in its directory as well.
  return (
    ['run', 'group'].includes(step.action.kind) || (step.action.kind === 'agent' && step.tools !== undefined)
  );
}
