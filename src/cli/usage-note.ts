import type { Usage } from '../journal/run-state.ts';

/** What models have used, as people read it: `3 turns, 4.1k tokens, 0.012 USD`. Empty: nothing. */
export function usageNote({ turns, tokens, usd, unpriced, repeated }: Usage): string {
  if (turns === 0) return '';
  const all = tokens.input + tokens.output + tokens.cacheRead + tokens.cacheWrite;
  return [
    `${turns} ${turns === 1 ? 'turn' : 'turns'}`,
    `${thousands(all)} tokens`,
    ...(usd > 0 ? [dollars(usd)] : []),
    ...(unpriced.length > 0 ? [`no price of ${unpriced.join(', ')}`] : []),
    ...(repeated > 0 ? [`${repeated} asked again`] : []),
  ].join(', ');
}

/** US dollars, to where they begin to matter. */
export function dollars(usd: number): string {
  return `${usd >= 1 ? usd.toFixed(2) : String(Number(usd.toPrecision(2)))} USD`;
}

function thousands(count: number): string {
  if (count < 1000) return String(count);
  return count < 1_000_000
    ? `${Number((count / 1000).toPrecision(3))}k`
    : `${Number((count / 1e6).toPrecision(3))}M`;
}
