import { misspelling } from '../diagnostics/suggest.ts';
import type { Check } from './check.ts';
import { writtenHere } from './check.ts';

export const unknownGroup: Check = {
  rule: 'unknown-group',
  summary: 'A group that approves is one of `people` in wf.yaml, and has members.',

  *run(subject) {
    if (subject.settings === 'broken') return;
    const people = subject.settings?.people ?? new Map<string, { readonly value: readonly string[] }>();
    const groups = [...people.keys()];
    for (const step of subject.steps) {
      const { action } = step.body;
      if (action?.kind !== 'approve' || !writtenHere(subject, step.molecule ? 'molecule' : 'step', step))
        continue;
      for (const group of action.by ?? []) {
        if (groups.includes(group.value)) continue;
        yield {
          span: group.span,
          message: `"${group.value}" is no group of people in wf.yaml`,
          ...(misspelling(group.value, groups) ?? {
            help:
              groups.length === 0
                ? `add \`people: {${group.value}: [somebody@example.com]}\` to wf.yaml`
                : `the groups are ${groups.join(', ')}`,
          }),
        };
      }
    }
  },
};
