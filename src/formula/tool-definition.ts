import type { JsonObject } from '../support/json.ts';

/** A tool as its server describes it: what a model is told of it, and what its digest is of. */
export interface ToolDefinition {
  /** As its server calls it. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of its arguments, an object. */
  readonly inputSchema: JsonObject;
}
