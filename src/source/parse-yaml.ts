import {
  EVENT_ID,
  SCALAR_STYLE,
  COLLECTION_STYLE,
  YAMLException,
  getScalarValue,
  parseEvents,
} from 'js-yaml';
import type { AliasEvent, Event, MappingEvent, ScalarEvent, SequenceEvent } from 'js-yaml';
import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import { isInteger, resolvePlain } from './core-schema.ts';
import { eatenComma, eatenComment, isEatenBraces, quoted, restOfValue, shortened } from './eaten.ts';
import { fileTooLarge, maxAliasNodes, maxDepth, maxFileSize } from './limits.ts';
import { MapNode, ScalarNode } from './nodes.ts';
import { type WrittenScalar, scalarOffsets } from './scalar-offsets.ts';
import type {
  ScalarStyle,
  SourceDocument,
  SourceEntry,
  SourceList,
  SourceNode,
  SourceScalar,
} from './source-document.ts';
import { explainSyntaxErrors } from './syntax-error.ts';

/**
 * Reads a YAML 1.2 file (core schema) into nodes that know where they stand. Never throws for what a file holds:
 * what is wrong with it, or would have been eaten in silence, is in `findings`.
 *
 * An alias stands for the very node it names, so its spans are those of the anchor. Where a finding of this stage
 * covers a place, later stages should not report that place again.
 */
export function parseYaml(file: string, text: string): SourceDocument {
  if (text.length > maxFileSize) {
    return { file, text, root: undefined, repaired: undefined, findings: [fileTooLarge(file)] };
  }
  let events: readonly Event[];
  try {
    events = parseEvents(text, { maxDepth });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { findings, repaired } = explainSyntaxErrors(file, text, error);
    const rest = repaired === undefined ? undefined : parseYaml(file, repaired);
    return {
      file,
      text,
      root: undefined,
      repaired: rest?.root,
      findings: [...findings, ...(rest?.findings ?? [])],
    };
  }
  return new Composer(file, text).compose(events);
}

const styles: Readonly<Record<number, ScalarStyle>> = {
  [SCALAR_STYLE.PLAIN]: 'plain',
  [SCALAR_STYLE.SINGLE_QUOTED]: 'single',
  [SCALAR_STYLE.DOUBLE_QUOTED]: 'double',
  [SCALAR_STYLE.LITERAL_BLOCK]: 'literal',
  [SCALAR_STYLE.FOLDED_BLOCK]: 'folded',
};

/** A collection whose end has not come yet. */
interface OpenCollection {
  readonly kind: 'map' | 'list' | 'document';
  readonly start: number;
  /** The closing bracket of a flow collection. */
  readonly close: '}' | ']' | undefined;
  readonly anchor: string | undefined;
  readonly nodesBefore: number;
  readonly items: SourceNode[];
  readonly entries: SourceEntry[];
  /** Set while the value of this key is awaited. */
  key: SourceScalar | undefined;
  /** A key that is no scalar was dropped, and its value follows. */
  dropsValue: boolean;
}

interface Anchored {
  readonly node: SourceNode;
  /** Nodes it holds, itself and what its own aliases stand for included. */
  readonly size: number;
}

