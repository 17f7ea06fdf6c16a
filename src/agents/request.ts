import type { ModelRequest } from './model.ts';

/** The bytes that are sent for a request. */
export function requestBytes(request: ModelRequest): string {
  return JSON.stringify({ ...request, stream: true });
}
