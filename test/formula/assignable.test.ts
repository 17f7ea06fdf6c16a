import fc from 'fast-check';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { isAssignable } from '../../src/formula/assignable.ts';
import { typeOf } from '../../src/formula/type-of-schema.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../../src/support/json.ts';
import { isJsonObject } from '../../src/support/json.ts';
import { proof } from '../support/proof.ts';

const text = { type: 'string' };
const count = { type: 'integer' };
const os = { enum: ['linux', 'macos'] };
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const objectOf = (properties: Record<string, JsonSchema>, more: JsonObject = {}): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...more,
});

describe('isAssignable', () => {
  it.each<[what: string, given: JsonSchema, wanted: JsonSchema, fits: boolean]>([
    ['a type to itself', text, text, true],
    ['text to a number', text, count, false],
    ['an integer to a number', count, { type: 'number' }, true],
    ['a number to an integer: it may be whole', { type: 'number' }, count, true],
    ['fractions to an integer', { enum: [0.5, 1.5] }, count, false],
    ['free text to an enum', text, os, true],
    ['an enum to another that shares a value', os, { enum: ['linux', 'windows'] }, true],
    ['an enum to another that shares none', os, { enum: ['windows'] }, false],
    ['a const to an enum without it', { const: 'bsd' }, os, false],
    ['a const to its type', { const: 'bsd' }, text, true],
    ['what may be null to a string', { type: ['string', 'null'] }, text, true],
    ['null to a string', { type: 'null' }, text, false],
    ['one branch that fits', { anyOf: [count, text] }, text, true],
    ['no branch that fits', { oneOf: [count, { type: 'boolean' }] }, text, false],
    ['to one branch of several', text, { oneOf: [count, text] }, true],
    ['all parts of an allOf', { allOf: [text, { enum: ['a', 'b'] }] }, { const: 'c' }, false],
    ['a list to a list of another kind', listOf(text), listOf(count), false],
    ['a list of lists', listOf(listOf(os)), listOf(listOf({ const: 'bsd' })), false],
    ['a list of anything to a list', { type: 'array' }, listOf(count), true],
    ['a list to an object', listOf(text), objectOf({}), false],
    ['a property of another kind', objectOf({ a: text }), objectOf({ a: count }), false],
    [
      'a property deep below',
      objectOf({ a: listOf(objectOf({ b: text })) }),
      objectOf({ a: listOf(objectOf({ b: count })) }),
      false,
    ],
    ['a property that it lacks', objectOf({ a: text }), objectOf({ a: text, b: text }), false],
    [
      'a property that may be among others',
      objectOf({ a: text }, { additionalProperties: true }),
      objectOf({ b: text }),
      true,
    ],
    ['a property that it does not ask for', objectOf({ a: text, b: text }), objectOf({ a: text }), true],
    [
      'values by any name of one kind, to another',
      { type: 'object', additionalProperties: text },
      objectOf({ a: text }),
      true,
    ],
    [
      'names by a pattern',
      { type: 'object', patternProperties: { '^x': text } },
      objectOf({ xa: text }),
      true,
    ],
    ['a $ref within', { $ref: '#/$defs/os', $defs: { os } }, { const: 'bsd' }, false],
    ['anything to anything', true, os, true],
  ])('%s', (_what, given, wanted, fits) => {
    expect(isAssignable(typeOf(given), typeOf(wanted))).toBe(fits);
  });

  // An empty list and an absent property fit wherever a list and an object do. They are left aside: what is said of a
  // list is about its items, and whoever connects the two means to pass some.
  it('says no only where no value of the one, with something in all its lists and properties, is one of the other', () => {
    const scalar = fc.constantFrom<JsonValue>('a', 'b', 1, 2, 1.5, true, false, null);
    const type = fc.constantFrom('string', 'number', 'integer', 'boolean', 'null');
    const name = fc.constantFrom('a', 'b', 'c');
    const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => {
      const some = fc.array(tie('schema'), { minLength: 1, maxLength: 2 });
      return {
        schema: fc.oneof(
          { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
          fc.oneof(
            fc.record({ type }),
            fc.record({ type: fc.uniqueArray(type, { minLength: 1, maxLength: 3 }) }),
            fc.record({ const: scalar }),
            fc.record({ enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }) }),
          ),
          fc.record({ type: fc.constant('array'), items: tie('schema') }),
          fc
            .record({
              properties: fc.dictionary(name, tie('schema'), { maxKeys: 2 }),
              required: fc.uniqueArray(name, { maxLength: 2 }),
              additionalProperties: fc.option(tie('schema')),
            })
            .map(({ properties, required, additionalProperties: rest }) => ({
              type: 'object',
              properties,
              required: required.filter((key) => key in properties),
              ...(rest !== null && { additionalProperties: rest }),
            })),
          fc.record({ anyOf: some }),
          fc.record({ allOf: some }),
        ),
      };
    });
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
        scalar,
        fc.array(tie('value'), { minLength: 1, maxLength: 2 }),
        fc.dictionary(name, tie('value'), { maxKeys: 3 }),
      ),
    }));
    const ajv = new Ajv2020({ strict: false, validateSchema: false, meta: false });
    const counts = { refused: 0, held: 0 };
    fc.assert(
      fc.property(
        schema,
        schema,
        fc.array(value, { minLength: 8, maxLength: 16 }),
        (given, wanted, values) => {
          if (isAssignable(typeOf(given), typeOf(wanted))) return;
          counts.refused += 1;
          const [isGiven, isWanted] = [ajv.compile(given as object), ajv.compile(wanted as object)];
          for (const one of [...values, ...sample(given)]) {
            if (!isGiven(one) || !isComplete(given, one)) continue;
            counts.held += 1;
            expect({ one, fits: isWanted(one) }).toEqual({ one, fits: false });
          }
        },
      ),
      proof({ few: 600, many: 20_000 }),
    );
    expect(counts.refused).toBeGreaterThan(100);
    expect(counts.held).toBeGreaterThan(100);
  });
});

