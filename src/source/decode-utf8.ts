import { isUtf8 } from 'node:buffer';
import type { Finding } from '../diagnostics/diagnostic.ts';
import { fileTooLarge, maxFileSize } from './limits.ts';

/**
 * The text of a file's bytes, without a byte order mark; or the finding that it is too large or not UTF-8, which says
 * where the first wrong byte is.
 */
export function decodeUtf8(
  file: string,
  bytes: Uint8Array,
): { readonly text: string } | { readonly finding: Finding } {
  if (bytes.byteLength > maxFileSize) return { finding: fileTooLarge(file) };
  if (isUtf8(bytes)) return { text: new TextDecoder().decode(bytes) };

  const offset = firstWrongByte(bytes);
  const line = 1 + bytes.subarray(0, offset).reduce((count, byte) => count + (byte === 10 ? 1 : 0), 0);
  const looksUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, '0').toUpperCase();
  return {
    finding: {
      rule: 'not-utf8',
      severity: 'error',
      message: looksUtf16
        ? 'the file is UTF-16, not UTF-8'
        : `the file is not UTF-8: line ${line} has the byte 0x${byte} (byte ${offset} of the file)`,
      help: 'save it as UTF-8',
      span: { file, start: 0, end: 0 },
    },
  };
}

// The longest prefix that decodes, by halving; a prefix may end inside a character, so `stream` is set.
function firstWrongByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.byteLength;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decodes(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  // The prefix may end in a character that what follows then breaks: the character is what is wrong.
  while (!isUtf8(bytes.subarray(0, good))) good--;
  return good;
}

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
