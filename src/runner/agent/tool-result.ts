/** Characters of a tool's result that a model is told. */
const MOST_CHARACTERS = 24_000;

/** Of those, how many are of its end. */
const OF_THE_END = 4_000;

/** What a model is told of a result, and how much is left out. */
export interface CappedResult {
  readonly text: string;
  readonly omitted: number;
}

/**
 * Head and tail of a result that is too long, with how much is left out between.
 *
 * @param rest where the whole can be read, as the model is told; undefined: nowhere
 */
export function cappedResult(text: string, rest: string | undefined): CappedResult {
  if (text.length <= MOST_CHARACTERS) return { text, omitted: 0 };
  const head = text.slice(0, safeEnd(text, MOST_CHARACTERS - OF_THE_END));
  const tail = text.slice(safeEnd(text, text.length - OF_THE_END));
  const omitted = text.length - head.length - tail.length;
  const where = rest === undefined ? '' : `; the whole is in ${rest}`;
  return { text: `${head}\n[… ${omitted} characters left out${where} …]\n${tail}`, omitted };
}

/** Whether a result is told in parts. */
export function isTooLong(text: string): boolean {
  return text.length > MOST_CHARACTERS;
}

/** Not between the two halves of a character. */
function safeEnd(text: string, end: number): number {
  return /[\ud800-\udbff]/.test(text.charAt(end - 1)) ? end - 1 : end;
}
