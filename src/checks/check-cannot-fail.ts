import type { Span } from '../diagnostics/diagnostic.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { maskedScript } from '../formula/bash/syntax.ts';
import { vacuousArgv, vacuousScript } from '../formula/bash/vacuous.ts';
import { constantOutcome } from '../formula/constant.ts';
import type { Command, VerifyCheck } from '../formula/formula.ts';
import type { Check } from './check.ts';
import { writtenHere } from './check.ts';

export const checkCannotFail: Check = {
  rule: 'check-cannot-fail',
  summary: 'Every check under `verify` can fail.',

  *run(subject) {
    for (const step of subject.steps) {
      for (const { owner, value } of step.body.verify) {
        if (!writtenHere(subject, owner, step)) continue;
        const found = vacuous(value, subject.bash);
        if (!found) continue;
        yield {
          span: found.span,
          message: `this check cannot fail: ${found.reason}`,
          help: 'a check proves something only if there is a result it would not let through',
        };
      }
    }
  },
};

interface Vacuous {
  readonly reason: string;
  readonly span: Span;
}

function vacuous(check: VerifyCheck, bash: BashParser | undefined): Vacuous | undefined {
  switch (check.kind) {
    case 'run':
      return vacuousCommand(check.command, bash);
    case 'check': {
      const { tree, span } = check.check;
      return constantOutcome(tree) === true
        ? { reason: 'it is true whatever the outputs are', span }
        : undefined;
    }
    case 'changes': {
      const { only, never, maxFiles, maxLines } = check;
      if (never || maxFiles !== undefined || maxLines !== undefined) return undefined;
      const all = only?.find((glob) => glob.text === '**' || glob.text === '**/*');
      return all && { reason: `\`only: ["${all.text}"]\` allows every file`, span: all.span };
    }
    case 'judge': {
      const { tree, span } = check.pass;
      return constantOutcome(tree) === true
        ? { reason: 'it is true whatever the judge says', span }
        : undefined;
    }
    case 'wait':
      // An event that never comes ends in the timeout; one without `pass` lets through whatever comes.
      return check.wait.kind === 'event' ? undefined : { reason: 'it only waits', span: check.wait.span };
  }
}

function vacuousCommand(command: Command, bash: BashParser | undefined): Vacuous | undefined {
  switch (command.kind) {
    case 'bash': {
      if (!bash || !mayBeVacuous(command)) return undefined;
      const found = vacuousScript(bash, maskedScript(command.script), { shown: command.script.text });
      return found && { reason: found.reason, span: command.script.at(found.start, found.end) };
    }
    case 'argv': {
      if (!bash || !mayBeVacuous(command)) return undefined;
      const words = command.words.map((word) => (word.literal ? word.text : undefined));
      const found = vacuousArgv(bash, words);
      const word = found && command.words[found.word];
      return found && { reason: found.reason, span: word ? word.at(found.start, found.end) : command.span };
    }
    case 'program':
      return command.script.text.trim() === ''
        ? { reason: 'its script is empty', span: command.script.span }
        : undefined;
  }
}

/** Whether a command is worth a look with the parser of bash: few are. */
export function mayBeVacuous(command: Command): boolean {
  switch (command.kind) {
    case 'bash':
      return /\b(?:true|false|exit|echo|printf|sleep|set)\b|(?:^|[\s;|&(]):|&\s*$|^\s*(?:#|$)/.test(
        command.script.text,
      );
    case 'argv':
      return /^(?:true|:|exit|echo|printf|sleep|(?:ba|da)?sh|\/.*)$/.test(command.words[0]?.text ?? '');
    case 'program':
      return false;
  }
}
