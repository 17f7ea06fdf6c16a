import { countTokens } from '../formula/tokens.ts';
import type { ModelRequest } from './model.ts';
import { requestBytes } from './request.ts';

/** What a provider may add to a request with tools or a format, which is in none of its bytes. */
const HIDDEN_TOKENS = 1_000;

/** Never fewer tokens than a request has: a token is at least one byte. */
export function mostTokens(request: ModelRequest): number {
  const bytes = Buffer.byteLength(requestBytes(request));
  return bytes + (request.tools || request.output_config?.format ? HIDDEN_TOKENS : 0);
}

/** About how many tokens a request has: each model counts in its own way. */
export function estimateTokens({ system = [], tools = [], messages }: ModelRequest): number {
  const texts = [
    ...system.map(({ text }) => text),
    ...tools.map((tool) => JSON.stringify(tool)),
    ...messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content))),
  ];
  return texts.reduce((sum, text) => sum + countTokens(text), 0);
}
