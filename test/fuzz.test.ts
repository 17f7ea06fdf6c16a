import fc from 'fast-check';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../src/diagnostics/diagnostic.ts';
import type { Loader } from '../src/formula/loader.ts';
import { checkProject } from '../src/plan/check-project.ts';
import { compileFormula } from '../src/plan/compile.ts';
import { readPlan } from '../src/plan/read-plan.ts';
import { formatYaml } from '../src/source/format-yaml.ts';
import { UserError } from '../src/support/user-error.ts';
import type { Files } from './support/memory-loader.ts';
import { splitFiles } from './support/memory-loader.ts';
import { PAIRS } from './support/key-pairs.ts';
import { proof, proving } from './support/proof.ts';

const root = join(import.meta.dirname, '..');
const textOf = (path: string) => readFileSync(join(root, path), 'utf8');
const under = (folder: string): Files =>
  Object.fromEntries(
    globSync(['wf.yaml', '{formulas,molecules}/**/*.{yaml,json}', 'schemas/*.json'], {
      cwd: join(root, folder),
    })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => folder !== '.' || !path.startsWith('schemas/'))
      .map((path) => [path, textOf(join(folder, path))]),
  );

/** Every fixture, every example, and what ships with wf. */
const projects: readonly (readonly [string, Files])[] = [
  ...globSync(['test/checks/{ok,err}/*.yaml', 'test/plan/*.yaml'], { cwd: root })
    .sort()
    .map((path) => [path, splitFiles(textOf(path))] as const),
  ...Object.entries(PAIRS).map(([key, { a }]) => [key, a] as const),
  ...globSync('examples/*', { cwd: root })
    .sort()
    .map((folder) => [folder, under(folder)] as const)
    .filter(([, files]) => Object.keys(files).length > 0),
  ['the project itself', under('.')],
];

/** What YAML, templates and expressions have that is odd, and what people mistake for it. */
const ODD = [
  ...[
    '{{',
    '}}',
    '{{{',
    '{{#each',
    '{{/each}}',
    '{{else}}',
    '{{!--',
    '\\{{',
    '&a',
    '*a',
    '<<: *a',
    '!!binary',
    '!x ',
  ],
  ...[
    '? ',
    ': ',
    '- ',
    '- - ',
    '|',
    '>-',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    ',',
    '#',
    '%YAML 9.9',
    '---',
    '...',
    '~',
    'null',
    'yes',
  ],
  ...[
    '1e999',
    '0x1F',
    '-0',
    '.inf',
    '9999999999999999999',
    '2026-02-30',
    '\u0000',
    '\ufeff',
    '\u2028',
    '\u0085',
    '\ud800',
    '\u202e',
    '👩‍🚀',
    'é',
  ],
  ...[
    '\r',
    '\r\n',
    '\t',
    '\n',
    '\n\n',
    '__proto__',
    'constructor',
    'steps.',
    'has(',
    ' && ',
    '==',
    "'",
    '$(',
    '`',
    '${',
    '<<EOF',
    'eval ',
  ],
];

