import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkProject } from '../src/plan/check-project.ts';
import { memoryLoader } from './support/memory-loader.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = [
  'README.md',
  ...globSync(['docs/**/*.md', 'examples/*/README.md', 'formulas/**/*.md'], { cwd: root }).sort(),
];

/** The fenced blocks of a page in one language. */
function blocks(page: string, language: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body]) =>
    name === language ? [String(body)] : [],
  );
}

describe('documents', () => {
  it.each(pages)('%s links to what is there', (page) => {
    const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
    const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, target]) =>
      String(target),
    );
    expect(targets.filter((target) => !existsSync(resolve(root, dirname(page), target)))).toEqual([]);
  });

  it.each(pages)('%s names commands and flags that exist', (page) => {
    const code = [
      ...blocks(page, 'console'),
      ...readFileSync(join(root, page), 'utf8').matchAll(/`([^`\n]+)`/g),
    ].map((part) => (typeof part === 'string' ? part : String(part[1])));
    const commands = code.flatMap((text) =>
      [...text.matchAll(/(?:^|\s)wf ([a-z]+)\b/gm)].map(([, name]) => String(name)),
    );
    const missing = [...new Set(commands)].filter(
      (name) => !existsSync(join(root, 'src', 'commands', `${name}.ts`)) && name !== 'help',
    );
    expect(missing).toEqual([]);
  });

  it.each(['README.md'])('formulas in %s check clean', async (page) => {
    const formulas = blocks(page, 'yaml').filter((text) => text.startsWith('formula: '));
    expect(formulas.length).toBeGreaterThan(0);
    for (const text of formulas) {
      const name = /^formula: (\S+)/.exec(text)?.[1] ?? '';
      const { diagnostics } = await checkProject(memoryLoader({ [`formulas/${name}.yaml`]: text }));
      expect(diagnostics).toEqual([]);
    }
  });
});
