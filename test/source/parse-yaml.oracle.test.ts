import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { parseYaml } from '../../src/source/parse-yaml.ts';
import { type SourceNode, toJson } from '../../src/source/source-document.ts';

const runs = process.env['WF_PROOF'] ? 20_000 : 600;

/** What the `yaml` package makes of a text, or `undefined` where it reports an error. */
function oracle(text: string): { value: unknown } | undefined {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    logLevel: 'silent',
  });
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  return { value: document.toJS({ maxAliasCount: -1 }) as unknown };
}

function ours(text: string): { value: unknown } | undefined {
  const document = parseYaml('a.yaml', text);
  if (document.findings.some((finding) => finding.severity === 'error')) return undefined;
  return { value: document.root === undefined ? null : toJson(document.root) };
}

function* scalars(node: SourceNode): Generator<Extract<SourceNode, { kind: 'scalar' }>> {
  switch (node.kind) {
    case 'scalar':
      yield node;
      break;
    case 'list':
      for (const item of node.items) yield* scalars(item);
      break;
    case 'map':
      for (const { key, value } of node.entries) {
        yield key;
        yield* scalars(value);
      }
  }
}

/** Every character of every value that stands literally in the text is where `at` says. */
function expectPlaces(text: string): void {
  const { root } = parseYaml('a.yaml', text);
  if (root === undefined) return;
  for (const scalar of scalars(root)) {
    if (typeof scalar.value !== 'string') continue;
    const { value } = scalar;
    let last = scalar.span.start;
    for (let index = 0; index < value.length; index++) {
      const { start, end } = scalar.at(index, index + 1);
      const written = text.slice(start, end);
      const character = value.charAt(index);
      expect(start, `${JSON.stringify(text)} at ${index}`).toBeGreaterThanOrEqual(last);
      last = start;
      if (/[ \n]/.test(character)) expect(written).toMatch(/^(?: |\n|\r|\\[\s\S]+|)$/);
      else if (written.startsWith('\\') && scalar.style === 'double')
        expect(written.length).toBeGreaterThan(1);
      else if (written === "''" && scalar.style === 'single') expect(character).toBe("'");
      else expect(written, JSON.stringify(text)).toBe(character);
    }
    if (scalar.style === 'single' || scalar.style === 'double') {
      expect(text.charAt(scalar.span.start)).toBe(text.charAt(scalar.span.end - 1));
    }
    if (scalar.style === 'literal') expect(text.charAt(scalar.span.start)).toBe('|');
    if (scalar.style === 'folded') expect(text.charAt(scalar.span.start)).toBe('>');
  }
}

const word = fc.constantFrom(
  'a',
  'b1',
  'foo bar',
  'x-y',
  'é😀',
  'a:b',
  'a#b',
  '10',
  '-1.5',
  'true',
  'null',
  '~',
  '0x1F',
  '1e3',
  'yes',
  '010',
  '.5',
  '-',
  '1:2',
  'http://x/y?z#a',
);
const quotedText = fc.string({
  unit: fc.constantFrom('a', ' ', "'", '"', '\\', '{', '#', ':', 'é', '😀', '\t', '\n'),
  maxLength: 8,
});

const indentText = (text: string, by: number): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : ' '.repeat(by) + line))
    .join('\n');

/** Source lines of a block scalar's body: empty lines, deeper ones, trailing spaces. */
const bodyLine = fc.constantFrom(
  'text',
  '  deeper',
  '',
  'a: b # c',
  '{{x}}',
  '- x',
  'trailing  ',
  '\ttab',
  '   ',
  'é😀',
);
const blockBody = fc
  .tuple(fc.constantFrom('x', 'first line'), fc.array(bodyLine, { maxLength: 5 }))
  .map(([first, rest]) => [first, ...rest].join('\n'));

const blockScalar = fc
  .record({
    style: fc.constantFrom('|', '>'),
    chomp: fc.constantFrom('', '-', '+'),
    indicator: fc.boolean(),
    lead: fc.constantFrom('', '\n', '\n\n'),
    body: blockBody,
    comment: fc.constantFrom('', ' # note | here'),
    more: fc.boolean(),
  })
  .map(({ style, chomp, indicator, lead, body, comment, more }) => {
    const text = indicator && more ? ` ${body}` : body;
    return `${style}${indicator ? '2' : ''}${chomp}${comment}\n${lead}${indentText(text, 2)}`;
  });

