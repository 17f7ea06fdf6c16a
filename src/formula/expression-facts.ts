import type { Node } from './expression-nodes.ts';
import { factsOfPresence, factsOfValue, join, meet, noFacts, type FactPath, type Facts } from './facts.ts';

/** The variables of the macros around a place: name as written → name that is unique in the text. */
export type Variables = ReadonlyMap<string, string>;

/** The variables inside a macro. The place of the variable makes it unique: two macros side by side may both say `f`. */
export function variablesIn(outer: Variables, name: string, place: Node): Variables {
  return new Map(outer).set(name, `${name}@${place.start}`);
}

/** The path of a name with fixed properties and indexes, such as `steps.a.items[0]`; otherwise `undefined`. */
export function pathOf(node: Node, variables: Variables): FactPath | undefined {
  switch (node.op) {
    case 'id':
      return [variables.get(node.args) ?? node.args];
    case '.': {
      const base = pathOf(node.args[0], variables);
      return base && [...base, node.args[1]];
    }
    case '[]': {
      const [of, index] = node.args;
      if (index.op !== 'value') return undefined;
      const base = pathOf(of, variables);
      if (typeof index.args === 'string') return base && [...base, index.args];
      return base && typeof index.args === 'bigint' ? [...base, Number(index.args)] : undefined;
    }
    default:
      return undefined;
  }
}

/** What is known when the node came out as `outcome`; `present`: when it has a value at all. */
export function factsWhen(outcome: boolean | 'present', node: Node, variables: Variables): Facts {
  if (outcome === 'present') {
    const path = pathOf(node, variables);
    return path === undefined ? noFacts : factsOfPresence(path);
  }
  switch (node.op) {
    case 'call': {
      const [asked] = node.args[1];
      if (!outcome || node.args[0] !== 'has' || asked === undefined) return noFacts;
      return factsWhen('present', asked, variables);
    }
    case '!_':
      return factsWhen(!outcome, node.args, variables);
    case '&&':
    case '||': {
      const left = factsWhen(outcome, node.args[0], variables);
      const right = factsWhen(outcome, node.args[1], variables);
      // A true `&&` says that both are true; a false one only that some is false.
      return (node.op === '&&') === outcome ? join(left, right) : meet(left, right);
    }
    case '==':
      return outcome ? factsOfEquality(node.args, variables) : factsOfDifference(node.args, variables);
    case '!=':
      return outcome ? factsOfDifference(node.args, variables) : factsOfEquality(node.args, variables);
    case 'in': {
      const [key, of] = node.args;
      const path = pathOf(of, variables);
      if (!outcome || path === undefined || key.op !== 'value' || typeof key.args !== 'string')
        return noFacts;
      return factsOfPresence([...path, key.args]);
    }
    default:
      return noFacts;
  }
}

function factsOfEquality(sides: readonly [Node, Node], variables: Variables): Facts {
  return factsOfComparison(sides, variables, (other) => other.op === 'value' && other.args !== null);
}

function factsOfDifference(sides: readonly [Node, Node], variables: Variables): Facts {
  return factsOfComparison(sides, variables, (other) => other.op === 'value' && other.args === null);
}

function factsOfComparison(
  [left, right]: readonly [Node, Node],
  variables: Variables,
  tells: (other: Node) => boolean,
): Facts {
  const path = tells(right) ? pathOf(left, variables) : tells(left) ? pathOf(right, variables) : undefined;
  return path === undefined ? noFacts : factsOfValue(path);
}
