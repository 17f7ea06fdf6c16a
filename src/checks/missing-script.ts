import { scriptsOf } from '../formula/mentioned-files.ts';
import type { Located } from '../diagnostics/diagnostic.ts';
import { commandsOf } from '../formula/commands.ts';
import type { Check, Subject } from './check.ts';
import { writtenHere } from './check.ts';

export const missingScript: Check = {
  rule: 'missing-script',
  summary: 'A script that a step or a check starts is there.',

  *run(subject) {
    for (const script of mentionedScripts(subject)) {
      if (subject.files.has(script.value)) continue;
      yield {
        span: script.span,
        message: `there is no file ${script.value} in this project`,
        help: 'commit the script, or correct its path; it is relative to the project root',
      };
    }
  },
};

/** Every script that {@link missingScript} asks for. */
export function mentionedScripts(
  subject: Pick<Subject, 'kind' | 'steps'> & Partial<Subject>,
): readonly Located<string>[] {
  return subject.steps.flatMap((step) =>
    commandsOf(step)
      .filter(({ owner }) => writtenHere(subject as Subject, owner, step))
      .flatMap(({ value }) => scriptsOf(value)),
  );
}
