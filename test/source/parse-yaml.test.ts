import { describe, expect, it } from 'vitest';
import { codeFrame } from '../../src/diagnostics/code-frame.ts';
import { toDiagnostics } from '../../src/diagnostics/to-diagnostics.ts';
import { maxFileSize } from '../../src/source/limits.ts';
import { parseYaml } from '../../src/source/parse-yaml.ts';
import { type SourceNode, toJson } from '../../src/source/source-document.ts';

/** All findings as people see them, and that they leave nothing to check when the text does not parse. */
function told(text: string): string {
  const { findings } = parseYaml('a.yaml', text);
  const frames = toDiagnostics(findings, new Map([['a.yaml', text]])).map((found) => codeFrame(found, text));
  return `\n${frames.join('\n')}\n`;
}

const rules = (text: string): string[] => parseYaml('a.yaml', text).findings.map((finding) => finding.rule);

const value = (text: string): unknown => {
  const { root } = parseYaml('a.yaml', text);
  return root === undefined ? undefined : toJson(root);
};

describe('values', () => {
  it('follow the core schema of YAML 1.2', () => {
    expect(
      value('[1, 010, 0o17, 0xff, 1.5, 1e3, .5, +3, yes, on, ~, null, True, "1", 1_000, 12:30, 2026-01-01]'),
    ).toEqual([
      1,
      10,
      15,
      255,
      1.5,
      1000,
      0.5,
      3,
      'yes',
      'on',
      null,
      null,
      true,
      '1',
      '1_000',
      '12:30',
      '2026-01-01',
    ]);
  });

  it('may carry the core tags', () => {
    expect(value('a: !!str 12\nb: !!int "12"\nc: !!float 1\nd: !!null ""\ne: !!map {}\nf: !!str\n')).toEqual({
      a: '12',
      b: 12,
      c: 1,
      d: null,
      e: {},
      f: '',
    });
  });

  it('are shared by aliases', () => {
    expect(value('a: &x {b: [1]}\nc: *x\nd: *x\n')).toEqual({ a: { b: [1] }, c: { b: [1] }, d: { b: [1] } });
  });

  it('are absent from an empty file', () => {
    for (const text of ['', '\n', '# only a comment\n', '\uFEFF']) {
      expect(parseYaml('a.yaml', text)).toMatchObject({ root: undefined, findings: [] });
    }
  });
});

describe('spans', () => {
  const text = [
    'a: plain # note',
    'b: "q\\t"',
    'c: |- # note',
    '  one',
    '  two',
    '',
    'd: [1, {e: , f}, ] # note',
    'g:',
    '- h: 1',
    '  i:',
    '-',
    'j: !!str k',
    '',
  ].join('\n');
  const document = parseYaml('a.yaml', text);
  const written = (node: SourceNode | undefined): string | undefined =>
    node && text.slice(node.span.start, node.span.end);
  const root = document.root?.kind === 'map' ? document.root : undefined;

  it.each([
    ['a', 'plain'],
    ['b', '"q\\t"'],
    ['c', '|- # note\n  one\n  two'],
    ['d', '[1, {e: , f}, ]'],
    ['g', '- h: 1\n  i:\n-'],
    ['j', 'k'],
  ])('%s', (key, expected) => {
    expect(written(root?.get(key)?.value)).toBe(expected);
    expect(written(root?.get(key)?.key)).toBe(key);
  });

  it('of what was left out are where it would stand', () => {
    const map = root?.get('d')?.value;
    const inner = map?.kind === 'list' ? map.items[1] : undefined;
    const [e, f] = inner?.kind === 'map' ? inner.entries : [];
    expect(e?.value.span).toMatchObject({ start: text.indexOf('e:') + 2, end: text.indexOf('e:') + 2 });
    expect(f?.value.span).toMatchObject({ start: text.indexOf('f}') + 1, end: text.indexOf('f}') + 1 });
    const list = root?.get('g')?.value;
    const last = list?.kind === 'list' ? list.items[1] : undefined;
    expect(last?.span.start).toBe(text.indexOf('-\nj') + 1);
  });

  it('of parts of a scalar map through escapes and folds', () => {
    const source = 'a: >-\n  one\n  two {{x}}\n\n  three\nb: "\\t\\u0041 {{y}}"\n';
    const map = parseYaml('a.yaml', source).root;
    const at = (key: string, part: string): string | undefined => {
      const scalar = map?.kind === 'map' ? map.get(key)?.value : undefined;
      if (scalar?.kind !== 'scalar') return undefined;
      const start = String(scalar.value).indexOf(part);
      const span = scalar.at(start, start + part.length);
      return source.slice(span.start, span.end);
    };
    expect(at('a', '{{x}}')).toBe('{{x}}');
    expect(at('a', 'three')).toBe('three');
    expect(at('b', '{{y}}')).toBe('{{y}}');
    expect(at('b', 'A')).toBe('\\u0041');
  });
});