/** Values that a schema is likely to allow. */
function sample(schema: JsonSchema): readonly JsonValue[] {
  if (!isJsonObject(schema)) return [];
  const { type, items, properties, anyOf, allOf } = schema;
  if ('const' in schema) return [schema['const']];
  if (Array.isArray(schema['enum'])) return schema['enum'] as JsonValue[];
  if (Array.isArray(anyOf) || Array.isArray(allOf)) {
    return [...((anyOf ?? allOf) as readonly JsonSchema[])].flatMap(sample).slice(0, 6);
  }
  if (type === 'array') return sample(items as JsonSchema).map((item) => [item]);
  if (type === 'object') {
    const entries = Object.entries(properties as Record<string, JsonSchema>);
    const values = entries.map(([key, inner]) => [key, sample(inner)] as const);
    if (values.some(([, inner]) => inner.length === 0)) return [];
    return [0, 1].map((at) =>
      Object.fromEntries(values.map(([key, inner]) => [key, inner[at % inner.length] as JsonValue])),
    );
  }
  const byType: Record<string, readonly JsonValue[]> = {
    string: ['a', 'z'],
    integer: [1, 7],
    number: [1, 1.5],
    boolean: [true],
    null: [null],
  };
  return [type].flat().flatMap((one) => byType[String(one)] ?? []);
}

/** Every property that the schema names is there and no other that it does not speak of, and no list is empty. */
function isComplete(schema: JsonSchema, value: JsonValue): boolean {
  if (!isJsonObject(schema)) return true;
  const parts = [schema['anyOf'], schema['allOf']].filter(Array.isArray).flat() as JsonSchema[];
  if (!parts.every((part) => isComplete(part, value))) return false;
  if (Array.isArray(value)) {
    return (
      value.length > 0 &&
      (schema['type'] !== 'array' || value.every((item) => isComplete(schema['items'] as JsonSchema, item)))
    );
  }
  if (!isJsonObject(value) || schema['type'] !== 'object') return true;
  const named = schema['properties'] as Record<string, JsonSchema>;
  const rest = schema['additionalProperties'];
  if (rest === undefined && Object.keys(value).some((key) => !(key in named))) return false;
  return Object.entries(named).every(
    ([key, inner]) => key in value && isComplete(inner, value[key] as JsonValue),
  );
}
