import type { Located } from '../diagnostics/diagnostic.ts';
import type { Check, CheckFinding } from './check.ts';
import { workspacesOf } from './check.ts';

export const duplicateId: Check = {
  rule: 'duplicate-id',
  summary:
    'Every step of a formula, `finally` included, has an id of its own, and so has every service of a workspace.',

  *run(subject) {
    yield* repeated(
      subject.steps.map(({ step }) => step.id),
      'steps',
      'give one of them another id; `steps.<id>` has to mean one step',
    );
    for (const { services } of workspacesOf(subject)) {
      yield* repeated(
        services.map((service) => service.id),
        'services',
        'give one of them another id; its log is kept under it',
      );
    }
  },
};

function* repeated(ids: readonly Located<string>[], what: string, help: string): Generator<CheckFinding> {
  const first = new Map<string, Located<string>>();
  for (const id of ids) {
    const before = first.get(id.value);
    if (!before) first.set(id.value, id);
    else {
      yield {
        span: id.span,
        message: `two ${what} have the id "${id.value}"`,
        help,
        related: [{ message: 'the first one is here', span: before.span }],
      };
    }
  }
}
