import fc from 'fast-check';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { surelyFits } from '../../src/schema/plain-fit.ts';
import type { JsonSchema, JsonValue } from '../../src/support/json.ts';
import { proof } from '../support/proof.ts';

describe('surelyFits', () => {
  it.each<[JsonSchema, JsonValue]>([
    [true, null],
    [{ type: 'string', description: 'Who is greeted.', default: 'world' }, 'world'],
    [{ type: ['integer', 'null'], minimum: 1, maximum: 9 }, 9],
    [{ type: 'string', enum: ['linux', 'macos'], minLength: 5, maxLength: 5 }, 'linux'],
    [{ type: 'string', pattern: '^v[0-9]+$' }, 'v1'],
    [{ type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 2 }, [true]],
  ])('knows that %j allows %j', (schema, value) => {
    expect(surelyFits(schema, value)).toBe(true);
  });

  it('is not sure of a keyword that it does not know', () => {
    expect(surelyFits({ format: 'date' }, '2026-12-01')).toBe(false);
  });

  it('is not sure of a pattern that may take long, and of a text that is long', () => {
    expect(surelyFits({ pattern: '(a+)+$' }, 'a'.repeat(60))).toBe(false);
    expect(surelyFits({ pattern: 'a*b*$' }, 'a'.repeat(5000))).toBe(false);
  });

  it('never allows what the standard does not', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3 });
    const number = fc.oneof(
      fc.integer({ min: -2, max: 2 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
    const value = fc.oneof(
      scalar,
      fc.array(scalar, { maxLength: 3 }),
      fc.dictionary(text, scalar, { maxKeys: 2 }),
    );
    const type = fc.constantFrom('string', 'number', 'integer', 'boolean', 'array', 'object', 'null');
    const count = fc.nat({ max: 3 });
    const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 2, depthSize: 'small' },
        fc.boolean(),
        fc.record(
          {
            type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1 })),
            enum: fc.array(value, { minLength: 1, maxLength: 3 }),
            items: tie('schema'),
            pattern: fc.constantFrom('.', '^$', '^a*b?$', '[^a]'),
            minLength: count,
            maxLength: count,
            minimum: number,
            maximum: number,
            minItems: count,
            maxItems: count,
            multipleOf: fc.integer({ min: 1, max: 2 }),
            title: text,
          },
          { requiredKeys: [] },
        ) as fc.Arbitrary<JsonSchema>,
      ),
    }));
    const ajv = new Ajv2020({ strict: false, validateSchema: false, meta: false });
    let sure = 0;
    fc.assert(
      fc.property(schema, value, (asked, given) => {
        const fits = surelyFits(asked, given);
        if (fits) sure += 1;
        expect(fits && !ajv.validate(asked as object, given)).toBe(false);
      }),
      proof({ few: 2_000, many: 200_000 }),
    );
    expect(sure).toBeGreaterThan(100);
  });
});
