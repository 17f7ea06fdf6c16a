import type { Position, Range } from './diagnostic.ts';

/** Translates between UTF-16 offsets of a text and lines and columns. Lines end at `\n`, `\r\n` or a lone `\r`. */
export class LineIndex {
  readonly #text: string;
  /** Offset of the first character of each line. */
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.#text = text;
    this.#starts = lineStarts(text);
  }

  get lineCount(): number {
    return this.#starts.length;
  }

  /** Where an offset is; offsets outside the text are moved to its nearest end. */
  position(offset: number): Position {
    const within = Math.min(Math.max(offset, 0), this.#text.length);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#start(middle) <= within) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: within - this.#start(low) + 1 };
  }

  range(start: number, end: number): Range {
    return { start: this.position(start), end: this.position(end) };
  }

  /** The offset of a position; a line or column past the end gives the end of the text or line. */
  offset(position: Position): number {
    const line = position.line - 1;
    if (line < 0) return 0;
    if (line >= this.#starts.length) return this.#text.length;
    const start = this.#start(line);
    return Math.min(start + Math.max(position.column - 1, 0), start + this.line(position.line).length);
  }

  /** The text of a line, counted from 1, without its line break. */
  line(line: number): string {
    const start = this.#starts[line - 1];
    if (start === undefined) return '';
    return this.#text.slice(start, this.#starts[line] ?? this.#text.length).replace(/[\r\n]+$/, '');
  }

  #start(index: number): number {
    return this.#starts[index] ?? 0;
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let offset = 0; offset < text.length; offset++) {
    const code = text.charCodeAt(offset);
    if (code === 10 || (code === 13 && text.charCodeAt(offset + 1) !== 10)) starts.push(offset + 1);
  }
  return starts;
}
