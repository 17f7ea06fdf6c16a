import type { Located } from '../diagnostics/diagnostic.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { commandsOf } from '../formula/commands.ts';
import type { Command, Workspace } from '../formula/formula.ts';
import { scriptsOf, timesNamed } from '../formula/started-scripts.ts';
import type { Check, Subject } from './check.ts';
import { writtenHere } from './check.ts';

export const missingScript: Check = {
  rule: 'missing-script',
  summary: 'A script that a step or a check starts is there.',

  *run(subject) {
    for (const script of subject.scripts) {
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
  subject: Omit<Subject, 'files' | 'scripts' | 'bash' | 'settings' | 'tools'>,
  bash: BashParser | undefined,
): readonly Located<string>[] {
  const all = subject.steps.flatMap((step) =>
    commandsOf(step)
      .filter(({ owner }) => writtenHere(subject as Subject, owner, step))
      .map(({ value }) => ({ step, command: value, scripts: scriptsOf(value, bash) })),
  );
  const outer =
    'formula' in subject ? (subject as { formula: { workspace?: Workspace } }).formula.workspace : undefined;
  return all
    .filter(({ step }) => isHere(step.body.workspace?.value ?? outer))
    .flatMap(({ command, scripts }) =>
      // What another command talks about may be made there.
      scripts.filter(({ value }) =>
        all.every(
          (other) =>
            other.command === command ||
            timesNamed(value, textOf(other.command)) === 0 ||
            other.scripts.some((started) => started.value === value),
        ),
      ),
    );
}

/** Whether a workspace holds this repository's files. */
function isHere(workspace: Workspace | undefined): boolean {
  return workspace?.from !== 'empty' && typeof workspace?.from !== 'object';
}

function textOf(command: Command): string {
  switch (command.kind) {
    case 'bash':
      return command.script.text;
    case 'argv':
      return command.words.map((word) => word.text).join(' ');
    case 'program':
      return [...command.args, command.script].map((text) => text.text).join(' ');
  }
}
