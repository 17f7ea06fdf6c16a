import type { CappedText } from '../journal/event.ts';

/** Keeps head and tail of a stream within a bound, and the whole of it as long as it stays under another. */
export class CappedOutput {
  readonly #cap: number;
  readonly #whole: number;
  /** All so far, with room behind it: pieces of a few bytes would cost more than what they hold. */
  #all: Buffer | undefined = Buffer.alloc(0);
  #bytes = 0;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);

  /** `cap`: bytes that are kept of a long stream. `whole`: bytes up to which nothing is thrown away. */
  constructor(cap: number, whole: number) {
    this.#cap = cap;
    this.#whole = whole;
  }

  add(chunk: Buffer): void {
    const before = this.#bytes;
    this.#bytes += chunk.length;
    const half = Math.floor(this.#cap / 2);
    if (this.#all === undefined) {
      this.#tail = Buffer.concat([this.#tail, chunk]);
      // Cut now and then, not for each byte that comes.
      if (this.#tail.length > 2 * half) this.#tail = Buffer.from(last(this.#tail, half));
      return;
    }
    if (this.#bytes <= Math.max(this.#whole, this.#cap)) {
      if (this.#all.length < this.#bytes) {
        const larger = Buffer.alloc(Math.max(this.#bytes, 2 * this.#all.length, 4096));
        this.#all.copy(larger, 0, 0, before);
        this.#all = larger;
      }
      chunk.copy(this.#all, before);
      return;
    }
    const all = Buffer.concat([this.#all.subarray(0, before), chunk]);
    this.#all = undefined;
    this.#head = Buffer.from(all.subarray(0, half));
    this.#tail = Buffer.from(last(all, half));
  }

  /** The whole stream as text; undefined when it was too long to keep. */
  get whole(): string | undefined {
    return this.#all?.subarray(0, this.#bytes).toString('utf8');
  }

  /** What goes into a record. */
  get capped(): CappedText {
    const half = Math.floor(this.#cap / 2);
    if (this.#all === undefined) return cut(this.#head, last(this.#tail, half), this.#bytes);
    const all = this.#all.subarray(0, this.#bytes);
    if (all.length <= this.#cap) return { text: all.toString('utf8') };
    return cut(all.subarray(0, half), last(all, half), all.length);
  }
}

function last(bytes: Buffer, count: number): Buffer {
  return bytes.subarray(Math.max(0, bytes.length - count));
}

function cut(head: Buffer, tail: Buffer, bytes: number): CappedText {
  const omitted = bytes - head.length - tail.length;
  // A character cut in two shows as one replacement character at the seam.
  return {
    text: `${head.toString('utf8')}\n… ${omitted} bytes left out …\n${tail.toString('utf8')}`,
    omitted,
  };
}
