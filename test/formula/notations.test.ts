import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/diagnostics/diagnostic.ts';
import { ExpressionError, evaluateExpression } from '../../src/formula/evaluate-expression.ts';
import { checkExpression, parseExpression } from '../../src/formula/expression.ts';
import { RenderError, evaluateTemplate } from '../../src/formula/render-template.ts';
import { checkTemplate, parseTemplate } from '../../src/formula/template.ts';
import type { JsonObject } from '../../src/support/json.ts';
import { scalarOf } from '../support/notation.ts';
import { proof } from '../support/proof.ts';
import { bool, either, int, list, nothing, number, object, oneOf, scope, string } from '../support/types.ts';

const world = { readFile: () => 'content' };

const names = scope({
  inputs: object({
    'text?': string,
    'inner?': object({ 'count?': int, name: string }),
    note: either(string, nothing),
    ratio: number,
    level: oneOf('low', 'high'),
    items: list(object({ id: int, 'tag?': string })),
    ok: bool,
  }),
});

/** Values that fit the names above. */
const values: fc.Arbitrary<JsonObject> = fc.record({
  inputs: fc.record(
    {
      text: fc.string({ maxLength: 4 }),
      inner: fc.record({ count: fc.nat(5), name: fc.constantFrom('', 'x') }, { requiredKeys: ['name'] }),
      note: fc.constantFrom(null, '', 'n'),
      ratio: fc.constantFrom(0, 1, 2.5, -4),
      level: fc.constantFrom('low', 'high'),
      items: fc.array(fc.record({ id: fc.nat(3), tag: fc.constantFrom('', 'x') }, { requiredKeys: ['id'] }), {
        maxLength: 3,
      }),
      ok: fc.boolean(),
    },
    { requiredKeys: ['note', 'ratio', 'level', 'items', 'ok'] },
  ),
});

function allInside(findings: readonly Finding[], source: string): boolean {
  return findings.every(({ span }) => span.start >= 0 && span.start < span.end && span.end <= source.length);
}

describe('whatever is written', () => {
  const pieces = fc.constantFrom(
    ...[
      '{{',
      '}}',
      '{{{',
      '}}}',
      '{{#if ',
      '{{/if}}',
      '{{else}}',
      '{{#each ',
      '{{/each}}',
      '{{~',
      '~}}',
      '{{!--',
      '--}}',
      '{{>',
      '\\',
      '"',
      "'",
    ],
    ...[
      'inputs',
      '.',
      'items',
      'text',
      ' ',
      ' as |x|',
      'this',
      '../',
      '@index',
      '(',
      ')',
      '[',
      ']',
      '0',
      '1.5',
      'json ',
      'default ',
      'size',
    ],
    ...[
      '&&',
      '||',
      '!',
      '==',
      '<',
      '?',
      ':',
      '+',
      '-',
      '/',
      'has(',
      '.map(x, ',
      '.filter(',
      ',',
      '{',
      '}',
      'true',
      'null',
      'in',
      '\n',
      '👋',
      '\r',
      '#',
    ],
  );
  const soup = fc.oneof(
    fc.array(pieces, { maxLength: 14 }).map((all) => all.join('')),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );

  it('a template is read or refused at a place in it, and never fails', () => {
    fc.assert(
      fc.property(soup, values, (text, given) => {
        const source = `text: ${JSON.stringify(text)}\n`;
        const { template, findings } = parseTemplate(scalarOf(source));
        expect(allInside(findings, source)).toBe(true);
        expect(template === undefined).toBe(findings.length > 0);
        if (template === undefined) return;
        expect(allInside(checkTemplate(template, names).findings, source)).toBe(true);
        expect(
          allInside(
            template.references.map((reference) => ({
              ...reference,
              rule: '',
              severity: 'error',
              message: '',
            })),
            source,
          ),
        ).toBe(true);
        expect(outcome(() => evaluateTemplate(text, given, world), RenderError)).not.toBe('broken');
      }),
      proof({ few: 1500, many: 200_000 }),
    );
  }, 600_000);

  it('an expression is read or refused at a place in it, and never fails', () => {
    fc.assert(
      fc.property(soup, values, (text, given) => {
        const source = `text: ${JSON.stringify(text)}\n`;
        const { expression, findings } = parseExpression(scalarOf(source));
        expect(allInside(findings, source)).toBe(true);
        if (expression === undefined) return;
        expect(allInside(checkExpression(expression, names).findings, source)).toBe(true);
        expect(outcome(() => evaluateExpression(text, given, names), ExpressionError)).not.toBe('broken');
        expect(outcome(() => evaluateExpression(text, given), ExpressionError)).not.toBe('broken');
      }),
      proof({ few: 1500, many: 200_000 }),
    );
  }, 600_000);

  function outcome(run: () => unknown, expected: typeof RenderError | typeof ExpressionError): unknown {
    try {
      return run();
    } catch (error) {
      return error instanceof expected ? 'refused' : 'broken';
    }
  }
});

