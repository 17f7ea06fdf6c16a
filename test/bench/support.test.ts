import { describe, expect, it } from 'vitest';
import { figure, interleave, median, table } from '../../bench/support.ts';

describe('what benchmarks share', () => {
  it('takes the middle, and between two the mean', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 6])).toBe(5.5);
  });

  it('measures subjects in turn, each round beginning with another, without what warms up', async () => {
    const order: string[] = [];
    const subject = (name: string) => ({ name, run: () => order.push(name) * 10 });
    const measured = await interleave([subject('a'), subject('b'), subject('c')], { rounds: 2 });
    expect(order.join('')).toBe('abcabcbca');
    expect(measured.map(({ name, samples }) => ({ name, samples }))).toEqual([
      { name: 'a', samples: [40, 90] },
      { name: 'b', samples: [50, 70] },
      { name: 'c', samples: [60, 80] },
    ]);
    expect(measured[0]).toMatchObject({ median: 65, least: 40, most: 90 });
  });

  it('lays out a table', () => {
    const rows = [
      { what: 'spawn', 'per step, ms': 1.234 },
      { what: 'run, empty', 'per step, ms': 12.5 },
    ];
    expect(`\n${table(rows).join('\n')}\n`).toBe(`
what        per step, ms
----------  ------------
spawn               1.23
run, empty          12.5
`);
    expect([0.1234, 5, 123.4].map(figure)).toEqual(['0.123', '5', '123']);
  });
});
