import { expect, it } from 'vitest';
import { decodeUtf8 } from '../../src/source/decode-utf8.ts';
import { maxFileSize } from '../../src/source/limits.ts';

const message = (bytes: Uint8Array): string => {
  const decoded = decodeUtf8('a.yaml', bytes);
  return 'finding' in decoded ? `${decoded.finding.rule}: ${decoded.finding.message}` : decoded.text;
};

it('decodes UTF-8 and drops a byte order mark', () => {
  expect(message(Buffer.from('\uFEFFa: é😀\n'))).toBe('a: é😀\n');
});

it('says where the first wrong byte is', () => {
  expect(message(Buffer.from([0x61, 0x3a, 0x0a, 0xc3, 0xa9, 0xe9, 0x62]))).toBe(
    'not-utf8: the file is not UTF-8: line 2 has the byte 0xE9 (byte 5 of the file)',
  );
  expect(message(Buffer.from([0xff]))).toBe(
    'not-utf8: the file is not UTF-8: line 1 has the byte 0xFF (byte 0 of the file)',
  );
});

it('names UTF-16', () => {
  expect(message(Buffer.from('\uFEFFa: b', 'utf16le'))).toBe('not-utf8: the file is UTF-16, not UTF-8');
});

it('refuses what is too large without decoding it', () => {
  expect(message(new Uint8Array(maxFileSize + 1))).toBe(
    'file-too-large: the file is larger than the 4 MB a file may have',
  );
});
