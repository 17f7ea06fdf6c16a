import { expect, it } from 'vitest';
import { codeFrame, plainFrame } from '../../src/diagnostics/code-frame.ts';
import type { Finding } from '../../src/diagnostics/diagnostic.ts';
import { toDiagnostics } from '../../src/diagnostics/to-diagnostics.ts';

function frame(text: string, place: string, more: Partial<Finding> = {}, width?: number): string {
  const start = text.indexOf(place);
  const finding: Finding = {
    rule: 'unknown-need',
    severity: 'error',
    message: 'it is wrong',
    span: { file: 'a.yaml', start, end: start + place.length },
    ...more,
  };
  const [diagnostic] = toDiagnostics([finding], new Map([['a.yaml', text]]));
  return codeFrame(diagnostic!, text, width === undefined ? {} : { width });
}

it('shows place, rule, message, the line underlined and the help', () => {
  expect(frame('a: 1\n    needs: [biuld]\n', 'biuld', { help: 'did you mean "build"?' }))
    .toMatchInlineSnapshot(`
    "a.yaml:2:13  error  unknown-need
      it is wrong
          2 |     needs: [biuld]
            |             ^^^^^          help: did you mean "build"?"
  `);
});

it('shows the first line of a place that spans several', () => {
  expect(frame('a: |\n  one\n  two\n', 'one\n  two')).toMatchInlineSnapshot(`
    "a.yaml:2:3  error  unknown-need
      it is wrong
          2 |   one
            |   ^^^"
  `);
});

it('shows related places and help of several lines below', () => {
  expect(
    frame('a: 1\nb: 2\na: 3\n', 'a: 3', {
      help: 'write one of\na: 1\na: 3',
      related: [{ message: 'first here', span: { file: 'a.yaml', start: 0, end: 1 } }],
    }),
  ).toMatchInlineSnapshot(`
    "a.yaml:3:1  error  unknown-need
      it is wrong
          3 | a: 3
            | ^^^^
            | help: write one of
            |       a: 1
            |       a: 3
      a.yaml:1:1  first here"
  `);
});

it('keeps the underline below the place after tabs, wide characters and emoji', () => {
  expect(frame('\t日本 👩‍🚀 é: bad', 'bad')).toMatchInlineSnapshot(`
    "a.yaml:1:14  error  unknown-need
      it is wrong
          1 |   日本 👩‍🚀 é: bad
            |              ^^^"
  `);
});

it('cuts a very long line around the place', () => {
  expect(frame(`run: ${'x'.repeat(500)} HERE ${'y'.repeat(100_000)}`, 'HERE', {}, 40)).toMatchInlineSnapshot(`
    "a.yaml:1:507  error  unknown-need
      it is wrong
          1 | …xxxxxxxxxxxxxxxxx HERE yyyyyyyyyyyyyyyyy…
            |                    ^^^^"
  `);
});

it('cuts a very long place', () => {
  const lines = frame(`run: ${'x'.repeat(5000)}`, 'x'.repeat(5000), {}, 40).split('\n');
  expect(lines.every((line) => line.length < 60)).toBe(true);
});

it('underlines an empty place with one caret', () => {
  expect(frame('a: [1', '', { span: { file: 'a.yaml', start: 5, end: 5 } })).toMatchInlineSnapshot(`
    "a.yaml:1:6  error  unknown-need
      it is wrong
          1 | a: [1
            |      ^"
  `);
});

it('shows no source where there is none', () => {
  expect(frame('', '', { help: 'write a formula' })).toMatchInlineSnapshot(`
    "a.yaml:1:1  error  unknown-need
      it is wrong
      help: write a formula"
  `);
});

it('lets no escape sequence of a file reach the terminal', () => {
  expect(
    frame('a: \u001b[31mred\u001b[0m\u0007', 'red', { message: 'a \u001b]0;title\u0007 b' }),
  ).not.toMatch(/[\u001b\u0007]/);
});

it('colours through the style it is given', () => {
  const [diagnostic] = toDiagnostics(
    [{ rule: 'r', severity: 'warning', message: 'm', span: { file: 'a', start: 0, end: 1 } }],
    new Map([['a', 'x']]),
  );
  expect(codeFrame(diagnostic!, 'x', { style: { ...plainFrame, warning: (text) => `<${text}>` } }))
    .toMatchInlineSnapshot(`
    "a:1:1  <warning>  r
      m
          1 | x
            | <^>"
  `);
});
