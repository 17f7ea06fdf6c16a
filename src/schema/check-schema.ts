import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import type { SourceEntry, SourceMap, SourceNode } from '../source/source-document.ts';
import { toJson } from '../source/source-document.ts';
import { describeNode } from './words.ts';

/** What the value of a keyword must be. */
type Shape =
  | 'schema'
  | 'schemas by name'
  | 'list of schemas'
  | 'types'
  | 'names'
  | 'names by name'
  | 'text'
  | 'pattern'
  | 'format'
  | 'count'
  | 'number'
  | 'positive'
  | 'flag'
  | 'values'
  | 'list'
  | 'reference'
  | 'anything';

/** The keywords of JSON Schema 2020-12. */
const keywords: Readonly<Record<string, Shape>> = {
  $schema: 'text',
  $id: 'text',
  $ref: 'reference',
  $anchor: 'text',
  $comment: 'text',
  $defs: 'schemas by name',
  type: 'types',
  enum: 'values',
  const: 'anything',
  title: 'text',
  description: 'text',
  default: 'anything',
  examples: 'list',
  deprecated: 'flag',
  readOnly: 'flag',
  writeOnly: 'flag',
  allOf: 'list of schemas',
  anyOf: 'list of schemas',
  oneOf: 'list of schemas',
  not: 'schema',
  if: 'schema',
  then: 'schema',
  else: 'schema',
  properties: 'schemas by name',
  patternProperties: 'schemas by name',
  additionalProperties: 'schema',
  unevaluatedProperties: 'schema',
  propertyNames: 'schema',
  dependentSchemas: 'schemas by name',
  dependentRequired: 'names by name',
  required: 'names',
  minProperties: 'count',
  maxProperties: 'count',
  items: 'schema',
  prefixItems: 'list of schemas',
  unevaluatedItems: 'schema',
  contains: 'schema',
  minContains: 'count',
  maxContains: 'count',
  minItems: 'count',
  maxItems: 'count',
  uniqueItems: 'flag',
  minLength: 'count',
  maxLength: 'count',
  pattern: 'pattern',
  format: 'format',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  multipleOf: 'positive',
  contentEncoding: 'text',
  contentMediaType: 'text',
  contentSchema: 'schema',
};

const typeNames: readonly string[] = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];

/** The formats that are checked. */
export const formatNames: readonly string[] = [
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uri-reference',
  'uri-template',
  'uuid',
  'json-pointer',
  'relative-json-pointer',
  'regex',
];

/** What other languages call the types. */
const otherTypes: Readonly<Record<string, string>> = {
  str: 'string',
  text: 'string',
  int: 'integer',
  float: 'number',
  double: 'number',
  bool: 'boolean',
  list: 'array',
  map: 'object',
  dict: 'object',
};

/**
 * What is wrong with a JSON Schema (2020-12) an author wrote: values that keywords cannot have (`bad-schema`), and
 * keywords that do not exist (`unknown-keyword`), which the standard would ignore in silence.
 */
export function checkSchema(node: SourceNode): Finding[] {
  const checker = new SchemaChecker();
  checker.schema(node);
  return checker.findings;
}

/** The schemas directly inside of a schema; with `keyword` those under that keyword. */
export function subschemas(node: SourceMap, keyword?: string): SourceNode[] {
  return node.entries.flatMap(({ key, value }) => {
    const name = String(key.value);
    if (keyword !== undefined && keyword !== name) return [];
    const shape = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
    if (shape === 'schema') return [value];
    if (shape === 'list of schemas') return value.kind === 'list' ? value.items : [];
    if (shape === 'schemas by name')
      return value.kind === 'map' ? value.entries.map((entry) => entry.value) : [];
    return [];
  });
}

class SchemaChecker {
  readonly findings: Finding[] = [];

