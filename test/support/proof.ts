/**
 * How often a property is tried: a seeded sample in `npm test`, the full count in `npm run proof` (`WF_PROOF=1`). The
 * seed is fixed, so that a failure in CI is the same failure at home.
 */
export function proof({ few, many }: { readonly few: number; readonly many: number }): {
  readonly numRuns: number;
  readonly seed: number;
} {
  return { numRuns: proving ? many : few, seed: 20261124 };
}

/** Whether the long counts were asked for. */
export const proving = process.env['WF_PROOF'] === '1';
