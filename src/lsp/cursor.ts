import { parseYaml } from '../source/parse-yaml.ts';
import type { SourceMap, SourceNode, SourceScalar } from '../source/source-document.ts';

/** Stands where somebody is typing, so that the text around it can be read. */
const MARK = 'wfcursor';

/** Keys and indexes that lead to a place in a file. */
export type Path = readonly (string | number)[];

/** Where somebody is typing. */
export type Cursor = {
  /** The whole text with a word in the place of what is being typed, so that it parses as far as it can. */
  readonly text: string;
  /** Where that word is. */
  readonly offset: number;
  /** What was typed so far of the word that is wanted. */
  readonly typed: string;
} & (
  | {
      readonly kind: 'key';
      /** Of the map. */
      readonly path: Path;
      /** Its keys that are there already. */
      readonly taken: readonly string[];
    }
  | { readonly kind: 'value'; readonly path: Path; readonly siblings: readonly string[] }
  /** In `{{…}}`, or in an expression: then `path` leads to it. */
  | { readonly kind: 'text'; readonly language: 'template' | 'expression'; readonly path: Path }
);

/**
 * What is wanted where somebody types, from a text that mostly does not parse at that moment. Several where it could be one
 * or the other: a word in a list of steps may become a key.
 */
export function cursorsAt(text: string, offset: number): readonly Cursor[] {
  const template = templateAround(text, offset);
  if (template) {
    const marked = text.slice(0, template.start) + MARK + text.slice(template.end);
    const found = findMark(marked, template.start);
    const [typed = ''] = /[\w.@[\]]*$/.exec(text.slice(template.start, offset)) ?? [];
    const place = { text: marked, offset: template.start, typed };
    return found ? [{ ...place, kind: 'text', language: 'template', path: found.path }] : [];
  }
  const [typed = ''] = /[\w./-]*$/.exec(text.slice(0, offset)) ?? [];
  const [rest = ''] = /^[\w./-]*/.exec(text.slice(offset)) ?? [];
  const start = offset - typed.length;
  const end = offset + rest.length;
  const cursors: Cursor[] = [];
  const asValue = text.slice(0, start) + MARK + text.slice(end);
  const value = findMark(asValue, start);
  if (value && !value.isKey) {
    const place = { text: asValue, offset: start, path: value.path };
    if (isExpression(value.path)) {
      const [word = ''] = /[\w.[\]]*$/.exec(text.slice(0, offset)) ?? [];
      return [{ ...place, kind: 'text', language: 'expression', typed: word }];
    }
    if (value.whole) cursors.push({ ...place, kind: 'value', typed, siblings: value.siblings });
  }
  // A colon behind it is the key's own.
  const after = text.slice(end).startsWith(':') ? '' : ': 0';
  const asKey = `${text.slice(0, start)}${MARK}${after}${text.slice(end)}`;
  const key = findMark(asKey, start);
  if (key?.isKey)
    cursors.push({ text: asKey, offset: start, typed, kind: 'key', path: key.path, taken: key.siblings });
  return cursors;
}

interface Marked {
  readonly path: Path;
  /** The path is that of the map, in which the mark is a key. */
  readonly isKey: boolean;
  /** The mark is all that the scalar holds. */
  readonly whole: boolean;
  /** Other keys of its map, or other items of its list. */
  readonly siblings: readonly string[];
}

/** Where the mark came to stand; undefined where the text around it cannot be read. */
function findMark(text: string, offset: number): Marked | undefined {
  const { root, repaired } = parseYaml('file.yaml', text);
  const visit = (node: SourceNode, path: Path): Marked | undefined => {
    switch (node.kind) {
      case 'scalar':
        return holdsMark(node, offset)
          ? { path, isKey: false, whole: node.value === MARK, siblings: [] }
          : undefined;
      case 'list':
        for (const [index, item] of node.items.entries()) {
          const found = visit(item, [...path, index]);
          if (found)
            return !found.isKey && found.path.length === path.length + 1
              ? { ...found, siblings: textsIn(node.items) }
              : found;
        }
        return undefined;
      case 'map':
        for (const { key, value } of node.entries) {
          if (holdsMark(key, offset)) return { path, isKey: true, whole: true, siblings: keysIn(node) };
          const found = visit(value, [...path, String(key.value)]);
          if (found) return found;
        }
        return undefined;
    }
  };
  const tree = root ?? repaired;
  return tree && visit(tree, []);
}

function holdsMark({ span, value }: SourceScalar, offset: number): boolean {
  return typeof value === 'string' && value.includes(MARK) && span.start <= offset && offset <= span.end;
}

function keysIn({ entries }: SourceMap): readonly string[] {
  return entries.map(({ key }) => String(key.value)).filter((name) => name !== MARK);
}

function textsIn(items: readonly SourceNode[]): readonly string[] {
  return items.flatMap((item) => (item.kind === 'scalar' && item.value !== MARK ? [String(item.value)] : []));
}

/** The `{{…}}` around an offset, or what is there of it. */
function templateAround(
  text: string,
  offset: number,
): { readonly start: number; readonly end: number } | undefined {
  const start = text.lastIndexOf('{{', offset - 1);
  if (start < 0 || start + 2 > offset || text[start - 1] === '\\') return undefined;
  const before = text.slice(start + 2, offset);
  if (before.includes('}}') || /\n\s*\n/.test(before)) return undefined;
  const [rest = ''] = /^[^\n]*/.exec(text.slice(offset)) ?? [];
  const close = rest.indexOf('}}');
  const open = rest.indexOf('{{');
  const isClosed = close >= 0 && (open < 0 || close < open);
  return { start, end: isClosed ? offset + close + 2 : offset };
}

/** Whether what stands at a path of a file is CEL. */
export function isExpression(path: Path): boolean {
  const [last, before, root] = [path.at(-1), path.at(-2), path[0]];
  if (typeof last === 'number') return before === 'show';
  if (path.length === 2 && root === 'outputs') return true;
  return ['when', 'for_each', 'until', 'match', 'pass', 'check', 'quorum'].includes(String(last))
    ? !(last === 'until' && before === 'wait') &&
        !(last === 'match' && path.includes('rules') && path.length === 3)
    : false;
}