describe('mistakes of syntax', () => {
  it.each([
    ['an open bracket', 'a: [1, 2\nb: c\n'],
    ['an open brace at the end', 'a: {b: c, d\n'],
    ['an open quote', 'a: "foo\nb: c\n'],
    ['an open quote at the end', "a:\n  b: 'foo\n"],
    ['a missing comma', 'a: [{b: c} {d: e}]\n'],
    ['a stray comma', 'a: [,]\n'],
    ['a tab', 'a:\n\tb: c\n'],
    ['too deep a line', 'a: 1\n  b: 2\n'],
    ['text where a key belongs', 'a: 1\nfoo\nb: 2\n'],
    ['no space after the colon', 'a:b\nc: d\n'],
    ['an unknown escape', 'a: "\\d+"\n'],
    ['a list after a map', 'a: b\n- c\n'],
    ['a key that is a list', '[a]: b\n'],
    ['no key', ': b\n'],
    ['a control character', 'a: b\u0007\n'],
    ['two documents', 'a: 1\n---\nb: 2\n'],
  ])('%s', (_, text) => {
    expect(told(text)).toMatchSnapshot();
    expect(rules(text)).toHaveLength(1);
  });

  it('of one file are all told where they can be', () => {
    expect(rules('run: {{a}} b\nwhen: !c\nask: d: e\nx: @y\nz: {{q}}\n')).toEqual([
      'yaml-eaten-braces',
      'yaml-eaten-colon',
      'yaml-indicator',
      'yaml-tag',
      'yaml-eaten-braces',
    ]);
  });
});

describe('what YAML eats in silence', () => {
  it.each([
    ['yaml-eaten-braces', 'path: {{inputs.x}}\n'],
    ['yaml-eaten-braces', 'path: {{inputs.x}}/sub # where\n'],
    ['yaml-eaten-braces', 'with: {path: {{item.path}}, other: 1}\n'],
    ['yaml-eaten-braces', '- {id: a, run: echo {{x}}, when: b}\n'],
    ['yaml-eaten-braces', 'run: [echo, {{x}}]\n'],
    ['yaml-eaten-braces', 'prompt: {{#if x}}yes{{/if}}\n'],
    ['yaml-tag', 'when: !inputs.x\n'],
    ['yaml-tag', 'when: !has(x) && !y\n'],
    ['yaml-tag', 'a: !mine {b: c}\n'],
    ['yaml-alias', 'files: [*.ts]\n'],
    ['yaml-alias', 'files: **/*.ts\n'],
    ['yaml-eaten-anchor', 'run: &1 echo\n'],
    ['yaml-eaten-colon', 'run: echo a: b\n'],
    ['yaml-eaten-colon', 'x: {when: a ? b : c, run: d}\n'],
    ['yaml-eaten-comma', 'x: {when: size(a, b), run: c}\n'],
    ['yaml-eaten-comma', 'show: [size(a, b), c]\n'],
    ['yaml-eaten-comma', 'x: {run: echo "a, b", id: c}\n'],
    ['yaml-eaten-comment', 'run: echo "a #b" c\n'],
    ['yaml-eaten-comment', 'run: gh issue view #12\n'],
    ['yaml-eaten-comment', 'when: x.contains( # a)\n'],
    ['yaml-indicator', 'a: @scope/name\n'],
    ['yaml-indicator', 'a: `date`\n'],
    ['yaml-indicator', 'a: %d\n'],
    ['yaml-indicator', 'until: > 3\n'],
    ['yaml-text-after', "when: 'a' == inputs.x\n"],
    ['yaml-text-after', 'when: [1, 2].exists(x, x > 1)\n'],
    ['yaml-text-after', 'run: "./my tool" --all\n'],
    ['yaml-merge-key', 'a: &x {b: 1}\nc: {<<: *x}\n'],
    ['number-too-large', 'id: 12345678901234567890\n'],
    ['number-too-large', 'a: .nan\n'],
    ['duplicate-key', 'a: 1\nb: 2\na: 3\n'],
    ['yaml-alias', 'a: &x [*x]\n'],
  ])('%s: %j', (rule, text) => {
    expect(told(text)).toMatchSnapshot();
    expect(rules(text)).toEqual([rule]);
  });

  it.each([
    'run: make # builds it\n',
    'parallel: 4 #four\n',
    'run: echo a#b\n',
    'run: "echo #1"\n',
    'when: size(a) > 1 # (only then)\n',
    "title: it's done # really, it's\n",
    'when: a ? b :c\n',
    'a: [x, y] # note\n',
    'a: &x 1\nb: *x\n',
    'show: [run.diff, inputs.x]\n',
    'run: echo {{x}} {{y}}\n',
    'run: |\n  echo "{{x}}: #1" {a, b}\n',
    'a: {b: "size(x, y)", c: (d)}\n',
    'a: 9007199254740991\n',
  ])('but nothing of %j', (text) => {
    expect(rules(text)).toEqual([]);
  });
});

