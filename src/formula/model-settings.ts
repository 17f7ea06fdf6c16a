/** How much a model thinks before it answers. */
export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** US dollars for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}
