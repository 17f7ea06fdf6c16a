import base, {
  type Block,
  type Hash,
  type Location,
  type Mustache,
  type ParseErrorDetails,
  type Path,
  type Program,
  type Statement,
  type Value,
} from 'handlebars/dist/cjs/handlebars/compiler/base.js';

import type { Misspelt } from '../diagnostics/diagnostic.ts';
import { nearestName } from '../diagnostics/suggest.ts';
import { remember } from '../support/remember.ts';
import { isPresent, join, noFacts, type Facts } from './facts.ts';
import { parsePlainPlaceholders } from './plain-placeholders.ts';
import type { FoundReference, Problem } from './reference.ts';
import { rootNames } from './root-names.ts';
import { factsOfSubject, pathOfOperand } from './template-facts.ts';
import { helpers } from './template-helpers.ts';
import {
  blockNames,
  helperNames,
  type BlockName,
  type BlockParam,
  type BlockPart,
  type CallOperand,
  type DataName,
  type HelperName,
  type LiteralOperand,
  type Operand,
  type PathOperand,
  type PathStep,
  type TemplatePart,
  type TemplateTree,
} from './template-tree.ts';

/** Deeper than anything a person writes, and far from the end of the stack. */
const maxDepth = 100;

/** Parses Handlebars. Equal texts are parsed once. */
export const parseTemplateText: (text: string) => TemplateTree = remember(2000, (text) => {
  if (!text.includes('{{')) return literalTree(text);
  const plain = parsePlainPlaceholders(text);
  if (plain !== undefined) return new Reading(text).tree(plain);
  if (isNested(text)) return { ...literalTree(text), literal: false, problems: [tooDeep(text)] };
  try {
    return new Reading(text).tree(base.parse(text));
  } catch (error) {
    return { ...literalTree(text), literal: false, problems: [syntaxProblem(text, error)] };
  }
});

function literalTree(text: string): TemplateTree {
  const parts: readonly TemplatePart[] =
    text === '' ? [] : [{ kind: 'text', value: text, start: 0, end: text.length }];
  return { text, parts, references: [], literal: true, whole: false, problems: [] };
}

