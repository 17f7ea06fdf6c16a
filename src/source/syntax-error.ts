import { YAMLException, parseEvents } from 'js-yaml';
import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import { quoted, restOfValue, shortened } from './eaten.ts';
import { maxDepth } from './limits.ts';

/** So many mistakes of one file are told; each costs another parse. */
const mostMistakes = 20;

/**
 * So many characters are read to find the cause of the mistakes of one file, about a second's work. After that a
 * mistake is still told, but where the parser stopped, and not where the bracket or quote stands that would explain it.
 */
const mostTried = 16 * 1024 * 1024;

/** How the parser begins to say that {@link maxDepth} is passed. Nothing is tried then: it would only take time. */
const tooDeep = 'nesting exceeded';

export interface ExplainedErrors {
  readonly findings: readonly Finding[];
  /** The text with neutral words where the findings are, if it parses that way. */
  readonly repaired: string | undefined;
}

/**
 * Findings for a text that does not parse. Where the cause is a value that wants quotes, that value is told and
 * replaced by a neutral one of the same length, and the parser tries again, so that one mistake does not hide the next.
 */
export function explainSyntaxErrors(file: string, text: string, error: YAMLException): ExplainedErrors {
  const findings: Finding[] = [];
  const trials = new Trials();
  let repaired = text;
  let next: YAMLException | undefined = error;
  while (next !== undefined && findings.length < mostMistakes) {
    const position: number = Math.min(next.mark?.position ?? 0, text.length);
    const mistake: Mistake | undefined = next.reason.startsWith(tooDeep)
      ? undefined
      : unquotedValue(repaired, position, trials);
    if (mistake === undefined) {
      findings.push(plainSyntaxError(file, repaired, position, next.reason, trials));
      return { findings, repaired: undefined };
    }
    findings.push({
      rule: mistake.rule,
      severity: 'error',
      message: mistake.message,
      help: mistake.help,
      span: { file, start: mistake.start, end: mistake.end },
    });
    repaired = neutral(repaired, mistake);
    next = syntaxError(repaired);
  }
  return { findings, repaired: next === undefined ? repaired : undefined };
}

interface Mistake {
  readonly rule: string;
  readonly message: string;
  readonly help: string;
  readonly start: number;
  readonly end: number;
}

interface Candidate {
  readonly start: number;
  readonly value: string;
  readonly key: string | undefined;
  readonly isFlow: boolean;
}

/** The value that made the parser stop at `position` for want of quotes. It is only blamed if quoting it would help. */
function unquotedValue(text: string, position: number, trials: Trials): Mistake | undefined {
  for (const candidate of candidates(text, position)) {
    if (trials.areSpent) return undefined;
    trials.spend(candidate.value.length);
    const cause = causeOf(candidate, trials);
    if (cause === undefined) continue;
    const mistake = {
      ...cause,
      help: `quote it: ${candidate.key === undefined ? '' : `${candidate.key}: `}${quoted(candidate.value)}`,
      start: candidate.start,
      end: candidate.start + candidate.value.length,
    };
    const after = trials.error(neutral(text, mistake));
    if (after === undefined || (after.mark?.position ?? 0) > Math.max(position, mistake.end)) return mistake;
  }
  return undefined;
}

function* candidates(text: string, position: number): Generator<Candidate> {
  const lineStart = startOfLine(text, position);
  yield* flowCandidates(text, position, lineStart);
  yield* blockCandidates(text, lineStart);
  // Some mistakes are only noticed when the next line begins.
  if (text.slice(lineStart, position).trim() === '' && lineStart > 0) {
    yield* blockCandidates(text, previousLine(text, lineStart));
  }
}

