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
        const reason = vacuous(value);
        if (!reason) continue;
        yield {
          span: placeOf(value),
          message: `this check cannot fail: ${reason}`,
          help: 'a check proves something only if there is a result it would not let through',
        };
      }
    }
  },
};

function placeOf(check: VerifyCheck) {
  switch (check.kind) {
    case 'run':
      return check.command.span;
    case 'check':
      return check.check.span;
    case 'changes':
    case 'wait':
      return check.span;
  }
}

function vacuous(check: VerifyCheck): string | undefined {
  switch (check.kind) {
    case 'run':
      return vacuousCommand(check.command);
    case 'check':
      return /^\s*true\s*$/.test(check.check.text) ? 'it is the constant `true`' : undefined;
    case 'changes': {
      const { only, never, maxFiles, maxLines } = check;
      if (only || maxFiles !== undefined || maxLines !== undefined) {
        const all = only?.some((glob) => glob.text === '**' || glob.text === '**/*');
        return all && !never && maxFiles === undefined && maxLines === undefined
          ? '`only: ["**"]` allows every file'
          : undefined;
      }
      return never && never.length > 0 ? undefined : 'it allows every change';
    }
    case 'wait':
      // An event that never comes ends in the timeout; one without `pass` lets through whatever comes.
      return check.wait.kind === 'event' ? undefined : 'it only waits';
  }
}

const ALWAYS_GOOD = /^(?:true|:|exit 0|echo\b[^;&|<>$`(]*)$/;

function vacuousCommand(command: Command): string | undefined {
  if (command.kind === 'argv') {
    const words = command.words.map((word) => word.text).join(' ');
    return ALWAYS_GOOD.test(words) ? `\`${words}\` always succeeds` : undefined;
  }
  if (command.kind === 'program')
    return command.script.text.trim() === '' ? 'its script is empty' : undefined;
  const lines = command.script.text
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '' && !/^set\b/.test(line));
  const last = lines.at(-1);
  if (last === undefined) return 'it is empty';
  if (lines.every((line) => ALWAYS_GOOD.test(line))) return `\`${last}\` always succeeds`;
  const swallowed = /\|\|\s*(true|:|exit 0)\s*;?$/.exec(last);
  // `set -e` ends the script at any other failing line, so the end only hides what stands on that very line.
  if (swallowed && lines.slice(0, -1).every((line) => ALWAYS_GOOD.test(line) || /^\w+=/.test(line))) {
    return `\`|| ${swallowed[1]}\` turns every failure into success`;
  }
  return undefined;
}
