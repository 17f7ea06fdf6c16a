import { expect, it } from 'vitest';
import type { Finding } from '../../src/diagnostics/diagnostic.ts';
import { toDiagnostics } from '../../src/diagnostics/to-diagnostics.ts';

const finding = (file: string, start: number, message: string, more: Partial<Finding> = {}): Finding => ({
  rule: 'some-rule',
  severity: 'error',
  message,
  span: { file, start, end: start + 1 },
  ...more,
});

const sources = new Map([
  ['a.yaml', 'one\ntwo\n'],
  ['b.yaml', 'three\n'],
]);

it('sorts by file, then by place', () => {
  const found = [finding('b.yaml', 0, 'b'), finding('a.yaml', 5, 'late'), finding('a.yaml', 1, 'early')];
  expect(toDiagnostics(found, sources).map((d) => [d.file, d.range.start, d.message])).toEqual([
    ['a.yaml', { line: 1, column: 2 }, 'early'],
    ['a.yaml', { line: 2, column: 2 }, 'late'],
    ['b.yaml', { line: 1, column: 1 }, 'b'],
  ]);
});

it('tells the same rule at the same place with the same message once', () => {
  const twice = [finding('a.yaml', 1, 'x'), finding('a.yaml', 1, 'x'), finding('a.yaml', 1, 'y')];
  expect(toDiagnostics(twice, sources).map((d) => d.message)).toEqual(['x', 'y']);
});

it('resolves related places, also in other files', () => {
  const related = [{ message: 'first here', span: { file: 'b.yaml', start: 2, end: 4 } }];
  expect(toDiagnostics([finding('a.yaml', 4, 'x', { related, help: 'h' })], sources)).toEqual([
    {
      rule: 'some-rule',
      severity: 'error',
      message: 'x',
      help: 'h',
      file: 'a.yaml',
      range: { start: { line: 2, column: 1 }, end: { line: 2, column: 2 } },
      related: [
        {
          message: 'first here',
          file: 'b.yaml',
          range: { start: { line: 1, column: 3 }, end: { line: 1, column: 5 } },
        },
      ],
    },
  ]);
});
