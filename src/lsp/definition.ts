import type { Span } from '../diagnostics/diagnostic.ts';
import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceMap, SourceScalar } from '../source/source-document.ts';

/** Where what stands at an offset was said: in this file, or in another one as a whole. */
export type Definition =
  { readonly kind: 'here'; readonly span: Span } | { readonly kind: 'file'; readonly path: string };

/** Follows a name under `needs` to its step, and one after `uses` to its file. */
export function definitionAt(text: string, offset: number): Definition | undefined {
  const { root, repaired } = parseYaml('file.yaml', text);
  const tree = root ?? repaired;
  if (tree?.kind !== 'map') return undefined;
  const steps = ['steps', 'finally'].flatMap((key): SourceMap[] => {
    const list = tree.get(key)?.value;
    return list?.kind === 'list' ? list.items.flatMap((item) => (item.kind === 'map' ? [item] : [])) : [];
  });
  const isHere = ({ span }: SourceScalar) => span.start <= offset && offset <= span.end;
  for (const step of steps) {
    const uses = step.get('uses')?.value;
    if (uses?.kind === 'scalar' && isHere(uses)) return { kind: 'file', path: pathUsed(String(uses.value)) };
    const needs = step.get('needs')?.value;
    if (needs?.kind !== 'list') continue;
    for (const need of needs.items) {
      if (need.kind !== 'scalar' || !isHere(need)) continue;
      const id = steps.map((other) => other.get('id')?.value).find((other) => isNamed(other, need.value));
      return id && { kind: 'here', span: id.span };
    }
  }
  return undefined;
}

function isNamed(node: { readonly kind: string } | undefined, name: SourceScalar['value']): boolean {
  return node?.kind === 'scalar' && (node as SourceScalar).value === name;
}

function pathUsed(name: string): string {
  return name.startsWith('formula/')
    ? `formulas/${name.slice('formula/'.length)}.yaml`
    : `molecules/${name}.yaml`;
}
