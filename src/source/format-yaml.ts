import type { Document, Node, ParsedNode, Scalar } from 'yaml';
import { isCollection, isMap, isPair, isSeq, parseDocument, visit } from 'yaml';
import { parseYaml } from './parse-yaml.ts';
import { toJson } from './source-document.ts';

/** Columns that a flow collection may reach; a longer one is laid out as a block. */
const WIDTH = 120;

export type Formatted =
  | { readonly ok: true; readonly text: string }
  /** It does not parse as YAML, so its layout means nothing. */
  | { readonly ok: false; readonly why: string };

/**
 * A YAML file in its canonical layout: two spaces a level, lists below their key, one blank line at most, no padding in
 * flow collections, no trailing blanks, `\n` at every end of line. Comments and blank lines stay where they are, scalars
 * keep their style, and texts of several lines keep their lines. The value of the document is the same.
 */
export function formatYaml(text: string): Formatted {
  const source = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const parsed = parseYaml('file.yaml', source);
  const problem = parsed.findings.find(({ severity }) => severity === 'error');
  if (problem) return { ok: false, why: problem.message };
  if (!parsed.root) return { ok: true, text: source.trim() === '' ? '' : `${trimmedLines(source)}\n` };
  const laid = layOut(source);
  // What cannot be laid out without a doubt, once and for all, stays as it was, to the letter.
  const sure = laid !== undefined && isSame(source, laid) && layOut(laid) === laid;
  return { ok: true, text: sure ? laid : text };
}

/** Whether two texts hold the same value and the same comments. */
function isSame(before: string, after: string): boolean {
  const value = (text: string) => {
    const { root, findings } = parseYaml('file.yaml', text);
    return findings.some(({ severity }) => severity === 'error') || !root
      ? undefined
      : JSON.stringify(toJson(root));
  };
  const one = value(before);
  return (
    one !== undefined &&
    one === value(after) &&
    JSON.stringify(commentsOf(before)) === JSON.stringify(commentsOf(after))
  );
}

/** The comments of a text, in any order. */
export function commentsOf(text: string): readonly string[] {
  const found: string[] = [];
  const add = (comment: string | null | undefined) => {
    for (const line of (comment ?? '').split('\n')) if (line !== '') found.push(line.trim());
  };
  const document = parseDocument(text, { keepSourceTokens: true });
  add(document.commentBefore);
  add(document.comment);
  visit(document, {
    Node: (_, node) => {
      add(node.commentBefore);
      add(node.comment);
    },
  });
  return found.sort();
}

function layOut(source: string): string | undefined {
  const document = parseDocument(source, { keepSourceTokens: true });
  if (document.errors.length > 0) return undefined;
  trimComments(document);
  const place = placeFor(source);
  const kept = takeOutLongTexts(document, source, place);
  let text = print(document);
  // A collection that is laid out as a block may hold others that are too long still.
  for (let round = 0; round < 20 && unfold(document, text); round++) text = print(document);
  return putBack(text, kept, place);
}

function print(document: Document.Parsed): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, indentSeq: true });
}

/** Blanks at the ends of comments mean nothing. */
function trimComments(document: Document.Parsed): void {
  // An empty line of a comment is one blank here, a blank line between two comments is nothing.
  const trimmed = (comment: string) =>
    comment
      .split('\n')
      .map((line) => (line === '' ? '' : line.trimEnd() || ' '))
      .join('\n');
  const trim = (holder: { comment?: string | null; commentBefore?: string | null }) => {
    if (holder.comment) holder.comment = trimmed(holder.comment);
    if (holder.commentBefore) holder.commentBefore = trimmed(holder.commentBefore);
  };
  trim(document);
  visit(document, { Node: (_, node) => trim(node) });
}

/** A word that is nowhere in a text. */
function placeFor(source: string): string {
  let place = 'wfKeptText';
  while (source.includes(place)) place += 'x';
  return place;
}

