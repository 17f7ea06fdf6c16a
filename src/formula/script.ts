import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import type { BashParser, BashProblem, ScriptPart } from './bash/compile-bash.ts';
import { compileBash, misusedVariables } from './bash/compile-bash.ts';
import type { Template } from './template.ts';
import type { CallOperand, TemplatePart } from './template-tree.ts';
import { argsOf, listTemplate, nestedArgs } from './words-of-list.ts';

/** A bash script with its placeholders turned into variables, or why that cannot be done safely. */
export type CompiledScript =
  | { readonly ok: true; readonly bash: string; readonly values: readonly ScriptValue[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** A shell variable and what it stands for. */
export interface ScriptValue {
  readonly name: string;
  /** The template of its value; with `words`, of a list. */
  readonly value: string;
  /** It becomes as many words as the list has items. */
  readonly words?: true;
}

/**
 * Compiles the bash script of a template. `write` gives the text of a stretch of the template as it goes into the plan.
 * A literal script is taken as it stands: bash itself is the judge of it.
 */
export function compileScript(
  script: Template,
  bash: BashParser | undefined,
  write: (template: Template, start: number, end: number) => string,
): CompiledScript {
  if (script.literal) return { ok: true, bash: script.text, values: [] };
  return compilePlaceholders(script, bash, write, []);
}

/**
 * What is wrong with a bash script: values where they would become code, also those that come in variables of its
 * environment, which `outside` names.
 */
export function checkScript(
  script: Template,
  bash: BashParser | undefined,
  outside: readonly string[],
): readonly Finding[] {
  if (!script.literal) {
    const compiled = compilePlaceholders(
      script,
      bash,
      (text, start, end) => text.text.slice(start, end),
      outside,
    );
    return compiled.ok ? [] : compiled.findings;
  }
  // A variable whose name is nowhere in the script is used by nothing in it.
  const named = outside.filter((name) => script.text.includes(name));
  if (named.length === 0) return [];
  const problems = misusedVariables(present(bash), script.text, named);
  return problems.map((problem) => problemFinding(script, problem));
}

function compilePlaceholders(
  script: Template,
  bash: BashParser | undefined,
  write: (template: Template, start: number, end: number) => string,
  outside: readonly string[],
): CompiledScript {
  const block = script.parts.find((part) => part.kind === 'block');
  if (block) return { ok: false, findings: [blockFinding(script, block)] };
  const nested = script.parts.flatMap((part) => [...nestedArgs(part)]);
  if (nested.length > 0) return { ok: false, findings: nested.map((call) => misplacedWords(script, call)) };
  const compiled = compileBash(present(bash), script.parts.map(scriptPart), outside);
  if (!compiled.ok) {
    return { ok: false, findings: compiled.problems.map((problem) => problemFinding(script, problem)) };
  }
  const places = script.parts.filter((part) => part.kind === 'value');
  return {
    ok: true,
    bash: compiled.script,
    values: compiled.variables.map(({ name, words }, index) => {
      const place = places[index] as Extract<TemplatePart, { kind: 'value' }>;
      const list = words ? argsOf(place) : undefined;
      if (!list) return { name, value: write(script, place.start, place.end) };
      return {
        name,
        value: listTemplate(list, (start, end) => write(script, start, end)),
        words: true as const,
      };
    }),
  };
}

function present(bash: BashParser | undefined): BashParser {
  if (!bash) throw new Error('a script with values was met, but nothing that parses bash');
  return bash;
}

function scriptPart(part: TemplatePart): ScriptPart {
  return part.kind === 'text'
    ? { kind: 'text', text: part.value }
    : { kind: 'value', words: argsOf(part) !== undefined };
}

function blockFinding(script: Template, block: TemplatePart): Finding {
  return {
    rule: 'value-as-code',
    severity: 'error',
    message: 'a block cannot stand in a script: what it prints would become code',
    help: 'pass a list with `{{args list}}`, or the printed text in the environment: `env: {TEXT: "{{#each …}}…"}`',
    span: script.at(block.start, block.end),
  };
}

/** Words of a list where they cannot be words. */
export function misplacedWords(template: Template, call: CallOperand): Finding {
  const [list] = call.args;
  const text = list ? template.text.slice(list.start, list.end) : 'list';
  return {
    rule: 'value-as-code',
    severity: 'error',
    message: 'a value cannot stand here: a list becomes separate words, so it has to be a word of its own',
    help: `write {{args ${text}}} as a word of its own, or join the list: {{join ${text} ','}}`,
    span: template.at(call.start, call.end),
  };
}

function problemFinding(script: Template, problem: BashProblem): Finding {
  return {
    rule: problem.rule,
    severity: 'error',
    message: problem.message,
    ...(problem.help !== undefined && { help: problem.help }),
    span: placeOf(script, problem),
  };
}

function placeOf(script: Template, { part: index, start, end }: BashProblem): Span {
  const part = script.parts[index];
  if (!part) return script.at(start, end);
  // A piece of text that lost a backslash is not its source to the letter: then the piece as a whole is the place.
  const exact = part.kind === 'text' && part.value.length === part.end - part.start;
  return exact ? script.at(part.start + start, part.start + end) : script.at(part.start, part.end);
}
