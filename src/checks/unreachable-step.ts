import { constantOutcome, isEmptyList } from '../formula/constant.ts';
import type { Check } from './check.ts';

export const unreachableStep: Check = {
  rule: 'unreachable-step',
  summary: 'Every step can run.',

  *run(subject) {
    for (const { step } of subject.steps) {
      if (step.when && constantOutcome(step.when.tree) === false) {
        yield {
          severity: 'warning',
          span: step.when.span,
          message: `step "${step.id.value}" never runs: its \`when\` is always false`,
          help: 'remove the step, or say when it should run; Git keeps what was here',
        };
      } else if (
        step.forEach?.kind === 'list'
          ? step.forEach.items.length === 0
          : step.forEach && isEmptyList(step.forEach.expression.tree)
      ) {
        yield {
          severity: 'warning',
          span: step.forEach?.span ?? step.id.span,
          message: `step "${step.id.value}" never runs: its list is empty`,
          help: 'remove the step, or give it a list or an expression',
        };
      }
    }
  },
};
