import type { Node } from 'web-tree-sitter';
import type { Template } from '../template.ts';

export type { Node };

/** The script with a word of the same length in place of each `{{…}}`, so that it parses and places stay as they are. */
export function maskedScript(script: Template): string {
  let text = '';
  let end = 0;
  for (const part of script.parts) {
    if (part.kind === 'text') continue;
    text += script.text.slice(end, part.start) + 'q'.repeat(part.end - part.start);
    end = part.end;
  }
  return text + script.text.slice(end);
}

/** A word of a command. */
export interface Word {
  /** What bash makes of it, when that does not depend on anything. */
  readonly literal: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** A `command` node's words, its name first; assignments before it are left out. */
export function wordsOf(command: Node): readonly Word[] {
  return command.namedChildren.flatMap((child) =>
    child.type === 'variable_assignment' || child.type.endsWith('redirect') ? [] : [wordOf(child)],
  );
}

function wordOf(node: Node): Word {
  const inner = node.type === 'command_name' ? (node.namedChildren[0] ?? node) : node;
  return { literal: literalOf(inner), start: inner.startIndex, end: inner.endIndex };
}

function literalOf(node: Node): string | undefined {
  const { text } = node;
  switch (node.type) {
    case 'word':
    case 'number':
      return /[\\*?[~]/.test(text) ? undefined : text;
    case 'raw_string':
      return text.slice(1, -1);
    case 'string':
      return /[\\$`]/.test(text) ? undefined : text.slice(1, -1);
    case 'concatenation': {
      const parts = node.namedChildren.map(literalOf);
      return parts.includes(undefined) ? undefined : parts.join('');
    }
    default:
      return undefined;
  }
}
