import type { BashParser } from './load-parser.ts';
import type { Node, Word } from './syntax.ts';
import { wordsOf } from './syntax.ts';

/** Why a script always ends with 0, and the part of it that is to blame. */
export interface Vacuity {
  /** Completes "this check cannot fail: ". */
  readonly reason: string;
  readonly start: number;
  readonly end: number;
}

/** Whether bash stops at a command that fails, and whether a pipe fails with any of its commands. */
export interface BashOptions {
  readonly errexit: boolean;
  readonly pipefail: boolean;
}

/** As the runner starts a bash script. */
export const strictBash: BashOptions = { errexit: true, pipefail: true };

/** As `bash -c` and `sh -c` do. */
const plainBash: BashOptions = { errexit: false, pipefail: false };

/**
 * Tells a script that ends with 0 whatever happens. Silent when in doubt: a command that is not known to succeed may
 * fail.
 *
 * @param shown the text as its author wrote it, of the same length
 */
export function vacuousScript(
  parser: BashParser,
  text: string,
  { shown = text, options = strictBash }: { readonly shown?: string; readonly options?: BashOptions } = {},
): Vacuity | undefined {
  const tree = parser.parse(text);
  if (!tree) return undefined;
  try {
    const root = tree.rootNode;
    if (root.hasError) return undefined;
    const reading = new Reading(parser);
    if (reading.sequence(root, options).mayFail) return undefined;
    const statements = root.namedChildren.filter((child) => child.type !== 'comment');
    const last = statements.at(-1);
    if (!last) return { reason: 'it is empty', start: 0, end: text.length };
    const { swallowed } = reading;
    if (swallowed) {
      const what = shown.slice(swallowed.start, swallowed.end);
      return { reason: `\`${oneLine(what)}\` turns every failure into success`, ...swallowed };
    }
    const place = { start: last.startIndex, end: last.endIndex };
    const what = oneLine(shown.slice(place.start, place.end));
    if (reading.leavesBehind) return { reason: `nothing waits for \`${what}\` to end`, ...place };
    return {
      reason: reading.ignoresErrors
        ? `without \`set -e\` only the last command counts, and \`${what}\` always succeeds`
        : `\`${what}\` always succeeds`,
      ...place,
    };
  } finally {
    tree.delete();
  }
}

/** Tells a program with arguments that ends with 0 whatever happens. `at` is the word to blame. */
export function vacuousArgv(
  parser: BashParser,
  words: readonly (string | undefined)[],
): (Vacuity & { readonly word: number }) | undefined {
  const shell = shellScript(words);
  if (shell) {
    const found = vacuousScript(parser, shell.text, shell);
    return found && { ...found, word: shell.word };
  }
  if (outcomeOfWords(words).mayFail) return undefined;
  return { reason: `\`${words.join(' ')}\` always succeeds`, start: 0, end: words[0]?.length ?? 0, word: 0 };
}

/** How a command may end. */
interface Outcome {
  readonly maySucceed: boolean;
  readonly mayFail: boolean;
}

const either: Outcome = { maySucceed: true, mayFail: true };
const success: Outcome = { maySucceed: true, mayFail: false };
const failure: Outcome = { maySucceed: false, mayFail: true };

/** One reading of one script; remembers what it saw on the way, for the reason. */
class Reading {
  readonly #parser: BashParser;
  /** The last `|| true` that hides a failure. */
  swallowed: { readonly start: number; readonly end: number } | undefined;
  /** A command in the background. */
  leavesBehind = false;
  /** A command may fail without ending the script. */
  ignoresErrors = false;

  constructor(parser: BashParser) {
    this.#parser = parser;
  }

  /** Statements one after the other. */
  sequence(node: Node, options: BashOptions): Outcome {
    let current = options;
    let mayStop = false;
    let last: Outcome = success;
    const { children } = node;
    for (const [index, child] of children.entries()) {
      if (!child.isNamed || child.type === 'comment') continue;
      if (children[index + 1]?.type === '&') {
        this.leavesBehind = true;
        last = success;
        continue;
      }
      last = this.outcome(child, current);
      const words = child.type === 'command' ? wordsOf(child).map((word) => word.literal) : [];
      if (words[0] === 'exit') break;
      if (words[0] === 'set') current = changed(current, words.slice(1));
      const stops = current.errexit && this.#stops(child, current);
      const isLast = children.slice(index + 1).every((other) => !other.isNamed || other.type === 'comment');
      if (stops) mayStop = true;
      else if (last.mayFail && !isLast) this.ignoresErrors = true;
    }
    return { maySucceed: last.maySucceed, mayFail: last.mayFail || mayStop };
  }

