const MASK = '***';

/**
 * Replaces secrets in a stream of bytes. A secret may be cut in two by the end of a chunk, so as much as could be the
 * beginning of one is held back until the next chunk or the end.
 */
export class Masker {
  readonly #secrets: readonly Buffer[];
  readonly #longest: number;
  #held: Buffer = Buffer.alloc(0);

  /** Empty texts are no secrets. */
  constructor(secrets: readonly string[]) {
    this.#secrets = [...new Set(secrets)]
      .filter((secret) => secret !== '')
      // The longer first: a secret that contains another is masked as a whole.
      .sort((a, b) => b.length - a.length)
      .map((secret) => Buffer.from(secret));
    this.#longest = this.#secrets[0]?.length ?? 0;
  }

  push(chunk: Buffer): Buffer {
    if (this.#longest === 0) return chunk;
    const text = this.#masked(Buffer.concat([this.#held, chunk]));
    const keep = this.#openEnd(text);
    this.#held = text.subarray(text.length - keep);
    return text.subarray(0, text.length - keep);
  }

  end(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }

  #masked(text: Buffer): Buffer {
    let masked = text;
    for (const secret of this.#secrets) {
      let at = masked.indexOf(secret);
      if (at < 0) continue;
      const pieces: Buffer[] = [];
      let from = 0;
      for (; at >= 0; at = masked.indexOf(secret, from)) {
        pieces.push(masked.subarray(from, at), Buffer.from(MASK));
        from = at + secret.length;
      }
      masked = Buffer.concat([...pieces, masked.subarray(from)]);
    }
    return masked;
  }

  /** How many bytes at the end could be the beginning of a secret. */
  #openEnd(text: Buffer): number {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const end = text.subarray(text.length - length);
      if (this.#secrets.some((secret) => secret.length > length && secret.subarray(0, length).equals(end)))
        return length;
    }
    return 0;
  }
}

/** A text with every secret replaced. */
export function maskText(text: string, secrets: readonly string[]): string {
  const masker = new Masker(secrets);
  return Buffer.concat([masker.push(Buffer.from(text)), masker.end()]).toString('utf8');
}
