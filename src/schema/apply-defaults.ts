import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { findPointer } from './resolve-refs.ts';

/**
 * The value with absent properties filled by the `default` of their schemas, at any depth that `properties`, `items`,
 * `prefixItems`, `allOf` and references within the schema reach. `null` is present and stays. For all inputs at once
 * pass `{properties: <schemas by name>}`.
 */
export function applyDefaults(schema: JsonSchema, value: JsonValue): JsonValue {
  return fill(schema, value, { root: schema, active: new Set() });
}

interface Context {
  readonly root: JsonSchema;
  /** Schemas that are being applied to this value, or whose default it is: a schema may lead back to itself. */
  readonly active: ReadonlySet<JsonSchema>;
}

function fill(schema: JsonSchema | undefined, value: JsonValue, { root, active }: Context): JsonValue {
  if (!isJsonObject(schema) || active.has(schema)) return value;
  const same = { root, active: new Set([...active, schema]) };
  let filled = value;
  const reference = schema['$ref'];
  if (typeof reference === 'string') filled = fill(findPointer(root, reference), filled, same);
  for (const part of asList(schema['allOf'])) filled = fill(asSchema(part), filled, same);
  if (Array.isArray(filled)) return fillItems(schema, filled as readonly JsonValue[], root);
  return isJsonObject(filled) ? fillProperties(schema, filled, same) : filled;
}

function fillItems(schema: JsonObject, items: readonly JsonValue[], root: JsonSchema): JsonValue {
  const first = asList(schema['prefixItems']);
  return items.map((item, index) =>
    fill(asSchema(first[index] ?? schema['items']), item, { root, active: new Set() }),
  );
}

function fillProperties(schema: JsonObject, value: JsonObject, context: Context): JsonValue {
  const { root } = context;
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const filled = new Map(Object.entries(value));
  for (const [name, property] of Object.entries(properties)) {
    const present = filled.get(name);
    if (present !== undefined)
      filled.set(name, fill(asSchema(property), present, { root, active: new Set() }));
    else if (isJsonObject(property) && property['default'] !== undefined) {
      // A default may lack what its own properties have a default for.
      filled.set(name, fill(property, property['default'], context));
    }
  }
  return Object.fromEntries(filled);
}

function asList(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function asSchema(value: JsonValue | undefined): JsonSchema | undefined {
  return typeof value === 'boolean' || isJsonObject(value) ? value : undefined;
}
