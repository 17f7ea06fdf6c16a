import { constantOutcome, constantParts } from '../formula/constant.ts';
import type { Expression } from '../formula/expression.ts';
import { typeExpression } from '../formula/expression-types.ts';
import { readStep, valuesOf } from '../formula/read-type.ts';
import { showType } from '../formula/show-type.ts';
import type { Scope, Type } from '../formula/types.ts';
import type { Check, CheckFinding } from './check.ts';
import { textsIn } from './references.ts';

export const constantCondition: Check = {
  rule: 'constant-condition',
  summary: 'Every condition, and every part of one, can come out both ways.',

  *run(subject) {
    for (const { text, step } of textsIn(subject)) {
      if (text.kind !== 'expression' || !mayDecide(text.expression)) continue;
      const { expression, expected } = text;
      const scope = subject.scopes.of(text, step);
      const { problems, decided } = typeExpression(expression.tree, scope);
      // A broken expression is told already.
      if (problems.length > 0) continue;
      for (const { node, outcome } of constantParts(expression.tree, decided, expected === 'bool')) {
        const isWhole = node === expression.tree.root;
        // What needs no types to see has rules of its own: unreachable steps, keys without effect, worthless checks.
        if (isWhole && constantOutcome(expression.tree) !== undefined) continue;
        yield finding(expression, node, outcome, isWhole, scope);
      }
    }
    if (subject.kind !== 'formula') return;
    for (const { value } of subject.formula.outputs) {
      const { problems, decided } = typeExpression(value.tree, subject.scopes.end);
      if (problems.length > 0) continue;
      for (const { node, outcome } of constantParts(value.tree, decided, false)) {
        yield finding(value, node, outcome, false, subject.scopes.end);
      }
    }
  },
};

function finding(
  expression: Expression,
  node: { readonly start: number; readonly end: number },
  outcome: boolean,
  isWhole: boolean,
  scope: Scope,
): CheckFinding {
  const text = expression.text.slice(node.start, node.end);
  return {
    severity: 'warning',
    span: isWhole ? expression.span : expression.at(node.start, node.end),
    message: `"${text}" is always ${String(outcome)}${deciding(expression, node, scope)}`,
    help: isWhole
      ? 'remove the condition, or compare with what can differ'
      : 'remove this part, or compare with what can differ',
  };
}

/** What the values of its names are known to be, which is why it comes out one way: `: inputs.level is 1 | 2 | 3`. */
function deciding(
  { tree }: Expression,
  node: { readonly start: number; readonly end: number },
  scope: Scope,
): string {
  const known = tree.references
    .filter(({ start, end }) => node.start <= start && end <= node.end)
    .flatMap(({ path }) => {
      const [root = '', ...rest] = path;
      const type = rest.reduce<Type | undefined>(
        (from, part) => {
          const reading = from && readStep(from, part);
          return reading?.found ? reading.type : undefined;
        },
        scope.get(String(root)),
      );
      return type && valuesOf(type) ? [`${path.join('.')} is ${showType(type)}`] : [];
    });
  return known.length === 0 ? ', whatever is read' : `: ${[...new Set(known)].join(', ')}`;
}

// A condition that only reads something is never constant.
function mayDecide({ text }: Expression): boolean {
  return /[=<>!&|?(]|\bin\b|\btrue\b|\bfalse\b/.test(text);
}
