import type { SourceNode, SourceScalar } from './source-document.ts';

/** A stretch of text that YAML took for something else than its author. */
export interface EatenText {
  readonly start: number;
  readonly end: number;
}

/** Tells whether the flow map at `start` was meant as a template: `{{…`. */
export function isEatenBraces(text: string, start: number): boolean {
  return text[start] === '{' && text[start + 1] === '{';
}

/** The text as a quoted scalar, in the quotes that read better; long text is cut, since it only has to show the way. */
export function quoted(text: string): string {
  const short = shortened(text);
  return short.includes("'") && !/["\\]/.test(short) ? `"${short}"` : `'${short.replaceAll("'", "''")}'`;
}

/** At most one line of sixty characters. */
export function shortened(text: string): string {
  const line = text.replace(/\s*[\r\n]\s*/g, ' ').trim();
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}

/**
 * What an author probably meant as the value that begins at `start`: up to a comment or the end of the line, and in a
 * flow collection up to its next comma or closing bracket; templates, quotes and parentheses are skipped as wholes.
 */
export function restOfValue(text: string, start: number, isFlow: boolean): string {
  let position = start;
  const closers: string[] = [];
  scan: while (position < text.length) {
    const character = text.charAt(position);
    switch (character) {
      case '\n':
      case '\r':
        break scan;
      case '#':
        if (closers.length === 0 && position > start && /[ \t]/.test(text.charAt(position - 1))) break scan;
        break;
      case ',':
        if (isFlow && closers.length === 0) break scan;
        break;
      case '"':
      case "'": {
        const close = closingQuote(text, position);
        if (close !== undefined) position = close;
        break;
      }
      case '(':
      case '[':
      case '{':
        closers.push(character === '(' ? ')' : character === '[' ? ']' : '}');
        break;
      case ')':
      case ']':
      case '}':
        if (closers.at(-1) === character) closers.pop();
        else if (isFlow && character !== ')') break scan;
        break;
    }
    position++;
  }
  return text.slice(start, position).trimEnd();
}

function closingQuote(text: string, open: number): number | undefined {
  const quote = text[open];
  for (let position = open + 1; position < text.length; position++) {
    const character = text[position];
    if (character === '\n' || character === '\r') return undefined;
    if (character === '\\' && quote === '"') position++;
    else if (character === quote) return position;
  }
  return undefined;
}

/** Keys whose values are text for people or programs, in which a `#` is as likely as anywhere. */
const textKeys: ReadonlySet<unknown> = new Set(['run', 'script', 'ask', 'title', 'description', 'message']);

/**
 * The comment after a plain scalar that ends at `end`, when it was probably meant as part of the value: because the
 * value is left with an open quote, bracket or template, or because it is a command or text for people and the `#`
 * sticks to a word (`closes #12`). A comment after a value is common, so everything else is taken for one.
 */
export function eatenComment(
  text: string,
  value: string,
  end: number,
  key: SourceScalar['value'] | undefined,
): (EatenText & { readonly because: string }) | undefined {
  let start = end;
  while (text[start] === ' ' || text[start] === '\t') start++;
  if (text[start] !== '#' || start === end) return undefined;
  const stop = start + restOfLine(text, start).length;
  const comment = text.slice(start, stop);

  const open = openMark(value);
  if (open !== undefined && comment.includes(open.close)) {
    return { start, end: stop, because: `which leaves the value with an open ${open.mark}` };
  }
  if (textKeys.has(key) && /^#[\p{L}\p{N}$"'{]/u.test(comment)) {
    return { start, end: stop, because: 'so it is not part of the value' };
  }
  return undefined;
}

function restOfLine(text: string, start: number): string {
  const lineEnd = text.slice(start).search(/[\r\n]/);
  return (lineEnd < 0 ? text.slice(start) : text.slice(start, start + lineEnd)).trimEnd();
}

/** The first quote, bracket or template of a text that is not closed in it. */
function openMark(value: string): { readonly mark: string; readonly close: string } | undefined {
  const templates = (value.match(/\{\{/g)?.length ?? 0) - (value.match(/\}\}/g)?.length ?? 0);
  if (templates > 0) return { mark: '{{', close: '}}' };
  if (((value.match(/"/g)?.length ?? 0) & 1) === 1) return { mark: '"', close: '"' };
  // An apostrophe stands between letters; a quote begins a word.
  const singles = value.match(/(?<![\p{L}\p{N}])'|'(?![\p{L}\p{N}])/gu)?.length ?? 0;
  if ((singles & 1) === 1) return { mark: "'", close: "'" };
  const parentheses = (value.match(/\(/g)?.length ?? 0) - (value.match(/\)/g)?.length ?? 0);
  if (parentheses > 0) return { mark: '(', close: ')' };
  return undefined;
}

/**
 * Values of a flow collection that a comma cut in two: a plain scalar with an open parenthesis, quote or template that
 * a later sibling closes. `nodes` are the items of a list, or keys and values of a map in turn.
 */
export function eatenComma(
  text: string,
  nodes: readonly SourceNode[],
): (EatenText & { readonly index: number })[] {
  const found: (EatenText & { readonly index: number })[] = [];
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index];
    if (node?.kind !== 'scalar' || node.style !== 'plain') continue;
    const { start } = node.span;
    const open = openMark(text.slice(start, node.span.end));
    if (open === undefined) continue;
    for (let later = index + 1; later < nodes.length; later++) {
      const end = nodes[later]?.span.end ?? start;
      if (openMark(text.slice(start, end)) !== undefined) continue;
      if (end > node.span.end) found.push({ index, start, end });
      index = later;
      break;
    }
  }
  return found;
}
