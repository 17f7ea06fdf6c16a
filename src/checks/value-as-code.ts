import type { Finding } from '../diagnostics/diagnostic.ts';
import type { Danger } from '../formula/bash/dangerous-commands.ts';
import { actsUpon, commandDanger } from '../formula/bash/dangerous-commands.ts';
import { isSpecialVariable } from '../formula/bash/special-variables.ts';
import type { CommandWord } from '../formula/bash/words.ts';
import type { PlacedCommand } from '../formula/commands.ts';
import { allCommandsOf, workspaceCommands } from '../formula/commands.ts';
import type { EnvEntry } from '../formula/formula.ts';
import type { Owned, ResolvedStep } from '../formula/resolve.ts';
import { checkScript, misplacedWords } from '../formula/script.ts';
import { checkTemplate } from '../formula/template.ts';
import type { Template } from '../formula/template.ts';
import { INSIDE } from '../formula/texts.ts';
import type { Type } from '../formula/types.ts';
import { argsOf, nestedArgs, wordsOf } from '../formula/words-of-list.ts';
import type { Subject } from './check.ts';
import { writtenHere } from './check.ts';

/**
 * Finds placeholders where the value would become code: in a bash script, where it cannot be quoted; among the words of
 * a command, where a program would run it; in any other program's script, everywhere.
 */
export function* checkValuesAsCode(subject: Subject): Generator<Finding> {
  if (subject.kind === 'formula' && subject.formula.workspace) {
    const commands = workspaceCommands({ owner: 'step', value: subject.formula.workspace });
    for (const command of commands) yield* checkCommand(subject, command, undefined);
  }
  for (const step of subject.steps) {
    for (const entry of step.body.env) {
      if (writtenHere(subject, entry.owner, step)) yield* checkVariable(entry.value);
    }
    for (const command of allCommandsOf(step)) {
      if (writtenHere(subject, command.owner, step)) yield* checkCommand(subject, command, step);
    }
  }
}

function* checkCommand(
  subject: Subject,
  { value: command, env, inherits }: PlacedCommand,
  step: ResolvedStep | undefined,
): Generator<Finding> {
  for (const entry of env) yield* checkVariable(entry.value);
  switch (command.kind) {
    case 'bash': {
      const variables = [...env, ...(inherits ? (step?.body.env ?? []) : [])];
      const outside = variables.filter((entry) => mayHoldCode(subject, entry, step));
      yield* checkScript(command.script, subject.bash, [
        ...new Set(outside.map(({ value }) => value.name.value)),
      ]);
      return;
    }
    case 'argv':
      yield* checkArgv(command.words);
      return;
    case 'program':
      for (const word of command.args) yield* refuseAll(word, 'before the script', 'it would be an option');
      yield* refuseAll(command.script, "in another program's script", 'it would become code');
  }
}

/** Without a shell nothing has to be quoted, but a program may still take a word for code. */
function* checkArgv(words: readonly Template[]): Generator<Finding> {
  for (const template of words) {
    if (template.literal) continue;
    const danger = commandDanger(words.map((word) => wordOf(word, word === template)));
    if (danger) yield finding(template, `a value cannot stand here: ${danger.why}`, danger);
    else yield* checkLists(template);
  }
}

/** `{{args list}}` is as many words as the list has items only where it is all of the word that it stands in. */
function* checkLists(word: Template): Generator<Finding> {
  for (const part of word.parts) {
    const call = wordsOf(word) ? undefined : argsOf(part);
    for (const misplaced of [...(call ? [call] : []), ...nestedArgs(part)])
      yield misplacedWords(word, misplaced);
  }
}

function wordOf({ literal, text, parts }: Template, tainted: boolean): CommandWord {
  if (literal) return { literal: text, prefix: text, tainted: false, loose: false };
  const [first] = parts;
  return { literal: undefined, prefix: first?.kind === 'text' ? first.value : '', tainted, loose: false };
}

function* checkVariable({ name, value }: EnvEntry): Generator<Finding> {
  if (value.literal || !isSpecialVariable(name.value)) return;
  const danger = actsUpon(name.value);
  yield finding(value, `a value cannot stand here: ${danger.why}`, danger);
}

function* refuseAll(template: Template, where: string, why: string): Generator<Finding> {
  for (const placeholder of template.references) {
    yield {
      rule: 'value-as-code',
      severity: 'error',
      message: `a value cannot stand ${where}: ${why}`,
      help: 'pass it in the environment: `env: {NAME: "{{…}}"}`, and read NAME in the script',
      span: placeholder.span,
    };
  }
}

function finding(template: Template, message: string, { help }: Danger): Finding {
  const at = template.parts.find((part) => part.kind !== 'text');
  return {
    rule: 'value-as-code',
    severity: 'error',
    message,
    help: help ?? 'pass it in the environment, `env: {NAME: "{{…}}"}`, to a program that reads it from there',
    span: at ? template.at(at.start, at.end) : template.span,
  };
}

/** Whether a variable can hold text that somebody else chose. A number, a boolean or one of a list of words cannot. */
function mayHoldCode(
  { scopes }: Subject,
  { owner, value: { value } }: Owned<EnvEntry>,
  step: ResolvedStep | undefined,
): boolean {
  if (value.literal) return false;
  return isFreeText(checkTemplate(value, scopes.of({ owner, sees: INSIDE }, step)).type);
}

function isFreeText(type: Type): boolean {
  switch (type.kind) {
    case 'null':
    case 'bool':
    case 'int':
    case 'number':
      return false;
    case 'string':
      return !type.values;
    case 'union':
      return type.of.some(isFreeText);
    case 'any':
    case 'list':
    case 'object':
      return true;
  }
}
