import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { suggest } from '../diagnostics/suggest.ts';
import { compileSchema } from '../schema/validate-value.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import { toJson } from '../source/source-document.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { UsageError } from './usage-error.ts';

type Schemas = Readonly<Record<string, JsonSchema>>;

/** Where inputs are given on a command line. */
export interface GivenInputs {
  readonly flags: readonly string[];
  readonly file: string | undefined;
  readonly cwd: string;
}

/** The inputs of a run, as {@link readGivenInputs}. One that has no value and no default is an error. */
export function readInputs(formula: string, schemas: Schemas, given: GivenInputs): JsonObject {
  const values = readGivenInputs(formula, schemas, given);
  for (const [name, schema] of Object.entries(schemas)) {
    if (name in values || (isJsonObject(schema) && schema['default'] !== undefined)) continue;
    throw missingInput(formula, name, schema);
  }
  return values;
}

/**
 * Inputs from `-i name=value` flags and an `--inputs` file (JSON or YAML, `-` for standard input); a flag wins over the
 * file. What has no value here gets its default later. Throws a {@link UsageError} that names the input.
 */
export function readGivenInputs(formula: string, schemas: Schemas, given: GivenInputs): JsonObject {
  const values: Record<string, JsonValue> = {
    ...(given.file === undefined ? {} : fileInputs(given.file, given.cwd)),
  };
  for (const flag of given.flags) {
    const [name, text] = splitFlag(flag);
    values[name] = parseInput(name, text, schemas[name] ?? true, given.cwd);
  }
  for (const [name, value] of Object.entries(values)) {
    const schema = schemas[name];
    if (schema === undefined) throw unknownInput(formula, name, Object.keys(schemas));
    const [problem] = compileSchema(schema, name)(value);
    if (problem)
      throw new UsageError(`input "${name}" does not fit: ${problem.message}`, describe(name, schema));
  }
  return values;
}

/** Says that an input has to be given. */
export function missingInput(formula: string, name: string, schema: JsonSchema): UsageError {
  return new UsageError(
    `input "${name}" of formula "${formula}" has no value and no default`,
    describe(name, schema),
  );
}

function splitFlag(flag: string): [name: string, value: string] {
  const at = flag.indexOf('=');
  if (at > 0) return [flag.slice(0, at), flag.slice(at + 1)];
  throw new UsageError(`-i ${flag} is not name=value`, `write -i ${flag.replace(/=.*/, '') || 'name'}=value`);
}

/** Text as a value, by its schema: `@file` is the file's content, and what is no plain text is JSON. */
function parseInput(name: string, text: string, schema: JsonSchema, cwd: string): JsonValue {
  const content = text.startsWith('@@')
    ? text.slice(1)
    : text.startsWith('@')
      ? fileText(name, text.slice(1), cwd)
      : text;
  const types = typesOf(schema);
  if (types !== undefined && types.every((type) => type === 'string')) return content;
  const json = parseJson(content);
  // Of what may be text or something else, text is what reads as nothing else.
  if (json !== undefined && (types === undefined || types.some((type) => hasType(json, type)))) return json;
  if (types === undefined || types.includes('string')) return content;
  throw new UsageError(
    `input "${name}" does not fit: ${JSON.stringify(shorten(content))} is no ${types.join(' or ')}`,
    describe(name, schema),
  );
}

function typesOf(schema: JsonSchema): readonly string[] | undefined {
  if (!isJsonObject(schema)) return undefined;
  const { type, enum: values } = schema;
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return type as readonly string[];
  const examples = Array.isArray(values)
    ? (values as readonly JsonValue[])
    : 'const' in schema
      ? [schema['const']]
      : undefined;
  return examples?.every((value) => typeof value === 'string') === true ? ['string'] : undefined;
}

function hasType(value: JsonValue, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isJsonObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function fileText(name: string, path: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch (error) {
    throw new UsageError(
      `input "${name}": ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      'a value that begins with @ is the name of a file; @@ stands for one @',
    );
  }
}

function fileInputs(path: string, cwd: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : resolve(cwd, path), 'utf8');
  } catch (error) {
    throw new UsageError(
      `--inputs ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
  const { root, findings } = parseYaml(path, text);
  const [problem] = findings.filter((finding) => finding.severity === 'error');
  if (problem) throw new UsageError(`--inputs ${path}: ${problem.message}`);
  const value = root ? toJson(root) : {};
  if (!isJsonObject(value))
    throw new UsageError(`--inputs ${path} has to hold inputs by name`, 'for instance {"version": "1.2.0"}');
  return value;
}

function unknownInput(formula: string, name: string, known: readonly string[]): UsageError {
  const hint =
    suggest(name, known) ?? (known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`);
  return new UsageError(`formula "${formula}" has no input "${name}"`, hint);
}

/** What an input takes, for whoever has just given it something else. */
function describe(name: string, schema: JsonSchema): string {
  const { description, type, enum: values } = isJsonObject(schema) ? schema : ({} as JsonObject);
  const takes = Array.isArray(values)
    ? `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`
    : typeof type === 'string'
      ? type
      : Array.isArray(type)
        ? type.join(' or ')
        : 'a value';
  return `-i ${name}=<${takes}>${typeof description === 'string' ? `: ${description}` : ''}`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
