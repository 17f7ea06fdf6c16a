import type { Expression } from '../formula/expression.ts';
import type { Node } from '../formula/expression-nodes.ts';
import { childrenOf } from '../formula/expression-nodes.ts';
import type { Check, CheckFinding } from './check.ts';
import { textsIn } from './references.ts';

export const freeTextComparison: Check = {
  rule: 'free-text-comparison',
  summary: 'No decision depends on the exact words that a command prints.',

  *run(subject) {
    for (const { text, step } of textsIn(subject)) {
      if (text.kind !== 'expression') continue;
      // A check is there to look at what a command printed; where it is wrong, it fails and says so.
      if (step?.body.verify.some(({ value }) => value.kind === 'check' && value.check === text.expression))
        continue;
      yield* comparisons(text.expression);
    }
    if (subject.kind !== 'formula') return;
    for (const { value } of subject.formula.outputs) yield* comparisons(value);
  },
};

function* comparisons(expression: Expression): Generator<CheckFinding> {
  if (!/\bstd(?:out|err)\b/.test(expression.text)) return;
  for (const node of nodesIn(expression.tree.root)) {
    if (node.op !== '==' && node.op !== '!=' && node.op !== 'in') continue;
    const [left, right] = node.args;
    const read = isFreeText(left) ? left : isFreeText(right) ? right : undefined;
    const literals =
      (read === left ? right : left).op === 'list' ? listed(right) : [read === left ? right : left];
    // Whether there is any text at all is a fair question.
    const words = literals.flatMap((one) => (one.op === 'value' && one.args !== '' ? [one.args] : []));
    if (read === undefined || !words.some((word) => typeof word === 'string')) continue;
    const name = expression.text.slice(read.start, read.end);
    yield {
      severity: 'warning',
      span: expression.at(node.start, node.end),
      message: `"${name}" is free text: any other wording, such as a colour or a warning before it, decides differently`,
      help: 'write JSON to "$WF_OUTPUT", declare it under `outputs` with an `enum`, and compare that',
    };
  }
}

function listed(node: Node): readonly Node[] {
  return node.op === 'list' ? node.args : [];
}

/** What a command printed: `stdout` and `stderr` are names that nothing else may have. */
function isFreeText(node: Node): boolean {
  if (node.op !== '.' || (node.args[1] !== 'stdout' && node.args[1] !== 'stderr')) return false;
  const root = rootOf(node);
  return root === 'steps' || root === 'outputs' || root === 'previous';
}

function rootOf(node: Node): string | undefined {
  if (node.op === 'id') return node.args;
  return node.op === '.' || node.op === '[]' ? rootOf(node.args[0]) : undefined;
}

function* nodesIn(node: Node): Generator<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* nodesIn(child);
}