const mutation = fc.oneof(
  fc.record({
    kind: fc.constant('flip' as const),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    bit: fc.nat(7),
  }),
  fc.record({
    kind: fc.constantFrom('delete line', 'double line', 'swap lines', 'indent', 'unindent'),
    at: fc.nat(400),
    by: fc.nat(400),
  }),
  fc.record({ kind: fc.constant('swap values' as const), at: fc.nat(200), by: fc.nat(200) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    what: fc.constantFrom(...ODD),
  }),
  fc.record({
    kind: fc.constant('cut' as const),
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(60),
  }),
  fc.record({ kind: fc.constant('end' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    kind: fc.constant('nest' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    depth: fc.constantFrom(3, 40, 600, 5000),
    open: fc.constantFrom('[', '{a: ', '- ', '(', '{{', '!'),
  }),
  fc.record({
    kind: fc.constant('long' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.constantFrom(300, 5000, 60_000),
  }),
  fc.record({ kind: fc.constant('line ends' as const) }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

/** The bytes of a text after something has happened to it. */
function mutate(bytes: Buffer, change: Mutation): Buffer {
  const place = (share: number) => Math.floor(share * bytes.length);
  const splice = (at: number, remove: number, add: string) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(add), bytes.subarray(at + remove)]);
  const lines = bytes.toString('latin1').split('\n');
  const joined = () => Buffer.from(lines.join('\n'), 'latin1');
  switch (change.kind) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      const at = place(change.at);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << change.bit);
      return copy;
    }
    case 'insert':
      return splice(place(change.at), 0, change.what);
    case 'cut':
      return splice(place(change.from), change.length, '');
    case 'end':
      return bytes.subarray(0, place(change.at));
    case 'nest':
      return splice(place(change.at), 0, change.open.repeat(change.depth));
    case 'long':
      return splice(place(change.at), 0, 'x'.repeat(change.length));
    case 'line ends':
      return Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
    case 'swap values': {
      const values = [...bytes.toString('latin1').matchAll(/(?<=: ?|[[{,] ?|- )[^\s,:{}[\]]+/g)];
      const [one, other] = [
        values[change.at % (values.length || 1)],
        values[change.by % (values.length || 1)],
      ];
      if (!one || !other || one.index >= other.index) return bytes;
      const text = bytes.toString('latin1');
      return Buffer.from(
        text.slice(0, one.index) +
          other[0] +
          text.slice(one.index + one[0].length, other.index) +
          one[0] +
          text.slice(other.index + other[0].length),
        'latin1',
      );
    }
    default: {
      const at = change.at % lines.length;
      const line = lines[at] ?? '';
      if (change.kind === 'delete line') lines.splice(at, 1);
      else if (change.kind === 'double line') lines.splice(at, 0, line);
      else if (change.kind === 'indent') lines[at] = `  ${line}`;
      else if (change.kind === 'unindent') lines[at] = line.replace(/^ {1,2}/, '');
      else {
        const by = change.by % lines.length;
        [lines[at], lines[by]] = [lines[by] ?? '', line];
      }
      return joined();
    }
  }
}

function loaderOf(files: Readonly<Record<string, Uint8Array>>): Loader {
  return {
    list: () =>
      Promise.resolve(
        Object.keys(files)
          .filter((path) => /^(wf\.lock|wf\.ya?ml|(formulas|molecules)\/.+\.ya?ml)$/.test(path))
          .sort(),
      ),
    read: (path) => Promise.resolve(files[path]),
    exists: (path) => Promise.resolve(path in files),
  };
}

/** Where a diagnostic points, there has to be something: columns count to behind the last character of a line. */
function expectInside(
  { file, range, rule, related = [] }: Diagnostic,
  files: Readonly<Record<string, Uint8Array>>,
): void {
  for (const place of [{ file, range }, ...related]) {
    const bytes = files[place.file];
    expect(bytes, `${rule} points into ${place.file}, which is not there`).toBeDefined();
    const lines = new TextDecoder().decode(bytes).split(/\r\n|\r|\n/);
    for (const { line, column } of [place.range.start, place.range.end]) {
      const length = lines[line - 1]?.length;
      expect(length, `${rule} points to line ${line} of ${place.file}`).toBeDefined();
      expect(column, `${rule} points to column ${column} of line ${line}`).toBeLessThanOrEqual(
        (length ?? 0) + 1,
      );
      expect(column).toBeGreaterThan(0);
    }
  }
}

/** Slow is what takes longer than anything that anybody would wait for, on whatever machine. */
const MOST_MILLISECONDS = 10_000;

describe('whatever happens to a file', () => {
  it('it is checked, compiled and laid out, or refused at a place in it', async () => {
    const counts = { refused: 0, compiled: 0, laidOut: 0, slowest: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.nat(projects.length - 1),
        fc.nat(20),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        async (index, which, changes) => {
          const [label, texts] = projects[index] as (typeof projects)[number];
          const paths = Object.keys(texts);
          const path = paths[which % paths.length] as string;
          const whole = Object.fromEntries(paths.map((one) => [one, Buffer.from(texts[one] ?? '')]));
          const changed = changes.reduce(mutate, whole[path] as Buffer);
          const files: Record<string, Uint8Array> = { ...whole, [path]: changed };
          const begun = performance.now();
          try {
            const loader = loaderOf(files);
            const report = await checkProject(loader);
            for (const diagnostic of report.diagnostics) expectInside(diagnostic, files);
            if (!report.ok) counts.refused += 1;
            for (const file of paths) {
              const name = /^formulas\/([^/.]+)\.yaml$/.exec(file)?.[1];
              if (name === undefined || (paths.length > 6 && file !== path)) continue;
              const compiled = await compileFormula(loader, name).catch((error: unknown) => {
                if (error instanceof UserError && error.message.includes('is an aspect')) return undefined;
                throw error;
              });
              if (!compiled) continue;
              const { plan, diagnostics } = compiled;
              for (const diagnostic of diagnostics) expectInside(diagnostic, files);
              expect(plan !== undefined || diagnostics.length > 0).toBe(true);
              if (plan) counts.compiled += 1;
            }
            const text = new TextDecoder().decode(changed);
            const laid = path.endsWith('.yaml') ? formatYaml(text) : undefined;
            if (laid?.ok) {
              counts.laidOut += 1;
              const again = formatYaml(laid.text);
              expect(again.ok && again.text).toBe(laid.text);
            }
          } catch (error) {
            throw new Error(
              `${label}, ${path}:\n${JSON.stringify(changed.toString('latin1').slice(0, 2000))}`,
              {
                cause: error,
              },
            );
          }
          const took = performance.now() - begun;
          counts.slowest = Math.max(counts.slowest, took);
          expect(took).toBeLessThan(MOST_MILLISECONDS);
        },
      ),
      proof({ few: 2500, many: 110_000 }),
    );
    expect(counts.refused).toBeGreaterThan(500);
    expect(counts.compiled).toBeGreaterThan(200);
    if (proving) console.log(`mutants of files: ${JSON.stringify(counts)}`);
  }, 3_600_000);

  it('a plan is read, or refused with a word', async () => {
    const plans: string[] = [];
    for (const [, files] of projects) {
      const loader = loaderOf(
        Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
      );
      if (!files['formulas/a.yaml']) continue;
      const { plan } = await compileFormula(loader, 'a').catch(() => ({ plan: undefined }));
      if (plan) plans.push(JSON.stringify(plan, null, 2));
    }
    let refused = 0;
    fc.assert(
      fc.property(
        fc.nat(plans.length - 1),
        fc.array(mutation, { minLength: 1, maxLength: 2 }),
        (index, changes) => {
          const text = changes.reduce(mutate, Buffer.from(plans[index] as string)).toString('utf8');
          try {
            readPlan(text, 'plan.json');
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
            expect(error.message).not.toBe('');
            refused += 1;
          }
        },
      ),
      proof({ few: 1500, many: 30_000 }),
    );
    expect(refused).toBeGreaterThan(500);
  }, 600_000);
});