// The parser's time grows with the cube of the depth, so what is far too deep must not reach it.
function isNested(text: string): boolean {
  let depth = 0;
  let alternatives = 0;
  for (const [, tag, inside = ''] of text.matchAll(/\{\{~?([#^/]|else\s)?([^}]*)/g)) {
    if (tag === '/') depth--;
    else if (tag === '#' || (tag === '^' && inside.trim() !== '')) depth++;
    else if (tag !== undefined) alternatives++;
    if (depth > maxDepth || alternatives > 5 * maxDepth || inside.split('(').length > maxDepth) return true;
  }
  return false;
}

function tooDeep(text: string): Problem {
  return {
    rule: 'template-syntax',
    message: 'the template is nested too deeply',
    help: 'move a part of it into a step of its own',
    start: 0,
    end: text.length,
  };
}

/** The blocks and names around a place. */
interface Place {
  /** The ids of the `each` and `with` blocks, the innermost last. */
  readonly frames: readonly Frame[];
  readonly params: ReadonlyMap<string, string>;
  readonly facts: Facts;
  readonly depth: number;
}

interface Frame {
  readonly id: string;
  readonly block: BlockName;
}

/** One pass from the parser's tree to ours. */
class Reading {
  readonly #text: string;
  #lineStarts: readonly number[] | undefined;
  readonly #problems: Problem[] = [];
  readonly #references: FoundReference[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  tree(program: Program): TemplateTree {
    const parts = this.#parts(program, { frames: [], params: new Map(), facts: noFacts, depth: 0 });
    const [only] = parts;
    return {
      text: this.#text,
      parts,
      references: this.#references,
      literal: false,
      whole:
        parts.length === 1 && only?.kind === 'value' && only.start === 0 && only.end === this.#text.length,
      problems: this.#problems,
    };
  }

  #parts(program: Program | undefined, place: Place): TemplatePart[] {
    return (program?.body ?? []).flatMap((statement) => this.#part(statement, place) ?? []);
  }

  #part(statement: Statement, place: Place): TemplatePart | undefined {
    const span = this.#span(statement.loc);
    switch (statement.type) {
      case 'ContentStatement':
        return statement.value === '' ? undefined : { kind: 'text', value: statement.value, ...span };
      case 'CommentStatement':
        return undefined;
      case 'MustacheStatement': {
        const value = this.#mustache(statement, span, place);
        return value === undefined ? undefined : { kind: 'value', value, ...span };
      }
      case 'BlockStatement':
        return this.#block(statement, span, place);
      case 'PartialStatement':
      case 'PartialBlockStatement':
        return this.#problem(
          'template-syntax',
          'partials ({{> …}}) are not offered',
          span,
          'write the text here',
        );
      case 'Decorator':
      case 'DecoratorBlock':
        return this.#problem('template-syntax', 'decorators ({{* …}}) are not offered', span);
    }
  }

  #mustache(statement: Mustache, span: Span, place: Place): Operand | undefined {
    if (!statement.escaped) {
      return this.#problem(
        'template-syntax',
        'nothing is ever escaped, so two braces are enough',
        span,
        'write {{x}}',
      );
    }
    const { path, params, hash } = statement;
    if (path.type !== 'PathExpression') {
      if (path.type === 'SubExpression') {
        return this.#problem(
          'template-syntax',
          'a placeholder begins with a name',
          span,
          'leave out the parentheses',
        );
      }
      const written = this.#text.slice(this.#span(path.loc).start, this.#span(path.loc).end);
      return this.#problem('template-syntax', `{{${written}}} only prints itself`, span, `write ${written}`);
    }
    if (params.length > 0 || hash !== undefined) return this.#call(path, params, hash, span, place);
    return this.#path(path, place);
  }

  #operand(value: Value, place: Place): Operand | undefined {
    const span = this.#span(value.loc);
    switch (value.type) {
      case 'PathExpression':
        return this.#path(value, place);
      case 'SubExpression':
        if (value.path.type === 'PathExpression') {
          return this.#call(value.path, value.params, value.hash, span, place);
        }
        return this.#problem('template-syntax', 'a helper is called by its name', span);
      case 'StringLiteral':
      case 'NumberLiteral':
      case 'BooleanLiteral': {
        const literal: LiteralOperand = { kind: 'literal', value: value.value, ...span };
        return literal;
      }
      case 'NullLiteral':
        return { kind: 'literal', value: null, ...span };
      case 'UndefinedLiteral':
        return this.#problem('template-syntax', 'there is no "undefined" in JSON', span, 'write null');
    }
  }

  #call(
    path: Path,
    params: readonly Value[],
    hash: Hash | undefined,
    span: Span,
    place: Place,
  ): CallOperand | undefined {
    const nameSpan = this.#span(path.loc);
    const name = this.#text.slice(nameSpan.start, nameSpan.end);
    if (!isHelper(name)) return this.#noHelper(name, nameSpan);
    const helper = helpers[name];
    for (const pair of hash?.pairs ?? []) {
      return this.#problem(
        'template-helper',
        `"${name}" has no option "${pair.key}"`,
        this.#span(pair.loc),
        `write ${helper.usage}`,
      );
    }
    const fewest = helper.required.length;
    const most = fewest + helper.optional.length;
    if (params.length < fewest || params.length > most) {
      const count = fewest === most ? `${fewest}` : `${fewest} or ${most}`;
      return this.#problem(
        'template-helper',
        `"${name}" takes ${count} argument${count === '1' ? '' : 's'}, but here ${
          params.length === 1 ? 'is 1' : `are ${params.length}`
        }`,
        nameSpan,
        `write ${helper.usage}`,
      );
    }
    // The value that `default` stands in for may be absent, whatever is in it.
    const args = params.map((param, at) =>
      name === 'default' && at === 0 ? this.#guardedOperand(param, place) : this.#operand(param, place),
    );
    const good = args.filter((arg) => arg !== undefined);
    return good.length === args.length ? { kind: 'call', helper: name, args: good, ...span } : undefined;
  }

  #guardedOperand(value: Value, place: Place): Operand | undefined {
    const before = this.#references.length;
    const operand = this.#operand(value, place);
    for (let at = before; at < this.#references.length; at++) {
      this.#references[at] = { ...(this.#references[at] as FoundReference), guarded: true };
    }
    return operand;
  }

  #noHelper(name: string, span: Span): undefined {
    if (name === 'lookup') {
      return this.#problem('template-helper', 'there is no helper "lookup"', span, 'write a.b or list.[0]');
    }
    const near = nearestName(name, helperNames);
    const help = near === undefined ? `there are ${helperNames.join(', ')}` : `did you mean "${near}"?`;
    const misspelt = near === undefined ? undefined : { written: name, meant: near };
    return this.#problem('template-helper', `there is no helper "${name}"`, span, help, misspelt);
  }

  #block(statement: Block, span: Span, place: Place): BlockPart | undefined {
    if (place.depth >= maxDepth) {
      return this.#problem('template-syntax', 'the blocks are nested too deeply', span);
    }
    const { path, params, hash } = statement;
    const nameSpan = this.#span(path.loc);
    const name = this.#text.slice(nameSpan.start, nameSpan.end);
    if (!isBlock(name)) return this.#noBlock(name, params.length, nameSpan);
    const [subjectValue] = params;
    if (params.length !== 1 || subjectValue === undefined) {
      const usage = `write {{#${name} x}}`;
      return this.#problem('template-helper', `"#${name}" takes one argument`, nameSpan, usage);
    }
    let includeZero = false;
    for (const pair of hash?.pairs ?? []) {
      const conditional = name === 'if' || name === 'unless';
      if (!conditional || pair.key !== 'includeZero' || pair.value.type !== 'BooleanLiteral') {
        return this.#problem(
          'template-helper',
          `"#${name}" has no option "${pair.key}"`,
          this.#span(pair.loc),
        );
      }
      includeZero = pair.value.value;
    }
    const hasElse = statement.inverse !== undefined;
    const copes = name === 'if' || name === 'unless' || hasElse;
    const subject = copes ? this.#guardedOperand(subjectValue, place) : this.#operand(subjectValue, place);
    const names = statement.program?.blockParams ?? [];
    const head = this.#blockParams(name, names, this.#span((hash ?? subjectValue).loc).end, span.start);
    if (subject === undefined || head === undefined) return undefined;

    const facts = factsOfSubject(subject);
    const inner: Place = {
      frames:
        name === 'if' || name === 'unless'
          ? place.frames
          : [...place.frames, { id: `this@${span.start}`, block: name }],
      params: new Map([...place.params, ...head.map((param): [string, string] => [param.name, param.id])]),
      facts: name === 'unless' ? place.facts : join(place.facts, facts),
      depth: place.depth + 1,
    };
    const outer = { ...place, depth: place.depth + 1 };
    const otherwise = name === 'unless' ? { ...outer, facts: join(place.facts, facts) } : outer;
    return {
      kind: 'block',
      block: name,
      subject,
      includeZero,
      params: head,
      body: this.#parts(statement.program, inner),
      otherwise: this.#parts(statement.inverse, otherwise),
      hasElse,
      ...span,
    };
  }

  #noBlock(name: string, params: number, span: Span): undefined {
    if (isHelper(name)) {
      return this.#problem(
        'template-helper',
        `"${name}" is not a block`,
        span,
        `write ${helpers[name].usage}`,
      );
    }
    const near = nearestName(name, blockNames);
    const help =
      near !== undefined
        ? `did you mean "${near}"?`
        : params === 0
          ? `write {{#if ${name}}} or {{#each ${name}}}`
          : `there are ${blockNames.map((one) => `#${one}`).join(', ')}`;
    const misspelt = near === undefined ? undefined : { written: name, meant: near };
    return this.#problem('template-helper', `there is no block "#${name}"`, span, help, misspelt);
  }

  // The parser does not say where the names of `as |a b|` stand.
  #blockParams(
    block: BlockName,
    names: readonly string[],
    from: number,
    blockStart: number,
  ): readonly BlockParam[] | undefined {
    let at = this.#text.indexOf('|', from) + 1;
    const params: BlockParam[] = [];
    for (const name of names) {
      const start = this.#text.indexOf(name, at);
      const span = { start, end: start + name.length };
      at = span.end;
      const most = block === 'each' ? 2 : block === 'with' ? 1 : 0;
      if (params.length === most) {
        return this.#problem(
          'template-helper',
          most === 0
            ? `"#${block}" names nothing`
            : `"#${block}" names ${most === 1 ? 'one thing' : 'two things'} at most`,
          span,
          'leave it out',
        );
      }
      if (rootNames.has(name)) {
        return this.#problem(
          'template-syntax',
          `"${name}" is a name of the language`,
          span,
          'take another name',
        );
      }
      if (isHelper(name) || isBlock(name)) {
        return this.#problem(
          'helper-shadows-name',
          `"${name}" is the name of a helper`,
          span,
          'take another name',
        );
      }
      params.push({ name, id: `${name}@${blockStart}` });
    }
    return params;
  }

  #path(path: Path, place: Place): PathOperand | undefined {
    const span = this.#span(path.loc);
    const segments = this.#segments(span);
    const [first, ...rest] = segments;
    if (first === undefined) return undefined;
    const word = this.#text.slice(first.start, first.end);
    const steps = (from: readonly PathStep[]): PathStep[] =>
      from.filter((one) => !isNavigation(this.#text.slice(one.start, one.end)));
    if (path.data) return this.#dataPath(path, first, steps(rest), span, place);
    if (path.depth > 0 || isNavigation(word)) {
      const named = steps(segments);
      const up = path.depth;
      const frame = place.frames.at(-1 - up);
      if (frame !== undefined) {
        const at = {
          baseStart: first.start,
          baseEnd: segments[segments.length - named.length - 1]?.end ?? first.end,
        };
        return this.#reference(
          { kind: 'path', base: { kind: 'this', up, id: frame.id }, ...at, steps: named, ...span },
          place,
        );
      }
      const [root, ...below] = named;
      if (up === place.frames.length && root !== undefined) return this.#rootPath(root, below, span, place);
      return this.#problem(
        'unknown-reference',
        `"${this.#text.slice(span.start, span.end)}" is nothing here: there is no {{#each}} or {{#with}} around it`,
        span,
      );
    }
    if (segments.length === 1 && (isHelper(word) || isBlock(word))) {
      const help = isHelper(word)
        ? `write ${helpers[word].usage} to use the helper, or {{this.${word}}} for a value of that name`
        : `write {{this.${word}}} for a value of that name`;
      return this.#problem('helper-shadows-name', `"${word}" is the name of a helper`, span, help);
    }
    const param = place.params.get(first.name);
    if (param !== undefined) {
      const at = { baseStart: first.start, baseEnd: first.end };
      return this.#reference(
        { kind: 'path', base: { kind: 'param', id: param }, ...at, steps: rest, ...span },
        place,
      );
    }
    if (rootNames.has(first.name) || place.frames.length === 0)
      return this.#rootPath(first, rest, span, place);
    const at = { baseStart: first.start, baseEnd: first.start };
    const base = { kind: 'this', up: 0, id: (place.frames.at(-1) as Frame).id } as const;
    return this.#reference({ kind: 'path', base, ...at, steps: segments, ...span }, place);
  }

  #rootPath(root: PathStep, steps: readonly PathStep[], span: Span, place: Place): PathOperand {
    const at = { baseStart: root.start, baseEnd: root.end };
    const base = { kind: 'root', name: root.name } as const;
    return this.#reference({ kind: 'path', base, ...at, steps, ...span }, place);
  }

  #dataPath(
    path: Path,
    first: PathStep,
    steps: readonly PathStep[],
    span: Span,
    place: Place,
  ): PathOperand | undefined {
    const [name = ''] = path.parts;
    const written = this.#text.slice(span.start, span.end);
    if (name === 'root') {
      const [root, ...below] = steps;
      if (root !== undefined) return this.#rootPath(root, below, span, place);
      return this.#problem('unknown-reference', '"@root" is all names at once', span, 'read one of them');
    }
    if (!isData(name)) {
      return this.#problem(
        'unknown-reference',
        `there is no "${written}"`,
        span,
        'there are @index, @key, @first, @last',
      );
    }
    const loops = place.frames
      .map((frame, at) => ({ frame, at }))
      .filter(({ frame }) => frame.block === 'each');
    const loop = loops.at(-1 - path.depth);
    if (loop === undefined || path.parts.length > 1) {
      return this.#problem(
        'unknown-reference',
        `"${written}" is nothing here: there is no {{#each}} around it`,
        span,
      );
    }
    const up = place.frames.length - 1 - loop.at;
    return {
      kind: 'path',
      base: { kind: 'data', name, up },
      baseStart: first.start,
      baseEnd: span.end,
      steps: [],
      ...span,
    };
  }

  #reference(operand: PathOperand, place: Place): PathOperand {
    if (operand.base.kind === 'root') {
      const path = pathOfOperand(operand);
      const guarded = isPresent(place.facts, path);
      const { start, end, baseStart, baseEnd } = operand;
      this.#references.push({ path, start, end, rootStart: baseStart, rootEnd: baseEnd, guarded });
    }
    return operand;
  }

  // The names of a path with their places; `a.[b c]` has `a` and `b c`.
  #segments({ start, end }: Span): PathStep[] {
    const segments: PathStep[] = [];
    const pattern = /\[((?:\\\]|[^\]])*)\]|\.\.|[^./[\]@]+|\.(?=\/|$)/y;
    let at = start;
    while (at < end) {
      pattern.lastIndex = at;
      const found = pattern.exec(this.#text.slice(0, end));
      if (found === null) {
        at++;
        continue;
      }
      segments.push({ name: found[1] ?? found[0], start: at, end: at + found[0].length });
      at += found[0].length;
    }
    return segments;
  }

  #problem(rule: string, message: string, span: Span, help?: string, misspelt?: Misspelt): undefined {
    this.#problems.push({ rule, message, help, misspelt, ...span });
  }

  #span(location: Location): Span {
    return { start: this.#offset(location.start), end: this.#offset(location.end) };
  }

  #offset(place: { readonly line: number; readonly column: number }): number {
    if (place.line === 1) return place.column;
    this.#lineStarts ??= lineStartsOf(this.#text);
    return (this.#lineStarts[place.line - 1] ?? 0) + place.column;
  }
}

