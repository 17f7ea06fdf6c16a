import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import type { SourceScalar } from '../source/source-document.ts';
import { parseExpressionText, type ExpressionTree } from './expression-syntax.ts';
import { asCondition, typeExpression } from './expression-types.ts';
import { showKind } from './show-type.ts';
import { mayTake } from './expression-functions.ts';
import { withoutNull } from './read-type.ts';
import { placeReferences, type Problem, type Reference } from './reference.ts';
import type { Scope, Type } from './types.ts';

/** CEL logic at the place it was written. */
export interface Expression {
  readonly text: string;
  readonly span: Span;
  readonly references: readonly Reference[];
  readonly tree: ExpressionTree;
  /** Where characters `start`..`end` of the text were written. */
  at(start: number, end: number): Span;
}

/** What the place of an expression asks of its result. */
export type Expected = 'bool' | 'list' | 'int' | 'any';

/** Reads a scalar as CEL. A boolean or number is what YAML made of an expression that says just that. */
export function parseExpression(scalar: SourceScalar): {
  expression: Expression | undefined;
  findings: Finding[];
} {
  const text = String(scalar.value);
  const at = (start: number, end: number): Span =>
    typeof scalar.value === 'string' && start < end ? scalar.at(start, end) : scalar.span;
  const parsed = parseExpressionText(text);
  if (!parsed.ok) return { expression: undefined, findings: [toFinding(parsed.problem, at)] };
  const references = placeReferences(parsed.tree.references, at);
  return { expression: { text, span: scalar.span, references, tree: parsed.tree, at }, findings: [] };
}

/** Checks an expression against the names in scope, down to the property, and against what its place expects. */
export function checkExpression(
  expression: Expression,
  scope: Scope,
  expected: Expected = 'any',
): { findings: Finding[]; type: Type } {
  const { type, problems } = typeExpression(expression.tree, scope);
  const findings = problems.map((problem) => toFinding(problem, expression.at));
  if (findings.length === 0 && expected !== 'any') {
    const fits = mayTake(expected, withoutNull(type)) && (type.kind === 'any' || !isNullable(type));
    if (!fits) findings.push(toFinding(unexpected(expression.text, type, expected), expression.at));
  }
  return { findings, type };
}

/**
 * The text of a checked expression for a place without schemas, such as a plan: what they call `number` is written as
 * `double(…)`, so that 5 divided by 2 is 2.5 there as well. Without a division the text is as it was.
 */
export function withoutSchemas(expression: Expression, scope: Scope): string {
  const { text, tree } = expression;
  if (!text.includes('/')) return text;
  const { certainDoubles } = typeExpression(tree, scope);
  const reads = [...certainDoubles].sort((a, b) => a.start - b.start);
  let written = '';
  let end = 0;
  for (const read of reads) {
    // Parentheses around the beginning of a path are not part of the parser's range.
    const path = text.slice(read.start, read.end);
    if (read.start < end || !isBalanced(path)) continue;
    written += `${text.slice(end, read.start)}double(${path})`;
    end = read.end;
  }
  return written + text.slice(end);
}

function isBalanced(text: string): boolean {
  const without = text.replace(/"[^"]*"|'[^']*'/g, '');
  return without.split('(').length === without.split(')').length;
}

function isNullable(type: Type): boolean {
  return withoutNull(type) !== type || type.kind === 'null';
}

function unexpected(text: string, type: Type, expected: 'bool' | 'list' | 'int'): Problem {
  const wanted = { bool: 'true or false', list: 'a list', int: 'an integer' }[expected];
  return {
    rule: 'expression-type',
    message: `this must come out as ${wanted}, but it is ${showKind(type)}`,
    help: expected === 'bool' ? asCondition(type, text) : undefined,
    start: 0,
    end: text.length,
  };
}

function toFinding(problem: Problem, at: (start: number, end: number) => Span): Finding {
  const { rule, message, help, misspelt, start, end } = problem;
  return {
    rule,
    severity: 'error',
    message,
    ...(help === undefined ? {} : { help }),
    ...(misspelt && { misspelt }),
    span: at(start, end),
  };
}
