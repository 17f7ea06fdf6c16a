import type { TextStyle } from './text-style.ts';

/** What a piece of a line is, which decides how it looks. */
export type Tone = 'plain' | 'name' | 'strong' | 'faint' | 'code' | 'error' | 'attention';

/** A line of an outline: how deep it stands, and its pieces one after the other. */
export interface OutlineLine {
  readonly depth: number;
  readonly pieces: readonly (readonly [text: string, tone: Tone])[];
}

/** How an outline meets its reader: at a terminal of a width, or undefined: in a file or pipe, where nothing is left out. */
export interface OutlineOptions {
  readonly style: TextStyle;
  readonly width: number | undefined;
}

/** Lines of a script or text that are shown in a terminal. */
const MOST_LINES = 24;

export function line(depth: number, ...pieces: OutlineLine['pieces']): OutlineLine {
  return { depth, pieces };
}

/** A text of several lines as an outline, its end left out where it is long. */
export function block(depth: number, text: string, tone: Tone, { width }: OutlineOptions): OutlineLine[] {
  const lines = text.replace(/\s+$/, '').split('\n');
  const most = width === undefined ? Infinity : MOST_LINES;
  const shown = lines.length > most + 1 ? lines.slice(0, most) : lines;
  return [
    ...shown.map((one) => line(depth, [one, tone])),
    ...(shown.length < lines.length
      ? [line(depth, [`… ${lines.length - shown.length} more lines`, 'faint'])]
      : []),
  ];
}

/** A command, marked as one at its left side. */
export function command(depth: number, text: string, options: OutlineOptions): OutlineLine[] {
  return block(depth, text, 'code', options).map(({ pieces }) => line(depth, ['│ ', 'faint'], ...pieces));
}

/** Lines under a label that stands beside the first of them. */
export function labelled(label: string, lines: readonly OutlineLine['pieces'][]): OutlineLine[] {
  return lines.map((pieces, index) => line(0, [(index === 0 ? label : '').padEnd(11), 'faint'], ...pieces));
}

/** Lays lines out, each cut where the terminal ends. */
export function layOut(lines: readonly OutlineLine[], { style, width = Infinity }: OutlineOptions): string {
  return lines.map(({ depth, pieces }) => layLine(depth, pieces, style, width)).join('\n');
}

function layLine(depth: number, pieces: OutlineLine['pieces'], style: TextStyle, width: number): string {
  let laid = '';
  let left = width - 2 * depth;
  for (const [index, [text, tone]] of pieces.entries()) {
    const shown = printable(text);
    const characters = [...(width === Infinity ? shown : shown.replaceAll('\t', '    '))];
    const rest = pieces.slice(index + 1).some(([more]) => more !== '');
    if (characters.length > left || (characters.length === left && rest)) {
      laid += `${toned(characters.slice(0, Math.max(left - 1, 0)).join(''), tone, style)}…`;
      break;
    }
    laid += toned(characters.join(''), tone, style);
    left -= characters.length;
  }
  return laid === '' ? '' : '  '.repeat(depth) + laid;
}

/** Values come from anywhere: nothing of them may move the cursor or change colours. */
function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => {
      const code = character.charCodeAt(0);
      return code < 32 ? String.fromCharCode(0x2400 + code) : '\ufffd';
    },
  );
}

function toned(text: string, tone: Tone, style: TextStyle): string {
  if (text === '') return '';
  switch (tone) {
    case 'plain':
      return text;
    case 'name':
      return style.help(text);
    case 'strong':
      return style.strong(text);
    case 'faint':
      return style.faint(text);
    case 'error':
      return style.error(text);
    case 'attention':
      return style.attention(text);
    case 'code':
      return text.replace(/\{\{[^{}]*\}\}|‹[^‹›]*›/g, (mark) => style.attention(mark));
  }
}

/** `a, b, c and 12 more`. */
export function listed(names: readonly string[], most = 4): string {
  if (names.length <= most + 1) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** How many columns there are to lay out for: those of a terminal, if it is one. */
export function widthOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY ? Math.max(stream.columns, 40) : undefined;
}
