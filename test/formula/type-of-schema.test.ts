import { describe, expect, it } from 'vitest';
import { showType } from '../../src/formula/show-type.ts';
import { typeOf } from '../../src/formula/type-of-schema.ts';
import type { JsonSchema } from '../../src/support/json.ts';

describe('typeOf', () => {
  it.each<[JsonSchema, string]>([
    [true, 'any'],
    [{}, 'any'],
    [{ type: 'string' }, 'string'],
    [{ type: ['integer', 'null'] }, 'int | null'],
    [{ type: ['number', 'integer'] }, 'number | int'],
    [{ enum: ['a', 'b', 1, null] }, '"a" | "b" | 1 | null'],
    [{ const: true }, 'true'],
    [{ type: 'string', enum: ['a', 'b'] }, '"a" | "b"'],
    [{ type: 'integer', enum: [1, 1.5] }, '1'],
    [{ const: { a: [1, 'x'] } }, '{a: list of (1 | "x")}'],
    [{ type: 'array' }, 'list of any'],
    [{ type: 'array', items: { type: 'integer' } }, 'list of int'],
    [{ items: { type: 'integer' } }, 'list of int'],
    [
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false },
      'list of (string | int)',
    ],
    [
      { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'null' } },
      'list of (string | null)',
    ],
    [{ type: 'array', prefixItems: [{ type: 'string' }] }, 'list of any'],
    [{ type: 'object' }, '{…}'],
    [
      {
        type: 'object',
        properties: { os: { type: 'string' }, platform: { type: 'string' } },
        required: ['os'],
      },
      '{os: string, platform?: string}',
    ],
    [{ type: 'object', properties: {}, additionalProperties: false }, '{}'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, '{…}'],
    [{ properties: { a: true }, additionalProperties: true }, '{a?: any, …}'],
    [{ type: 'object', required: ['a'] }, '{a: any, …}'],
    [{ type: 'object', properties: { a: true, b: false } }, '{a?: any}'],
    [
      {
        allOf: [
          { properties: { a: { type: 'string' } }, required: ['a'] },
          { properties: { b: { type: 'integer' } } },
        ],
      },
      '{a: string, b?: int}',
    ],
    [
      {
        type: 'object',
        properties: { a: { type: 'number' } },
        allOf: [{ properties: { a: { type: 'integer' } } }],
      },
      '{a?: int}',
    ],
    [
      { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      'string | list of string',
    ],
    [{ oneOf: [{ const: 'a' }, { const: 'b' }] }, '"a" | "b"'],
    [{ type: 'string', anyOf: [{ minLength: 1 }, { type: 'null' }] }, 'string'],
    [{ $ref: '#/$defs/a', $defs: { a: { type: 'integer' } } }, 'int'],
    [{ $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'integer' } } }, 'int'],
    [
      {
        $ref: '#/$defs/tree',
        $defs: { tree: { properties: { left: { $ref: '#/$defs/tree' }, v: { type: 'integer' } } } },
      },
      '{left?: any, v?: int}',
    ],
    [{ $ref: '../elsewhere.json' }, 'any'],
    [{ patternProperties: { '^a': { type: 'string' } }, type: 'object', additionalProperties: false }, '{…}'],
    [false, 'nothing'],
  ])('%j → %s', (schema, shown) => {
    expect(showType(typeOf(schema))).toBe(shown);
  });

  it('knows what an object has that it does not list', () => {
    expect(typeOf({ type: 'object', additionalProperties: { type: 'string' } })).toMatchObject({
      rest: { kind: 'string' },
    });
    expect(typeOf({ type: 'object', properties: { a: true } })).toMatchObject({ rest: undefined });
    expect(typeOf({ type: 'object' })).toMatchObject({ rest: { kind: 'any' } });
    expect(typeOf({ type: 'object', patternProperties: { '^a': { type: 'string' } } })).toMatchObject({
      rest: { kind: 'string' },
    });
  });
});

describe('showType', () => {
  it('cuts what is long', () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`property_${i}`, { type: 'string' }]),
    );
    expect(showType(typeOf({ type: 'object', properties: many }))).toBe(
      '{property_0?: string, property_1?: string, property_2?: string, …}',
    );
    const deep: JsonSchema = { properties: { a: { properties: many }, b: { type: 'integer' } } };
    expect(showType(typeOf(deep))).toBe('{a?: {…}, b?: int}');
    expect(showType(typeOf({ enum: ['x'.repeat(200)] }))).toBe(`"${'x'.repeat(29)}…"`);
  });
});
