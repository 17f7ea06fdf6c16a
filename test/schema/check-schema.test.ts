import { expect, it } from 'vitest';
import { checkSchema } from '../../src/schema/check-schema.ts';
import { parseYaml } from '../../src/source/parse-yaml.ts';

/** Each finding as `rule @what it points at: message (help)`. */
function told(text: string): string[] {
  const { root } = parseYaml('a.yaml', text);
  if (root === undefined) throw new Error('the schema of the test does not parse');
  return checkSchema(root).map(({ rule, span, message, help }) => {
    const place = text.slice(span.start, span.end);
    return `${rule} @${place}: ${message}${help === undefined ? '' : ` (${help})`}`;
  });
}

it.each([
  'true',
  '{}',
  '{type: [string, "null"], format: date-time, minLength: 1, pattern: "^a"}',
  '{type: object, properties: {a: {type: string}}, required: [a], additionalProperties: false}',
  '{type: array, prefixItems: [true], items: {$ref: "#/$defs/a"}, $defs: {a: {enum: [1, a, null]}}}',
  '{anyOf: [{const: {a: 1}}, {not: {type: string}}], dependentRequired: {a: [b]}, default: {defualt: 1}, examples: [1]}',
])('accepts %s', (text) => {
  expect(told(text)).toEqual([]);
});

it('points at the keyword that does not exist', () => {
  expect(told('{type: string, defualt: x, trust: untrusted, requried: [a]}')).toEqual([
    'unknown-keyword @defualt: "defualt" is not a keyword of JSON Schema (did you mean "default"?)',
    'unknown-keyword @trust: "trust" is not a keyword of JSON Schema (remove it; JSON Schema would ignore it in silence)',
    'unknown-keyword @requried: "requried" is not a keyword of JSON Schema (did you mean "required"?)',
  ]);
});

it('looks into schemas inside of schemas, and not into values', () => {
  expect(
    told('{properties: {a: {items: {anyOf: [{tpye: string}]}}}, default: {tpye: 1}, enum: [{tpye: 1}]}'),
  ).toEqual(['unknown-keyword @tpye: "tpye" is not a keyword of JSON Schema (did you mean "type"?)']);
});

it('says what is wrong with the value of a keyword', () => {
  expect(
    told(
      [
        '{type: [strnig, null, str, []], required: true, enum: [], minLength: -1, maximum: "3", uniqueItems: yes,',
        'pattern: "a(", format: datetime, items: string, properties: [a], multipleOf: 0, minItems: 3, maxItems: 2, $ref: 1}',
      ].join(' '),
    ),
  ).toMatchInlineSnapshot(`
    [
      "bad-schema @strnig: "strnig" is not a type (did you mean "string"?)",
      "bad-schema @null: null without quotes is not a type (quote it: 'null')",
      "bad-schema @str: "str" is not a type (write string)",
      "bad-schema @[]: a list is not a type (the types are string, number, integer, boolean, array, object, null)",
      "bad-schema @true: "required" must be a list of names, not true (name the required properties beside "properties": required: [a, b]; an input is required unless it has a default)",
      "bad-schema @[]: "enum" must be a list of values, not an empty list",
      "bad-schema @-1: "minLength" must be a whole number, 0 or more, not the number -1",
      "bad-schema @"3": "maximum" must be a number, not "3"",
      "bad-schema @yes: "uniqueItems" must be true or false, not "yes"",
      "bad-schema @"a(": "a(" is not a regular expression: Unterminated group",
      "bad-schema @datetime: "datetime" is not a format that is checked (did you mean "date-time"?)",
      "bad-schema @string: a JSON Schema is a map, not "string" (write {type: string})",
      "bad-schema @[a]: "properties" must be a map of schemas, not a list",
      "bad-schema @0: "multipleOf" must be a number above 0, not the number 0",
      "bad-schema @1: "$ref" must be a reference such as "#/$defs/name" or "../schemas/name.json", not the number 1",
      "bad-schema @2: no value fits: "maxItems" is less than "minItems"",
    ]
  `);
});