  schema(node: SourceNode): void {
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return;
    if (node.kind !== 'map') {
      const isTypeName =
        node.kind === 'scalar' && typeof node.value === 'string' && typeNames.includes(node.value);
      const help = isTypeName ? `write {type: ${node.value}}` : undefined;
      this.#report(
        node.span,
        `a JSON Schema is a map, not ${describeNode(node)}`,
        help === undefined ? {} : { help },
      );
      return;
    }
    for (const entry of node.entries) this.#keyword(node, entry);
    this.#checkRange(node, 'minLength', 'maxLength');
    this.#checkRange(node, 'minItems', 'maxItems');
    this.#checkRange(node, 'minProperties', 'maxProperties');
    this.#checkRange(node, 'minimum', 'maximum');
  }

  #keyword(schema: SourceMap, entry: SourceEntry): void {
    const keyword = String(entry.key.value);
    const shape = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined;
    if (shape !== undefined) {
      this.#shape(shape, keyword, entry.value);
      return;
    }
    const free = Object.keys(keywords).filter((name) => schema.get(name) === undefined);
    this.findings.push({
      rule: 'unknown-keyword',
      severity: 'error',
      message: `"${keyword}" is not a keyword of JSON Schema`,
      ...(misspelling(keyword, free) ?? { help: 'remove it; JSON Schema would ignore it in silence' }),
      span: entry.key.span,
    });
  }

  #shape(shape: Shape, keyword: string, node: SourceNode): void {
    const value = node.kind === 'scalar' ? node.value : undefined;
    switch (shape) {
      case 'anything':
        return;
      case 'schema':
        return this.schema(node);
      case 'schemas by name':
        if (node.kind !== 'map') return this.#wrong(keyword, 'a map of schemas', node);
        for (const entry of node.entries) this.schema(entry.value);
        return;
      case 'list of schemas':
        if (node.kind !== 'list' || node.items.length === 0) {
          return this.#wrong(keyword, 'a list of schemas', node);
        }
        for (const item of node.items) this.schema(item);
        return;
      case 'types':
        return this.#types(node);
      case 'names':
        return this.#names(keyword, node);
      case 'names by name':
        if (node.kind !== 'map') return this.#wrong(keyword, 'a map of lists of names', node);
        for (const entry of node.entries) this.#names(String(entry.key.value), entry.value);
        return;
      case 'values':
        if (node.kind !== 'list' || node.items.length === 0) {
          return this.#wrong(keyword, 'a list of values', node);
        }
        return this.#unique(keyword, node.items);
      case 'list':
        if (node.kind !== 'list') this.#wrong(keyword, 'a list', node);
        return;
      case 'text':
        if (typeof value !== 'string') this.#wrong(keyword, 'text', node);
        return;
      case 'reference':
        if (typeof value !== 'string' || value === '') {
          this.#wrong(keyword, 'a reference such as "#/$defs/name" or "../schemas/name.json"', node);
        }
        return;
      case 'format':
        if (typeof value !== 'string') return this.#wrong(keyword, 'text', node);
        if (formatNames.includes(value)) return;
        return this.#report(
          node.span,
          `"${value}" is not a format that is checked`,
          misspelling(value, formatNames) ?? { help: `the formats are ${formatNames.join(', ')}` },
        );
      case 'pattern':
        if (typeof value !== 'string') return this.#wrong(keyword, 'a regular expression', node);
        return this.#pattern(value, node.span);
      case 'count':
        if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
          this.#wrong(keyword, 'a whole number, 0 or more', node);
        }
        return;
      case 'number':
        if (typeof value !== 'number') this.#wrong(keyword, 'a number', node);
        return;
      case 'positive':
        if (typeof value !== 'number' || value <= 0) this.#wrong(keyword, 'a number above 0', node);
        return;
      case 'flag':
        if (typeof value !== 'boolean') this.#wrong(keyword, 'true or false', node);
        return;
    }
  }

  #types(node: SourceNode): void {
    if (node.kind === 'map' || (node.kind === 'list' && node.items.length === 0)) {
      return this.#wrong('type', 'a type or a list of types', node);
    }
    const items = node.kind === 'list' ? node.items : [node];
    for (const item of items) {
      const value = item.kind === 'scalar' ? item.value : undefined;
      if (typeof value === 'string' && typeNames.includes(value)) continue;
      // An unquoted `null` is the type without its quotes.
      const isNull = value === null && item.span.end > item.span.start;
      const advice = isNull ? { help: "quote it: 'null'" } : typeSuggestion(value);
      this.#report(item.span, `${isNull ? 'null without quotes' : describeNode(item)} is not a type`, advice);
    }
    if (node.kind === 'list') this.#unique('type', node.items);
  }

  #names(keyword: string, node: SourceNode): void {
    if (node.kind !== 'list') {
      const help =
        keyword === 'required'
          ? 'name the required properties beside "properties": required: [a, b]; an input is required unless it has a default'
          : undefined;
      return this.#wrong(keyword, 'a list of names', node, help);
    }
    for (const item of node.items) {
      if (item.kind !== 'scalar' || typeof item.value !== 'string') {
        this.#wrong(`an item of ${keyword}`, 'a name', item);
      }
    }
    this.#unique(keyword, node.items);
  }

  #unique(keyword: string, items: readonly SourceNode[]): void {
    const seen = new Set<string>();
    for (const item of items) {
      const value = JSON.stringify(toJson(item));
      if (seen.has(value))
        this.#report(item.span, `${value} is in "${keyword}" twice`, { help: 'remove one of the two' });
      seen.add(value);
    }
  }

  #pattern(source: string, span: Span): void {
    try {
      new RegExp(source, 'u');
    } catch (error) {
      const reason =
        error instanceof Error ? error.message.replace(/^Invalid regular expression: .*\/\w*: /s, '') : '';
      this.#report(span, `"${source}" is not a regular expression: ${reason}`);
    }
  }

  #checkRange(schema: SourceMap, low: string, high: string): void {
    const lower = schema.get(low)?.value;
    const upper = schema.get(high)?.value;
    if (lower?.kind !== 'scalar' || upper?.kind !== 'scalar') return;
    if (typeof lower.value !== 'number' || typeof upper.value !== 'number') return;
    if (lower.value > upper.value) this.#report(upper.span, `no value fits: "${high}" is less than "${low}"`);
  }

  #wrong(keyword: string, expected: string, node: SourceNode, help?: string): void {
    const found = node.kind === 'list' && node.items.length === 0 ? 'an empty list' : describeNode(node);
    this.#report(
      node.span,
      `"${keyword}" must be ${expected}, not ${found}`,
      help === undefined ? {} : { help },
    );
  }

  #report(span: Span, message: string, advice?: Advice): void {
    this.findings.push({
      rule: 'bad-schema',
      severity: 'error',
      message,
      ...advice,
      span,
    });
  }
}

/** What to do about a finding. */
type Advice = Pick<Finding, 'help' | 'misspelt'>;

function typeSuggestion(value: unknown): Advice {
  if (typeof value !== 'string') return ofTypes;
  const known = otherTypes[value.toLowerCase()];
  if (known !== undefined) return { help: `write ${known}`, misspelt: { written: value, meant: known } };
  return misspelling(value, typeNames) ?? ofTypes;
}

const ofTypes: Advice = { help: `the types are ${typeNames.join(', ')}` };
