import { describe, expect, it } from 'vitest';
import { applyDefaults } from '../../src/schema/apply-defaults.ts';
import { compileSchema } from '../../src/schema/validate-value.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../../src/support/json.ts';

const messages = (schema: JsonSchema, value: JsonValue, name?: string): string[] =>
  compileSchema(schema, name)(value).map(({ message }) => message);

describe('compileSchema', () => {
  it.each<[JsonSchema, JsonValue]>([
    [true, { a: 1 }],
    [{ type: 'integer' }, 1],
    [{ type: ['string', 'null'], format: 'date' }, null],
    [{ type: 'string', format: 'date-time' }, '2026-12-01T09:00:00Z'],
    [{ $ref: '#/$defs/a', $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' } } } }, [[], [[]]]],
    [{ prefixItems: [{ type: 'string' }], items: false }, ['a']],
    [{ properties: { a: true }, unevaluatedProperties: false }, { a: 1 }],
    [{ $id: 'https://example.com/a', type: 'string' }, 'a'],
    [{ $id: 'https://example.com/a', type: 'number' }, 1],
  ])('%j allows %j', (schema, value) => {
    expect(messages(schema, value)).toEqual([]);
  });

  it.each<[JsonSchema, JsonValue, string]>([
    [false, 1, 'the value must not be there'],
    [{ enum: ['linux', 'macos'] }, 'windows', 'the value must be one of "linux", "macos"'],
    [
      { enum: ['linux', 'macos'] },
      'linus',
      'the value must be one of "linux", "macos"; did you mean "linux"?',
    ],
    [{ type: 'integer' }, 1.5, 'the value must be a whole number, not 1.5'],
    [{ type: ['string', 'array'] }, {}, 'the value must be text or a list, not a map'],
    [{ const: 3 }, 4, 'the value must be 3'],
    [{ required: ['a'], type: 'object' }, {}, 'the value lacks "a"'],
    [
      { properties: { name: true }, additionalProperties: false },
      { nmae: 1 },
      'the value must not have "nmae"; did you mean "name"?',
    ],
    [{ minLength: 1 }, '', 'the value must not be empty'],
    [{ maxLength: 2 }, 'abc', 'the value must have at most 2 characters'],
    [{ pattern: '^v[0-9]+$' }, 'x', 'the value must match ^v[0-9]+$'],
    [{ format: 'date-time' }, 'today', 'the value must be a time such as 2026-12-01T09:00:00Z'],
    [{ minimum: 3 }, 2, 'the value must be at least 3, not 2'],
    [{ exclusiveMaximum: 3 }, 3, 'the value must be less than 3, not 3'],
    [{ multipleOf: 2 }, 3, 'the value must be a multiple of 2, not 3'],
    [{ minItems: 1 }, [], 'the value must not be empty'],
    [{ maxItems: 1 }, [1, 2], 'the value must have at most 1 item'],
    [{ uniqueItems: true }, [1, 2, 1], 'the value must not have an item twice: items 1 and 3 are equal'],
    [
      { contains: { const: 1 } },
      [2],
      'the value has not the items that its schema asks for under "contains"',
    ],
    [{ prefixItems: [true], items: false }, [1, 2], 'the value must have at most 1 item'],
    [{ not: { const: 1 } }, 1, 'the value is one of the values that its schema rules out'],
    [{ propertyNames: { pattern: '^a' } }, { b: 1 }, 'the value must not have a property named "b"'],
    [{ minProperties: 1 }, {}, 'the value must not be empty'],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 'the value has "a" and so must have "b"'],
    [{ anyOf: [{ type: 'string' }, { type: 'array' }] }, 1, 'the value must be text or a list, not 1'],
    [{ oneOf: [{ const: 'a' }, { const: 'b' }] }, 'c', 'the value must be one of "a", "b"'],
    [
      { oneOf: [{ type: 'number' }, { minimum: 1 }] },
      3,
      'the value fits more than one of the shapes that exclude each other',
    ],
    [{ if: { type: 'string' }, then: { minLength: 2 } }, 'a', 'the value must have at least 2 characters'],
  ])('%j does not allow %j: %s', (schema, value, message) => {
    expect(messages(schema, value)).toEqual([message]);
  });

  it('names the part that is wrong', () => {
    const schema = {
      type: 'object',
      properties: { files: { items: { properties: { 'a b': { type: 'string' } } } } },
    };
    const [problem] = compileSchema(schema, 'report')({ files: [{}, { 'a b': 1 }] });
    expect(problem).toEqual({
      path: ['files', 1, 'a b'],
      message: `"report.files[1]["a b"]" must be text, not 1`,
    });
    expect(messages({ enum: ['a'] }, 'b', 'platform')).toEqual(['"platform" must be one of "a"']);
  });

  it('tells of a choice the branch that was meant', () => {
    const schema: JsonObject = {
      anyOf: [
        { type: 'string' },
        { type: 'object', properties: { os: { enum: ['linux'] } }, required: ['os', 'arch'] },
      ],
    };
    expect(messages(schema, { os: 'mac' })).toEqual([
      'the value lacks "arch"',
      '"os" must be one of "linux"',
    ]);
    expect(messages(schema, 1)).toEqual(['the value must be text or a map, not 1']);
    const inner = { type: 'object', properties: { a: schema, b: { type: 'string' } } };
    expect(messages(inner, { a: 1, b: 2 })).toEqual([
      '"a" must be text or a map, not 1',
      '"b" must be text, not 2',
    ]);
  });

  it('tells of a choice between references the branch that was meant', () => {
    const schema = {
      oneOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }],
      $defs: {
        a: {
          type: 'object',
          properties: { kind: { const: 'a' }, x: { type: 'string' } },
          required: ['kind', 'x'],
        },
        b: { type: 'array', items: { type: 'integer' } },
      },
    };
    expect(messages(schema, { kind: 'a', x: 1 })).toEqual(['"x" must be text, not 1']);
    expect(messages(schema, [1, 'a'])).toEqual(['"[1]" must be a whole number, not "a"']);
  });

  it('tells several things at once, but not hundreds', () => {
    expect(
      messages(
        { items: { type: 'string' } },
        Array.from({ length: 500 }, (_, i) => i),
      ),
    ).toHaveLength(20);
  });

  it('gives a pattern that backtracks for ever one second', { timeout: 10_000 }, () => {
    const started = performance.now();
    expect(messages({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(60)}!`, 'text')).toEqual([
      '"text" takes too long to compare with a "pattern" of its schema',
    ]);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(messages({ type: 'string', pattern: '^(a+)+$' }, 'aaa')).toEqual([]);
  });

  it('throws for a schema that is none', () => {
    expect(() => compileSchema({ type: 'strnig' })('x')).toThrow();
    expect(() => compileSchema({ $ref: '#/$defs/nowhere' })('x')).toThrow();
  });
});

describe('applyDefaults', () => {
  it('fills what is absent at any depth, and nothing else', () => {
    const schema: JsonSchema = {
      properties: {
        a: { default: [1] },
        b: { type: 'object', default: {}, properties: { c: { default: 2 }, d: { type: 'string' } } },
        e: { items: { $ref: '#/$defs/item' } },
        f: { allOf: [{ properties: { g: { default: 'x' } } }] },
        h: { default: 0 },
        i: { prefixItems: [{ properties: { j: { default: true } } }] },
      },
      $defs: { item: { properties: { k: { default: null } } } },
    };
    expect(applyDefaults(schema, { e: [{}, { k: 1 }, 3], f: {}, h: null, i: [{}, {}], z: 1 })).toEqual({
      a: [1],
      b: { c: 2 },
      e: [{ k: null }, { k: 1 }, 3],
      f: { g: 'x' },
      h: null,
      i: [{ j: true }, {}],
      z: 1,
    });
  });

  it('leaves the value it was given alone', () => {
    const value = Object.freeze({});
    expect(applyDefaults({ properties: { a: { default: 1 } } }, value)).toEqual({ a: 1 });
  });

  it('ends for schemas that hold themselves', () => {
    const schema: JsonSchema = {
      $ref: '#/$defs/a',
      $defs: { a: { properties: { b: { $ref: '#/$defs/a' } } } },
    };
    expect(applyDefaults(schema, { b: { b: {} } })).toEqual({ b: { b: {} } });
    expect(applyDefaults({ $ref: '#' }, {})).toEqual({});
    expect(applyDefaults({ properties: { a: { $ref: '#', default: {} } } }, {})).toEqual({ a: {} });
  });
});
