/** What JSON can hold. Values that cross a stage (inputs, outputs, events, plans) are of these types only. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A JSON Schema (2020-12) as it stands in a file. */
export type JsonSchema = boolean | JsonObject;

/** Tells a JSON object from the other JSON values. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
