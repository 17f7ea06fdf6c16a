import { ParseError, parse } from '@marcbachmann/cel-js';

import { remember } from '../support/remember.ts';
import { factsWhen, pathOf, variablesIn, type Variables } from './expression-facts.ts';
import { childrenOf, isMacro, type Node } from './expression-nodes.ts';
import { isPresent, join, noFacts, type Facts } from './facts.ts';
import type { FoundReference, Problem } from './reference.ts';
import { rootNames } from './root-names.ts';

/** A CEL text that parsed. */
export interface ExpressionTree {
  readonly text: string;
  readonly root: Node;
  readonly references: readonly FoundReference[];
}

export type ParsedExpression =
  { readonly ok: true; readonly tree: ExpressionTree } | { readonly ok: false; readonly problem: Problem };

/** Deeper than anything a person writes, and far from the end of the stack. */
const maxDepth = 500;

/** Parses CEL. Equal texts are parsed once. */
export const parseExpressionText: (text: string) => ParsedExpression = remember(2000, (text) => {
  let root: Node;
  try {
    root = parse(text).ast;
  } catch (error) {
    if (error instanceof ParseError) return { ok: false, problem: syntaxProblem(text, error) };
    if (error instanceof RangeError) return { ok: false, problem: tooDeep(text) };
    throw error;
  }
  if (isDeeper(root, maxDepth)) return { ok: false, problem: tooDeep(text) };
  const references: FoundReference[] = [];
  const problem = collect(root, new Map(), noFacts, references);
  if (problem !== undefined) return { ok: false, problem };
  return { ok: true, tree: { text, root, references } };
});

// Finds the references and what is wrong with the names of macro variables.
function collect(
  node: Node,
  variables: Variables,
  facts: Facts,
  into: FoundReference[],
): Problem | undefined {
  const path = pathOf(node, variables);
  if (path !== undefined) {
    let root = node;
    while (root.op === '.' || root.op === '[]') root = root.args[0];
    if (root.op === 'id' && !variables.has(root.args)) {
      const guarded = isPresent(facts, path);
      into.push({
        path,
        start: node.start,
        end: node.end,
        rootStart: root.start,
        rootEnd: root.end,
        guarded,
      });
    }
    return undefined;
  }
  switch (node.op) {
    case '?:': {
      const [condition, yes, no] = node.args;
      return (
        collect(condition, variables, facts, into) ??
        collect(yes, variables, join(facts, factsWhen(true, condition, variables)), into) ??
        collect(no, variables, join(facts, factsWhen(false, condition, variables)), into)
      );
    }
    case '&&':
    case '||': {
      const [left, right] = node.args;
      return (
        collect(left, variables, facts, into) ??
        collect(right, variables, join(facts, factsWhen(node.op === '&&', left, variables)), into)
      );
    }
    case 'call':
      if (node.args[0] === 'has' && node.args[1].length === 1) {
        const asked = node.args[1][0] as Node;
        const inner = pathOf(asked, variables);
        return collect(
          asked,
          variables,
          inner === undefined ? facts : presence(facts, asked, variables),
          into,
        );
      }
      break;
    case 'rcall':
      if (isMacro(node)) return collectMacro(node, variables, facts, into);
      break;
    case 'value':
    case 'id':
    case '.':
    case '.?':
    case '[]':
    case '[?]':
    case 'list':
    case 'map':
    case '!_':
    case '-_':
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
      break;
  }
  for (const child of childrenOf(node)) {
    const problem = collect(child, variables, facts, into);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function collectMacro(
  node: Node,
  variables: Variables,
  facts: Facts,
  into: FoundReference[],
): Problem | undefined {
  if (node.op !== 'rcall') return undefined;
  const [, over, [variable, ...bodies]] = node.args;
  const problem = collect(over, variables, facts, into);
  if (problem !== undefined || variable?.op !== 'id') return problem;
  if (rootNames.has(variable.args) || variables.has(variable.args)) {
    return {
      rule: 'expression-syntax',
      message: rootNames.has(variable.args)
        ? `"${variable.args}" is a name of the language, so it cannot be the name of a variable`
        : `the variable "${variable.args}" stands inside another of the same name`,
      help: 'give the variable another name',
      start: variable.start,
      end: variable.end,
    };
  }
  const inside = variablesIn(variables, variable.args, variable);
  let known = facts;
  for (const body of bodies) {
    const inner = collect(body, inside, known, into);
    if (inner !== undefined) return inner;
    // Only `map(x, condition, value)` has two: the condition holds where the value is made.
    known = join(known, factsWhen(true, body, inside));
  }
  return undefined;
}

function presence(facts: Facts, asked: Node, variables: Variables): Facts {
  const path = pathOf(asked, variables);
  return path === undefined ? facts : join(facts, factsWhen('present', asked, variables));
}

function isDeeper(node: Node, limit: number): boolean {
  return limit === 0 || childrenOf(node).some((child) => isDeeper(child, limit - 1));
}

function tooDeep(text: string): Problem {
  return {
    rule: 'expression-syntax',
    message: 'the expression is nested too deeply',
    help: 'move a part of it into a step of its own',
    start: 0,
    end: text.length,
  };
}

function syntaxProblem(text: string, error: ParseError): Problem {
  const whole = { rule: 'expression-syntax', start: 0, end: text.length };
  if (text.trim() === '') return { ...whole, message: 'the expression is empty' };
  if (text.trimStart().startsWith('{{')) {
    return { ...whole, message: 'this is an expression, not a text', help: 'write it without {{ and }}' };
  }
  const place = error.range ?? { start: 0, end: text.length };
  const length = text.trimEnd().length;
  const start = Math.min(place.start, length);
  const end = Math.min(Math.max(place.end, start), length);
  const { message, help } = explain(text, error, start, end);
  if (start < end) return { rule: 'expression-syntax', message, help, start, end };
  // At the end of the text there is nothing to point at but the last character.
  return { rule: 'expression-syntax', message, help, start: Math.max(0, start - 1), end: start };
}

function explain(
  text: string,
  error: ParseError,
  start: number,
  end: number,
): { message: string; help?: string } {
  const found = text.slice(start, end);
  if (start === end) return { message: 'the expression ends where something should follow' };
  if (found === '=') return { message: '"=" does not compare', help: 'write "=="' };
  if (found === '&' || found === '|') {
    return { message: `"${found}" is not an operator`, help: `write "${found}${found}"` };
  }
  switch (error.code) {
    case 'unexpected_character':
    case 'unexpected_token':
    case 'expected_token':
      return { message: `"${found}" cannot stand here` };
    case 'reserved_identifier':
      return { message: `"${found}" is a reserved word` };
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return { message: 'the quotes are not closed' };
    default:
      return { message: lowerFirst(error.summary) };
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
