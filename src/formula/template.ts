import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import type { SourceScalar } from '../source/source-document.ts';
import { placeReferences, type Problem, type Reference } from './reference.ts';
import { parseTemplateText } from './template-syntax.ts';
import type { TemplatePart, TemplateTree } from './template-tree.ts';
import { typeTemplate, type TemplateUse } from './template-types.ts';
import type { Scope, Type } from './types.ts';

export type { Reference };

/** Handlebars text at the place it was written. */
export interface Template {
  readonly text: string;
  readonly span: Span;
  readonly references: readonly Reference[];
  /** There is no `{{` at all: the text is its own value. */
  readonly literal: boolean;
  /** The text is one `{{…}}` that prints a value, and nothing else. */
  readonly whole: boolean;
  /** The text in pieces, in order; offsets are into `text`. */
  readonly parts: readonly TemplatePart[];
  readonly tree: TemplateTree;
  /** Where characters `start`..`end` of the text were written. */
  at(start: number, end: number): Span;
}

/**
 * Reads a scalar as Handlebars. Reports what cannot be read or is not offered: bad syntax, partials, unknown helpers
 * and blocks, wrong numbers of arguments, names that a helper shadows.
 */
export function parseTemplate(scalar: SourceScalar): { template: Template | undefined; findings: Finding[] } {
  const text = String(scalar.value);
  const at = (start: number, end: number): Span =>
    typeof scalar.value === 'string' && start < end ? scalar.at(start, end) : scalar.span;
  const tree = parseTemplateText(text);
  if (tree.problems.length > 0) {
    return { template: undefined, findings: tree.problems.map((problem) => toFinding(problem, at)) };
  }
  const { literal, whole, parts } = tree;
  const references = placeReferences(tree.references, at);
  return { template: { text, span: scalar.span, references, literal, whole, parts, tree, at }, findings: [] };
}

/**
 * Checks a template against the names in scope, down to the property.
 *
 * @param use `value` (the default): a whole template passes its value on, whatever it is; `text`: it is printed
 * @returns the type of the value when the template is whole and used as one, else string
 */
export function checkTemplate(
  template: Template,
  scope: Scope,
  use: TemplateUse = 'value',
): { findings: Finding[]; type: Type } {
  const { type, problems } = typeTemplate(template.tree, scope, use);
  return { findings: problems.map((problem) => toFinding(problem, template.at)), type };
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