  /** Whether a statement can end the script under `set -e`: of a list only its last command, and nothing behind `!`. */
  #stops(node: Node, options: BashOptions): boolean {
    if (node.type === 'negated_command') return false;
    if (node.type === 'list') {
      const right = node.namedChildren.at(-1);
      return right !== undefined && this.outcome(node, options).mayFail && this.#stops(right, options);
    }
    return this.outcome(node, options).mayFail;
  }

  outcome(node: Node, options: BashOptions): Outcome {
    switch (node.type) {
      case 'program':
      case 'compound_statement':
      case 'subshell':
      case 'else_clause':
        return this.sequence(node, options);
      case 'list':
        return this.#list(node, options);
      case 'pipeline': {
        const outcomes = node.namedChildren.map((child) => this.outcome(child, options));
        if (!options.pipefail) return outcomes.at(-1) ?? either;
        return {
          maySucceed: outcomes.every(({ maySucceed }) => maySucceed),
          mayFail: outcomes.some(({ mayFail }) => mayFail),
        };
      }
      case 'negated_command': {
        const inner = this.outcome(node.namedChildren[0] as Node, options);
        return { maySucceed: inner.mayFail, mayFail: inner.maySucceed };
      }
      case 'redirected_statement': {
        const [body, ...redirects] = node.namedChildren;
        const inner = body ? this.outcome(body, options) : success;
        return redirects.every(isHarmless) ? inner : { ...inner, mayFail: true };
      }
      case 'if_statement':
        return this.#if(node, options);
      case 'variable_assignment':
      case 'variable_assignments':
      case 'declaration_command':
        return /[$`]/.test(node.text) ? either : success;
      case 'command':
        return this.#command(node);
      default:
        return either;
    }
  }

  #list(node: Node, options: BashOptions): Outcome {
    const [left, right] = [node.namedChildren[0], node.namedChildren.at(-1)];
    const operator = node.children.find((child) => child.type === '&&' || child.type === '||');
    if (!left || !right || !operator) return either;
    const a = this.outcome(left, options);
    const b = this.outcome(right, options);
    if (operator.type === '&&') {
      return {
        maySucceed: a.maySucceed && b.maySucceed,
        mayFail: a.mayFail || (a.maySucceed && b.mayFail),
      };
    }
    if (a.mayFail && !b.mayFail) this.swallowed = { start: operator.startIndex, end: right.endIndex };
    return { maySucceed: a.maySucceed || b.maySucceed, mayFail: a.mayFail && b.mayFail };
  }

  /** What the condition says decides the branch, and not how the whole ends. */
  #if(node: Node, options: BashOptions): Outcome {
    const [, ...rest] = node.namedChildren.filter((child) => child.type !== 'comment');
    const outcomes = rest.map((child) =>
      child.type === 'elif_clause' ? this.#if(child, options) : this.outcome(child, options),
    );
    return { maySucceed: true, mayFail: outcomes.some(({ mayFail }) => mayFail) };
  }

  #command(node: Node): Outcome {
    if (/[$`]|<\(/.test(node.text)) return either;
    const words = wordsOf(node).map((word: Word) => word.literal);
    const shell = shellScript(words);
    if (shell) return vacuousScript(this.#parser, shell.text, shell) ? success : either;
    return outcomeOfWords(words);
  }
}

function outcomeOfWords(words: readonly (string | undefined)[]): Outcome {
  const [name, first] = words;
  switch (name?.replace(/^(?:\/usr)?\/bin\//, '')) {
    case 'true':
    case ':':
    case 'echo':
    case 'printf':
    case 'sleep':
    case 'set':
    case 'shopt':
      return success;
    case 'false':
      return failure;
    case 'exit':
      if (first === undefined || first === '0') return success;
      return /^[1-9]\d*$/.test(first) ? failure : either;
    default:
      return either;
  }
}

/** The text that `bash -c` runs. */
function shellScript(
  words: readonly (string | undefined)[],
): { readonly text: string; readonly word: number; readonly options: BashOptions } | undefined {
  if (!/^(?:\/(?:usr\/)?bin\/)?(?:ba|da)?sh$/.test(words[0] ?? '')) return undefined;
  let options = plainBash;
  for (let index = 1; index < words.length; index++) {
    const word = words[index];
    if (word === undefined || !/^[-+]/.test(word)) {
      // The name of an option follows `-o`.
      if (/^-\w*o$/.test(words[index - 1] ?? '')) continue;
      return undefined;
    }
    options = changed(options, [word, words[index + 1]]);
    if (!/^-\w*c$/.test(word)) continue;
    const text = words[index + 1];
    return text === undefined ? undefined : { text, word: index + 1, options };
  }
  return undefined;
}

function changed(options: BashOptions, words: readonly (string | undefined)[]): BashOptions {
  let { errexit, pipefail } = options;
  words.forEach((word, index) => {
    const on = word?.startsWith('-') === true;
    if (word === undefined || !/^[-+]\w+$/.test(word)) return;
    if (word.includes('e')) errexit = on;
    if (word.endsWith('o') && words[index + 1] === 'pipefail') pipefail = on;
    if (word.endsWith('o') && words[index + 1] === 'errexit') errexit = on;
  });
  return { errexit, pipefail };
}

function isHarmless(redirect: Node): boolean {
  return (
    redirect.type === 'heredoc_redirect' ||
    /^\d*(?:[<>]+|&>+|>&)\s*(?:&?\d+|\/dev\/null)$/.test(redirect.text)
  );
}

function oneLine(text: string): string {
  const line = text.replace(/\s*\n\s*/g, ' ').trim();
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}
