import { createHash } from 'node:crypto';

/** SHA-256, as `sha256:<64 hexadecimal digits>`. */
export type Digest = `sha256:${string}`;

/** The digest of some bytes, or of a text's UTF-8. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
