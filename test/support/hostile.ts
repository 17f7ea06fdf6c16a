import fc from 'fast-check';

/** What a value would have to hold to become code somewhere: with any of it run, a file `canary` is there. */
const fragments = [
  '$(touch canary)',
  '`touch canary`',
  '";touch canary;"',
  "';touch canary;'",
  '\ntouch canary\n',
  '|touch canary',
  '&& touch canary',
  '<(touch canary)',
  '>canary',
  'a[$(touch canary)]',
  '[$(touch canary)]=x',
  '($(touch canary))',
  '${x:=$(touch canary)}',
  '$((a[$(touch canary)]))',
  '${x@P}',
  '\\$(touch canary)',
  '\nE\ntouch canary\n',
  '__wf_0',
  '${__wf_1}',
  "'",
  '"',
  "'\"'\"'",
  '\\',
  '\\\\',
  '$',
  '$$',
  '!',
  '!!',
  '#',
  '~',
  '~root',
  '*',
  '?',
  '[a-z]',
  '{a,b}',
  '{{x}}',
  '%s%n',
  '-n',
  '-e',
  '--',
  '--help',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '\u0001',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  'é',
  '😀',
  '\ud83d',
  '\ude00',
  '\u2028',
  '\ufeff',
  'a',
  '0',
] as const;

/** Texts that somebody chose to do harm, or that nobody thought of. NUL is not among them: no command can take it. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...fragments) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));

/** Each fragment alone, and the empty text. */
export const plainlyHostile: readonly string[] = ['', ...fragments, '*'.repeat(5000), "'\n".repeat(3000)];

/** As text becomes in UTF-8: a lone surrogate is U+FFFD. */
export function inUtf8(text: string): string {
  return Buffer.from(text).toString();
}