/** Puts a word in the place of each scalar of several lines, whose lines are the author's. */
function takeOutLongTexts(document: Document.Parsed, source: string, place: string): readonly string[] {
  const kept: string[] = [];
  visit(document, {
    Scalar: (key, node) => {
      const [start, end] = node.range ?? [0, 0];
      const written = source.slice(start, end);
      if (key === 'key' || !written.includes('\n')) return;
      const scalar: Scalar = node;
      scalar.value = `${place}${kept.length}z`;
      scalar.type = 'PLAIN';
      kept.push(written);
    },
  });
  return kept;
}

/** Puts the texts back, with their lines at the level that they have now. */
function putBack(text: string, kept: readonly string[], place: string): string {
  const lines = text.split('\n').map((line) => {
    const at = new RegExp(`${place}(\\d+)z`).exec(line);
    if (!at) return line;
    const written = kept[Number(at[1])] ?? '';
    return line.slice(0, at.index) + relaid(written, levelOf(line)) + line.slice(at.index + at[0].length);
  });
  return lines.join('\n');
}

/** Columns before the key or item that a line holds: `  - run: |` holds its text at level 4. */
function levelOf(line: string): number {
  return (/^[ -]* /.exec(line.replace(/^(?=\S)/, ''))?.[0] ?? '').length;
}

function relaid(written: string, level: number): string {
  const [first = '', ...rest] = written.replace(/\n+$/, '').split('\n');
  const [, style, digit] = /^([|>])[+-]?(\d?)/.exec(first) ?? [];
  const depth = rest.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)?.[0].length ?? 0);
  const before = Math.min(...depth);
  if (style === undefined) {
    // Of a flow scalar the blanks at both ends of its lines mean nothing.
    return [
      first.trimEnd(),
      ...rest.map((line) => (line.trim() === '' ? '' : `${' '.repeat(level + 2)}${line.trim()}`)),
    ].join('\n');
  }
  // With a digit the level is told, and what stands deeper is a part of the text.
  const indent = level + (digit === '' ? 2 : Number(digit));
  const tail = /\n+$/.exec(written)?.[0] ?? '';
  const keeps = /^[|>]\d?\+/.test(first) || /^[|>]\+/.test(first);
  return (
    [
      first.trimEnd(),
      ...rest.map((line) =>
        line.trim() === '' && line.length <= before ? '' : `${' '.repeat(indent)}${line.slice(before)}`,
      ),
    ].join('\n') + (keeps ? tail.slice(1) : '')
  );
}

/** Lays out as blocks those flow collections, the outermost first, with which a line gets too long. */
function unfold(document: Document.Parsed, text: string): boolean {
  const lines = text.split('\n');
  const printed = parseDocument(text);
  let changed = false;
  const walk = (node: ParsedNode | null, other: Node | null | undefined): void => {
    if (!isCollection(node) || !isCollection(other)) return;
    if (node.flow) {
      const line = lines[text.slice(0, node.range[0]).split('\n').length - 1] ?? '';
      if (line.length <= WIDTH || node.items.length === 0 || hasComment(node)) return;
      other.flow = false;
      changed = true;
      return;
    }
    if (isMap(node) && isMap(other)) {
      node.items.forEach((pair, index) => {
        const twin = other.items[index];
        if (isPair(twin)) walk(pair.value, twin.value as Node | null);
      });
    } else if (isSeq(node) && isSeq(other)) {
      node.items.forEach((item, index) => walk(item, other.items[index] as Node));
    }
  };
  walk(printed.contents, document.contents);
  return changed;
}

function hasComment(node: ParsedNode): boolean {
  let found = false;
  visit(node, {
    Node: (_, inner) => {
      const { comment, commentBefore } = inner;
      if ((comment ?? commentBefore ?? '') !== '') found = true;
    },
  });
  return found;
}

/** Without blanks at the ends of lines, where no text of several lines is touched. */
function trimmedLines(source: string): string {
  return source.replace(/\n+$/, '');
}
