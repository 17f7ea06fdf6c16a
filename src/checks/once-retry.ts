import type { Check } from './check.ts';

export const onceRetry: Check = {
  rule: 'once-retry',
  summary: 'A step that must never run twice has no `retry` and no `repeat`.',

  *run(subject) {
    for (const { step, body } of subject.steps) {
      if (!body.once?.value) continue;
      const again = [
        { key: 'retry', span: body.retry?.span },
        { key: 'repeat', span: step.repeat?.span },
      ];
      for (const { key, span } of again) {
        if (!span) continue;
        yield {
          span: step.body.keys.get(key) ?? span,
          message: `step "${step.id.value}" says \`once\` and \`${key}\`: one forbids what the other asks for`,
          help: `keep \`once\` for what must never happen twice, and take \`${key}\` away; or the other way round`,
          related: [{ message: '`once` is here', span: body.once.span }],
        };
      }
    }
  },
};
