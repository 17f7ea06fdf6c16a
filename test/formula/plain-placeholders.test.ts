import base from 'handlebars/dist/cjs/handlebars/compiler/base.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parsePlainPlaceholders } from '../../src/formula/plain-placeholders.ts';
import { proof } from '../support/proof.ts';

/** What Handlebars' own parser says, with its places as offsets and without what we do not read. */
function handlebars(text: string): unknown {
  const starts = [0, ...[...text.matchAll(/\r\n?|\n/g)].map((found) => found.index + found[0].length)];
  return JSON.parse(
    JSON.stringify(base.parse(text), function (this: unknown, key, value: unknown) {
      if (key === 'strip' || (key === 'original' && value === (this as { value?: unknown }).value))
        return undefined;
      if (key === 'start' || key === 'end') {
        const { line, column } = value as { line: number; column: number };
        return { line: 1, column: (starts[line - 1] ?? 0) + column };
      }
      return value;
    }),
  );
}

it('reads plain placeholders as the parser does', () => {
  const word = fc.constantFrom('inputs', 'a', 'x_1', 'Path', 'thisOne', 'json', 'in');
  const path = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('.'));
  const space = fc.constantFrom('', ' ', '\n', '\t ', '\r\n');
  const text = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom('\n', '{', '}', '}}', '\\', 'a\r\nb', '👋', '{ {'),
  );
  const value = fc.tuple(space, path, space).map(([a, b, c]) => `{{${a}${b}${c}}}`);
  const call = fc
    .tuple(space, path, fc.constantFrom(' ', '\n '), path, space)
    .map((all) => `{{${all.join('')}}}`);
  let plain = 0;
  fc.assert(
    fc.property(fc.array(fc.oneof(text, value, call), { maxLength: 6 }), (pieces) => {
      const source = pieces.join('');
      const ours = parsePlainPlaceholders(source);
      if (ours === undefined) return;
      plain++;
      const theirs = handlebars(source) as { body: unknown[] };
      expect(ours.body).toEqual(theirs.body);
    }),
    proof({ few: 1000, many: 100_000 }),
  );
  expect(plain).toBeGreaterThan(500);
}, 600_000);

it.each([
  '{{this}}',
  '{{this.a}}',
  '{{else}}',
  '{{true}}',
  '{{a true}}',
  '\\{{a}}',
  '{{{a}}}',
  '{{#if a}}{{/if}}',
  '{{a b c}}',
  '{{a "b"}}',
  '{{a.[0]}}',
  '{{~a}}',
  '{{a',
  '{{!a}}',
  '{{a}}\0',
])('leaves %j to the parser', (text) => {
  expect(parsePlainPlaceholders(text)).toBeUndefined();
});
