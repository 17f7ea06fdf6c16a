import type { Node } from './syntax-tree.ts';

/** One word of a command, as far as it is known before it runs. */
export interface CommandWord {
  /** The word without quotes, when all of it is known. */
  readonly literal: string | undefined;
  /** What is known of its beginning, without quotes. */
  readonly prefix: string;
  /** A value, or something made of one, is in it. */
  readonly tainted: boolean;
  /** It may fall apart into several words: an expansion stands in it without quotes. */
  readonly loose: boolean;
}

/**
 * Stands in a script for a value while it is looked at. `w`: for a list that becomes words. The word before it is one
 * that is nowhere in the script.
 */
export function markerOf(seed: string, index: number, words: boolean): string {
  return `${seed}${words ? 'w' : 'v'}${index}z`;
}

/** The words of a command, its name first; assignments before it and redirections are no words. */
export function wordsOf(
  command: Node,
  tainted: (node: Node) => boolean,
  seed: string,
): readonly CommandWord[] {
  return command.children.flatMap((child): CommandWord[] => {
    if (!child || child.type === 'variable_assignment' || child.type.endsWith('_redirect')) return [];
    return [{ ...readWord(child.text, seed), tainted: tainted(child) }];
  });
}

/** Reads a word as bash does, up to the first thing in it that is only known when it runs. */
export function readWord(text: string, seed: string): Omit<CommandWord, 'tainted'> {
  let known = '';
  let quoted = false;
  const unknown = (loose: boolean) => ({ literal: undefined, prefix: known, loose });
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (text.startsWith(seed, at)) return unknown(text[at + seed.length] === 'w');
    if (char === '`' || char === '$') return unknown(!quoted);
    if (!quoted && /^[<>]\($/.test(text.slice(at, at + 2))) return unknown(false);
    if (char === '\\') {
      const next = text[at + 1] ?? '';
      if (quoted && !/["\\$`\n]/.test(next)) known += '\\';
      if (next !== '\n') known += next;
      at++;
    } else if (char === '"') quoted = !quoted;
    else if (char === "'" && !quoted) {
      const end = text.indexOf("'", at + 1);
      const inside = text.slice(at + 1, end < 0 ? undefined : end);
      const value = inside.indexOf(seed);
      known += value < 0 ? inside : inside.slice(0, value);
      if (value >= 0) return unknown(false);
      at += inside.length + 1;
    } else known += char;
  }
  return { literal: known, prefix: known, loose: false };
}
