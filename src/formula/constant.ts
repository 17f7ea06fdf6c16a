import { constantValue } from './evaluate-expression.ts';
import type { Node } from './expression-nodes.ts';
import type { ExpressionTree } from './expression-syntax.ts';

/** What a condition comes out as whatever it reads; `undefined` when that depends on what it reads. */
export function constantOutcome(tree: ExpressionTree): boolean | undefined {
  return outcome(tree.root, tree);
}

/** Whether an expression is the empty list, whatever it reads. */
export function isEmptyList(tree: ExpressionTree): boolean {
  const value = readsNothing(tree.root, tree) ? constantValue(tree.text, tree.root) : undefined;
  return Array.isArray(value) && value.length === 0;
}

function outcome(node: Node, tree: ExpressionTree): boolean | undefined {
  switch (node.op) {
    case '!_': {
      const inner = outcome(node.args, tree);
      return inner === undefined ? undefined : !inner;
    }
    case '&&':
    case '||': {
      const deciding = node.op === '||';
      const sides = node.args.map((side) => outcome(side, tree));
      if (sides.includes(deciding)) return deciding;
      if (isOpposite(node.args[0], node.args[1], tree) || isOpposite(node.args[1], node.args[0], tree))
        return deciding;
      return sides.includes(undefined) ? undefined : !deciding;
    }
    case '?:': {
      const [condition, yes, no] = node.args;
      const decided = outcome(condition, tree);
      if (decided !== undefined) return outcome(decided ? yes : no, tree);
      const [a, b] = [outcome(yes, tree), outcome(no, tree)];
      return a === b ? a : undefined;
    }
    case '==':
    case '<=':
    case '>=':
      if (isSamePath(node.args, tree)) return true;
      break;
    case '!=':
    case '<':
    case '>':
      if (isSamePath(node.args, tree)) return false;
      break;
    default:
  }
  const bySize = outcomeOfSize(node);
  if (bySize !== undefined) return bySize;
  if (!readsNothing(node, tree)) return undefined;
  const value = constantValue(tree.text, node);
  return typeof value === 'boolean' ? value : undefined;
}

/** `x` and `!x`. */
function isOpposite(a: Node, b: Node, tree: ExpressionTree): boolean {
  return b.op === '!_' && textOf(a, tree) === textOf(b.args, tree);
}

function isSamePath([a, b]: readonly [Node, Node], tree: ExpressionTree): boolean {
  return (a.op === 'id' || a.op === '.') && a.op === b.op && textOf(a, tree) === textOf(b, tree);
}

// No size is less than 0.
function outcomeOfSize(node: Node): boolean | undefined {
  if (node.op !== '>=' && node.op !== '<' && node.op !== '>') return undefined;
  const [left, right] = node.args;
  const isSize =
    (left.op === 'call' && left.args[0] === 'size') || (left.op === 'rcall' && left.args[0] === 'size');
  if (!isSize) return undefined;
  const limit =
    right.op === 'value' ? right.args : right.op === '-_' && right.args.op === 'value' ? -1n : undefined;
  if (typeof limit !== 'bigint') return undefined;
  if (node.op === '>') return limit < 0n ? true : undefined;
  return limit <= 0n ? node.op === '>=' : undefined;
}

function readsNothing(node: Node, tree: ExpressionTree): boolean {
  return !tree.references.some(({ rootStart }) => node.start <= rootStart && rootStart < node.end);
}

function textOf(node: Node, tree: ExpressionTree): string {
  return tree.text.slice(node.start, node.end);
}