// `{id: a, run: echo {{x}}, when: a ? b : c}`: the nearest item of the flow collection before the place.
function* flowCandidates(text: string, position: number, lineStart: number): Generator<Candidate> {
  const before = text.slice(lineStart, position);
  if (!/[{[]/.test(before)) return;
  for (const match of [...before.matchAll(/(?:[{,]\s*([\w.-]+):\s+|[[,]\s*)(?=[^\s,])/g)].reverse()) {
    const start = lineStart + match.index + match[0].length;
    const value = restOfValue(text, start, true);
    if (value !== '') yield { start, value, key: match[1], isFlow: true };
  }
}

function* blockCandidates(text: string, lineStart: number): Generator<Candidate> {
  const line = lineAt(text, lineStart);
  const match = /^(\s*(?:-\s+)*)(?:([\w.-]+|'[^']*'|"[^"]*")\s*:\s+)?(?=\S)/.exec(line);
  if (match === null) return;
  const start = lineStart + match[0].length;
  const value = restOfValue(text, start, false);
  if (value !== '' && !value.startsWith('#')) yield { start, value, key: match[2], isFlow: false };
}

function causeOf(
  { value, key, isFlow }: Candidate,
  trials: Trials,
): Pick<Mistake, 'rule' | 'message'> | undefined {
  if (value.startsWith('{{') || (isFlow && value.includes('{{'))) {
    return {
      rule: 'yaml-eaten-braces',
      message: value.startsWith('{{')
        ? 'a value that begins with "{{" is read as a map by YAML, not as text'
        : 'inside {} and [] YAML reads "{{" as the begin of a map',
    };
  }
  const first = value.charAt(0);
  switch (first) {
    case '!':
      return { rule: 'yaml-tag', message: `YAML reads "${value.split(/\s/)[0]}" as a tag, not as text` };
    case '*':
    case '&':
      return {
        rule: first === '*' ? 'yaml-alias' : 'yaml-eaten-anchor',
        message: `a value that begins with "${first}" is ${first === '*' ? 'a reference to another value' : 'a name for the value after it'} to YAML`,
      };
    case '@':
    case '`':
    case '%':
    case '>':
    case '|':
      return { rule: 'yaml-indicator', message: `a value cannot begin with "${first}" unless it is quoted` };
    case '"':
    case "'":
    case '[':
    case '{':
      // In a flow collection a missing comma is likelier than text that goes on.
      if (!hasTextAfter(value, trials) || (isFlow && /[\]}"']\s*[[{"']/.test(value))) return undefined;
      return {
        rule: 'yaml-text-after',
        message: `YAML ends the value at its closing ${first === '[' ? ']' : first === '{' ? '}' : first}, but more text follows`,
      };
  }
  if (key !== undefined && /:(?:\s|$)/.test(value)) {
    return { rule: 'yaml-eaten-colon', message: 'YAML reads ": " inside this value as the end of a key' };
  }
  if (isFlow && /[[{]/.test(value)) {
    return { rule: 'yaml-indicator', message: 'inside {} and [] a value with brackets must be quoted' };
  }
  return undefined;
}

/** Tells whether a value that begins with a quote or bracket goes on after the quote or bracket that closes it. */
function hasTextAfter(value: string, trials: Trials): boolean {
  const whole = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(value)?.[0];
  if (whole !== undefined) return whole.length < value.length;
  const close = { '[': ']', '{': '}' }[value.charAt(0)];
  if (close === undefined) return false;
  const inside = restOfValue(value, 1, true).length;
  let end = value.indexOf(close, 1 + inside) + 1;
  while (end > 0 && end < value.length && !trials.areSpent) {
    if (trials.error(value.slice(0, end)) === undefined) return true;
    end = value.indexOf(close, end) + 1;
  }
  return false;
}

/** The text with a plain word of the same length in place of the mistake. */
function neutral(text: string, { start, end }: Pick<Mistake, 'start' | 'end'>): string {
  return text.slice(0, start) + 'x'.repeat(end - start) + text.slice(end);
}

/** What the parser says of texts that might have been meant, until {@link mostTried} characters were tried. */
class Trials {
  #left = mostTried;

  get areSpent(): boolean {
    return this.#left <= 0;
  }

  spend(characters: number): void {
    this.#left -= characters;
  }

  /** Why the text does not parse; a text that is not tried any more counts as one that does not. */
  error(text: string): YAMLException | undefined {
    if (this.areSpent) return new YAMLException('not tried');
    this.spend(text.length);
    return syntaxError(text);
  }
}

function syntaxError(text: string): YAMLException | undefined {
  try {
    parseEvents(text, { maxDepth });
    return undefined;
  } catch (error) {
    if (error instanceof YAMLException) return error;
    throw error;
  }
}

interface Told {
  readonly message: string;
  readonly help?: string;
  readonly rule?: string;
}

function plainSyntaxError(
  file: string,
  text: string,
  position: number,
  reason: string,
  trials: Trials,
): Finding {
  const open = opening(text, position, reason, trials);
  const at = open ?? culprit(text, position, reason);
  const missing = open === undefined ? missingSpace(text, at) : undefined;
  if (missing !== undefined)
    return { ...missing, span: { file, start: missing.start, end: missing.start + 1 } };
  const told = tell(text, position, reason, open === undefined ? undefined : text.charAt(open));
  return {
    rule: told.rule ?? 'yaml-syntax',
    severity: 'error',
    message: told.message,
    ...(told.help === undefined ? {} : { help: told.help }),
    span: wordAt(file, text, at, open !== undefined),
  };
}

/** Where the line begins that the parser stumbled over; it names the `:` it met, or the line after. */
function culprit(text: string, position: number, reason: string): number {
  if (!/indentation of a|multiline key/.test(reason)) return position;
  let line = startOfLine(text, position);
  if (reason.includes('multiline key') && line > 0) line = previousLine(text, line);
  return line + lineAt(text, line).search(/\S|$/);
}

/** `a:b` on the line of the place or the one above it. */
function missingSpace(
  text: string,
  position: number,
): (Pick<Finding, 'rule' | 'severity' | 'message' | 'help'> & { readonly start: number }) | undefined {
  const line = startOfLine(text, position);
  for (const start of line > 0 ? [line, previousLine(text, line)] : [line]) {
    const match = /^(\s*(?:- +)*([a-z_]+)):([^\s:/].*)$/.exec(lineAt(text, start));
    if (match === null) continue;
    return {
      rule: 'yaml-syntax',
      severity: 'error',
      message: 'there must be a space after the ":" of a key',
      help: `write "${match[2] ?? ''}: ${shortened(match[3] ?? '')}"`,
      start: start + (match[1]?.length ?? 0),
    };
  }
  return undefined;
}

/** The begin of the nearest line above that is neither empty nor a comment. */
function previousLine(text: string, line: number): number {
  let previous = startOfLine(text, line - 1);
  while (previous > 0 && /^\s*(#.*)?$/.test(lineAt(text, previous)))
    previous = startOfLine(text, previous - 1);
  return previous;
}

/** What the parser's reasons mean to the author of a file. */
function tell(text: string, position: number, reason: string, open: string | undefined): Told {
  const found = position >= text.length ? 'the end of the file' : `"${shortened(lineAt(text, position))}"`;
  if (reason.startsWith(tooDeep)) {
    return {
      rule: 'yaml-too-deep',
      message: `lists and maps are nested more than ${maxDepth} levels deep`,
      help: 'move the inner parts to files or steps of their own',
    };
  }
  if (open === '"' || open === "'") {
    return {
      message: `the text that begins with ${open} here is never closed`,
      help: `add the closing ${open}`,
    };
  }
  if (open !== undefined) {
    const close = open === '[' ? ']' : '}';
    return { message: `the "${open}" here is never closed`, help: `add the closing "${close}"` };
  }
  switch (reason) {
    case 'tab characters must not be used in indentation':
      return { message: 'a tab cannot indent a line in YAML', help: 'use spaces' };
    case 'bad indentation of a mapping entry':
    case 'bad indentation of a sequence entry':
      return {
        message: `the indentation of this line fits no line above it`,
        help: 'begin it in the same column as the entries it belongs to',
      };
    case "expected ':' after a mapping key":
      return {
        message: `${found} stands where a key is expected, but has no ":"`,
        help: 'write "key: value"',
      };
    case 'can not read a block mapping entry; a multiline key may not be an implicit key':
      return {
        message: 'this text has no ":" and goes on over several lines, where a key is expected',
        help: 'write "key: value", or indent text that belongs to the value above',
      };
    case 'a whitespace character is expected after the key-value separator within a block mapping':
      return { message: 'there must be a space after the ":" of a key' };
    case 'missed comma between flow collection entries':
      return {
        message: `a "," or the closing bracket is missing before ${position >= text.length ? found : `"${shortened(restOfLineAt(text, position))}"`}`,
      };
    case "expected the node content, but found ','":
      return { message: 'there is nothing before this ","', help: 'remove the comma' };
    case 'deficient indentation':
      return {
        message: 'a list or map in brackets goes on here, but this line is not indented',
        help: 'close the bracket, or indent the line',
      };
    case 'unexpected end of the stream within a flow collection':
      return { message: 'a "[" or "{" is never closed' };
    case 'unknown escape sequence':
    case 'expected hexadecimal character':
      return {
        message: 'this is not an escape that YAML knows',
        help: 'in "…" write \\\\ for a backslash, or use \'…\', where it stands for itself',
      };
    case 'the stream contains non-printable characters':
    case 'null byte is not allowed in input':
    case 'expected valid JSON character':
      return {
        message: 'the file has a control character here',
        help: 'remove it, or write it as an escape such as "\\x1b" in double quotes',
      };
    case 'end of the stream or a document separator is expected':
      return {
        message: `${found} does not belong to the value above it`,
        help: 'a file is one map: write "key: value" lines that begin in the same column',
      };
    case 'a line break is expected':
      return { message: 'text must begin on the line after "|" or ">"' };
    case 'alias node should not have any properties':
      return { message: 'a reference such as *name cannot have a tag or a name of its own' };
    case 'bad explicit indentation width of a block scalar; it cannot be less than one':
    case 'repeat of a chomping mode identifier':
    case 'repeat of an indentation width identifier':
      return { message: 'after "|" or ">" stand at most one digit from 1 to 9 and one of + and -' };
    case 'duplication of a tag property':
    case 'duplication of an anchor property':
      return { message: 'a value has at most one tag and one name' };
  }
  if (/directive|TAG |%|tag prefix/.test(reason)) {
    return {
      message: 'YAML reads a line that begins with "%" as a directive, and this one means nothing to it',
      help: 'remove it, or quote the text',
    };
  }
  if (reason.includes('tag')) {
    return { rule: 'yaml-tag', message: 'YAML reads this as a tag, not as text', help: 'quote the value' };
  }
  if (/alias|anchor/.test(reason)) {
    return {
      message: 'there must be a name after "*" or "&"',
      help: 'if it is meant as text, quote the value',
    };
  }
  return { message: `this is not YAML: ${reason}` };
}

/** The bracket or quote that is still open where the parser stopped. */
function opening(text: string, position: number, reason: string, trials: Trials): number | undefined {
  const wanted = openReason(text, position, reason, trials);
  if (wanted === undefined) return undefined;
  const isOpenAt = (end: number): boolean => isOpen(text.slice(0, end), wanted.reason, trials);
  for (let at = Math.min(position, text.length) - 1; at >= 0 && !trials.areSpent; at--) {
    if (wanted.marks.includes(text.charAt(at)) && isOpenAt(at + 1) && !isOpenAt(at)) return at;
  }
  return undefined;
}

interface OpenReason {
  readonly marks: string;
  /** What the parser says when the text ends while one of the marks is open. */
  readonly reason: string;
}

const openReasons: readonly OpenReason[] = [
  { marks: '"', reason: 'within a double quoted scalar' },
  { marks: "'", reason: 'within a single quoted scalar' },
  { marks: '[{', reason: 'within a flow collection' },
];

function openReason(text: string, position: number, reason: string, trials: Trials): OpenReason | undefined {
  const named = openReasons.find((open) => reason.includes(open.reason));
  if (named !== undefined) return named;
  // A comma or bracket may simply be missing; only a line that was reached with the bracket open blames the bracket.
  const isLineBegin = text.slice(startOfLine(text, position), position).trim() === '';
  if (reason !== 'deficient indentation' && !(reason.includes('missed comma') && isLineBegin))
    return undefined;
  // The line break is left out: with it the next line already counts as one that is not indented.
  const lines = text.slice(0, startOfLine(text, position)).trimEnd();
  return openReasons.find((open) => isOpen(lines, open.reason, trials));
}

/** Tells whether the parser names an open bracket or quote, as `reason` says it, when the text ends here. */
function isOpen(text: string, reason: string, trials: Trials): boolean {
  return trials.error(text)?.reason.includes(reason) === true;
}

function wordAt(file: string, text: string, position: number, isMark: boolean): Span {
  const start = Math.min(position, text.length);
  if (isMark) return { file, start, end: start + 1 };
  const rest = /^[^\r\n]*/.exec(text.slice(start))?.[0].trimEnd() ?? '';
  const word = /^[\w-]+|^\s+|^./u.exec(rest)?.[0] ?? '';
  if (word !== '') return { file, start, end: start + word.length };
  // At the end of a line or file: its last character is something to look at.
  const last = text.slice(0, start).trimEnd().length;
  return { file, start: Math.max(last - 1, 0), end: last };
}

function startOfLine(text: string, position: number): number {
  let start = Math.min(position, text.length);
  while (start > 0 && text[start - 1] !== '\n' && text[start - 1] !== '\r') start--;
  return start;
}

function restOfLineAt(text: string, position: number): string {
  return /^[^\r\n]*/.exec(text.slice(position))?.[0] ?? '';
}

function lineAt(text: string, position: number): string {
  return /^[^\r\n]*/.exec(text.slice(startOfLine(text, position)))?.[0] ?? '';
}
