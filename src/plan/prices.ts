import table from './prices.json' with { type: 'json' };
import type { ModelPrice } from '../formula/model-settings.ts';
import type { PlanPrice } from './plan.ts';
import type { TokenCount } from './token-count.ts';

/** A price as the table has it: since when, and where it was read. */
interface ListedPrice extends PlanPrice {
  readonly date: string;
  readonly source: string;
}

/** Prices by model id, each with its date and source. */
const PRICES: Readonly<Record<string, ListedPrice>> = table;

/** What a model costs: as wf.yaml says, else as the table does. Undefined: nobody knows. */
export function priceOf(id: string, own: ModelPrice | undefined): PlanPrice | undefined {
  if (own) return own;
  const listed = Object.hasOwn(PRICES, id) ? PRICES[id] : undefined;
  if (!listed) return undefined;
  const { date: _date, source: _source, ...price } = listed;
  return price;
}

/** US dollars that one request has cost. */
export function costOf(tokens: TokenCount, price: PlanPrice): number {
  const read = tokens.input + tokens.cacheRead + tokens.cacheWrite;
  const of = price.above && read > price.above.tokens ? price.above : price;
  return (
    (tokens.input * of.input +
      tokens.output * of.output +
      tokens.cacheRead * of.cacheRead +
      tokens.cacheWrite * of.cacheWrite) /
    1e6
  );
}

/** US dollars that a request can cost at most, of which the tokens it reads and writes are known to be no more. */
export function worstCost(read: number, written: number, price: PlanPrice): number {
  const of = price.above && read > price.above.tokens ? price.above : price;
  return (read * Math.max(of.input, of.cacheRead, of.cacheWrite) + written * of.output) / 1e6;
}

/** US dollars that so many tokens can cost at most, however they are read and written. */
export function worstOfTokens(tokens: number, price: PlanPrice): number {
  const each = [price, ...(price.above ? [price.above] : [])].flatMap((of) => [
    of.input,
    of.output,
    of.cacheRead,
    of.cacheWrite,
  ]);
  return (tokens * Math.max(...each)) / 1e6;
}
