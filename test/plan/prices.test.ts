import { describe, expect, it } from 'vitest';
import table from '../../src/plan/prices.json' with { type: 'json' };
import { costOf, priceOf, worstCost, worstOfTokens } from '../../src/plan/prices.ts';

const price = { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 };
const tiered = { ...price, above: { tokens: 100, input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 } };

describe('what a model costs', () => {
  it('is reckoned by million tokens, what is cached apart', () => {
    const tokens = { input: 1_000_000, output: 1_000_000, cacheRead: 1_000_000, cacheWrite: 1_000_000 };
    expect(costOf(tokens, price)).toBeCloseTo(7.35);
  });

  it('is more for all of a request that reads more than a limit', () => {
    const tokens = (input: number) => ({ input, output: 0, cacheRead: 0, cacheWrite: 0 });
    expect(costOf(tokens(100), tiered)).toBeCloseTo(100 / 1e6);
    expect(costOf(tokens(101), tiered)).toBeCloseTo(202 / 1e6);
    // What is read from the cache is read, too.
    expect(costOf({ ...tokens(50), cacheRead: 51 }, tiered)).toBeCloseTo((50 * 2 + 51 * 0.2) / 1e6);
  });

  it('is at most what the dearest way of reading costs', () => {
    expect(worstCost(100, 10, tiered)).toBeCloseTo((100 * 1.25 + 10 * 5) / 1e6);
    expect(worstCost(101, 10, tiered)).toBeCloseTo((101 * 2.5 + 10 * 10) / 1e6);
    expect(worstOfTokens(1e6, price)).toBe(5);
    expect(worstOfTokens(1e6, tiered)).toBe(10);
  });

  it('is what wf.yaml says, else what is listed, else not known', () => {
    expect(priceOf('claude-opus-5-5', price)).toBe(price);
    expect(priceOf('claude-opus-5-5', undefined)).toEqual({
      input: 4,
      output: 20,
      cacheRead: 0.2,
      cacheWrite: 5,
    });
    expect(priceOf('nobody-knows', undefined)).toBeUndefined();
    expect(priceOf('constructor', undefined)).toBeUndefined();
  });

  it('is listed with its date and its source', () => {
    for (const [id, listed] of Object.entries(table)) {
      expect(listed.date, id).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(listed.source, id).toMatch(/^https:\/\//);
    }
  });
});
