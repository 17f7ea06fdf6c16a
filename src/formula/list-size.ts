import type { JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { pathOf } from './expression-facts.ts';
import type { Node } from './expression-nodes.ts';
import { parseExpressionText } from './expression-syntax.ts';

/** A path that an expression reads: `['steps', 'lint', 'outputs', 'files']`. */
export type ReadPath = readonly (string | number)[];

/** How many items a list can have, or the part of an expression from which nothing follows about that. */
export type ListSize = { readonly most: number } | { readonly unbounded: string };

/**
 * The most items of the list that a CEL expression comes out as: `filter` and `map` make no list longer. `sizeAt` knows
 * the lists that it reads; undefined: not how long that one can be.
 */
export function mostItems(text: string, sizeAt: (path: ReadPath) => number | undefined): ListSize {
  const parsed = parseExpressionText(text);
  return parsed.ok ? ofNode(parsed.tree.root, text, sizeAt) : { unbounded: text };
}

function ofNode(node: Node, text: string, sizeAt: (path: ReadPath) => number | undefined): ListSize {
  const inner = (part: Node) => ofNode(part, text, sizeAt);
  switch (node.op) {
    case 'list':
      return { most: node.args.length };
    case '+': {
      const [a, b] = [inner(node.args[0]), inner(node.args[1])];
      return 'unbounded' in a ? a : 'unbounded' in b ? b : { most: a.most + b.most };
    }
    case '?:': {
      const [a, b] = [inner(node.args[1]), inner(node.args[2])];
      return 'unbounded' in a ? a : 'unbounded' in b ? b : { most: Math.max(a.most, b.most) };
    }
    case 'rcall': {
      const [name, list] = node.args;
      if (name === 'filter' || name === 'map') return inner(list);
      break;
    }
    case 'call': {
      const [name, [only]] = node.args;
      if (name === 'dyn' && only !== undefined) return inner(only);
      break;
    }
    default:
      break;
  }
  const path = pathOf(node, new Map());
  const most = path && sizeAt(path);
  return most === undefined ? { unbounded: text.slice(node.start, node.end) } : { most };
}

/** The most items of the list that stands at a path in what a schema describes; undefined: the schema does not say. */
export function mostItemsOf(schema: JsonSchema | undefined, path: ReadPath): number | undefined {
  if (!isJsonObject(schema)) return undefined;
  const [key, ...rest] = path;
  if (key === undefined) {
    const { maxItems, const: only, enum: values } = schema;
    if (typeof maxItems === 'number') return maxItems;
    if (Array.isArray(only)) return only.length;
    if (!Array.isArray(values)) return undefined;
    return Math.max(
      0,
      ...(values as readonly JsonValue[]).map((one) => (Array.isArray(one) ? one.length : 0)),
    );
  }
  const { properties, prefixItems, items } = schema;
  const places = Array.isArray(prefixItems) ? (prefixItems as readonly JsonValue[]) : [];
  const next =
    typeof key === 'number' ? (places[key] ?? items) : isJsonObject(properties) ? properties[key] : undefined;
  return mostItemsOf(next as JsonSchema | undefined, rest);
}
