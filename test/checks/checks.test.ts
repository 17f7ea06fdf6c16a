import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostics/code-frame.ts';
import { checkProject } from '../../src/plan/check-project.ts';
import { memoryLoader, splitFiles } from '../support/memory-loader.ts';

const here = new URL('.', import.meta.url).pathname;
const bad = readdirSync(`${here}err`).filter((name) => name.endsWith('.yaml'));
const good = readdirSync(`${here}ok`).filter((name) => name.endsWith('.yaml'));

async function check(file: string) {
  return checkProject(memoryLoader(splitFiles(readFileSync(here + file, 'utf8'))));
}

describe('a mistake is told once, at the smallest thing to edit', () => {
  it.each(bad)('%s', async (name) => {
    const report = await check(`err/${name}`);
    const rule = name.replace(/(\.\w+)?\.yaml$/, '');
    // One mistake, one report: a fixture holds one mistake, except where the rule is about several places.
    expect([...new Set(report.diagnostics.map((diagnostic) => diagnostic.rule))]).toEqual([rule]);
    await expect(renderDiagnostics(report.diagnostics, report.sources)).toMatchFileSnapshot(
      `err/${name.replace(/\.yaml$/, '.out')}`,
    );
  });
});

describe('what is fine is not talked about', () => {
  it.each(good)('%s', async (name) => {
    const report = await check(`ok/${name}`);
    expect(renderDiagnostics(report.diagnostics, report.sources)).toBe('');
  });
});

/** What no readable fixture can hold: bytes that are no text, and megabytes. */
const unreadable = ['file-too-large', 'not-utf8', 'unreadable-file', 'uses-too-deep'];

describe('a file that cannot be read', () => {
  const loader = (bytes: Uint8Array) => ({
    ...memoryLoader({ 'formulas/a.yaml': '' }),
    read: () => Promise.resolve(bytes),
  });

  it('since it is not UTF-8', async () => {
    const report = await checkProject(loader(Buffer.from('formula: \xff\xfe', 'latin1')));
    expect(report.diagnostics.map(({ rule, file }) => [rule, file])).toEqual([['not-utf8', 'formulas/a.yaml']]);
  });

  it('since it has 50 MB', async () => {
    const report = await checkProject(loader(Buffer.alloc(50_000_000, 'a: b\n')));
    expect(report.diagnostics.map(({ rule }) => rule)).toEqual(['file-too-large']);
  });
});

describe('every rule', () => {
  const rules = new Set([...unreadable, ...bad.map((name) => name.replace(/(\.\w+)?\.yaml$/, ''))]);
  const pages = readdirSync(new URL('../../docs/checks/', import.meta.url)).map((name) => name.replace(/\.md$/, ''));

  it('has a page and a fixture of each kind', () => {
    expect([...rules].filter((rule) => !pages.includes(rule))).toEqual([]);
    expect(pages.filter((page) => !rules.has(page))).toEqual([]);
    expect([...rules].filter((rule) => !unreadable.includes(rule) && !good.includes(`${rule}.yaml`))).toEqual([]);
  });

  it.each(pages.filter((page) => !unreadable.includes(page)))('%s: its page shows what it refuses and what is fine', async (rule) => {
    const page = readFileSync(new URL(`../../docs/checks/${rule}.md`, import.meta.url), 'utf8');
    const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => String(match[1]));
    expect(blocks.length).toBeGreaterThan(1);
    const [refused, ...fine] = await Promise.all(
      blocks.map(async (block) => {
        const { diagnostics, sources } = await checkProject(memoryLoader(splitFiles(block)));
        return { rules: [...new Set(diagnostics.map((one) => one.rule))], text: renderDiagnostics(diagnostics, sources) };
      }),
    );
    expect(refused).toMatchObject({ rules: [rule] });
    for (const each of fine) expect(each).toMatchObject({ text: '' });
  });

  it('that the sources name has them', () => {
    const named = new Set(
      (readdirSync(new URL('../../src/', import.meta.url), { recursive: true }) as string[])
        .filter((path) => /^(source|schema|formula|checks|plan)\/.*\.ts$/.test(path))
        .flatMap((path) =>
          [...readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8').matchAll(/rule: '([a-z0-9-]+)'/g)].map((match) => String(match[1])),
        ),
    );
    expect([...named].filter((rule) => !rules.has(rule)).sort()).toEqual([]);
  });
});
