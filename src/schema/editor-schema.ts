import aspectSchema from '../../schemas/aspect.schema.json' with { type: 'json' };
import commonSchema from '../../schemas/common.schema.json' with { type: 'json' };
import formulaSchema from '../../schemas/formula.schema.json' with { type: 'json' };
import moleculeSchema from '../../schemas/molecule.schema.json' with { type: 'json' };
import projectSchema from '../../schemas/project.schema.json' with { type: 'json' };
import testSchema from '../../schemas/test.schema.json' with { type: 'json' };
import type { JsonObject, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { DocumentKind } from './validate.ts';

/** Kinds of files that people write. */
type WrittenKind = Exclude<DocumentKind, 'lock'>;

const schemas: Readonly<Record<WrittenKind, JsonObject>> = {
  aspect: aspectSchema,
  formula: formulaSchema as unknown as JsonObject,
  molecule: moleculeSchema,
  project: projectSchema,
  test: testSchema as unknown as JsonObject,
};

/** Schemas that others refer to, and what their definitions are called when they stand in those. */
const SHARED: Readonly<Record<string, { readonly prefix: string; readonly $defs: JsonObject }>> = {
  'common.schema.json': { prefix: 'common_', $defs: commonSchema.$defs as unknown as JsonObject },
  'formula.schema.json': { prefix: 'formula_', $defs: formulaSchema.$defs as unknown as JsonObject },
};

/**
 * The schema of one kind of file for an editor: whole in itself, so that nothing is fetched from anywhere, and without
 * what only our own checks understand.
 */
export function editorSchema(kind: WrittenKind): JsonObject {
  const { $defs, ...own } = forEditor(schemas[kind]) as JsonObject;
  const { $defs: rules, ...aspect } = forEditor(schemas.aspect) as JsonObject;
  const isShared = kind === 'formula';
  // Formulas and aspects stand in one folder, so that an editor has one schema for both.
  const schema: JsonObject = isShared
    ? {
        $schema: own['$schema'] as JsonValue,
        title: 'Formula or aspect',
        if: { required: ['aspect'] },
        then: aspect,
        else: own,
      }
    : own;
  const shared = Object.values(SHARED).flatMap(({ prefix, $defs: definitions }) =>
    Object.entries(forEditor(definitions) as JsonObject).map(
      ([name, one]) => [`${prefix}${name}`, one] as const,
    ),
  );
  const all: JsonObject = {
    ...($defs as JsonObject | undefined),
    ...(isShared && (rules as JsonObject)),
    ...Object.fromEntries(shared),
  };
  const read = namesRead(schema, all, new Set());
  return { ...schema, $defs: Object.fromEntries(Object.entries(all).filter(([name]) => read.has(name))) };
}

/** Names under `$defs` that a schema needs, those that they need included. */
function namesRead(schema: JsonValue, all: JsonObject, read: Set<string>): ReadonlySet<string> {
  for (const [, name = ''] of JSON.stringify(schema).matchAll(/"#\/\$defs\/(\w+)"/g)) {
    if (read.has(name)) continue;
    read.add(name);
    namesRead(all[name] ?? {}, all, read);
  }
  return read;
}

function forEditor(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => forEditor(item));
  if (!isJsonObject(value)) return value;
  const { $ref } = value;
  // An input's own schema is looked at by `wf check`; here it is enough that it is one.
  if (typeof $ref === 'string' && $ref.startsWith('https://')) return { type: ['object', 'boolean'] };
  const entries = Object.entries(value).flatMap(([key, inner]): [string, JsonValue][] => {
    if (key === '$id' || key.startsWith('x-')) return [];
    if (key === '$ref' && typeof inner === 'string') {
      const [file = '', path = ''] = inner.split('#/$defs/');
      const shared = SHARED[file];
      return [[key, shared ? `#/$defs/${shared.prefix}${path}` : inner]];
    }
    return [[key, forEditor(inner)]];
  });
  return Object.fromEntries(entries);
}
