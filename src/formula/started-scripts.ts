import type { Located } from '../diagnostics/diagnostic.ts';
import type { BashParser } from './bash/load-parser.ts';
import type { Node, Word } from './bash/syntax.ts';
import { maskedScript, wordsOf } from './bash/syntax.ts';
import type { Command } from './formula.ts';

const INTERPRETERS = /^(?:bash|sh|zsh|node|python3?|ruby|perl|deno|bun|tsx)$/;

/** A path that can only be meant as a file of the project: relative, with a slash or an ending, no placeholder, no glob. */
const SCRIPT = /^(?:\.{1,2}\/)*(?:[\w.@-]+\/)*[\w@-][\w.@-]*$/;

/** Folders whose content is made and not committed. */
const MADE =
  /^(?:node_modules|dist|build|out|target|bin|coverage|vendor|tmp|\.?venv|\.cache|\.next|_build)(?:\/|$)/;

/** Whether a script could start another one, so that it is worth a parser. */
export function mayStartScript(text: string): boolean {
  return PATH_FIRST.test(text) || INTERPRETER_FIRST.test(text);
}

/** A path where a command may begin. */
const PATH_FIRST =
  /(?:^|[\n;&|(`{!]|\b(?:then|do|else|exec|time|nohup|env)\b|=\S*)[ \t]*["']?[\w.@-]*\/[\w.@/-]*[\w]/;

const INTERPRETER_FIRST =
  /(?:^|[\s;&|(`])(?:bash|sh|zsh|node|python3?|ruby|perl|deno|bun|tsx|source|\.)[ \t]+[^\s]/;

/**
 * The script files of the project that a command starts, each with its place: `./scripts/x.sh`, `bash scripts/x.sh`,
 * `node tools/x.mjs`. Only where nothing is left to guess: not after `cd`, not where the path also stands elsewhere in
 * the script (a test for it, the command that makes it), not in folders that hold what is built.
 */
export function scriptsOf(command: Command, bash: BashParser | undefined): readonly Located<string>[] {
  const located = (
    { literal, start, end }: Word,
    at: (start: number, end: number) => Located<string>['span'],
  ) => ({
    value: normal(literal as string),
    span: at(start, end),
  });
  switch (command.kind) {
    case 'bash': {
      if (!bash || !mayStartScript(command.script.text)) return [];
      const text = maskedScript(command.script);
      const found = startedIn(bash, text);

      return found
        .filter(({ literal }) => {
          const path = normal(literal as string);
          const started = found.filter((other) => normal(other.literal as string) === path).length;
          return !MADE.test(path) && timesNamed(path, text) === started;
        })
        .map((word) => located(word, command.script.at));
    }
    case 'argv': {
      const words = command.words.map(({ literal, text }) => ({
        literal: literal ? text : undefined,
        start: 0,
        end: text.length,
      }));
      const script = scriptIn(words);
      const index = words.findIndex((word) => word === script);
      const word = command.words[index];
      return word && !MADE.test(normal(word.text)) ? [{ value: normal(word.text), span: word.span }] : [];
    }
    case 'program': {
      const { program } = command;
      return isPath(program.value) && !MADE.test(normal(program.value))
        ? [{ value: normal(program.value), span: program.span }]
        : [];
    }
  }
}

/** How often a path stands in a text, not as the beginning of another. */
export function timesNamed(path: string, text: string): number {
  let times = 0;
  for (let at = text.indexOf(path); at >= 0; at = text.indexOf(path, at + 1)) {
    if (!/[\w.@/-]/.test(text.charAt(at + path.length))) times++;
  }
  return times;
}

function startedIn(bash: BashParser, text: string): readonly Word[] {
  const tree = bash.parse(text);
  if (!tree) return [];
  try {
    if (tree.rootNode.hasError) return [];
    const commands = tree.rootNode.descendantsOfType('command').filter((node): node is Node => node !== null);
    const all = commands.map(wordsOf);
    // After `cd` a relative path means something else.
    if (all.some(([name]) => name?.literal === 'cd' || name?.literal === 'pushd')) return [];
    return all.flatMap((words) => scriptIn(words) ?? []);
  } finally {
    tree.delete();
  }
}

/** The word that names a script. */
function scriptIn(words: readonly Word[]): Word | undefined {
  const [first, ...rest] = words;
  const name = first?.literal;
  if (name === undefined) return undefined;
  if (/^(?:exec|nohup|time|env)$/.test(name)) return scriptIn(rest);
  if (isPath(name)) return first;
  const isSource = name === 'source' || name === '.';
  if (!isSource && !INTERPRETERS.test(name)) return undefined;
  const flags = rest.findIndex((word) => word.literal === undefined || !word.literal.startsWith('-'));
  // Text, a module or standard input follow some flags.
  if (
    rest
      .slice(0, Math.max(flags, 0))
      .some((word) => /^-(?:\w*[cemp]|-eval|-print|-test)?$/.test(String(word.literal)))
  ) {
    return undefined;
  }
  const script = rest[flags];
  if (script?.literal === undefined || !SCRIPT.test(script.literal)) return undefined;
  return /\.\w+$/.test(script.literal) || (isSource && script.literal.includes('/')) ? script : undefined;
}

function isPath(word: string): boolean {
  return SCRIPT.test(word) && word.includes('/');
}

function normal(path: string): string {
  return path.replace(/^(?:\.\/)+/, '');
}
