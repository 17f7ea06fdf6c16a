import type { Located } from '../diagnostics/diagnostic.ts';
import type { Check } from './check.ts';

export const duplicateId: Check = {
  rule: 'duplicate-id',
  summary: 'Every step of a formula, `finally` included, has an id of its own.',

  *run(subject) {
    const first = new Map<string, Located<string>>();
    for (const { step } of subject.steps) {
      const before = first.get(step.id.value);
      if (before) {
        yield {
          span: step.id.span,
          message: `two steps have the id "${step.id.value}"`,
          help: 'give one of them another id; `steps.<id>` has to mean one step',
          related: [{ message: 'the first one is here', span: before.span }],
        };
      } else {
        first.set(step.id.value, step.id);
      }
    }
  },
};
