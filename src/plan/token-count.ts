/** Tokens of one or more requests. What was read from or written to the provider's cache is not in `input`. */
export interface TokenCount {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}
