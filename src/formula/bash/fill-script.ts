import type { Node } from 'web-tree-sitter';
import type { BashParser } from './load-parser.ts';

/** Where a value's variable stands in a compiled script, which decides how the value would be written there. */
export type SlotPlace =
  /** A word of its own or part of one: `"${v}"`. */
  | 'word'
  /** As many words as the list has items: `"${v[@]}"`. */
  | 'words'
  /** Amid a single-quoted string, which is closed and opened again around it. */
  | 'single'
  /** Amid a double-quoted string. */
  | 'double'
  | 'heredoc'
  | 'comment';

export interface Slot {
  /** Of the variable. */
  readonly name: string;
  readonly place: SlotPlace;
  /** What of the script belongs to it, with the quotes that only it has. */
  readonly start: number;
  readonly end: number;
  /** Of a `word`: what may be written there without quotes. */
  readonly unquoted: 'plain' | 'plainest' | 'nothing';
}

const VARIABLE = /\$\{(__wf_\d+)\}/g;

/** The places of values in a compiled script, in order. One that a value could not be written into is left out. */
export function findSlots(parser: BashParser, script: string): readonly Slot[] {
  const tree = parser.parse(script);
  if (!tree) return [];
  try {
    return [...slotsOf(tree.rootNode, script)].sort((a, b) => a.start - b.start);
  } finally {
    tree.delete();
  }
}

/** A script with something else in the place of values; undefined leaves the variable as it is. */
export function fillScript(
  parser: BashParser,
  script: string,
  fill: (slot: Slot) => string | undefined,
): string {
  let filled = '';
  let last = 0;
  for (const slot of findSlots(parser, script)) {
    const text = fill(slot);
    if (text === undefined || slot.start < last) continue;
    filled += script.slice(last, slot.start) + text;
    last = slot.end;
  }
  return filled + script.slice(last);
}

function* slotsOf(node: Node, script: string): Generator<Slot> {
  if (node.type === 'comment') {
    for (const match of node.text.matchAll(VARIABLE)) {
      const start = node.startIndex + match.index;
      yield {
        name: match[1] as string,
        place: 'comment',
        start,
        end: start + match[0].length,
        unquoted: 'nothing',
      };
    }
    return;
  }
  const name = node.type === 'expansion' ? /^\$\{(__wf_\d+)(\[@\])?\}$/.exec(node.text) : null;
  if (name) {
    // Between backquotes a backslash means something else, also within single quotes.
    if (!inBackquotes(node)) yield slotAt(node, name[1] as string, name[2] !== undefined, script);
    return;
  }
  for (const child of node.children) if (child) yield* slotsOf(child, script);
}

function slotAt(node: Node, name: string, list: boolean, script: string): Slot {
  const { parent, startIndex: start, endIndex: end } = node;
  const slot = { name, start, end, unquoted: 'nothing' as const };
  if (parent?.type !== 'string') return { ...slot, place: 'heredoc' };
  if (parent.startIndex !== start - 1 || parent.endIndex !== end + 1) return { ...slot, place: 'double' };
  const [from, to] = [start - 1, end + 1];
  if (list) return { ...slot, place: 'words', start: from, end: to };
  const { previousSibling: before, nextSibling: after } = parent;
  const within =
    before?.type === 'raw_string' &&
    before.endIndex === from &&
    after?.type === 'raw_string' &&
    after.startIndex === to;
  if (within) return { ...slot, place: 'single', start: from - 1, end: to + 1 };
  const unquoted = unquotedIn(parent, script.slice(Math.max(from - 2, 0), from), script.slice(to, to + 2));
  return { ...slot, place: 'word', start: from, end: to, unquoted };
}

/** Beside other characters of a word even a plain one may get a meaning: `{1..3}`, `$name`, `2>file`. */
function unquotedIn(string: Node, before: string, after: string): Slot['unquoted'] {
  for (let up = string.parent; up; up = up.parent) {
    if (up.type === 'test_command') return 'nothing';
    if (up.type === 'command_substitution') break;
  }
  const ends = /^(?:$|[\s;|&)])/.test(after);
  if (ends && /(?:^|[\s;|&(=])$/.test(before)) return 'plain';
  const goesOn = ends || /^(?:[/:@%+-]|\.(?!\.))/.test(after);
  return goesOn && /(?:^|[\s(=/:@%+-]|(?:^|[^.])\.)$/.test(before) ? 'plainest' : 'nothing';
}

function inBackquotes(node: Node): boolean {
  for (let up = node.parent; up; up = up.parent) {
    if (up.type === 'command_substitution' && up.text.startsWith('`')) return true;
  }
  return false;
}
