import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { findPointer } from '../schema/resolve-refs.ts';
import type { ObjectType, Property, Type } from './types.ts';

/**
 * The shape of the values a JSON Schema allows, as far as reading them goes. `$ref`s must be within the schema; one that
 * leads back to itself is `any` where it comes again. What only limits values (`not`, `if`, lengths, patterns) is left
 * aside. An object with `properties` and without `additionalProperties` has no others, since whoever declares
 * properties means those; one without `properties` has any.
 */
export function typeOf(schema: JsonSchema): Type {
  return new Reader(schema).type(schema);
}

const any: Type = { kind: 'any' };

/** Stands for a schema that allows nothing; dropped from unions. */
const never: Type = { kind: 'union', of: [] };

class Reader {
  readonly #root: JsonSchema;
  readonly #open = new Set<JsonSchema>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  type(schema: JsonValue | undefined): Type {
    if (schema === false) return never;
    if (!isJsonObject(schema)) return any;
    if (this.#open.has(schema)) return any;
    this.#open.add(schema);
    const type = this.#read(schema);
    this.#open.delete(schema);
    return type;
  }

  #read(schema: JsonObject): Type {
    const parts: Type[] = [];
    if ('const' in schema) parts.push(literals([schema['const'] ?? null]));
    if (Array.isArray(schema['enum'])) parts.push(literals(schema['enum'] as JsonValue[]));
    if (typeof schema['$ref'] === 'string') parts.push(this.type(findPointer(this.#root, schema['$ref'])));
    for (const part of list(schema['allOf'])) parts.push(this.type(part));
    for (const keyword of ['anyOf', 'oneOf']) {
      const branches = list(schema[keyword]);
      if (branches.length > 0) parts.push(union(branches.map((branch) => this.type(branch))));
    }
    const own = this.#own(schema);
    return [...parts, ...(own === undefined ? [] : [own])].reduce(both, any);
  }

  /** What `type` and the keywords of objects and lists say. */
  #own(schema: JsonObject): Type | undefined {
    const types = [schema['type']].flat().filter((type) => typeof type === 'string');
    if (types.length > 0) return union(types.map((type) => this.#ofType(type, schema)));
    // Without `type` the keywords of an object only matter if it is one, but whoever writes them means one.
    if ('properties' in schema) return this.#object(schema);
    if ('items' in schema || 'prefixItems' in schema) return this.#list(schema);
    if (Array.isArray(schema['required'])) return this.#object(schema);
    return undefined;
  }

  #ofType(type: string, schema: JsonObject): Type {
    switch (type) {
      case 'null':
        return { kind: 'null' };
      case 'boolean':
        return { kind: 'bool' };
      case 'integer':
        return { kind: 'int' };
      case 'number':
        return { kind: 'number' };
      case 'string':
        return { kind: 'string' };
      case 'array':
        return this.#list(schema);
      case 'object':
        return this.#object(schema);
      default:
        return any;
    }
  }

  #list(schema: JsonObject): Type {
    const first = list(schema['prefixItems']).map((item) => this.type(item));
    const hasRest = schema['items'] !== undefined || first.length === 0;
    const rest = hasRest ? [this.type(schema['items'])] : [any];
    const items = union(schema['items'] === false ? first : [...first, ...rest]);
    return { kind: 'list', items: isNever(items) ? any : items };
  }

  #object(schema: JsonObject): ObjectType {
    const required = new Set(list(schema['required']));
    const declared = isJsonObject(schema['properties']) ? schema['properties'] : {};
    const properties = new Map<string, Property>();
    for (const [name, property] of Object.entries(declared)) {
      const type = this.type(property);
      if (!isNever(type)) properties.set(name, { type, required: required.has(name) });
    }
    for (const name of required) {
      if (typeof name === 'string' && !properties.has(name)) {
        properties.set(name, { type: this.#rest(schema) ?? any, required: true });
      }
    }
    return { kind: 'object', properties, rest: this.#rest(schema) };
  }

  #rest(schema: JsonObject): Type | undefined {
    const rest = schema['additionalProperties'] ?? schema['unevaluatedProperties'];
    const patterns = isJsonObject(schema['patternProperties'])
      ? Object.values(schema['patternProperties'])
      : [];
    if (patterns.length > 0) {
      const types = patterns.map((pattern) => this.type(pattern));
      return union(rest === undefined || rest === false ? types : [...types, this.type(rest)]);
    }
    if (rest === false) return undefined;
    if (rest === undefined) return 'properties' in schema ? undefined : any;
    return this.type(rest);
  }
}

/** The type of values that are listed one by one. */
function literals(values: readonly JsonValue[]): Type {
  const texts = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value === 'number');
  const flags = values.filter((value) => typeof value === 'boolean');
  const of: Type[] = [];
  if (texts.length > 0) of.push({ kind: 'string', values: texts });
  if (numbers.length > 0)
    of.push({ kind: numbers.every(Number.isInteger) ? 'int' : 'number', values: numbers });
  if (flags.length > 0) of.push({ kind: 'bool', values: flags });
  for (const value of values) {
    if (value === null) of.push({ kind: 'null' });
    else if (Array.isArray(value))
      of.push({ kind: 'list', items: union(value.map((item) => literals([item as JsonValue]))) });
    else if (isJsonObject(value)) of.push(literalObject(value));
  }
  return union(of);
}

function literalObject(value: JsonObject): ObjectType {
  const properties = Object.entries(value).map(([name, inner]): [string, Property] => [
    name,
    { type: literals([inner]), required: true },
  ]);
  return { kind: 'object', properties: new Map(properties), rest: undefined };
}

/**
 * One type for values of any of the given ones: unions within are taken apart, equal kinds of scalars and all lists
 * become one, and `any` swallows the rest.
 */
export function union(types: readonly Type[]): Type {
  const members: Type[] = [];
  for (const type of types.flatMap((member) => (member.kind === 'union' ? member.of : [member]))) {
    if (type.kind === 'any') return any;
    const index = members.findIndex((member) => joined(member, type) !== undefined);
    const known = members[index];
    if (known === undefined) members.push(type);
    else members[index] = joined(known, type) ?? known;
  }
  const [only] = members;
  return members.length === 1 && only !== undefined ? only : { kind: 'union', of: members };
}

/** One type for both, where that says no less; `undefined` where a union must. */
function joined(a: Type, b: Type): Type | undefined {
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', items: union([a.items, b.items]) };
  if (a.kind !== b.kind) return undefined;
  switch (a.kind) {
    case 'null':
      return a;
    case 'bool':
      return { kind: 'bool', ...merged(a.values, (b as typeof a).values) };
    case 'int':
      return { kind: 'int', ...merged(a.values, (b as typeof a).values) };
    case 'number':
      return { kind: 'number', ...merged(a.values, (b as typeof a).values) };
    case 'string':
      return { kind: 'string', ...merged(a.values, (b as typeof a).values) };
    case 'any':
    case 'list':
    case 'object':
    case 'union':
      return undefined;
  }
}

function merged<T>(a: readonly T[] | undefined, b: readonly T[] | undefined): { values?: readonly T[] } {
  return a === undefined || b === undefined ? {} : { values: [...new Set([...a, ...b])] };
}

/** The type of values that are of both types. */
function both(a: Type, b: Type): Type {
  if (a.kind === 'any') return b;
  if (b.kind === 'any') return a;
  if (a.kind === 'union') return union(a.of.map((member) => both(member, b)));
  if (b.kind === 'union') return union(b.of.map((member) => both(a, member)));
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', items: both(a.items, b.items) };
  if (a.kind === 'object' && b.kind === 'object') return bothObjects(a, b);
  if (a.kind === 'number' && b.kind === 'int') return { kind: 'int', ...common(whole(a.values), b.values) };
  if (a.kind === 'int' && b.kind === 'number') return { kind: 'int', ...common(a.values, whole(b.values)) };
  if (a.kind !== b.kind) return never;
  switch (a.kind) {
    case 'bool':
      return { kind: 'bool', ...common(a.values, (b as typeof a).values) };
    case 'int':
      return { kind: 'int', ...common(a.values, (b as typeof a).values) };
    case 'number':
      return { kind: 'number', ...common(a.values, (b as typeof a).values) };
    case 'string':
      return { kind: 'string', ...common(a.values, (b as typeof a).values) };
    case 'null':
    case 'list':
    case 'object':
      return a;
  }
}

function whole(values: readonly number[] | undefined): readonly number[] | undefined {
  return values?.filter(Number.isInteger);
}

function common<T>(a: readonly T[] | undefined, b: readonly T[] | undefined): { values?: readonly T[] } {
  if (a === undefined) return b === undefined ? {} : { values: b };
  return { values: b === undefined ? a : a.filter((value) => b.includes(value)) };
}

// Parts of an `allOf` usually add properties to each other, so what one of them does not list is no mistake: the result
// is closed only in the sense that reading what none of them lists is one.
function bothObjects(a: ObjectType, b: ObjectType): ObjectType {
  const properties = new Map<string, Property>();
  for (const name of new Set([...a.properties.keys(), ...b.properties.keys()])) {
    const inA = a.properties.get(name);
    const inB = b.properties.get(name);
    const type = both(inA?.type ?? a.rest ?? any, inB?.type ?? b.rest ?? any);
    properties.set(name, { type, required: inA?.required === true || inB?.required === true });
  }
  const rest = a.rest === undefined || b.rest === undefined ? undefined : both(a.rest, b.rest);
  return { kind: 'object', properties, rest };
}

function isNever(type: Type): boolean {
  return type.kind === 'union' && type.of.length === 0;
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}