// Lines as the parser counts them.
function lineStartsOf(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\r\n?|\n/g)].map((found) => found.index + found[0].length)];
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function isNavigation(name: string): boolean {
  return name === 'this' || name === '.' || name === '..';
}

function isHelper(name: string): name is HelperName {
  return (helperNames as readonly string[]).includes(name);
}

function isBlock(name: string): name is BlockName {
  return (blockNames as readonly string[]).includes(name);
}

function isData(name: string): name is DataName {
  return name === 'index' || name === 'key' || name === 'first' || name === 'last';
}

/** What the parser could not read: the token it stopped at and where. */
class UnreadableError extends Error {
  readonly details: ParseErrorDetails;

  constructor(message: string, details: ParseErrorDetails) {
    super(message);
    this.details = details;
  }
}

base.parser.parseError = (message, details) => {
  throw new UnreadableError(message, details);
};

function syntaxProblem(text: string, error: unknown): Problem {
  const rule = 'template-syntax';
  const starts = lineStartsOf(text);
  const offset = (line: number, column: number): number =>
    Math.min((starts[line - 1] ?? text.length) + column, text.length);
  if (error instanceof UnreadableError) {
    const place = base.parser.lexer.yylloc;
    const start = place === undefined ? 0 : offset(place.first_line, place.first_column);
    const end = place === undefined ? text.length : offset(place.last_line, place.last_column);
    return { rule, ...explain(text, start, Math.max(start, end), error.details) };
  }
  if (isPlaced(error)) {
    const start = offset(error.lineNumber, error.column);
    const end = offset(error.endLineNumber ?? error.lineNumber, error.endColumn ?? error.column);
    const [, open, close] = /^(.*) doesn't match (.*) - /.exec(error.message) ?? [];
    if (open !== undefined && close !== undefined) {
      const help = `close it with {{/${open}}}`;
      return { rule, message: `{{#${open}}} is closed by {{/${close}}}`, help, start, end };
    }
    const message = `"${text.slice(start, end)}" is not a path`;
    return { rule, message, help: '"this" and ".." stand at the beginning of a path', start, end };
  }
  if (error instanceof RangeError) return tooDeep(text);
  throw error;
}

