import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Loader } from '../../src/formula/loader.ts';
import type { CheckStore } from '../../src/plan/check-memory.ts';
import { checkProject } from '../../src/plan/check-project.ts';
import { openProject } from '../../src/workspace/project-loader.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { proof } from '../support/proof.ts';

const FILES: Files = {
  'wf.yaml': 'people: {owners: [ann@example.com]}\n',
  'molecules/tidy.yaml': `molecule: tidy
description: Tidies a file.
inputs: {path: {$ref: ../schemas/path.json}}
run: scripts/tidy.sh {{inputs.path}}
outputs: {count: {type: integer}}
`,
  'formulas/one.yaml': `formula: one
description: Tidies.
steps:
  - {id: tidy, uses: tidy, with: {path: src}}
  - {id: ask, approve: {ask: 'Well?', by: [owners]}}
outputs: {count: steps.tidy.outputs.count}
`,
  'formulas/two.yaml': `formula: two
description: Does it twice.
steps:
  - {id: first, uses: formula/one}
  - {id: second, run: 'sh schemas/path.json {{steps.first.outputs.count}}'}
`,
  'schemas/path.json': '{"type": "string"}',
  'scripts/tidy.sh': 'echo tidy',
};

/** Other texts that a file may have; undefined: it is not there. */
const OTHERS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  'wf.yaml': ['people: {others: [bob@example.com]}\n', 'peple: {}\n', undefined],
  'molecules/tidy.yaml': [
    String(FILES['molecules/tidy.yaml']).replace('count:', 'number:'),
    String(FILES['molecules/tidy.yaml']).replace('path:', 'file:'),
    `${FILES['molecules/tidy.yaml']}# a comment\n`,
    undefined,
  ],
  'formulas/one.yaml': [
    String(FILES['formulas/one.yaml']).replace('outputs.count', 'outputs.number'),
    String(FILES['formulas/one.yaml']).replace('outputs: {count', 'outputs: {number'),
    undefined,
  ],
  'formulas/two.yaml': [
    `${FILES['formulas/two.yaml']}  - {id: third, needs: [forth], run: ':'}\n`,
    undefined,
  ],
  'schemas/path.json': ['{"type": "integer"}', '{"type": ', undefined],
  'scripts/tidy.sh': ['echo more', undefined],
};

function storeIn(): CheckStore & { text: string | undefined } {
  return {
    version: '1',
    fewest: 0,
    text: undefined,
    load() {
      return Promise.resolve(this.text);
    },
    save(text) {
      this.text = text;
      return Promise.resolve();
    },
  };
}

/** Which files are read, in order. */
function listened(loader: Loader): { readonly loader: Loader; readonly read: string[] } {
  const read: string[] = [];
  const heard: Loader = {
    ...loader,
    read: (path) => {
      read.push(path);
      return loader.read(path);
    },
  };
  return { loader: heard, read };
}

function onDisk(files: Files): {
  readonly root: string;
  readonly write: (path: string, text: string) => void;
} {
  const root = mkdtempSync(join(tmpdir(), 'wf-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string) => {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    utimesSync(full, 1_700_000_000, 1_700_000_000);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  return { root, write };
}

/** What was written last is old enough for its look to be believed. */
async function settled(root: string): Promise<void> {
  await expect.poll(() => openProject(root).look?.('scripts/tidy.sh').split(' ').length).toBe(5);
}

describe('the memory of checks', () => {
  it('makes no difference to what is told, whatever is changed between two checks', async () => {
    const edits = Object.entries(OTHERS).flatMap(([path, texts]) =>
      [FILES[path], ...texts].map((text) => ({ path, text })),
    );
    const step = fc.record({
      edits: fc.array(fc.constantFrom(...edits), { maxLength: 2 }),
      paths: fc.option(fc.constantFrom(['formulas/one.yaml'], ['formulas/two.yaml', 'wf.yaml']), {
        nil: undefined,
      }),
      looks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const store = storeIn();
        const files: Record<string, string> = { ...FILES };
        const versions = new Map<string, number>();
        for (const { edits: made, paths, looks } of steps) {
          for (const { path, text } of made) {
            versions.set(path, (versions.get(path) ?? 0) + 1);
            if (text === undefined) Reflect.deleteProperty(files, path);
            else files[path] = text;
          }
          const loader: Loader = {
            ...memoryLoader(files),
            ...(looks && {
              look: (path) => (path in files ? `${path} ${versions.get(path) ?? 0}` : 'nothing'),
            }),
          };
          const present = paths?.filter((path) => path in files);
          const options = present ? { paths: present } : {};
          const { sources: _, ...remembered } = await checkProject(loader, { ...options, store });
          const { sources: __, ...plain } = await checkProject(loader, options);
          expect(remembered).toEqual(plain);
        }
      }),
      proof({ few: 60, many: 3000 }),
    );
  });

  it('reads only what was touched, and checks only what depends on it', async () => {
    const { root, write } = onDisk(FILES);
    const store = storeIn();
    await settled(root);
    const check = async () => {
      const { loader, read } = listened(openProject(root));
      const { diagnostics } = await checkProject(loader, { store });
      return { read: read.filter((path) => path !== 'wf.yaml'), rules: diagnostics.map(({ rule }) => rule) };
    };
    expect((await check()).rules).toEqual([]);
    expect(await check()).toEqual({ read: [], rules: [] });
    write('formulas/two.yaml', String(FILES['formulas/two.yaml']).replace('count', 'counts'));
    const { read, rules } = await check();
    expect(rules).toEqual(['unknown-reference']);
    expect(read).toContain('formulas/one.yaml');
    write('formulas/two.yaml', String(FILES['formulas/two.yaml']));
    expect((await check()).rules).toEqual([]);
  });

  it('sees a change that leaves size and time as they were', async () => {
    const { root, write } = onDisk(FILES);
    const store = storeIn();
    await settled(root);
    const check = async () =>
      (await checkProject(openProject(root), { store })).diagnostics.map(({ rule }) => rule);
    expect(await check()).toEqual([]);
    write('wf.yaml', readFileSync(join(root, 'wf.yaml'), 'utf8').replace('owners', 'owner_'));
    expect(await check()).toEqual(['unknown-group']);
  });

  it.each([
    ['is damaged', '{"version":"1","paths":['],
    ['is not what it should be', '{"version":"1","paths":7}'],
    ['is of another checker', '{"version":"0","paths":[],"looks":[],"digests":[],"clean":[]}'],
  ])('is not believed when it %s', async (_, text) => {
    const store = storeIn();
    store.text = text;
    const { loader, read } = listened(memoryLoader(FILES));
    expect((await checkProject(loader, { store })).diagnostics).toEqual([]);
    expect(read).toContain('formulas/two.yaml');
    expect(store.text).not.toBe(text);
  });
});
