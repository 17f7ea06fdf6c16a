import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostics/code-frame.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import { digestPlan } from '../../src/plan/digest.ts';
import { canonicalJson } from '../../src/support/canonical-json.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { formatYaml } from '../../src/source/format-yaml.ts';
import type { JsonValue } from '../../src/support/json.ts';
import { keysOfSchemas, PAIRS } from '../support/key-pairs.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader, splitFiles } from '../support/memory-loader.ts';
import { proof, proving } from '../support/proof.ts';
import { restyle } from '../support/restyle.ts';

const here = new URL('.', import.meta.url).pathname;
const fixtures = readdirSync(here).filter((name) => name.endsWith('.yaml'));
const filesOf = (path: string): Files => splitFiles(readFileSync(join(here, path), 'utf8'));

async function compile(files: Files): Promise<Plan> {
  const profile = files['wf.yaml']?.includes('profiles') ? { profile: 'p' } : {};
  const { plan, diagnostics, sources } = await compileFormula(memoryLoader(files), 'a', profile);
  if (!plan) throw new Error(renderDiagnostics(diagnostics, sources));
  return plan;
}

describe('a formula and its plan', () => {
  it.each(fixtures)('%s', async (name) => {
    const plan = await compile(filesOf(name));
    await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(
      `${here}${name.replace(/\.yaml$/, '.plan.json')}`,
    );
  });

  it('the fixtures together use every key there is', () => {
    const text = fixtures.map((name) => readFileSync(join(here, name), 'utf8')).join('\n');
    const names = new Set(keysOfSchemas().map((key) => key.split('.')[1] as string));
    expect([...names].filter((name) => !new RegExp(`\\b${name}:`).test(text))).toEqual([]);
  });

  it('is none under a profile that gives a role no model, and says where it is named', async () => {
    const files = memoryLoader({
      'wf.yaml': 'models: {}\nprofiles: {p: {models: {small: {id: x}}}, q: {}}\n',
      'formulas/a.yaml': 'formula: a\nsteps: [{id: s, agent: {model: small, prompt: x}}]\n',
    });
    expect((await compileFormula(files, 'a', { profile: 'p' })).plan).toBeDefined();
    const { plan, diagnostics } = await compileFormula(files, 'a', { profile: 'q' });
    expect(plan).toBeUndefined();
    expect(diagnostics).toMatchObject([
      {
        rule: 'unknown-model',
        message: 'under profile "q" no model has the role "small"',
        file: 'formulas/a.yaml',
        range: { start: { line: 2, column: 32 } },
      },
    ]);
  });

  it('is read back from its JSON as it was', async () => {
    for (const name of fixtures) {
      const plan = await compile(filesOf(name));
      expect(digestPlan(JSON.parse(JSON.stringify(plan)) as Plan)).toBe(plan.plan);
    }
  });
});

/** Every project of the tests that compiles. */
const projects: readonly (readonly [string, Files])[] = [
  ...fixtures.map((name) => [name, filesOf(name)] as const),
  ...readdirSync(join(here, '../checks/ok')).map(
    (name) => [`ok/${name}`, filesOf(`../checks/ok/${name}`)] as const,
  ),
  ...Object.entries(PAIRS).flatMap(([key, { claim, a, b }]) =>
    claim === 'refused' ? [] : [[key, a] as const, [`${key}, the other`, b] as const],
  ),
];

