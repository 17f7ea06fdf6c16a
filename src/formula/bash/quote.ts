import type { Slot } from './fill-script.ts';

const PLAIN = /^[\w@%+=:,./-]+$/;
const PLAINEST = /^(?!\.|.*\.\.|.*\.$)[\w@%+:./-]+$/;

/** One word of a shell's command line that is exactly this text. */
export function shellWord(text: string): string {
  return PLAIN.test(text) ? text : quoted(text);
}

/** A command line of exactly these words. See {@link writeInto} for `marks`. */
export function shellWords(words: readonly string[], marks: ReadonlySet<string>): string {
  return words.map((word) => wordOf(word, PLAIN, marks)).join(' ');
}

/**
 * A value as bash would have to read it in a place of a script. `marks` are texts in it that stand for what is not known
 * yet, and ask for no quotes.
 */
export function writeInto(slot: Slot, value: string | readonly string[], marks: ReadonlySet<string>): string {
  if (typeof value !== 'string') return shellWords(value, marks);
  switch (slot.place) {
    case 'word':
      return slot.unquoted === 'nothing'
        ? quoted(value)
        : wordOf(value, slot.unquoted === 'plain' ? PLAIN : PLAINEST, marks);
    case 'words':
      return wordOf(value, PLAIN, marks);
    case 'single':
      return value.replaceAll("'", "'\\''");
    case 'double':
      return value.replace(/[\\"$`]/g, '\\$&');
    case 'heredoc':
      return value.replace(/[\\$`]/g, '\\$&');
    case 'comment':
      return value.replace(/\s+/g, ' ');
  }
}

function wordOf(text: string, plain: RegExp, marks: ReadonlySet<string>): string {
  let rest = text;
  for (const mark of marks) rest = rest.replaceAll(mark, 'x');
  return plain.test(rest) ? text : quoted(text);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
