import { constantValue } from './evaluate-expression.ts';
import { childrenOf, isMacro, type Node } from './expression-nodes.ts';
import type { ExpressionTree } from './expression-syntax.ts';

/** What a condition comes out as whatever it reads; `undefined` when that depends on what it reads. */
export function constantOutcome(tree: ExpressionTree): boolean | undefined {
  return outcome(tree.root, tree, nothingDecided);
}

/** A condition, or a part of one, that comes out the same whatever is read. */
export interface ConstantPart {
  readonly node: Node;
  readonly outcome: boolean;
}

/**
 * The outermost conditions within an expression that are decided, by themselves or by the types of what they read. The
 * expression itself counts as one where `isCondition`.
 */
export function constantParts(
  tree: ExpressionTree,
  decided: Decided,
  isCondition: boolean,
): readonly ConstantPart[] {
  const found: ConstantPart[] = [];
  const visit = (node: Node, condition: boolean): void => {
    const result = condition ? outcome(node, tree, decided) : undefined;
    if (result !== undefined) {
      found.push({ node, outcome: result });
      return;
    }
    const conditions = conditionsOf(node);
    for (const child of childrenOf(node)) visit(child, conditions.includes(child));
  };
  visit(tree.root, isCondition);
  return found;
}

/** Of the nodes directly below a node, those that have to be true or false. */
function conditionsOf(node: Node): readonly Node[] {
  switch (node.op) {
    case '&&':
    case '||':
      return node.args;
    case '!_':
      return [node.args];
    case '?:':
      return [node.args[0]];
    case 'rcall': {
      const [name, , args] = node.args;
      if (!isMacro(node)) return [];
      return name === 'map' ? args.slice(1, -1) : args.slice(1);
    }
    default:
      return [];
  }
}

/** Comparisons that the types of both sides decide. */
export type Decided = ReadonlyMap<Node, boolean>;

const nothingDecided: Decided = new Map();

/** Whether an expression is the empty list, whatever it reads. */
export function isEmptyList(tree: ExpressionTree): boolean {
  const value = readsNothing(tree.root, tree) ? constantValue(tree.text, tree.root) : undefined;
  return Array.isArray(value) && value.length === 0;
}

function outcome(node: Node, tree: ExpressionTree, decided: Decided): boolean | undefined {
  const byTypes = decided.get(node);
  if (byTypes !== undefined) return byTypes;
  switch (node.op) {
    case '!_': {
      const inner = outcome(node.args, tree, decided);
      return inner === undefined ? undefined : !inner;
    }
    case '&&':
    case '||': {
      const deciding = node.op === '||';
      const sides = node.args.map((side) => outcome(side, tree, decided));
      if (sides.includes(deciding)) return deciding;
      if (isOpposite(node.args[0], node.args[1], tree) || isOpposite(node.args[1], node.args[0], tree))
        return deciding;
      return sides.includes(undefined) ? undefined : !deciding;
    }
    case '?:': {
      const [condition, yes, no] = node.args;
      const chosen = outcome(condition, tree, decided);
      if (chosen !== undefined) return outcome(chosen ? yes : no, tree, decided);
      const [a, b] = [outcome(yes, tree, decided), outcome(no, tree, decided)];
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
  if (tree.references.some(({ rootStart }) => node.start <= rootStart && rootStart < node.end)) return false;
  return !readsVariable(node, []);
}

/** Whether a node reads the variable of a macro around it. */
function readsVariable(node: Node, own: readonly string[]): boolean {
  if (node.op === 'id') return !own.includes(node.args);
  const [, of, args = []] = isMacro(node) && node.op === 'rcall' ? node.args : [];
  const [variable, ...bodies] = args;
  if (of === undefined || variable?.op !== 'id') {
    return childrenOf(node).some((child) => readsVariable(child, own));
  }
  return readsVariable(of, own) || bodies.some((body) => readsVariable(body, [...own, variable.args]));
}

function textOf(node: Node, tree: ExpressionTree): string {
  return tree.text.slice(node.start, node.end);
}