/** That each key which changes behaviour changes the digest is told by `no-inert-key.test.ts`, key by key. */
describe('the digest', () => {
  it(
    'does not change with comments, order of keys, quotes, blocks, blank lines or line width',
    { timeout: 900_000 },
    async () => {
      const { numRuns, seed } = proof({ few: 1, many: 25 });
      let compared = 0;
      for (const [name, files] of proving
        ? projects
        : projects.filter((_, index) => index < 5 || index % 4 === 0)) {
        const before = await compileFormula(memoryLoader(files), 'a').catch(() => undefined);
        if (!before?.plan) continue;
        const { plan } = await compile(files);
        await fc.assert(
          fc.asyncProperty(fc.integer(), async (style) => {
            const again = Object.entries(files).map(
              ([path, text]) =>
                // What is imported is pinned as it is.
                [
                  path,
                  path.endsWith('.yaml') && !path.startsWith('.wf/') ? restyle(text, style) : text,
                ] as const,
            );
            expect(
              (await compile(Object.fromEntries(again))).plan,
              `${name}\n${again.map(([, text]) => text).join('\n')}`,
            ).toBe(plan);
            compared += 1;
          }),
          { numRuns, seed },
        );
      }
      expect(compared).toBeGreaterThan(50);
      if (proving) console.log(`${compared} projects written anew, each with the digest it had`);
    },
  );

  it('does not change with what only people read, also inside of schemas', async () => {
    const formula = (extra: string, property = '') => ({
      'formulas/a.yaml': `formula: a\n${extra}inputs: {x: {type: object, properties: {title: {type: string${property}}}}}\nsteps: [{id: s, run: 'echo {{json inputs.x}}'}]\n`,
    });
    const { plan } = await compile(formula(''));
    expect((await compile(formula('description: Why\ntags: [t]\n'))).plan).toBe(plan);
    expect(
      (
        await compile(
          formula('', ', description: Why, title: T, examples: [a], $comment: c, deprecated: true'),
        )
      ).plan,
    ).toBe(plan);
    // A property that is called `title` is no title.
    expect(
      (await compile({ 'formulas/a.yaml': formula('')['formulas/a.yaml'].replace('title:', 'other:') })).plan,
    ).not.toBe(plan);
    expect((await compile(formula('', ', const: title'))).plan).not.toBe(plan);
  });

  it('does not change with the compiler, nor with where a step is written', async () => {
    const plan = await compile(filesOf('group.yaml'));
    const moved = {
      ...plan,
      compiler: 'wf 99',
      steps: plan.steps.map((step) => ({ ...step, source: { file: 'x', line: 9, column: 9 } })),
    };
    expect(digestPlan(moved)).toBe(plan.plan);
    expect(digestPlan({ ...plan, steps: [...plan.steps].reverse() })).not.toBe(plan.plan);
  });

  it('does not change with the canonical layout', async () => {
    let compared = 0;
    for (const [name, files] of projects) {
      const before = await compileFormula(memoryLoader(files), 'a').catch(() => undefined);
      if (!before?.plan) continue;
      const laidOut = Object.entries(files).map(([path, text]) => {
        const formatted = path.endsWith('.yaml') && !path.startsWith('.wf/') ? formatYaml(text) : undefined;
        return [path, formatted?.ok ? formatted.text : text] as const;
      });
      const after = await compileFormula(memoryLoader(Object.fromEntries(laidOut)), 'a');
      expect(after.plan?.plan, name).toBe(before.plan.plan);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(100);
  });

  it('is over plain JSON: what would be written as something else is refused', () => {
    const odd: readonly unknown[] = [
      undefined,
      () => 1,
      new Map(),
      new Date(0),
      Number.NaN,
      Infinity,
      1n,
      [1, , 2],
      { a: { b: new Set() } },
    ];
    for (const value of odd) expect(() => canonicalJson(value as JsonValue)).toThrow(/not plain JSON at \$/);
    expect(canonicalJson({ b: [1, null, 'é'], a: { d: undefined, c: -0 } } as unknown as JsonValue)).toBe(
      '{"a":{"c":0},"b":[1,null,"é"]}',
    );
  });
});

describe('the bytes of a plan', () => {
  const elsewhere: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['', { TZ: 'UTC', LANG: 'C' }],
    [
      'a much/deeper folder é',
      { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', HOME: '/nonexistent' },
    ],
  ];

  function bytes(node: string, name: string, [folder, env]: (typeof elsewhere)[number]): string {
    const root = mkdtempSync(join(tmpdir(), 'wf-plan-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    for (const [path, text] of Object.entries(filesOf(name))) {
      mkdirSync(dirname(join(root, folder, path)), { recursive: true });
      writeFileSync(join(root, folder, path), text);
    }
    return execFileSync(node, ['--experimental-strip-types', '--no-warnings', join(here, 'print-plan.ts')], {
      cwd: join(root, folder),
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
    });
  }

  it.each(proving ? fixtures : fixtures.slice(-2))(
    'are the same in another folder, home, time zone and language: %s',
    (name) => {
      const [here = '', there = ''] = elsewhere.map((place) => bytes(process.execPath, name, place));
      expect(here.length).toBeGreaterThan(100);
      expect(there).toBe(here);
      expect(bytes(process.execPath, name, elsewhere[0] as (typeof elsewhere)[number])).toBe(here);
    },
  );

  it('are the same with Node 22', (context) => {
    const node = process.env['WF_NODE_22'] ?? '';
    if (!existsSync(node)) context.skip('WF_NODE_22 does not say where a Node 22 is');
    for (const name of fixtures) {
      const [place] = elsewhere;
      if (place) expect(bytes(node, name, place)).toBe(bytes(process.execPath, name, place));
    }
  });

  it('are under twice those of its source, small as the fixtures are', async () => {
    const sizes: (readonly [number, number])[] = [];
    for (const name of fixtures) {
      const files = Object.entries(filesOf(name)).filter(([path]) => path.endsWith('.yaml'));
      const source = files.reduce((sum, [, text]) => sum + text.length, 0);
      const plan = JSON.stringify(await compile(filesOf(name))).length;
      sizes.push([source, plan]);
      if (proving) console.log(`${name}: source ${source}, plan ${plan}: ${(plan / source).toFixed(2)}`);
    }
    const total = (at: 0 | 1) => sizes.reduce((sum, size) => sum + size[at], 0);
    expect(total(1) / total(0)).toBeLessThan(2);
  });
});