/** Builds the tree from the parser's events. */
class Composer {
  readonly #file: string;
  readonly #text: string;
  readonly #findings: Finding[] = [];
  readonly #open: OpenCollection[] = [];
  readonly #anchors = new Map<string, Anchored>();
  /** Anchors that were written, until an alias asks for them. */
  readonly #unusedAnchors = new Map<string, { readonly span: Span; readonly isFlow: boolean }>();
  #root: SourceNode | undefined;
  /** The end of the last token; what follows up to the next one is space, comments and indicators. */
  #cursor = 0;
  #nodes = 0;
  #aliasNodes = 0;
  #isBomb = false;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  compose(events: readonly Event[]): SourceDocument {
    let documents = 0;
    for (const event of events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          if (++documents > 1) {
            this.#reportSecondDocument();
            return this.#result();
          }
          this.#open.push(openCollection('document', this.#cursor, undefined, undefined, 0));
          break;
        case EVENT_ID.MAPPING:
        case EVENT_ID.SEQUENCE:
          this.#openCollection(event);
          break;
        case EVENT_ID.SCALAR:
          this.#scalar(event);
          break;
        case EVENT_ID.ALIAS:
          this.#alias(event);
          break;
        case EVENT_ID.POP:
          this.#close();
          break;
      }
    }
    return this.#result();
  }

  #result(): SourceDocument {
    // A bomb is told once; what it names is part of it.
    for (const [name, { span, isFlow }] of this.#isBomb ? [] : this.#unusedAnchors) {
      this.#report('yaml-eaten-anchor', 'warning', span, {
        message: `YAML reads "&${name}" as a name for the value after it, and nothing refers to that name`,
        help: `if it belongs to the value, quote the value: ${quoted(restOfValue(this.#text, span.start, isFlow))}`,
      });
    }
    return {
      file: this.#file,
      text: this.#text,
      root: this.#isBomb ? undefined : this.#root,
      repaired: undefined,
      findings: this.#findings,
    };
  }

  #openCollection(event: MappingEvent | SequenceEvent): void {
    const kind = event.type === EVENT_ID.MAPPING ? 'map' : 'list';
    const bracket = kind === 'map' ? '{' : '[';
    const isFlow = event.style === COLLECTION_STYLE.FLOW && this.#text[event.start] === bracket;
    const anchor = this.#properties(event, kind);
    const open = openCollection(
      kind,
      event.start,
      isFlow ? (kind === 'map' ? '}' : ']') : undefined,
      anchor,
      this.#nodes,
    );
    this.#open.push(open);
    this.#nodes++;
    this.#cursor = event.start + (isFlow ? 1 : 0);
    if (isFlow && kind === 'map' && isEatenBraces(this.#text, event.start)) this.#reportBraces(event.start);
  }

  #close(): void {
    const open = this.#open.pop();
    if (open === undefined || open.kind === 'document') return;
    if (open.close !== undefined) {
      const end = this.#skip(this.#cursor, ',:?');
      this.#cursor = this.#text[end] === open.close ? end + 1 : this.#cursor;
    }
    const span = this.#span(open.start, Math.max(this.#cursor, open.start));
    if (open.kind === 'map') {
      if (open.close !== undefined)
        this.#checkCommas(
          open.entries.flatMap((entry) => [entry.key, entry.value]),
          (index) => (index % 2 === 1 ? String(open.entries[(index - 1) / 2]?.key.value) : undefined),
        );
      this.#finish(new MapNode(span, open.entries), open);
    } else {
      if (open.close !== undefined) this.#checkCommas(open.items);
      this.#finish({ kind: 'list', span, items: open.items } satisfies SourceList, open);
    }
  }

  #finish(node: SourceNode, open: OpenCollection): void {
    if (open.anchor !== undefined)
      this.#anchors.set(open.anchor, { node, size: this.#nodes - open.nodesBefore });
    this.#add(node);
  }

  #scalar(event: ScalarEvent): void {
    this.#nodes++;
    const tag = this.#tag(event.tagStart, event.tagEnd, 'scalar');
    const anchor = this.#anchor(event.anchorStart, event.anchorEnd);
    const node = event.valueStart < 0 ? this.#empty(event, tag) : this.#written(event, tag);
    if (anchor !== undefined) this.#anchors.set(anchor, { node, size: 1 });
    this.#add(node);
  }

  #written(event: ScalarEvent, tag: string | undefined): SourceScalar {
    const style = styles[event.style] ?? 'plain';
    const written = { style, start: event.valueStart, end: event.valueEnd, indent: event.indent };
    const value = this.#decode(event, written);
    let start = event.valueStart;
    let end = event.valueEnd;
    if (style === 'single' || style === 'double') {
      start--;
      end++;
    } else if (style !== 'plain') {
      start = this.#blockHeader(Math.max(this.#cursor, event.tagEnd, event.anchorEnd));
      end = this.#endOfBlock(start, event.valueEnd);
    }
    const span = this.#span(start, end);
    this.#cursor = Math.max(end, event.valueEnd);
    if (style === 'plain') this.#checkComment(value, start, end);
    return new ScalarNode(this.#text, span, this.#resolve(value, style, tag, span), style, value, written);
  }

  #decode(event: ScalarEvent, written: WrittenScalar): string {
    const value = getScalarValue(this.#text, event);
    // js-yaml 5.5 drops the empty lines after an escaped line break.
    const isWrong =
      written.style === 'double' &&
      !event.fast &&
      /\\\r?\n/.test(this.#text.slice(written.start, written.end));
    return isWrong ? scalarOffsets(this.#text, written).value : value;
  }

  /** A value that was left out. It stands where it would have been written. */
  #empty(event: ScalarEvent, tag: string | undefined): SourceScalar {
    const afterProperties = Math.max(event.tagEnd, event.anchorEnd);
    if (afterProperties >= 0) this.#cursor = afterProperties;
    else {
      const parent = this.#open.at(-1);
      const next = this.#skip(this.#cursor, '');
      const indicator = parent?.kind === 'list' ? '-' : parent?.key === undefined ? '?' : ':';
      if (parent?.kind !== 'document' && this.#text[next] === indicator) this.#cursor = next + 1;
    }
    const written = { style: 'plain', start: this.#cursor, end: this.#cursor, indent: -1 } as const;
    const span = this.#span(this.#cursor, this.#cursor);
    const value = tag === 'str' ? '' : null;
    if (tag !== undefined && tag !== 'str' && tag !== 'null') this.#reportTagMismatch(tag, '', span);
    return new ScalarNode(this.#text, span, value, 'plain', '', written);
  }

  #resolve(text: string, style: ScalarStyle, tag: string | undefined, span: Span): SourceScalar['value'] {
    if (tag === 'str' || (tag === undefined && style !== 'plain')) return text;
    const value = resolvePlain(text);
    if (typeof value === 'number') this.#checkNumber(value, text, span);
    if (tag !== undefined && !fitsTag(value, tag)) this.#reportTagMismatch(tag, text, span);
    return Object.is(value, -0) ? 0 : value;
  }

  #checkNumber(value: number, text: string, span: Span): void {
    const isExact = isInteger(text) ? Number.isSafeInteger(value) : Number.isFinite(value);
    if (isExact) return;
    const name = this.#open.at(-1)?.key?.value;
    this.#report('number-too-large', 'error', span, {
      message: Number.isNaN(value)
        ? `"${text}" is not a number that can be passed on`
        : `the number ${text} cannot be kept exactly`,
      help: `if it is a name and not an amount, quote it: ${typeof name === 'string' ? `${name}: ` : ''}${quoted(text)}`,
    });
  }

  #alias(event: AliasEvent): void {
    const name = this.#text.slice(event.anchorStart, event.anchorEnd);
    const span = this.#span(event.anchorStart - 1, event.anchorEnd);
    this.#cursor = event.anchorEnd;
    this.#unusedAnchors.delete(name);
    const target = this.#anchors.get(name);
    if (target !== undefined) {
      this.#nodes += target.size;
      this.#aliasNodes += target.size;
      if (this.#aliasNodes > maxAliasNodes && !this.#isBomb) {
        this.#isBomb = true;
        this.#report('yaml-bomb', 'error', span, {
          message: `with its aliases written out the file has more than ${maxAliasNodes} values`,
          help: 'write the values out, or use fewer aliases of aliases',
        });
      }
      this.#add(target.node);
      return;
    }
    const isInside = this.#open.some((open) => open.anchor === name);
    this.#report('yaml-alias', 'error', span, {
      message: isInside
        ? `"*${name}" stands inside the value it refers to`
        : `YAML reads "*${name}" as a reference to "&${name}", which is nowhere above`,
      help: isInside
        ? 'write the value out'
        : `if it is meant as text, quote it: ${quoted(this.#restOfLine(span.start))}`,
    });
    const written = { style: 'plain', start: span.start, end: span.end, indent: -1 } as const;
    this.#add(new ScalarNode(this.#text, span, null, 'plain', '', written));
  }

  #add(node: SourceNode): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) return;
    if (parent.kind === 'document') this.#root = node;
    else if (parent.kind === 'list') parent.items.push(node);
    else if (parent.dropsValue) parent.dropsValue = false;
    else if (parent.key !== undefined) {
      parent.entries.push({ key: parent.key, value: node });
      parent.key = undefined;
    } else this.#addKey(parent, node);
  }

  #addKey(parent: OpenCollection, node: SourceNode): void {
    if (node.kind !== 'scalar') {
      parent.dropsValue = true;
      if (parent.start >= 0 && isEatenBraces(this.#text, parent.start)) return;
      this.#report('yaml-syntax', 'error', node.span, { message: 'a key must be text, not a list or map' });
      return;
    }
    if (node.value === null && node.span.start === node.span.end) {
      parent.dropsValue = true;
      this.#report('yaml-syntax', 'error', node.span, { message: 'there is no key before the ":"' });
      return;
    }
    parent.key = node;
    if (node.value === '<<' && node.style === 'plain') {
      this.#report('yaml-merge-key', 'error', node.span, {
        message: '"<<" does not merge maps in YAML 1.2',
        help: 'write the keys out; an alias can stand for a whole value',
      });
    }
    // A short map is scanned; the work on a long one must not grow with its square.
    const first = parent.entries.length < 12 ? findEntry(parent.entries, node) : this.#seenKey(parent, node);
    if (first !== undefined) {
      this.#report('duplicate-key', 'error', node.span, {
        message: `the key "${node.value}" is here twice`,
        help: 'remove one of the two, or join their values',
        related: [{ message: `"${node.value}" is first here`, span: first.span }],
      });
    }
  }

  readonly #seenKeys = new Map<OpenCollection, Map<string, SourceScalar>>();

  #seenKey(parent: OpenCollection, key: SourceScalar): SourceScalar | undefined {
    let seen = this.#seenKeys.get(parent);
    if (seen === undefined) {
      seen = new Map(parent.entries.toReversed().map((entry) => [String(entry.key.value), entry.key]));
      this.#seenKeys.set(parent, seen);
    }
    const name = String(key.value);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, key);
    return first;
  }

  #properties(event: MappingEvent | SequenceEvent, kind: 'map' | 'list'): string | undefined {
    this.#tag(event.tagStart, event.tagEnd, kind);
    return this.#anchor(event.anchorStart, event.anchorEnd);
  }

  #anchor(start: number, end: number): string | undefined {
    if (start < 0) return undefined;
    const name = this.#text.slice(start, end);
    this.#anchors.delete(name);
    this.#unusedAnchors.set(name, { span: this.#span(start - 1, end), isFlow: this.#isInFlow(start) });
    return name;
  }

  /** The name of a core tag such as `!!str`; any other tag is reported. */
  #tag(start: number, end: number, kind: 'scalar' | 'map' | 'list'): string | undefined {
    if (start < 0) return undefined;
    const written = this.#text.slice(start, end);
    const name = /^(?:!!|!<tag:yaml\.org,2002:)(str|int|float|bool|null|map|seq)>?$/.exec(written)?.[1];
    const kindOfTag = name === 'map' ? 'map' : name === 'seq' ? 'list' : 'scalar';
    if (name !== undefined && kindOfTag === kind) return name;
    const rest = this.#restOfLine(start);
    const key = this.#open.at(-1)?.key;
    this.#report('yaml-tag', 'error', this.#span(start, start + rest.length), {
      message:
        name === undefined
          ? `YAML reads "${written}" as a tag, and there is no such tag`
          : `the tag "${written}" does not fit the value after it`,
      help:
        name === undefined
          ? `quote it: ${key === undefined ? '' : `${key.value}: `}${quoted(rest)}`
          : 'remove the tag',
    });
    return undefined;
  }

  #reportTagMismatch(tag: string, text: string, span: Span): void {
    this.#report('yaml-tag', 'error', span, {
      message: `the tag "!!${tag}" does not fit ${text === '' ? 'an empty value' : `"${text}"`}`,
      help: 'remove the tag',
    });
  }

  #reportBraces(start: number): void {
    // `{{{a}}}` is three maps inside each other; the outermost is told.
    if (start > 0 && this.#text[start - 1] === '{') return;
    const value = this.#restOfLine(start);
    const key = this.#open.at(-2)?.key;
    this.#report('yaml-eaten-braces', 'error', this.#span(start, start + value.length), {
      message: 'a value that begins with "{{" is read as a map by YAML, not as text',
      help: `quote it: ${key === undefined ? '' : `${key.value}: `}${quoted(value)}`,
    });
  }

  #reportSecondDocument(): void {
    const separator = /^(?:---|\.\.\.)/m.exec(this.#text.slice(this.#cursor));
    const start = this.#cursor + (separator?.index ?? 0);
    this.#report('yaml-documents', 'error', this.#span(start, start + 3), {
      message: 'a second YAML document begins here, but a file holds one',
      help: 'give it a file of its own',
    });
  }

  #checkComment(value: string, start: number, end: number): void {
    const code = this.#text.charCodeAt(end);
    if (code !== 0x20 && code !== 0x09) return;
    const parent = this.#open.at(-1);
    const isKey = parent?.kind === 'map' && parent.key === undefined;
    if (isKey) return;
    const eaten = eatenComment(this.#text, value, end, parent?.key?.value);
    if (eaten === undefined) return;
    const help = `${typeof parent?.key?.value === 'string' ? `${parent.key.value}: ` : ''}${quoted(this.#text.slice(start, eaten.end))}`;
    this.#report('yaml-eaten-comment', 'warning', this.#span(eaten.start, eaten.end), {
      message: `YAML reads "${shortened(this.#text.slice(eaten.start, eaten.end))}" as a comment, ${eaten.because}`,
      help: `if it belongs to the value, quote the whole: ${help}`,
    });
  }

  #checkCommas(
    nodes: readonly SourceNode[],
    keyOf: (index: number) => string | undefined = () => undefined,
  ): void {
    for (const cut of eatenComma(this.#text, nodes)) {
      const key = keyOf(cut.index);
      const whole = this.#text.slice(cut.start, cut.end);
      this.#report('yaml-eaten-comma', 'error', this.#span(cut.start, cut.end), {
        message: `YAML cuts "${shortened(whole)}" at the comma`,
        help: `quote it: ${key === undefined ? '' : `${key}: `}${quoted(whole)}`,
      });
    }
  }

  /** The offset of the `|` or `>` that comes next. */
  #blockHeader(from: number): number {
    return this.#skip(from, ':-?');
  }

  #endOfBlock(header: number, valueEnd: number): number {
    let end = valueEnd;
    while (end > header && /\s/.test(this.#text.charAt(end - 1))) end--;
    return Math.max(end, header + 1);
  }

  /** The next offset that holds neither space nor comment nor one of the indicators. */
  #skip(from: number, indicators: string): number {
    const text = this.#text;
    let position = from;
    while (position < text.length) {
      const character = text.charAt(position);
      if (character === '#' && (position === 0 || /\s/.test(text.charAt(position - 1)))) {
        while (position < text.length && text[position] !== '\n' && text[position] !== '\r') position++;
      } else if (
        character === ' ' ||
        character === '\n' ||
        character === '\t' ||
        character === '\r' ||
        character === '\uFEFF' ||
        indicators.includes(character)
      ) {
        position++;
      } else break;
    }
    return position;
  }

  /** What stands from here to the end of the line, or to the end of the flow collection it stands in. */
  #restOfLine(start: number): string {
    return restOfValue(this.#text, start, this.#isInFlow(start));
  }

  #isInFlow(start: number): boolean {
    return this.#open.some((open) => open.close !== undefined && open.start < start);
  }

  #span(start: number, end: number): Span {
    return { file: this.#file, start, end };
  }

  #report(
    rule: string,
    severity: Finding['severity'],
    span: Span,
    told: Pick<Finding, 'message' | 'help' | 'related'>,
  ): void {
    this.#findings.push({ rule, severity, span, ...told });
  }
}

function openCollection(
  kind: OpenCollection['kind'],
  start: number,
  close: OpenCollection['close'],
  anchor: string | undefined,
  nodesBefore: number,
): OpenCollection {
  return {
    kind,
    start,
    close,
    anchor,
    nodesBefore,
    items: [],
    entries: [],
    key: undefined,
    dropsValue: false,
  };
}

function findEntry(entries: readonly SourceEntry[], key: SourceScalar): SourceScalar | undefined {
  return entries.find((entry) => String(entry.key.value) === String(key.value))?.key;
}

function fitsTag(value: SourceScalar['value'], tag: string): boolean {
  switch (tag) {
    case 'int':
      return Number.isInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'null':
      return value === null;
  }
  return false;
}
