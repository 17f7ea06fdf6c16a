import type { JsonSchema, JsonValue } from '../support/json.ts';
import { BoundedRegExp } from './bounded-reg-exp.ts';

/** Keywords that say nothing about a value. */
const annotations: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$comment',
]);

/**
 * Whether a value surely satisfies a schema of the plain kind that most inputs have: a type, an enum, bounds. Where it
 * is not sure the answer is false, and the validator has to be asked.
 */
export function surelyFits(schema: JsonSchema, value: JsonValue): boolean {
  if (typeof schema === 'boolean') return schema;
  return Object.entries(schema).every(
    ([keyword, asked]) => annotations.has(keyword) || surelyAllows(keyword, asked, value),
  );
}

function surelyAllows(keyword: string, asked: JsonValue, value: JsonValue): boolean {
  switch (keyword) {
    case 'type':
      return (Array.isArray(asked) ? (asked as readonly JsonValue[]) : [asked]).some((type) =>
        hasType(value, type),
      );
    case 'enum':
      return Array.isArray(asked) && asked.includes(value);
    case 'pattern':
      return typeof asked === 'string' && typeof value === 'string' && surelyMatches(asked, value);
    case 'items':
      return (
        Array.isArray(value) &&
        (value as readonly JsonValue[]).every((item) => surelyFits(asked as JsonSchema, item))
      );
  }
  if (typeof asked !== 'number') return false;
  switch (keyword) {
    case 'minLength':
      return typeof value === 'string' && lengthOf(value) >= asked;
    case 'maxLength':
      return typeof value === 'string' && lengthOf(value) <= asked;
    case 'minimum':
      return typeof value === 'number' && value >= asked;
    case 'maximum':
      return typeof value === 'number' && value <= asked;
    case 'minItems':
      return Array.isArray(value) && value.length >= asked;
    case 'maxItems':
      return Array.isArray(value) && value.length <= asked;
  }
  return false;
}

const patterns = new Map<string, BoundedRegExp>();

function surelyMatches(source: string, text: string): boolean {
  let pattern = patterns.get(source);
  if (!pattern) patterns.set(source, (pattern = new BoundedRegExp(source, 'u')));
  return pattern.isQuick(text) && pattern.test(text);
}

function hasType(value: JsonValue, type: JsonValue): boolean {
  if (value === null) return type === 'null';
  if (Array.isArray(value)) return type === 'array';
  return typeof value === type || (type === 'integer' && Number.isInteger(value));
}

// In characters, as the standard counts.
function lengthOf(text: string): number {
  return Array.from(text).length;
}
