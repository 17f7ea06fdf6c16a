import type { DocumentKind } from './validate.ts';
import { schemaDocuments } from './validate.ts';
import type { WalkedSchema } from './schema-walker.ts';

/** A part of one of our schemas, with the document that its references are relative to. */
export interface SchemaPart {
  readonly schema: WalkedSchema;
  readonly document: WalkedSchema;
}

/** What a schema says of one key. */
export interface KeyInfo {
  readonly name: string;
  readonly description: string | undefined;
  readonly required: boolean;
  /** The kinds of values that it takes, for people: `string or list`. */
  readonly takes: string;
}

/**
 * The parts of a file's schema that say what may stand at a path of keys and indexes; several where there is a choice,
 * none where an author says what may stand there.
 */
export function schemasAt(kind: DocumentKind, path: readonly (string | number)[]): readonly SchemaPart[] {
  let parts = alternatives({ schema: schemaDocuments[kind], document: schemaDocuments[kind] });
  for (const key of path) parts = parts.flatMap((part) => below(part, key)).flatMap(alternatives);
  return parts;
}

/** The keys of a map, the required ones first. */
export function keysOf(parts: readonly SchemaPart[]): readonly KeyInfo[] {
  const found = new Map<string, KeyInfo>();
  for (const { schema, document } of parts) {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      if (found.has(name)) continue;
      const all = alternatives({ schema: inner, document });
      found.set(name, {
        name,
        description: descriptionOf({ schema: inner, document }),
        required: schema.required?.includes(name) === true,
        takes: [...new Set(all.flatMap(({ schema: one }) => kindsOf(one)))].join(' or '),
      });
    }
  }
  return [...found.values()].sort((a, b) => Number(b.required) - Number(a.required));
}

/** All that a value can be, where a schema lists it; booleans as well. */
export function valuesOf(parts: readonly SchemaPart[]): readonly string[] {
  const values = parts.flatMap(({ schema }) => [
    ...(schema.enum ?? []).map(String),
    ...([schema.type].flat().includes('boolean') ? ['true', 'false'] : []),
  ]);
  return [...new Set(values)];
}

/** What a schema says of itself, or what it refers to does. */
export function descriptionOf(part: SchemaPart): string | undefined {
  const own = (part.schema as { readonly description?: string }).description;
  if (own !== undefined) return own;
  const target = referred(part);
  return target && descriptionOf(target);
}

function kindsOf(schema: WalkedSchema): readonly string[] {
  const names: Readonly<Record<string, string>> = { array: 'list', object: 'map' };
  if (schema.enum) return schema.enum.map(String);
  return [schema.type ?? []].flat().map((type) => names[type] ?? type);
}

function below({ schema, document }: SchemaPart, key: string | number): readonly SchemaPart[] {
  if (typeof key === 'number') return schema.items ? [{ schema: schema.items, document }] : [];
  const named = schema.properties?.[key];
  if (named) return [{ schema: named, document }];
  const { additionalProperties: others } = schema;
  return others === undefined || others === false ? [] : [{ schema: others, document }];
}

/** A schema with all that it refers to or offers as a choice, itself first. */
function alternatives(part: SchemaPart): readonly SchemaPart[] {
  const target = referred(part);
  const choices = part.schema.anyOf ?? [];
  return [
    part,
    ...(target ? alternatives(target) : []),
    ...choices.flatMap((schema) => alternatives({ schema, document: part.document })),
  ];
}

function referred({ schema, document }: SchemaPart): SchemaPart | undefined {
  const { $ref } = schema;
  // What an author may write as a JSON Schema is not said here.
  if ($ref === undefined || $ref.startsWith('https:')) return undefined;
  const [file = '', name = ''] = $ref.split('#/$defs/');
  const home =
    file === '' ? document : schemaDocuments[file === 'formula.schema.json' ? 'formula' : 'common'];
  const found = home.$defs?.[name];
  return found && { schema: found, document: home };
}
