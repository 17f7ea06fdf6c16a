import { stripVTControlCharacters } from 'node:util';
import type { Diagnostic } from './diagnostic.ts';
import { LineIndex } from './line-index.ts';

/** How the parts of a frame are coloured; the identity for plain text. */
export interface FrameStyle {
  error(text: string): string;
  warning(text: string): string;
  /** Places, gutters and the names of rules. */
  faint(text: string): string;
  help(text: string): string;
}

const keep = (text: string): string => text;

/** For pipes, files and tests. */
export const plainFrame: FrameStyle = { error: keep, warning: keep, faint: keep, help: keep };

export interface FrameOptions {
  readonly style?: FrameStyle;
  /** Columns that source lines may take; longer ones are cut around the place. Default 100. */
  readonly width?: number;
}

/**
 * A diagnostic as text: place, severity and rule, then the message, then the line with its place underlined and the
 * help beside the underline. Without trailing newline. A place that spans lines shows the first of them.
 *
 * ```
 * formulas/release.yaml:12:13  error  unknown-need
 *   step "publish" needs "biuld", but no step has that id
 *      12 |     needs: [biuld]
 *         |             ^^^^^          help: did you mean "build"?
 * ```
 */
export function codeFrame(
  diagnostic: Diagnostic,
  text: string | undefined,
  options: FrameOptions = {},
): string {
  const style = options.style ?? plainFrame;
  const { start } = diagnostic.range;
  const colour = diagnostic.severity === 'error' ? style.error : style.warning;
  const lines = [
    `${diagnostic.file}:${start.line}:${start.column}  ${colour(diagnostic.severity)}  ${style.faint(diagnostic.rule)}`,
    ...printable(diagnostic.message).split('\n').map(indented),
  ];
  const source =
    text === undefined ? undefined : sourceLines(diagnostic, text, style, colour, options.width ?? 100);
  if (source !== undefined) lines.push(...source);
  else if (diagnostic.help !== undefined) lines.push(...helpLines(diagnostic.help, style).map(indented));
  for (const { message, file, range } of diagnostic.related ?? []) {
    lines.push(
      indented(style.faint(`${file}:${range.start.line}:${range.start.column}  ${printable(message)}`)),
    );
  }
  return lines.join('\n');
}

/**
 * All diagnostics as text, one below the other, each with its line; empty when there are none. `sources` are the texts
 * of the files by path.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  options: FrameOptions = {},
): string {
  return diagnostics
    .map((diagnostic) => `${codeFrame(diagnostic, sources.get(diagnostic.file), options)}\n`)
    .join('\n');
}

const gutterWidth = 6;
const helpColumn = 27;
/** Help longer than this, or of several lines, goes on lines of its own. */
const helpBeside = 90;

function sourceLines(
  diagnostic: Diagnostic,
  text: string,
  style: FrameStyle,
  colour: (text: string) => string,
  width: number,
): string[] | undefined {
  const { start, end } = diagnostic.range;
  const line = new LineIndex(text).line(start.line);
  if (line.trim() === '') return undefined;

  const from = Math.min(start.column - 1, line.length);
  const to = end.line === start.line ? Math.min(Math.max(end.column - 1, from), line.length) : line.length;
  const cut = cutAround(line, from, to, width);
  const before = displayed(cut.before);
  const marked = displayed(cut.marked);
  const carets = '^'.repeat(Math.max(columns(marked), 1));
  const gutter = (label: string): string => style.faint(`${label.padStart(gutterWidth + 1)} | `);

  const shown = `${gutter(String(start.line))}${before}${marked}${displayed(cut.after)}`.trimEnd();
  const underline = `${gutter('')}${' '.repeat(columns(before))}${colour(carets)}`;
  if (diagnostic.help === undefined) return [shown, underline];

  const help = helpLines(diagnostic.help, style);
  if (help.length > 1 || diagnostic.help.length > helpBeside) {
    return [shown, underline, ...help.map((part) => `${gutter('')}${part}`)];
  }
  const gap = Math.max(helpColumn - columns(before) - carets.length, 2);
  return [shown, `${underline}${' '.repeat(gap)}${help.join('')}`];
}

function helpLines(help: string, style: FrameStyle): string[] {
  const [first = '', ...rest] = printable(help).split('\n');
  return [style.help(`help: ${first}`), ...rest.map((line) => style.help(`      ${line}`))];
}

function indented(line: string): string {
  return `  ${line}`;
}

interface CutLine {
  readonly before: string;
  readonly marked: string;
  readonly after: string;
}

/** What of a line is shown: all of it, or a window with the start of the place in it. */
function cutAround(line: string, from: number, to: number, width: number): CutLine {
  if (line.length <= width)
    return { before: line.slice(0, from), marked: line.slice(from, to), after: line.slice(to) };
  const place = Math.min(to - from, Math.floor(width / 2));
  const left = onCharacter(line, Math.max(0, from - Math.floor((width - place) / 2)));
  const right = onCharacter(line, Math.min(line.length, left + width));
  const markedEnd = Math.min(to, right);
  return {
    before: (left > 0 ? '…' : '') + line.slice(left, from),
    marked: line.slice(from, markedEnd),
    after: line.slice(markedEnd, right) + (right < line.length ? '…' : ''),
  };
}

/** The offset, or the one before it where it would cut a surrogate pair. */
function onCharacter(line: string, offset: number): number {
  const code = line.charCodeAt(offset);
  return code >= 0xdc00 && code <= 0xdfff ? offset - 1 : offset;
}

/** Tabs become two spaces; what a terminal would obey is made visible. */
function displayed(text: string): string {
  return printable(text.replaceAll('\t', '  '));
}

// A file may hold escape sequences; a diagnostic about it must not let them reach the terminal.
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    '�',
  );
}

/** Terminal columns a text takes: two for wide East Asian characters and emoji, none for combining marks. */
function columns(text: string): number {
  if (/^[\u0000-\u02ff]*$/.test(text)) return text.length;
  let width = 0;
  // Made here, since it takes 10 ms and few lines need it.
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) {
    const code = segment.codePointAt(0) ?? 0;
    if (/^\p{Mark}+$/u.test(segment)) continue;
    width += isWide(code) || /\p{Emoji_Presentation}|\uFE0F/u.test(segment) ? 2 : 1;
  }
  return width;
}

let segmenter: Intl.Segmenter | undefined;

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0x303e) ||
    (code >= 0x3041 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
