import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { LineIndex } from '../../src/diagnostics/line-index.ts';

describe('LineIndex', () => {
  it('counts lines and columns from 1, columns in UTF-16 units', () => {
    const index = new LineIndex('ab\n😀x\n');
    expect(index.position(0)).toEqual({ line: 1, column: 1 });
    expect(index.position(2)).toEqual({ line: 1, column: 3 });
    expect(index.position(3)).toEqual({ line: 2, column: 1 });
    expect(index.position(5)).toEqual({ line: 2, column: 3 });
    expect(index.position(7)).toEqual({ line: 3, column: 1 });
    expect(index.lineCount).toBe(3);
  });

  it('splits at \\n, \\r\\n and a lone \\r', () => {
    const index = new LineIndex('a\r\nb\rc\nd');
    expect([1, 2, 3, 4].map((line) => index.line(line))).toEqual(['a', 'b', 'c', 'd']);
    expect(index.position(3)).toEqual({ line: 2, column: 1 });
  });

  it('moves offsets and positions outside the text to its ends', () => {
    const index = new LineIndex('ab\nc');
    expect(index.position(99)).toEqual({ line: 2, column: 2 });
    expect(index.position(-1)).toEqual({ line: 1, column: 1 });
    expect(index.offset({ line: 1, column: 99 })).toBe(2);
    expect(index.offset({ line: 9, column: 1 })).toBe(4);
  });

  it('gives back every offset that is not inside a line break', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '😀', '\n', '\r\n', '\t', '\r')), (parts) => {
        const text = parts.join('');
        const index = new LineIndex(text);
        for (let offset = 0; offset <= text.length; offset++) {
          if (text[offset] === '\n' && text[offset - 1] === '\r') continue;
          expect(index.offset(index.position(offset))).toBe(offset);
        }
      }),
      { seed: 1, numRuns: process.env['WF_PROOF'] ? 5000 : 200 },
    );
  });
});
