import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceNode, SourceScalar } from '../source/source-document.ts';
import type { Path } from './cursor.ts';

/** A scalar that an offset is on. */
export interface FoundScalar {
  readonly scalar: SourceScalar;
  /** What leads to it; to a key, with the key itself. */
  readonly keys: Path;
  readonly isKey: boolean;
}

/** The scalar that an offset of a text is on, as far as the text can be read. */
export function scalarAt(text: string, offset: number): FoundScalar | undefined {
  const { root, repaired } = parseYaml('file.yaml', text);
  const tree = root ?? repaired;
  return tree && scalarIn(tree, offset, []);
}

function scalarIn(node: SourceNode, offset: number, keys: Path): FoundScalar | undefined {
  const isOn = ({ span }: SourceScalar) => span.start <= offset && offset <= span.end;
  switch (node.kind) {
    case 'scalar':
      return isOn(node) ? { scalar: node, keys, isKey: false } : undefined;
    case 'list':
      for (const [index, item] of node.items.entries()) {
        const found = scalarIn(item, offset, [...keys, index]);
        if (found) return found;
      }
      return undefined;
    case 'map':
      for (const { key, value } of node.entries) {
        const inner = [...keys, String(key.value)];
        if (isOn(key)) return { scalar: key, keys: inner, isKey: true };
        const found = scalarIn(value, offset, inner);
        if (found) return found;
      }
      return undefined;
  }
}
