import type { Check } from './check.ts';
import { writtenHere } from './check.ts';

export const judgeAlone: Check = {
  rule: 'judge-alone',
  summary: 'Beside a judge stands a check that no model decides.',

  *run(subject) {
    for (const { step, body, ...rest } of subject.steps) {
      if (body.verify.length === 0 || !body.verify.every(({ value }) => value.kind === 'judge')) continue;
      for (const { owner, value } of body.verify) {
        if (!writtenHere(subject, owner, { step, body, ...rest })) continue;
        yield {
          severity: 'warning',
          span: value.span,
          message: 'a model judges, and nothing checks what it says',
          help: 'add what can be checked without one: `run`, `check` or `changes`',
        };
      }
    }
  },
};