interface PlacedError {
  readonly message: string;
  readonly lineNumber: number;
  readonly column: number;
  readonly endLineNumber?: number;
  readonly endColumn?: number;
}

function isPlaced(error: unknown): error is PlacedError {
  return error instanceof Error && typeof (error as Partial<PlacedError>).lineNumber === 'number';
}

function explain(
  text: string,
  start: number,
  end: number,
  details: ParseErrorDetails,
): Omit<Problem, 'rule'> {
  const open = text.lastIndexOf('{{', Math.max(0, start - 1));
  const closed = text.indexOf('}}', open);
  if (open !== -1 && closed === -1) {
    return {
      message: 'this {{ is not closed',
      help: 'write }} after it, or \\{{ for two braces that stand for themselves',
      start: open,
      end: open + 2,
    };
  }
  const found = text.slice(start, end);
  switch (details.token) {
    case 'EOF': {
      const block = lastOpenBlock(text);
      if (block !== undefined) {
        const help = `write {{/${block.name}}} where it ends`;
        return { message: `{{#${block.name}}} is not closed`, help, start: block.start, end: block.end };
      }
      break;
    }
    case 'OPEN_ENDBLOCK':
      return { message: 'there is no block to be closed here', start, end };
    case 'CLOSE':
      if (text.slice(0, start).trimEnd().endsWith('{{')) {
        return { message: 'the placeholder is empty', start: open, end };
      }
      break;
    case 'NUMBER':
      if (text[start - 1] === '.') {
        return {
          message: `an element of a list is written in brackets`,
          help: `write [${found}]`,
          start,
          end,
        };
      }
      break;
    default:
  }
  return {
    message: found === '' ? 'the template ends too early' : `"${found}" cannot stand here`,
    help: /^[-+*/%=!<>&|?:;,]/.test(found)
      ? 'text only prints values; logic is written in expressions'
      : undefined,
    start: start === end ? Math.max(0, start - 1) : start,
    end,
  };
}

function lastOpenBlock(text: string): { name: string; start: number; end: number } | undefined {
  const open: { name: string; start: number; end: number }[] = [];
  for (const found of text.matchAll(/(?<!\\)\{\{~?([#^/])\s*([\w-]+)/g)) {
    const [tag, kind, name = ''] = found;
    if (kind === '/') open.pop();
    else open.push({ name, start: found.index + tag.length - name.length, end: found.index + tag.length });
  }
  return open.at(-1);
}
