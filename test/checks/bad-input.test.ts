import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProject } from '../../src/plan/check-project.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import { openProject } from '../../src/workspace/project-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';

const good = 'formula: good\nsteps:\n  - {id: s, run: ls}\n';

/** Checks a project on disk: `file rule: message`, each in a line. */
async function told(root: string): Promise<readonly string[]> {
  const { diagnostics } = await checkProject(openProject(root));
  return diagnostics.map(({ file, rule, message }) => `${file} ${rule}: ${message}`);
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
  const begun = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - begun) / 1000 };
}

describe('one bad file does not stop the others from being checked', () => {
  it.each<[string, (path: string, root: string) => void, string]>([
    [
      'a folder with the name of a file',
      (path) => mkdirSync(path),
      'unreadable-file: formulas/bad.yaml cannot be read: it is a folder',
    ],
    [
      'a link that leads nowhere',
      (path) => symlinkSync('nowhere.yaml', path),
      'unreadable-file: there is nothing to read here: a link that leads nowhere, or out of the project',
    ],
    [
      'a link out of the project',
      (path) => symlinkSync('/etc/hostname', path),
      'unreadable-file: there is nothing to read here: a link that leads nowhere, or out of the project',
    ],
    [
      'a link to itself',
      (path) => symlinkSync('bad.yaml', path),
      'unreadable-file: there is nothing to read here: a link that leads nowhere, or out of the project',
    ],
    ['an empty file', (path) => writeFileSync(path, ''), 'empty-file: the file is empty, but should hold a formula'],
    ['comments only', (path) => writeFileSync(path, '# a\n# b'), 'empty-file: the file is empty, but should hold a formula'],
    [
      'Latin-1',
      (path) => writeFileSync(path, Buffer.from('formula: bad\ndescription: für\n', 'latin1')),
      'not-utf8: the file is not UTF-8: line 2 has the byte 0xFC (byte 27 of the file)',
    ],
    ['UTF-16', (path) => writeFileSync(path, Buffer.from('\uFEFFformula: bad\n', 'utf16le')), 'not-utf8: the file is UTF-16, not UTF-8'],
    [
      'NUL',
      (path) => writeFileSync(path, 'formula: bad\0\n'),
      'yaml-syntax: the file has a control character here',
    ],
    [
      'tabs',
      (path) => writeFileSync(path, 'formula: bad\nsteps:\n\t- {id: s, run: ls}\n'),
      'yaml-syntax: a tab cannot indent a line in YAML',
    ],
  ])('%s', async (_, make, expected) => {
    const project = testProject({ 'formulas/good.yaml': good, 'formulas/worse.yaml': 'formula: worse\n' });
    make(join(project.root, 'formulas/bad.yaml'), project.root);
    expect(await told(project.root)).toEqual([
      `formulas/bad.yaml ${expected}`,
      'formulas/worse.yaml missing-key: the formula lacks "steps"',
    ]);
  });

  it('a file without permission', async ({ skip }) => {
    const project = testProject({ 'formulas/good.yaml': good, 'formulas/bad.yaml': good });
    chmodSync(join(project.root, 'formulas/bad.yaml'), 0);
    chmodSync(project.root, 0o755);
    const isRoot = process.geteuid?.() === 0;
    // Root may read everything, so somebody else has to try.
    if (isRoot && !process.seteuid) skip('no other user can be had here');
    try {
      if (isRoot) process.seteuid?.(65534);
      expect(await told(project.root)).toEqual([
        'formulas/bad.yaml unreadable-file: formulas/bad.yaml cannot be read: you may not',
      ]);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });
});

describe('what is unusual and fine', () => {
  it.each([
    ['a byte order mark', `\uFEFF${good}`],
    ['line ends of Windows', good.replaceAll('\n', '\r\n')],
    ['no line end at the end', good.trimEnd()],
  ])('%s', async (_, text) => {
    const project = testProject({ 'formulas/good.yaml': text });
    expect(await told(project.root)).toEqual([]);
  });

  it('no wf.yaml, no formulas, nothing at all', async () => {
    expect(await told(testProject({}).root)).toEqual([]);
  });

  it('places in a file with line ends of Windows and a byte order mark', async () => {
    const text = '\uFEFFformula: a\r\nsteps:\r\n  - id: s\r\n    run: |\r\n      ls\r\n      echo {{inputs.nope}}\r\n';
    const { diagnostics } = await checkProject(memoryLoader({ 'formulas/a.yaml': text }));
    expect(diagnostics.map(({ range }) => range.start)).toEqual([{ line: 6, column: 21 }]);
  });
});

describe('what is far too much is refused in a moment', () => {
  it('50 MB of YAML', async () => {
    const project = testProject({ 'formulas/good.yaml': good });
    writeFileSync(join(project.root, 'formulas/bad.yaml'), Buffer.alloc(50_000_000, 'a: b\n'));
    const before = process.memoryUsage().arrayBuffers;
    const { value, seconds } = await timed(() => told(project.root));
    expect(value).toEqual(['formulas/bad.yaml file-too-large: the file is larger than the 4 MB a file may have']);
    expect(seconds).toBeLessThan(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  it.each([
    ['[', ']'],
    ['{a: ', '}'],
    ['- ', ''],
  ])('100,000 levels of %s', async (open, close) => {
    const deep = open.repeat(100_000) + 'x' + close.repeat(100_000);
    const { value, seconds } = await timed(() =>
      checkProject(memoryLoader({ 'formulas/a.yaml': `formula: a\nsteps: ${open === '- ' ? '\n  ' : ''}${deep}\n` })),
    );
    expect(value.diagnostics.map(({ rule }) => rule)).toEqual(['yaml-too-deep']);
    expect(seconds).toBeLessThan(2);
  });

  it('an expression and a template nested 10,000 deep', async () => {
    const { value, seconds } = await timed(() =>
      checkProject(
        memoryLoader({
          'formulas/a.yaml': `formula: a\nsteps:\n  - {id: s, run: ls, when: '${'('.repeat(10_000)}true${')'.repeat(10_000)}'}\n  - {id: t, run: ls, env: {A: '{{json ${'(json '.repeat(10_000)}run${')'.repeat(10_000)}}}'}}\n`,
        }),
      ),
    );
    expect(value.diagnostics.map(({ rule }) => rule)).toEqual(['expression-syntax', 'template-syntax']);
    expect(seconds).toBeLessThan(2);
  });

  it('a 1,000 mistakes in one file are all told', async () => {
    const steps = Array.from({ length: 1000 }, (_, index) => `  - {id: s${index}, run: ls, needs: [nope${index}]}\n`);
    const { value, seconds } = await timed(() =>
      checkProject(memoryLoader({ 'formulas/a.yaml': `formula: a\nsteps:\n${steps.join('')}` })),
    );
    expect(value.diagnostics).toHaveLength(1000);
    expect(seconds).toBeLessThan(3);
  });
});

describe('what is much and fine', () => {
  it('10,000 steps, each after the one above, and each reading the one before', async () => {
    const steps = Array.from(
      { length: 10_000 },
      (_, index) => `  - {id: s${index}, run: 'echo ${index === 0 ? 'x' : `"{{steps.s${index - 1}.outputs.stdout}}"`}'}\n`,
    );
    const loader = memoryLoader({ 'formulas/a.yaml': `formula: a\nsteps:\n${steps.join('')}` });
    const { value, seconds } = await timed(() => compileFormula(loader, 'a'));
    expect(value.diagnostics).toEqual([]);
    expect(value.plan?.steps).toHaveLength(10_000);
    expect(value.plan?.steps.at(-1)?.needs).toEqual(['s9998']);
    expect(seconds).toBeLessThan(20);
  });

  /** `formulas/f0` uses `f1` so many times, `f1` uses `f2`, … */
  const layers = (depth: number, times: number) =>
    Object.fromEntries(
      Array.from({ length: depth }, (_, layer) => [
        `formulas/f${layer}.yaml`,
        `formula: f${layer}\nsteps:\n${
          layer === depth - 1
            ? '  - {id: s, run: ls}\n'
            : Array.from({ length: times }, (__, index) => `  - {id: s${index}, uses: formula/f${layer + 1}}\n`).join('')
        }`,
      ]),
    );

  it('a chain of 100 used formulas', async () => {
    const { value, seconds } = await timed(() => compileFormula(memoryLoader(layers(100, 1)), 'f0'));
    expect(value.diagnostics).toEqual([]);
    expect(value.plan).toBeDefined();
    expect(seconds).toBeLessThan(5);
  });

  it('a chain of 1,000 used formulas is refused once', async () => {
    const { value, seconds } = await timed(() => checkProject(memoryLoader(layers(1000, 1))));
    expect(value.diagnostics.map(({ file, rule }) => [file, rule])).toEqual([
      ['formulas/f898.yaml', 'uses-too-deep'],
    ]);
    expect(seconds).toBeLessThan(20);
  });

  it('formulas that use each other so often that the plan would never end are checked, and refused when compiled', async () => {
    const files = layers(30, 3);
    const checked = await timed(() => checkProject(memoryLoader(files)));
    expect(checked.value.diagnostics.map(({ file, rule }) => [file, rule])).toEqual([
      ['formulas/f19.yaml', 'too-many-steps'],
    ]);
    expect(checked.seconds).toBeLessThan(3);
    const compiled = await timed(() => compileFormula(memoryLoader(files), 'f0'));
    expect(compiled.value.plan).toBeUndefined();
    expect(compiled.value.diagnostics.map(({ rule }) => rule)).toEqual(['too-many-steps']);
    expect(compiled.seconds).toBeLessThan(3);
  });
});

it('formulas that extend each other in a circle are told, also where one calls itself otherwise', async () => {
  const chain = (length: number) =>
    Object.fromEntries(
      Array.from({ length }, (_, index) => [
        `formulas/f${index}.yaml`,
        index === 0 ? 'formula: f0\nsteps: [{id: s, run: ls}]\n' : `formula: f${index}\nextends: f${index - 1}\n`,
      ]),
    );
  const rulesOf = async (files: Record<string, string>) =>
    (await checkProject(memoryLoader(files))).diagnostics.map(({ file, rule }) => `${file} ${rule}`);
  expect(await rulesOf({ 'formulas/a.yaml': 'formula: other\nextends: a\n' })).toEqual([
    'formulas/a.yaml extends-cycle',
  ]);
  expect(await rulesOf(chain(100))).toEqual([]);
  expect(await rulesOf(chain(103))).toEqual(['formulas/f101.yaml uses-too-deep']);
});
