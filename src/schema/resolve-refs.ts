import { posix } from 'node:path';
import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import { type SourceNode, toJson } from '../source/source-document.ts';
import type { JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { checkSchema, subschemas } from './check-schema.ts';

/** The text of a file of the project (path relative to its root), or `undefined` when there is none. */
export type ReadSchemaFile = (path: string) => string | undefined;

export interface ResolvedSchema {
  /** Stands alone: every `$ref` in it begins with `#`. */
  readonly schema: JsonSchema;
  readonly findings: readonly Finding[];
}

/**
 * A schema with what its references to other files name taken in under `$defs`, so that it stands alone; recursion
 * stays a reference. `node` is where the schema is written in `file`. Files are JSON or YAML, with or without
 * `#/pointer`, relative to the file they are named in. What cannot be found is a finding `missing-schema` and becomes a
 * schema that allows everything, so that nothing follows from it.
 */
export function resolveRefs(
  schema: JsonSchema,
  file: string,
  node: SourceNode,
  readFile: ReadSchemaFile,
): ResolvedSchema {
  if (!isJsonObject(schema)) return { schema, findings: [] };
  const resolver = new Resolver(readFile, Object.keys(isJsonObject(schema['$defs']) ? schema['$defs'] : {}));
  const own = resolver.rewrite(schema, { file, root: schema, node, isOwn: true }, node);
  if (!isJsonObject(own) || resolver.defs.size === 0) return { schema: own, findings: resolver.findings };
  const defs = { ...(isJsonObject(own['$defs']) ? own['$defs'] : {}), ...Object.fromEntries(resolver.defs) };
  return { schema: { ...own, $defs: defs }, findings: resolver.findings };
}

/** Paths of the files that a schema written in `file` names directly, for whoever has to load them before. */
export function schemaFilesOf(node: SourceNode, file: string): string[] {
  const paths = new Set<string>();
  const visit = (schema: SourceNode): void => {
    if (schema.kind !== 'map') return;
    const reference = schema.get('$ref')?.value;
    if (
      reference?.kind === 'scalar' &&
      typeof reference.value === 'string' &&
      !reference.value.startsWith('#')
    ) {
      const path = pathOf(reference.value.split('#')[0] ?? '', file);
      if (path !== undefined) paths.add(path);
    }
    for (const inner of subschemas(schema)) visit(inner);
  };
  visit(node);
  return [...paths];
}

/** The part of a schema that `#`, `#/a/b` names, or `undefined`. */
export function findPointer(root: JsonSchema, reference: string): JsonSchema | undefined {
  const keys = pointerKeys(reference);
  if (keys === undefined) return undefined;
  let current: JsonValue | undefined = root;
  for (const key of keys) {
    if (Array.isArray(current)) current = (current as readonly JsonValue[])[Number(key)];
    else current = isJsonObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  }
  return typeof current === 'boolean' || isJsonObject(current) ? current : undefined;
}

/** A file with schemas in it. */
interface SchemaSource {
  readonly file: string;
  readonly root: JsonSchema;
  readonly node: SourceNode;
  /** The schema that is being resolved: its own references stay as they are. */
  readonly isOwn: boolean;
}

class Resolver {
  readonly findings: Finding[] = [];
  readonly defs = new Map<string, JsonSchema>();
  readonly #readFile: ReadSchemaFile;
  readonly #sources = new Map<string, SchemaSource | undefined>();
  /** `file#pointer` → its name under `$defs`. */
  readonly #names = new Map<string, string>();
  readonly #taken: Set<string>;

  constructor(readFile: ReadSchemaFile, taken: readonly string[]) {
    this.#readFile = readFile;
    this.#taken = new Set(taken);
  }

  rewrite(schema: JsonSchema, source: SchemaSource, node: SourceNode): JsonSchema {
    if (!isJsonObject(schema) || node.kind !== 'map') return schema;
    const entries = Object.entries(schema).flatMap(([key, value]): [string, JsonValue][] => {
      // Names of files mean nothing to the result, and would make two schemas with one `$id` collide.
      if (key === '$schema' || key === '$id') return [];
      const inner = node.get(key)?.value;
      if (inner === undefined) return [[key, value]];
      if (key === '$ref' && typeof value === 'string') {
        const reference = this.#reference(value, source, inner.span);
        return reference === undefined ? [] : [[key, reference]];
      }
      return [[key, this.#keyword(key, value, source, node, inner)]];
    });
    return Object.fromEntries(entries);
  }

  #keyword(
    key: string,
    value: JsonValue,
    source: SchemaSource,
    node: SourceNode,
    inner: SourceNode,
  ): JsonValue {
    const schemas = new Set(node.kind === 'map' ? subschemas(node, key) : []);
    if (schemas.size === 0) return value;
    if (schemas.has(inner)) return this.rewrite(value as JsonSchema, source, inner);
    if (inner.kind === 'list' && Array.isArray(value)) {
      return inner.items.map((item, index) => this.rewrite(value[index] as JsonSchema, source, item));
    }
    if (inner.kind === 'map' && isJsonObject(value)) {
      return Object.fromEntries(
        inner.entries.map(({ key: name, value: item }) => {
          const property = String(name.value);
          return [property, this.rewrite(value[property] as JsonSchema, source, item)];
        }),
      );
    }
    return value;
  }

  /** The reference as it stands in the result. */
  #reference(reference: string, source: SchemaSource, span: Span): string | undefined {
    const [path, fragment] = splitReference(reference);
    if (path === '' && source.isOwn) {
      return this.#finds(source, `#${fragment}`, span) ? reference : undefined;
    }
    const target = path === '' ? source : this.#load(path, source, span);
    if (target === undefined || !this.#finds(target, `#${fragment}`, span)) return undefined;

    const key = `${target.file}#${fragment}`;
    const known = this.#names.get(key);
    if (known !== undefined) return `#/$defs/${known}`;
    const name = this.#freeName(fragment === '' ? target.file : fragment);
    this.#names.set(key, name);
    // The name is taken before its schema is rewritten, so that recursion ends at a reference.
    this.defs.set(name, true);
    const node = findNode(target.node, fragment);
    const schema = findPointer(target.root, `#${fragment}`) ?? true;
    this.defs.set(name, node === undefined ? schema : this.rewrite(schema, target, node));
    return `#/$defs/${name}`;
  }

  #finds(source: SchemaSource, reference: string, span: Span): boolean {
    if (findPointer(source.root, reference) !== undefined) return true;
    const keys = pointerKeys(reference);
    const last = keys?.at(-1);
    const beside = keys && findPointer(source.root, `#/${keys.slice(0, -1).join('/')}`.replace(/\/$/, ''));
    const names = isJsonObject(beside) ? Object.keys(beside) : [];
    const where = source.isOwn ? 'this schema' : source.file;
    this.#report(
      span,
      keys === undefined
        ? `"${reference}" is not a JSON pointer`
        : `there is no schema at "${reference}" in ${where}`,
      (last === undefined ? undefined : suggest(last, names)) ??
        (keys === undefined ? 'write "#/$defs/name"' : undefined),
    );
    return false;
  }

  #load(path: string, from: SchemaSource, span: Span): SchemaSource | undefined {
    const file = pathOf(path, from.file);
    if (file === undefined) {
      const message = /^[a-z][a-z0-9+.-]*:/i.test(path)
        ? `schemas are not fetched: "${path}"`
        : `"${path}" is outside the project`;
      this.#report(span, message, 'keep the schema in a file of the project');
      return undefined;
    }
    if (this.#sources.has(file)) return this.#sources.get(file);
    const text = this.#readFile(file);
    if (text === undefined) {
      this.#report(span, `there is no file ${file}`);
      return undefined;
    }
    const source = this.#parse(file, text);
    this.#sources.set(file, source);
    return source;
  }

  /** `undefined` for a file that is broken, which is told where it is broken. */
  #parse(file: string, text: string): SchemaSource | undefined {
    const document = parseYaml(file, text);
    this.findings.push(...document.findings);
    const isBroken = document.findings.some((finding) => finding.severity === 'error');
    if (document.root === undefined) {
      if (!isBroken)
        this.#report({ file, start: 0, end: 0 }, 'the file is empty, but should hold a JSON Schema');
      return undefined;
    }
    const faults = isBroken ? [] : checkSchema(document.root);
    this.findings.push(...faults);
    if (isBroken || faults.length > 0) return undefined;
    return { file, root: toJson(document.root) as JsonSchema, node: document.root, isOwn: false };
  }

  #freeName(text: string): string {
    const base =
      posix
        .basename(text)
        .replace(/\.(?:schema\.)?(?:json|ya?ml)$/, '')
        .replace(/[^\w-]+/g, '-') || 'schema';
    let name = base;
    for (let count = 2; this.#taken.has(name); count++) name = `${base}-${count}`;
    this.#taken.add(name);
    return name;
  }

  #report(span: Span, message: string, help?: string): void {
    this.findings.push({
      rule: 'missing-schema',
      severity: 'error',
      message,
      ...(help === undefined ? {} : { help }),
      span,
    });
  }
}

function splitReference(reference: string): [path: string, fragment: string] {
  const hash = reference.indexOf('#');
  return hash < 0 ? [reference, ''] : [reference.slice(0, hash), reference.slice(hash + 1)];
}

/** A path of the project, or `undefined` for what leaves it. */
function pathOf(path: string, from: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(path) || path.startsWith('/')) return undefined;
  const joined = posix.normalize(posix.join(posix.dirname(from), decoded(path)));
  return joined.startsWith('..') ? undefined : joined;
}

/** `undefined` for an anchor or anything else that is no JSON pointer. */
function pointerKeys(reference: string): string[] | undefined {
  if (!reference.startsWith('#')) return undefined;
  const pointer = decoded(reference.replace(/^#/, ''));
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function findNode(root: SourceNode, fragment: string): SourceNode | undefined {
  let current: SourceNode | undefined = root;
  for (const key of pointerKeys(`#${fragment}`) ?? []) {
    if (current?.kind === 'list') current = current.items[Number(key)];
    else current = current?.kind === 'map' ? current.get(key)?.value : undefined;
  }
  return current;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
