import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Parser } from 'web-tree-sitter';

/** Parses bash. */
export type BashParser = Parser;

let loading: Promise<BashParser> | undefined;

/** Loads the grammar, once for the process. It takes some 35 ms. */
export function loadBashParser(): Promise<BashParser> {
  return (loading ??= load());
}

async function load(): Promise<BashParser> {
  const { Language, Parser } = await import('web-tree-sitter');
  // Optimizing the parser takes several threads half a second, which a process waits for at its end; what it is given
  // here is soon parsed without.
  setFlagsFromString('--wasm-tiering-budget=2000000000');
  await Parser.init({
    locateFile: () => wasm('web-tree-sitter.wasm', 'web-tree-sitter/web-tree-sitter.wasm'),
  });
  const parser = new Parser();
  parser.setLanguage(
    await Language.load(wasm('tree-sitter-bash.wasm', 'tree-sitter-bash/tree-sitter-bash.wasm')),
  );
  return parser;
}

/** Beside the bundle in the published package; in its own package among the sources. */
function wasm(file: string, specifier: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = [here, dirname(here)].map((folder) => join(folder, file)).find(existsSync);
  return beside ?? createRequire(import.meta.url).resolve(specifier);
}
