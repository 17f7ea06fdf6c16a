import type { Danger } from './dangerous-commands.ts';
import { actsUpon, COMMAND_NAME } from './dangerous-commands.ts';
import { isSpecialVariable } from './special-variables.ts';
import type { Node } from './syntax-tree.ts';
import { bracketsAround, isArithmetic } from './syntax-tree.ts';

/** In which kind of text a value stands, which says how it has to be quoted. */
export type Position = 'bare' | 'string' | 'raw' | 'heredoc' | 'comment';

/** The position of a value, or why it cannot stand there. */
export function positionOf(node: Node): Position | Danger {
  const position = ownPosition(node);
  if (typeof position !== 'string' || position === 'comment') return position;
  if (isArithmetic(node)) return ARITHMETIC;
  for (let at = node, up = node.parent; up; at = up, up = up.parent) {
    const danger = refusal(up, at);
    if (danger) return danger;
  }
  return position;
}

/** Arithmetic runs the command in `a[$(…)]`, also where that comes out of a variable or another command. */
export const ARITHMETIC: Danger = {
  why: 'arithmetic can run code in it',
  help: 'compare numbers with `[ "$a" -gt 3 ]`, which does not compute; to compute, use a program that takes words, as `expr` does',
};

function ownPosition(node: Node): Position | Danger {
  switch (node.type) {
    case 'word':
    case 'extglob_pattern':
      return 'bare';
    case 'string_content':
    case 'string':
      return 'string';
    case 'raw_string':
      return 'raw';
    case 'heredoc_body':
    case 'heredoc_content':
      return 'heredoc';
    case 'comment':
      return 'comment';
    case 'variable_name':
      return isArithmetic(node) ? ARITHMETIC : NAME;
    default:
      return isArithmetic(node) ? ARITHMETIC : inside(node);
  }
}

const NAME: Danger = { why: 'it would be the name of a variable' };

function inside(node: Node): Danger {
  const words = node.type.replaceAll('_', ' ');
  return { why: `in ${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words} it could become code` };
}

/** Nodes that a word may stand in, on the way up to the script. Everything else is refused. */
const HARMLESS: ReadonlySet<string> = new Set([
  'program',
  'list',
  'pipeline',
  'command',
  'concatenation',
  'command_substitution',
  'process_substitution',
  'subshell',
  'compound_statement',
  'if_statement',
  'elif_clause',
  'else_clause',
  'while_statement',
  'do_group',
  'for_statement',
  'case_statement',
  'case_item',
  'function_definition',
  'redirected_statement',
  'herestring_redirect',
  'test_command',
  'negated_command',
]);

const COMPARISONS = new Set(['==', '=', '!=', '<', '>', '&&', '||', '-nt', '-ot', '-ef']);

function refusal(up: Node, child: Node): Danger | undefined {
  switch (up.type) {
    case 'command_name':
      return COMMAND_NAME;
    case 'function_definition':
      return child.id === up.childForFieldName('name')?.id
        ? { why: 'it would be the name of a function' }
        : undefined;
    case 'variable_assignment': {
      if (up.childForFieldName('value')?.id !== child.id) return NAME;
      const name = (up.childForFieldName('name')?.text ?? '').replace(/\[.*$/s, '');
      return isSpecialVariable(name) ? actsUpon(name) : undefined;
    }
    case 'declaration_command':
      return child.type === 'variable_assignment' ? undefined : NAME;
    case 'array':
      return child.type === 'concatenation' && child.text.startsWith('[')
        ? {
            why: 'an index of an array is arithmetic, which can run code',
            help: 'append it instead: `list+=({{…}})`',
          }
        : undefined;
    case 'file_redirect':
      return /[<>]&/.test(up.text) && up.children.some((part) => part?.type === '>&' || part?.type === '<&')
        ? { why: 'bash expands what follows `>&` twice', help: 'write `&> file` or `> file 2>&1`' }
        : undefined;
    case 'heredoc_redirect':
    case 'heredoc_body': {
      const redirect = up.type === 'heredoc_redirect' ? up : up.parent;
      const start = redirect?.children.find((part) => part?.type === 'heredoc_start')?.text ?? '';
      return /["'\\]/.test(start) && child.type.startsWith('heredoc')
        ? {
            why: 'in a here-document with a quoted delimiter nothing is replaced',
            help: `take the quotes off ${start}, or pass the value in the environment to the program that reads it`,
          }
        : undefined;
    }
    case 'binary_expression':
      return comparison(up, child);
    case 'unary_expression':
      return /^-[vR]$/.test(up.childForFieldName('operator')?.text ?? '') ? NAME : undefined;
    case 'parenthesized_expression':
      return bracketsAround(up) === undefined ? ARITHMETIC : undefined;
    case 'string':
      return up.text.startsWith('$') || up.previousSibling?.text === '$'
        ? { why: 'a translated string, $"…", is not safe' }
        : undefined;
    default:
      return HARMLESS.has(up.type) ? undefined : inside(up);
  }
}

function comparison(expression: Node, child: Node): Danger | undefined {
  // Of `[` the words are looked at, not what the grammar takes for its operators.
  if (bracketsAround(expression) === '[') return undefined;
  const operator = expression.childForFieldName('operator')?.text ?? operatorBetween(expression);
  if (COMPARISONS.has(operator)) return undefined;
  if (operator === '=~') {
    return expression.childForFieldName('right')?.id === child.id
      ? {
          why: 'the right side of `=~` is a pattern',
          help: 'compare it with `==`, or match with `grep -E -e {{…}}`',
        }
      : undefined;
  }
  return { why: `\`${operator}\` is not understood here` };
}

function operatorBetween(expression: Node): string {
  return expression.children.find((part) => part && !part.isNamed)?.text ?? '';
}
