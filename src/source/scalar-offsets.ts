import type { ScalarStyle } from './source-document.ts';

/** A scalar as it stands in the text: what its value is decoded from. */
export interface WrittenScalar {
  readonly style: ScalarStyle;
  /** Content without quotes; of a block scalar the lines after the header. */
  readonly start: number;
  readonly end: number;
  /** Spaces a block scalar's lines begin with; below zero when it has no content. */
  readonly indent: number;
}

/** For each UTF-16 unit of the decoded text the source offset where it was written, and where that writing ends. */
export interface ScalarOffsets {
  readonly value: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/**
 * Decodes a scalar again, keeping where each character came from. Trailing line breaks of a block scalar are all kept:
 * chomping only cuts the end off, so offsets into the value hold either way.
 */
export function scalarOffsets(text: string, scalar: WrittenScalar): ScalarOffsets {
  const out = new Recorder();
  switch (scalar.style) {
    case 'literal':
    case 'folded':
      decodeBlock(text, scalar, out);
      break;
    case 'plain':
    case 'single':
    case 'double':
      decodeFlow(text, scalar, out);
      break;
  }
  return out;
}

class Recorder implements ScalarOffsets {
  value = '';
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  put(characters: string, start: number, end: number): void {
    this.value += characters;
    for (let i = 0; i < characters.length; i++) {
      this.starts.push(start);
      this.ends.push(end);
    }
  }

  copy(text: string, start: number, end: number): void {
    this.value += text.slice(start, end);
    for (let offset = start; offset < end; offset++) {
      this.starts.push(offset);
      this.ends.push(offset + 1);
    }
  }
}

function decodeFlow(text: string, { style, start, end }: WrittenScalar, out: Recorder): void {
  let position = start;
  while (position < end) {
    const character = text.charAt(position);
    if (character === "'" && style === 'single') {
      out.put("'", position, position + 2);
      position += 2;
    } else if (character === '\\' && style === 'double') {
      position = decodeEscape(text, position, end, out);
    } else if (isSpace(character) || isBreak(character)) {
      position = decodeWhitespace(text, position, end, out);
    } else {
      out.copy(text, position, ++position);
    }
  }
}

// Spaces beside a line break are dropped; one break becomes a space, more become themselves less one.
function decodeWhitespace(text: string, start: number, end: number, out: Recorder): number {
  let position = start;
  const breaks: number[] = [];
  while (position < end) {
    const character = text.charAt(position);
    if (isBreak(character)) {
      breaks.push(position);
      position = afterBreak(text, position);
    } else if (isSpace(character)) position++;
    else break;
  }
  const [first, ...rest] = breaks;
  if (first === undefined) out.copy(text, start, position);
  else if (rest.length === 0) out.put(' ', first, first + 1);
  else for (const offset of rest) out.put('\n', offset, offset + 1);
  return position;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function decodeEscape(text: string, start: number, end: number, out: Recorder): number {
  const letter = text.charAt(start + 1);
  const hexLength = hexLengths[letter];
  if (hexLength !== undefined) {
    const stop = start + 2 + hexLength;
    out.put(String.fromCodePoint(Number.parseInt(text.slice(start + 2, stop), 16)), start, stop);
    return stop;
  }
  if (!isBreak(letter)) {
    out.put(simpleEscapes[letter] ?? letter, start, start + 2);
    return start + 2;
  }
  // An escaped line break joins the lines; empty lines after it stay.
  let position = afterBreak(text, start + 1);
  while (position < end && (isSpace(text.charAt(position)) || isBreak(text.charAt(position)))) {
    if (isBreak(text.charAt(position))) {
      out.put('\n', position, position + 1);
      position = afterBreak(text, position);
    } else position++;
  }
  return position;
}

function decodeBlock(text: string, { style, start, end, indent }: WrittenScalar, out: Recorder): void {
  const depth = Math.max(indent, 0);
  let position = start;
  /** Line breaks since the last line with content. */
  let breaks: number[] = [];
  let hasContent = false;
  let afterMoreIndented = false;
  while (position < end) {
    const lineEnd = endOfLine(text, position, end);
    let content = position;
    while (content < lineEnd && content < position + depth && text.charAt(content) === ' ') content++;
    if (indent >= 0 && content < lineEnd) {
      const moreIndented = isSpace(text.charAt(content));
      const folds = style === 'folded' && hasContent && !moreIndented && !afterMoreIndented;
      const [first, ...rest] = breaks;
      if (!folds) for (const offset of breaks) out.put('\n', offset, offset + 1);
      else if (rest.length === 0) out.put(' ', first ?? position, (first ?? position) + 1);
      else for (const offset of rest) out.put('\n', offset, offset + 1);
      out.copy(text, content, lineEnd);
      hasContent = true;
      afterMoreIndented = moreIndented;
      breaks = [];
    }
    if (lineEnd < end) breaks.push(lineEnd);
    position = lineEnd < end ? afterBreak(text, lineEnd) : end;
  }
  for (const offset of breaks) out.put('\n', offset, offset + 1);
  // Without a line break at its end the last line still counts as one.
  if (hasContent && breaks.length === 0) out.put('\n', end, end);
}

function endOfLine(text: string, start: number, end: number): number {
  let position = start;
  while (position < end && !isBreak(text.charAt(position))) position++;
  return position;
}

function afterBreak(text: string, position: number): number {
  return position + (text.charAt(position) === '\r' && text.charAt(position + 1) === '\n' ? 2 : 1);
}

function isBreak(character: string): boolean {
  return character === '\n' || character === '\r';
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t';
}
