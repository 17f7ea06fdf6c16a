import type { ASTNode } from '@marcbachmann/cel-js';

/** The parser's node. Offsets are UTF-16 offsets into the text; of `.` and `[]`, `pos` is where the property begins. */
export type Node = ASTNode;

/** The macros that run over a list or the keys of an object, each with its number of arguments. */
export const macros: ReadonlyMap<string, readonly number[]> = new Map([
  ['all', [2]],
  ['exists', [2]],
  ['exists_one', [2]],
  ['filter', [2]],
  ['map', [2, 3]],
]);

/** The nodes directly below a node. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    case 'list':
    case '?:':
    case '[]':
    case '[?]':
    case '||':
    case '&&':
    case '!=':
    case '==':
    case 'in':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return node.args;
  }
}

/** Whether the node is a macro over a list, such as `xs.filter(x, x > 1)`. */
export function isMacro(node: Node): boolean {
  return node.op === 'rcall' && (macros.get(node.args[0])?.includes(node.args[2].length) ?? false);
}
