import fc from 'fast-check';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { commentsOf, formatYaml } from '../../src/source/format-yaml.ts';
import { parseYaml } from '../../src/source/parse-yaml.ts';
import { toJson } from '../../src/source/source-document.ts';
import { proof } from '../support/proof.ts';

const root = join(import.meta.dirname, '../..');
const files = globSync(
  [
    '{formulas,molecules}/*.yaml',
    'examples/*/**/*.yaml',
    'wf.yaml',
    'test/checks/*/*.yaml',
    'test/plan/*.yaml',
  ],
  { cwd: root },
).sort();

const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

function formatted(text: string): string {
  const result = formatYaml(text);
  if (!result.ok) throw new Error(result.why);
  return result.text;
}

function valueOf(text: string): unknown {
  const { root: node } = parseYaml('a.yaml', text);
  return node && toJson(node);
}

/** What may happen to a text without changing what it means. */
function restyle(text: string, seed: number): string {
  const lines = text.split('\n');
  const inText = textLines(text);
  return lines
    .flatMap((line, index) => {
      if (inText.has(index)) return [line];
      const at = (seed >> (index % 24)) & 3;
      if (at === 0) return [`${line}  `];
      if (at === 1 && line.trim() === '') return ['', '', ''];
      if (at === 2 && /^\s*[\w-]+: \{/.test(line) && !line.includes('"') && !line.includes("'"))
        return [line.replace(/\{(?=\w)/, '{ ').replace(/(\w)\}$/, '$1 }')];
      return [line];
    })
    .join('\n');
}

/** Lines of scalars of several lines: there a blank may be a part of the value. */
function textLines(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (node: NonNullable<ReturnType<typeof parseYaml>['root']>): void => {
    if (node.kind === 'scalar') {
      const from = text.slice(0, node.span.start).split('\n').length - 1;
      const to = text.slice(0, node.span.end).split('\n').length - 1;
      if (to > from) for (let line = from; line <= to; line++) found.add(line);
    } else if (node.kind === 'list') node.items.forEach(visit);
    else node.entries.forEach(({ key, value }) => [key, value].forEach(visit));
  };
  const { root: node } = parseYaml('a.yaml', text);
  if (node) visit(node);
  return found;
}

describe('the canonical layout', () => {
  it('is what shipped formulas and examples have', () => {
    const shipped = files.filter((file) => !file.startsWith('test/'));
    expect(shipped.filter((file) => formatted(textOf(file)) !== textOf(file))).toEqual([]);
  });

  it.each(files)('means the same, keeps comments, and is its own layout: %s', (file) => {
    const text = textOf(file);
    const result = formatYaml(text);
    if (!result.ok) {
      expect(parseYaml(file, text).findings.some(({ severity }) => severity === 'error')).toBe(true);
      return;
    }
    expect(valueOf(result.text)).toEqual(valueOf(text));
    expect(commentsOf(result.text)).toEqual(commentsOf(text));
    expect(formatted(result.text)).toBe(result.text);
  });

  it('is found again from any other layout', () => {
    const shipped = files.filter((file) => !file.startsWith('test/')).map(textOf);
    fc.assert(
      fc.property(fc.constantFrom(...shipped), fc.nat(), (text, seed) => {
        expect(formatted(restyle(text, seed))).toBe(text);
      }),
      proof({ few: 60, many: 2000 }),
    );
  });

  it('means the same whatever the document', () => {
    const text = fc.string({
      unit: fc.constantFrom(
        'a',
        ' ',
        ':',
        '#',
        "'",
        '"',
        '\n',
        '-',
        '{',
        '[',
        ',',
        '|',
        '\t',
        'é',
        '\\',
        '0',
      ),
    });
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.integer({ max: 1e6, min: -1e6 }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(value, fc.constantFrom(20, 80, 0), fc.boolean(), (json, lineWidth, flow) => {
        const source = stringify(json, { lineWidth, ...(flow && { collectionStyle: 'flow' as const }) });
        const result = formatYaml(source);
        if (!result.ok) return;
        expect(valueOf(result.text)).toEqual(valueOf(source));
        expect(formatted(result.text)).toBe(result.text);
      }),
      proof({ few: 300, many: 20_000 }),
    );
  });

  it('looks like this', () => {
    const text = `# a formula\r
#
#   wf check
formula:   a


# about inputs
inputs: { n: {type: integer} , m:  {type: string,description: "A text that goes on and on, for longer than a line should be, so that it is laid out as a block"}}
steps:
- id:  one   # the first
  run: |
        if true; then
          echo "{{inputs.n}}"
        fi
- {id: two,needs: [ one ], run: 'echo a
    b' }
-   id: three
    run:
        echo
        c


`;
    expect(formatted(text)).toMatchInlineSnapshot(`
      "# a formula
      #
      #   wf check
      formula: a

      # about inputs
      inputs:
        n: {type: integer}
        m:
          type: string
          description: "A text that goes on and on, for longer than a line should be, so that it is laid out as a block"
      steps:
        - id: one # the first
          run: |
            if true; then
              echo "{{inputs.n}}"
            fi
        - {id: two, needs: [one], run: 'echo a
            b'}
        - id: three
          run: echo
            c
      "
    `);
  });

  it.each(['a: "wfKeptText0z"\nb: |+\n  x\n\n\n', 'a: |+\n  x\n\n\nb: 1\n', 'a: "x\ry"\n', '# f\rl: 1\n'])(
    'changes no value, whatever stands in a text: %j',
    (text) => {
      const result = formatYaml(text);
      if (!result.ok) return;
      expect(valueOf(result.text)).toEqual(valueOf(text));
      expect(formatted(result.text)).toBe(result.text);
    },
  );

  it('leaves alone what does not parse', () => {
    expect(formatYaml('a: [1\n')).toMatchObject({ ok: false });
    expect(formatYaml('')).toEqual({ ok: true, text: '' });
    expect(formatYaml('# only a comment\n\n')).toEqual({ ok: true, text: '# only a comment\n' });
  });
});
