import type { ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import type { Check } from './check.ts';

/** The most steps of a formula with everything it uses, since the plan writes out each of them. */
const mostSteps = 100_000;

export const tooManySteps: Check = {
  rule: 'too-many-steps',
  summary: 'A formula has at most 100,000 steps, those of all it uses counted.',

  *run(subject) {
    if (subject.kind !== 'formula' || countOf(subject.resolved) <= mostSteps) return;
    const groups = subject.steps.filter((step) => step.group);
    // Told once: where a formula that is too large is used, it is told in that one's file.
    if (groups.some(({ group }) => group && countOf(group) > mostSteps)) return;
    const [largest] = groups.toSorted((a, b) => sizeOf(b) - sizeOf(a));
    yield {
      span: largest?.step.uses?.span ?? subject.formula.name.span,
      message: `with the steps of what it uses, formula "${subject.formula.name.value}" has ${countOf(subject.resolved)} steps, more than the ${mostSteps} a formula may have`,
      help: 'go through a list with `for_each`: one step runs as often as the list is long',
    };
  },
};

const counts = new WeakMap<ResolvedFormula, number>();

/** How many steps a plan of it would write out. Each formula is counted once, however often it is used. */
function countOf(formula: ResolvedFormula): number {
  const known = counts.get(formula);
  if (known !== undefined) return known;
  const count = [...formula.steps, ...formula.finally].reduce((sum, step) => sum + sizeOf(step), 0);
  counts.set(formula, count);
  return count;
}

function sizeOf(step: ResolvedStep): number {
  return 1 + (step.group ? countOf(step.group) : 0);
}