describe('what the checker accepts runs', () => {
  const reads = [
    ...[
      'inputs.text',
      'inputs.inner.count',
      'inputs.inner.name',
      'inputs.inner',
      'inputs.note',
      'inputs.ratio',
      'inputs.level',
    ],
    ...['inputs.items', 'inputs.ok', 'x.id', 'x.tag'],
  ];

  it('as an expression, whatever is absent', () => {
    const { truth } = fc.letrec<{ truth: string; value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(...reads, '1', '"x"', 'null', '[]'),
        fc.tuple(tie('truth'), tie('value'), tie('value')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
        tie('value').map((a) => `size(${a})`),
        fc.tuple(tie('value'), tie('value')).map(([a, b]) => `(${a} + ${b})`),
        tie('truth').map((a) => `inputs.items.filter(x, ${a})`),
        fc.tuple(tie('truth'), tie('value')).map(([a, b]) => `inputs.items.filter(x, ${a}).map(x, ${b})`),
      ),
      truth: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(
          'inputs.ok',
          'true',
          ...reads.map((read) => `has(${read})`),
          ...reads.map((read) => `${read} != null`),
        ),
        tie('truth').map((a) => `(!${a})`),
        fc
          .tuple(tie('truth'), fc.constantFrom('&&', '||'), tie('truth'))
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc
          .tuple(tie('value'), fc.constantFrom('==', '!=', '<', 'in'), tie('value'))
          .map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc
          .tuple(fc.constantFrom('exists', 'all'), tie('truth'))
          .map(([name, a]) => `inputs.items.${name}(x, ${a})`),
      ),
    }));
    let accepted = 0;
    fc.assert(
      fc.property(truth, fc.array(values, { minLength: 8, maxLength: 8 }), (text, samples) => {
        const { expression } = parseExpression(scalarOf(`text: ${JSON.stringify(text)}\n`));
        if (expression === undefined || checkExpression(expression, names, 'bool').findings.length > 0)
          return;
        accepted++;
        for (const given of samples) expect(typeof evaluateExpression(text, given, names)).toBe('boolean');
      }),
      proof({ few: 3000, many: 300_000 }),
    );
    expect(accepted).toBeGreaterThan(300);
  }, 600_000);

  it('as a template, whatever is absent', () => {
    const paths = [
      ...reads.filter((read) => !read.startsWith('x.')),
      'f.id',
      'f.tag',
      'tag',
      'id',
      'this',
      'this.tag',
    ];
    const { text } = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(
          'a',
          ...paths.map((path) => `{{${path}}}`),
          ...paths.map((path) => `{{default ${path} 'y'}}`),
          ...paths.map((path) => `{{json ${path}}}`),
          ...paths.map((path) => `{{size ${path}}}`),
        ),
        fc.tuple(tie('text'), tie('text')).map((all) => all.join(' ')),
        fc
          .tuple(fc.constantFrom('if', 'unless', 'with'), fc.constantFrom(...paths), tie('text'), tie('text'))
          .map(([block, path, a, b]) => `{{#${block} ${path}}}${a}{{else}}${b}{{/${block}}}`),
        fc
          .tuple(fc.constantFrom('if', 'with'), fc.constantFrom(...paths), tie('text'))
          .map(([block, path, a]) => `{{#${block} ${path}}}${a}{{/${block}}}`),
        tie('text').map((a) => `{{#each inputs.items as |f|}}${a}{{/each}}`),
      ),
    }));
    let accepted = 0;
    fc.assert(
      fc.property(text, fc.array(values, { minLength: 8, maxLength: 8 }), (written, samples) => {
        const { template } = parseTemplate(scalarOf(`text: ${JSON.stringify(written)}\n`));
        if (template === undefined || checkTemplate(template, names, 'text').findings.length > 0) return;
        if (!template.literal) accepted++;
        for (const given of samples) evaluateTemplate(written, given, world);
      }),
      proof({ few: 3000, many: 300_000 }),
    );
    expect(accepted).toBeGreaterThan(300);
  }, 600_000);
});
