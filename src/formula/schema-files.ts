import { decodeUtf8 } from '../source/decode-utf8.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceDocument, SourceNode } from '../source/source-document.ts';
import { resolveRefs, schemaFilesOf } from '../schema/resolve-refs.ts';
import type { Loader } from './loader.ts';
import type { ResolveSchema } from './read-document.ts';

/** Reads the files that the schemas of a document name, and those that these name, and resolves `$ref`s from them. */
export async function schemaResolver(document: SourceDocument, read: Loader['read']): Promise<ResolveSchema> {
  const texts = new Map<string, string>();
  const tree = document.root ?? document.repaired;
  let next = tree ? filesIn(tree, document.file) : [];
  while (next.length > 0) {
    const fresh = [...new Set(next)].filter((path) => !texts.has(path));
    const found = await Promise.all(fresh.map(async (path) => [path, await textOf(path, read)] as const));
    next = found.flatMap(([path, text]) => {
      if (text === undefined) return [];
      texts.set(path, text);
      const { root } = parseYaml(path, text);
      return root ? schemaFilesOf(root, path) : [];
    });
  }
  return (schema, file, node) => resolveRefs(schema, file, node, (path) => texts.get(path));
}

/** Files named by the schemas of a document: its inputs, and the outputs of its steps. */
function filesIn(root: SourceNode, file: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: SourceNode): void => {
    if (node.kind === 'list') node.items.forEach(visit);
    if (node.kind !== 'map') return;
    for (const { key, value } of node.entries) {
      if ((key.value === 'inputs' || key.value === 'outputs') && value.kind === 'map') {
        for (const entry of value.entries) found.push(...schemaFilesOf(entry.value, file));
      } else {
        visit(value);
      }
    }
  };
  // Most documents have no reference at all.
  visit(root);
  return found;
}

async function textOf(path: string, read: Loader['read']): Promise<string | undefined> {
  const bytes = await read(path);
  const decoded = bytes && decodeUtf8(path, bytes);
  return decoded && 'text' in decoded ? decoded.text : undefined;
}