const single = quotedText.map(
  (text) => `'${text.replaceAll("'", "''").replaceAll('\n', '\n\n  ').replaceAll('\t', ' ')}'`,
);
const double = quotedText.map((text) =>
  JSON.stringify(text).replaceAll('\\n', '\n\n    ').replaceAll(' ', ' '),
);
const escapes = fc.constantFrom(
  '"\\x41\\u00e9\\U0001F600"',
  '"a\\\n  b"',
  '"a \\\n\n  \\ b"',
  '"\\t\\/\\_\\N\\L\\P\\e\\0"',
  '"a\n\n\n  b \t\n c"',
  "'a\n  b'",
);
const multiPlain = fc.constantFrom('one\n  two', 'one\n\n  two three\n  four', 'a  b   c');

const flow = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    word,
    single.filter((s) => !s.includes('\n')),
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('node'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  map: fc
    .uniqueArray(fc.tuple(fc.constantFrom('k', 'long key', '"q"'), tie('node')), {
      maxLength: 3,
      selector: ([key]) => key,
    })
    .map((entries) => `{${entries.map(([key, value]) => `${key}: ${String(value)}`).join(', ')}}`),
})).node as fc.Arbitrary<string>;

const leaf = fc.oneof(
  word,
  single,
  double,
  escapes,
  multiPlain,
  blockScalar,
  flow,
  fc.constant(''),
  fc.constant('!!str 12'),
);

/** A whole value; its lines after the first are indented relative to its parent. */
const block = fc.letrec((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, { arbitrary: leaf, weight: 4 }, tie('map'), tie('list')),
  map: fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c_d', '"e f"', 'g-h'), tie('node')), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map((entries) => `\n${entries.map(([key, value]) => entry(`${key}:`, String(value))).join('\n')}`),
  list: fc
    .array(tie('node'), { minLength: 1, maxLength: 3 })
    .map((items) => `\n${items.map((item) => entry('-', String(item))).join('\n')}`),
})).node as fc.Arbitrary<string>;

function entry(head: string, value: string): string {
  if (!value.startsWith('\n')) return `${head} ${value.replace(/\n(?=[^\n])/g, '\n')}`.trimEnd();
  return `${head}${indentText(value, 2)}`;
}

const documents = fc
  .tuple(
    block,
    fc.constantFrom('', '\n', '\n\n# end\n'),
    fc.constantFrom('', '# begin\n', '---\n'),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([text, end, begin, eol]) => (begin + text.replace(/^\n/, '') + end).replaceAll('\n', eol))
  // Empty lines after an escaped line break stay (YAML 1.2, 6.5 and 7.3.1); the `yaml` package makes spaces of them.
  .filter((text) => !/\\\r?\n\r?\n/.test(text))
  // The two parsers differ on the indentation indicator of a block scalar that is the whole document; no formula is.
  .filter((text) => !/^[|>]/m.test(text));

describe('against the `yaml` package', () => {
  it('reads the same values, and refuses no document it accepts', { timeout: 120_000 }, () => {
    let accepted = 0;
    fc.assert(
      fc.property(documents, (text) => {
        const theirs = oracle(text);
        if (theirs === undefined) return;
        accepted++;
        const mine = parseYaml('a.yaml', text);
        // Only what YAML would eat may be refused.
        const refused = mine.findings.filter((finding) => finding.severity === 'error');
        expect(
          refused.map((finding) => finding.rule).filter((rule) => !rule.startsWith('yaml-eaten')),
        ).toEqual([]);
        if (refused.length === 0) expect(ours(text)).toEqual(theirs);
      }),
      { seed: 7, numRuns: runs },
    );
    expect(accepted).toBeGreaterThan(runs / 2);
  });

  it('knows where each character of a value was written', { timeout: 120_000 }, () => {
    fc.assert(fc.property(documents, expectPlaces), { seed: 8, numRuns: runs });
  });

  it('never throws, and stays in time, on text cut and mixed at random', { timeout: 120_000 }, () => {
    const pieces = fc.array(
      fc.oneof(
        leaf,
        fc.constantFrom(
          'a: ',
          '- ',
          '\n',
          '  ',
          '{',
          '}',
          '[',
          ']',
          ', ',
          '&x ',
          '*x',
          '!t ',
          '? ',
          '#',
          '"',
          "'",
          '|\n',
          '%',
          '@',
          '---\n',
          '\t',
          '{{',
          '}}',
          ': ',
        ),
      ),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        const { findings, root } = parseYaml('a.yaml', text);
        for (const { span, message } of findings) {
          expect(message).not.toMatch(/undefined|not YAML:/);
          expect(span.start).toBeGreaterThanOrEqual(0);
          expect(span.end).toBeGreaterThanOrEqual(span.start);
          expect(span.end).toBeLessThanOrEqual(text.length);
        }
        if (root === undefined && text.replace(/#.*|\s|---/g, '') !== '') expect(findings).not.toEqual([]);
        expectPlaces(text);
      }),
      { seed: 9, numRuns: runs },
    );
  });
});
