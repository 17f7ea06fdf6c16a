import type { Located, Span } from '../diagnostics/diagnostic.ts';
import type { Command } from './formula.ts';

const INTERPRETERS = /^(?:bash|sh|zsh|node|python3?|ruby|perl|deno|bun|tsx)$/;

/** A path that can only be meant as a file of the project: relative, with a slash or an ending, no placeholder, no glob. */
const SCRIPT = /^(?:\.\/)?(?:[\w.@-]+\/)*[\w@-][\w.@-]*$/;

/**
 * The script files of the project that a command starts, each with its place: `./scripts/x.sh`, `bash scripts/x.sh`,
 * `node tools/x.mjs`. Only the first command of a line is looked at, and only where nothing is left to guess.
 */
export function scriptsOf(command: Command): readonly Located<string>[] {
  switch (command.kind) {
    case 'bash': {
      const found: Located<string>[] = [];
      let offset = 0;
      // After `cd` a relative path means something else.
      if (/(^|[\s;&|(])(cd|pushd)\s/.test(command.script.text)) return [];
      for (const line of command.script.text.split('\n')) {
        const words = [...line.matchAll(/\S+/g)].map((match) => ({
          text: match[0],
          at: offset + match.index,
        }));
        const script = scriptIn(words.map((word) => word.text));
        const word = script === undefined ? undefined : words[script];
        if (word)
          found.push({
            value: normal(word.text),
            span: placeIn(command, word.at, word.at + word.text.length),
          });
        offset += line.length + 1;
      }
      return found;
    }
    case 'argv': {
      const script = scriptIn(command.words.map((word) => (word.literal ? word.text : '{{')));
      const word = script === undefined ? undefined : command.words[script];
      return word ? [{ value: normal(word.text), span: word.span }] : [];
    }
    case 'program':
      return isPath(command.program.value)
        ? [{ value: normal(command.program.value), span: command.program.span }]
        : [];
  }
}

function placeIn(command: Extract<Command, { kind: 'bash' }>, start: number, end: number): Span {
  return command.script.at(start, end);
}

/** The index of the word that names a script. */
function scriptIn(words: readonly string[]): number | undefined {
  const [first, second] = words;
  if (first === undefined) return undefined;
  if (isPath(first)) return 0;
  if (INTERPRETERS.test(first) && second !== undefined && SCRIPT.test(second) && /\.\w+$/.test(second))
    return 1;
  return undefined;
}

function isPath(word: string): boolean {
  return (
    SCRIPT.test(word) &&
    word.includes('/') &&
    !word.startsWith('node_modules/') &&
    !word.startsWith('./node_modules/')
  );
}

function normal(path: string): string {
  return path.replace(/^\.\//, '');
}