describe('limits', () => {
  it('refuses a file that is too large before parsing it', () => {
    const started = performance.now();
    expect(rules('a: [\n'.padEnd(maxFileSize + 1, 'x'))).toEqual(['file-too-large']);
    expect(performance.now() - started).toBeLessThan(100);
  });

  it('refuses aliases that grow into gigabytes', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level++) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    const document = parseYaml('a.yaml', lines.join('\n'));
    expect(
      document.findings.filter((finding) => finding.severity === 'error').map(({ rule }) => rule),
    ).toEqual(['yaml-bomb']);
    expect(document.root).toBeUndefined();
  });

  it.each([
    ['lists', '['.repeat(100_000)],
    ['maps', '{a: '.repeat(50_000)],
    ['blocks', Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['dashes', '- '.repeat(100_000)],
  ])('refuses deep nesting of %s without falling over', (_, text) => {
    expect(rules(text)).toEqual(['yaml-too-deep']);
  });

  it('reads 10,000 steps quickly', () => {
    const steps = Array.from(
      { length: 10_000 },
      (_, i) => `  - id: step_${i}\n    run: echo {{inputs.x}} "${i}" # note\n    needs: [step_${i - 1}]\n`,
    );
    const started = performance.now();
    const { root, findings } = parseYaml('a.yaml', `formula: big\nsteps:\n${steps.join('')}`);
    // About 60 ms on two slow cores; a limit that only something quadratic would miss.
    expect(performance.now() - started).toBeLessThan(2000);
    expect(findings).toEqual([]);
    expect(root?.kind === 'map' && root.get('steps')?.value.kind === 'list').toBe(true);
  });

  it('tells duplicate keys of a large map quickly', () => {
    const keys = Array.from({ length: 50_000 }, (_, i) => `key_${i}: ${i}\n`).join('');
    const started = performance.now();
    expect(rules(`${keys}key_7: 1\n`)).toEqual(['duplicate-key']);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  // Each search for a cause used to try every place there is: the first of these took a minute.
  it.each([
    [
      'a long word in a text that is not closed',
      `steps:\n  - {'echo: version,${'x'.repeat(60_000)} run: git describe}\n`,
    ],
    ['closing brackets in a text that is not closed', `steps:\n  - {'a${'}'.repeat(60_000)}\n`],
    ['quotes in a list that is not closed', `steps: [${'"a", '.repeat(15_000)}\n`],
    ['brackets in items', `steps: [${'a{, '.repeat(15_000)}\n`],
    ['lists that are not closed, a line each', 'a: [b\n'.repeat(10_000)],
    ['a quote in every line', "a: 'b\nc: it's\n".repeat(5000)],
    ['four megabytes in one text that is not closed', `a: ["${'b: {, '.repeat(690_000)}`],
  ])('gives up the search for the cause of a mistake: %s', (_, text) => {
    expect(rules(text)).toContain('yaml-syntax');
  });
});
