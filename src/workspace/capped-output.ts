import type { CappedText } from '../journal/event.ts';

/** Keeps head and tail of a stream within a bound, and the whole of it as long as it stays under another. */
export class CappedOutput {
  readonly #cap: number;
  readonly #whole: number;
  #chunks: Buffer[] = [];
  #kept = 0;
  #bytes = 0;
  #head: Buffer | undefined;
  #tail: Buffer = Buffer.alloc(0);

  /** `cap`: bytes that are kept of a long stream. `whole`: bytes up to which nothing is thrown away. */
  constructor(cap: number, whole: number) {
    this.#cap = cap;
    this.#whole = whole;
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#head === undefined && this.#kept + chunk.length <= this.#whole) {
      this.#chunks.push(chunk);
      this.#kept += chunk.length;
      return;
    }
    const half = Math.floor(this.#cap / 2);
    if (this.#head === undefined) {
      const all = Buffer.concat([...this.#chunks, chunk]);
      this.#chunks = [];
      this.#head = all.subarray(0, half);
      this.#tail = all.subarray(Math.max(half, all.length - half));
      return;
    }
    this.#tail = Buffer.concat([this.#tail, chunk]);
    if (this.#tail.length > half) this.#tail = this.#tail.subarray(this.#tail.length - half);
  }

  /** The whole stream as text; undefined when it was too long to keep. */
  get whole(): string | undefined {
    return this.#head === undefined ? Buffer.concat(this.#chunks).toString('utf8') : undefined;
  }

  /** What goes into a record. */
  get capped(): CappedText {
    const half = Math.floor(this.#cap / 2);
    if (this.#head !== undefined) return cut(this.#head, this.#tail, this.#bytes);
    const all = Buffer.concat(this.#chunks);
    if (all.length <= this.#cap) return { text: all.toString('utf8') };
    return cut(all.subarray(0, half), all.subarray(all.length - half), all.length);
  }
}

function cut(head: Buffer, tail: Buffer, bytes: number): CappedText {
  const omitted = bytes - head.length - tail.length;
  if (omitted <= 0) return { text: Buffer.concat([head, tail]).toString('utf8') };
  // A character cut in two shows as one replacement character at the seam.
  return {
    text: `${head.toString('utf8')}\n… ${omitted} bytes left out …\n${tail.toString('utf8')}`,
    omitted,
  };
}
