import type { Node as Parsed, TreeCursor } from 'web-tree-sitter';

/**
 * A node of a parsed script. It is read out of the parser once, since every question to that costs a call into
 * WebAssembly, and the questions here are many.
 */
export class Node {
  readonly type: string;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly isNamed: boolean;
  readonly text: string;
  readonly parent: Node | null;
  readonly children: readonly Node[] = [];
  /** Its place in the order they are written. */
  readonly id: number;
  readonly #field: string | null;

  constructor(cursor: TreeCursor, source: string, parent: Node | null, count: { nodes: number }) {
    this.type = cursor.nodeType;
    this.startIndex = cursor.startIndex;
    this.endIndex = cursor.endIndex;
    this.isNamed = cursor.nodeIsNamed;
    this.text = source.slice(this.startIndex, this.endIndex);
    this.parent = parent;
    this.id = count.nodes++;
    this.#field = cursor.currentFieldName;
    if (!cursor.gotoFirstChild()) return;
    const children: Node[] = [];
    do children.push(new Node(cursor, source, this, count));
    while (cursor.gotoNextSibling());
    cursor.gotoParent();
    this.children = children;
  }

  get namedChildren(): readonly Node[] {
    return this.children.filter((child) => child.isNamed);
  }

  get previousSibling(): Node | undefined {
    const siblings = this.parent?.children ?? [];
    return siblings[siblings.indexOf(this) - 1];
  }

  childForFieldName(name: string): Node | undefined {
    return this.children.find((child) => child.#field === name);
  }

  /** The smallest node over a stretch. */
  smallestOver(stretch: { readonly startIndex: number; readonly endIndex: number }): Node {
    const inner = this.children.find((child) => covers(child, stretch));
    return inner ? inner.smallestOver(stretch) : this;
  }
}

/** Reads the whole tree of a script. */
export function readTree(root: Parsed, source: string): Node {
  const cursor = root.walk();
  try {
    return new Node(cursor, source, null, { nodes: 0 });
  } finally {
    cursor.delete();
  }
}

/** Everything below a node, in the order it is written. */
export function* descendants(node: Node): Generator<Node> {
  for (const child of node.children) {
    yield child;
    yield* descendants(child);
  }
}

/** What a node stands in, from the inside out. */
export function* ancestors(node: Node): Generator<Node> {
  for (let up = node.parent; up; up = up.parent) yield up;
}

export function covers(
  outer: Node,
  inner: { readonly startIndex: number; readonly endIndex: number },
): boolean {
  return outer.startIndex <= inner.startIndex && outer.endIndex >= inner.endIndex;
}

/** The node that hinders a script from being understood. */
export function firstError(node: Parsed): Parsed | undefined {
  if (!node.hasError) return undefined;
  if (node.isError || node.isMissing) return node;
  for (const child of node.children) {
    const found = child && firstError(child);
    if (found) return found;
  }
  return node;
}

/** `[` or `[[` around an expression; undefined: it is in neither. */
export function bracketsAround(node: Node): '[' | '[[' | undefined {
  for (const up of ancestors(node)) {
    if (up.type !== 'test_command') continue;
    const open = up.children[0]?.text;
    return open === '[' || open === '[[' ? open : undefined;
  }
  return undefined;
}

/** Whether bash computes what stands here, or what a command in it prints: then `a[$(…)]` runs a command. */
export function isArithmetic(node: Node): boolean {
  let child = node;
  for (const up of ancestors(node)) {
    switch (up.type) {
      case 'arithmetic_expansion':
      case 'c_style_for_statement':
        return true;
      case 'compound_statement':
      case 'test_command':
        if (up.children[0]?.text === '((') return true;
        break;
      case 'subscript':
        if (up.childForFieldName('name')?.id !== child.id) return true;
        break;
      case 'binary_expression':
        if (
          /^-(?:eq|ne|lt|le|gt|ge)$/.test(up.childForFieldName('operator')?.text ?? '') &&
          bracketsAround(up) !== '['
        )
          return true;
        break;
      case 'expansion':
        // `${x:a:b}`: the numbers are computed; `${x:-a}` is text.
        if (child.id !== subjectOf(up)?.id && /^:(?![-=?+])/.test(afterSubject(up))) return true;
        break;
    }
    child = up;
  }
  return false;
}

/** Of `${x…}` and `${x[…]…}` the variable or element that is expanded. */
export function subjectOf(expansion: Node): Node | undefined {
  return expansion.children.find((child): child is Node =>
    /^(?:variable_name|special_variable_name|subscript)$/.test(child?.type ?? ''),
  );
}

/** Of `${x%.txt}` the text `%.txt`. */
export function afterSubject(expansion: Node): string {
  const subject = subjectOf(expansion);
  return subject ? expansion.text.slice(subject.endIndex - expansion.startIndex, -1) : expansion.text;
}

/** The function that a node is in. */
export function functionAround(node: Node): Node | undefined {
  for (const up of ancestors(node)) if (up.type === 'function_definition') return up;
  return undefined;
}
