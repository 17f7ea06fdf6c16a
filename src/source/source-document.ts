import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import type { JsonValue } from '../support/json.ts';

/**
 * A YAML file as a tree in which every node knows where it was written. It holds no `yaml` objects, so that
 * later stages do not depend on the parser.
 */
export interface SourceDocument {
  /** Path relative to the project root, with forward slashes. */
  readonly file: string;
  readonly text: string;
  /** Absent when the file is empty or does not parse. */
  readonly root: SourceNode | undefined;
  /**
   * Of a file that does not parse: its tree with a neutral word in place of each value that made the parser stop, as far
   * as that helped. Good for finding what else is wrong; its values are not the author's.
   */
  readonly repaired: SourceNode | undefined;
  /** What was wrong with the text as YAML, and what YAML would have eaten in silence. */
  readonly findings: readonly Finding[];
}

export type SourceNode = SourceScalar | SourceMap | SourceList;

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded';

/** A string, number, boolean or null. */
export interface SourceScalar {
  readonly kind: 'scalar';
  /** The scalar with its quotes or block indicator. */
  readonly span: Span;
  readonly value: string | number | boolean | null;
  readonly style: ScalarStyle;
  /**
   * Where characters `start`..`end` (UTF-16 offsets into the string *value*) were written. An escape or a folded
   * line break maps to its first source character. Computed on the first call: most scalars are never asked.
   */
  at(start: number, end: number): Span;
}

/** A mapping. Keys keep the order they were written in. */
export interface SourceMap {
  readonly kind: 'map';
  readonly span: Span;
  readonly entries: readonly SourceEntry[];
  /** The entry with this key. */
  get(key: string): SourceEntry | undefined;
}

/** One `key: value` of a mapping. */
export interface SourceEntry {
  readonly key: SourceScalar;
  readonly value: SourceNode;
}

/** A sequence. */
export interface SourceList {
  readonly kind: 'list';
  readonly span: Span;
  readonly items: readonly SourceNode[];
}

/** The plain JSON value of a node. */
export function toJson(node: SourceNode): JsonValue {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toJson);
    case 'map':
      return Object.fromEntries(node.entries.map((entry) => [String(entry.key.value), toJson(entry.value)]));
  }
}

/** The part of a value that keys and indexes lead to, as far as there is one. */
export function nodeAt(node: SourceNode, [key, ...rest]: readonly (string | number)[]): SourceNode {
  if (key === undefined) return node;
  const inner =
    node.kind === 'list'
      ? node.items[Number(key)]
      : node.kind === 'map'
        ? node.get(String(key))?.value
        : undefined;
  return inner ? nodeAt(inner, rest) : node;
}
