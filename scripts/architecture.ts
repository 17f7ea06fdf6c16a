import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ICruiseResult } from 'dependency-cruiser';
import { cruise } from 'dependency-cruiser';

/**
 * Draws the folders of `src/` and what they import into docs/architecture.md: from top to bottom in the order that
 * .dependency-cruiser.cjs holds them to. With `--check` it writes nothing, and ends with 1 when the drawing is old.
 */

const root = dirname(import.meta.dirname);
const document = join(root, 'docs', 'architecture.md');
const { layers } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
  readonly layers: readonly (readonly string[])[];
};

/** Folders by the folders they import. */
async function importsOfFolders(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { output } = await cruise(['src'], {
    baseDir: root,
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  });
  const imports = new Map<string, Set<string>>();
  for (const { source, dependencies } of (output as ICruiseResult).modules) {
    const from = folderOf(source);
    if (from === undefined) continue;
    const known = imports.get(from) ?? imports.set(from, new Set()).get(from);
    for (const { resolved } of dependencies) {
      const to = folderOf(resolved);
      if (to !== undefined && to !== from) known?.add(to);
    }
  }
  return imports;
}

function folderOf(path: string): string | undefined {
  return /^src\/(?:([^/]+)\/|(index)\.ts$)/.exec(path)?.slice(1).find(Boolean);
}

/** An arrow for each import that does not follow from others: all of them would be a thicket. */
function arrows(imports: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const reaches = (from: string, to: string): boolean =>
    [...(imports.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  return [...imports].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${from} --> ${to}`),
  );
}

function diagram(imports: ReadonlyMap<string, ReadonlySet<string>>): string {
  const order = ['index', ...layers.flat()].filter((name) => imports.has(name));
  const sorted = new Map(
    order.map((name) => [name, new Set(order.filter((other) => imports.get(name)?.has(other)))]),
  );
  return ['```mermaid', 'flowchart TD', ...order.map((name) => `  ${name}`), ...arrows(sorted), '```'].join(
    '\n',
  );
}

const text = readFileSync(document, 'utf8');
const drawn = text.replace(/```mermaid\n[^]*?\n```/, diagram(await importsOfFolders()));
if (drawn !== text) {
  if (process.argv.includes('--check')) {
    console.error(
      'docs/architecture.md: the diagram is not what the sources are: npm run architecture draws it',
    );
    process.exitCode = 1;
  } else writeFileSync(document, drawn);
}
