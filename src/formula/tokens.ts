import { createRequire } from 'node:module';

interface Tokenizer {
  encodeGenerator(
    text: string,
    options: { disallowedSpecial: ReadonlySet<string> },
  ): Iterable<readonly number[]>;
  decode(tokens: readonly number[]): string;
}

// Half a word's worth of a text without spaces takes the tokenizer seconds: it is given a window at a time.
const windowSize = 1000;

let loaded: Tokenizer | undefined;

/**
 * The longest beginning of a text, in whole words, that is about `most` tokens. An estimate: each model counts in its
 * own way.
 */
export function firstTokens(text: string, most: number): string {
  // A token is at least one character, so a text this short cannot be over; most texts never need the tokenizer.
  if (text.length <= most) return text;
  const { encodeGenerator, decode } = tokenizer();
  let count = 0;
  let end = 0;
  while (end < text.length) {
    const window = windowAt(text, end);
    for (const word of encodeGenerator(window, { disallowedSpecial: new Set() })) {
      count += word.length;
      if (count > most) return text.slice(0, end);
      end += decode(word).length;
    }
  }
  return text;
}

/** About how many tokens a text is: each model counts in its own way. */
export function countTokens(text: string): number {
  const { encodeGenerator } = tokenizer();
  let count = 0;
  for (let end = 0; end < text.length;) {
    const window = windowAt(text, end);
    for (const word of encodeGenerator(window, { disallowedSpecial: new Set() })) count += word.length;
    end += window.length;
  }
  return count;
}

function windowAt(text: string, start: number): string {
  const end = Math.min(start + windowSize, text.length);
  const splitsPair = end < text.length && /[\ud800-\udbff]/.test(text.charAt(end - 1));
  return text.slice(start, splitsPair ? end - 1 : end);
}

// Loading its tables takes 100 ms, which only a text that is really counted should cost; rendering cannot wait for
// an `import()`.
function tokenizer(): Tokenizer {
  return (loaded ??= createRequire(import.meta.url)('gpt-tokenizer/encoding/o200k_base') as Tokenizer);
}
