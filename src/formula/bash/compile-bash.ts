import type { Node as Parsed } from 'web-tree-sitter';
import type { Danger } from './dangerous-commands.ts';
import type { Stretch } from './flow.ts';
import { Flow } from './flow.ts';
import type { BashParser } from './load-parser.ts';
import type { Position } from './position.ts';
import { positionOf } from './position.ts';
import type { Node } from './syntax-tree.ts';
import { firstError, readTree } from './syntax-tree.ts';
import { markerOf } from './words.ts';

export type { BashParser };

/** A piece of a script: text, or a place for a value. */
export type ScriptPart =
  | { readonly kind: 'text'; readonly text: string }
  /** `words`: a list that becomes separate shell words; otherwise one value. */
  | { readonly kind: 'value'; readonly words: boolean };

export interface BashProblem {
  readonly rule: 'value-as-code' | 'bash-syntax';
  readonly message: string;
  readonly help?: string;
  /** Index of the part, and UTF-16 offsets in it. */
  readonly part: number;
  readonly start: number;
  readonly end: number;
}

export type BashResult =
  | {
      readonly ok: true;
      readonly script: string;
      /** For each value part, in order. */
      readonly variables: readonly { readonly name: string; readonly words: boolean }[];
    }
  | { readonly ok: false; readonly problems: readonly BashProblem[] };

const PREFIX = '__wf_';

const HELP_ENV = 'pass it in the environment: `env: {NAME: "{{…}}"}`, and use "$NAME"';

const SYNTAX_HELP =
  'a script with values in it has to be understood down to the last character; if `bash -n` accepts it, write that part more plainly, or pass values in `env` and leave `{{…}}` out';

/**
 * Turns a bash script with places for values into one in which each value is a quoted reference to a shell variable, so
 * that no character of a value is ever read as code. A place where that cannot be promised is refused: what is allowed
 * is listed, everything else is in doubt. The result is parsed again and has to be understood.
 *
 * @param outside variables that hold a value before the script begins, as those of the environment
 */
export function compileBash(
  parser: BashParser,
  parts: readonly ScriptPart[],
  outside: readonly string[] = [],
): BashResult {
  const marked = new Marked(parts);
  const taken = takenName(parts);
  if (taken) return { ok: false, problems: [taken] };
  const tree = parser.parse(marked.text);
  if (!tree) throw new Error('bash was not parsed');
  try {
    const broken = firstError(tree.rootNode);
    if (broken) return { ok: false, problems: [marked.syntaxProblem(broken, notUnderstood(broken))] };
    return compileTree(parser, marked, readTree(tree.rootNode, marked.text), outside);
  } finally {
    tree.delete();
  }
}

/**
 * What a script does to variables that hold a value before it begins, as those of the environment, and must not. A
 * script that is not understood is not judged: bash is.
 */
export function misusedVariables(
  parser: BashParser,
  script: string,
  variables: readonly string[],
): readonly BashProblem[] {
  const marked = new Marked([{ kind: 'text', text: script }]);
  const tree = parser.parse(script);
  if (!tree) return [];
  try {
    if (tree.rootNode.hasError) return [];
    const flow = new Flow(readTree(tree.rootNode, script), [], marked.seed, variables);
    return [...flow.problems()].map((problem) => marked.valueProblem(problem.at, problem, problem.why));
  } finally {
    tree.delete();
  }
}

function takenName(parts: readonly ScriptPart[]): BashProblem | undefined {
  for (const [part, { kind, ...rest }] of parts.entries()) {
    const start = kind === 'text' && 'text' in rest ? rest.text.indexOf(PREFIX) : -1;
    if (start < 0) continue;
    const message = `names that begin with "${PREFIX}" are taken by the values of a script`;
    return { rule: 'value-as-code', message, part, start, end: start + PREFIX.length };
  }
  return undefined;
}

function notUnderstood(node: Parsed): string {
  return node.isMissing
    ? `something is missing here: ${node.type}`
    : 'this part of the script is not understood as bash';
}

function compileTree(parser: BashParser, marked: Marked, root: Node, outside: readonly string[]): BashResult {
  const flow = new Flow(root, marked.places, marked.seed, outside);
  const problems: BashProblem[] = [];
  const variables = marked.places.map(({ words }, index) => ({ name: `${PREFIX}${index}`, words }));
  let script = '';
  let last = 0;
  for (const [index, place] of marked.places.entries()) {
    const replaced = replacement(root, place, variables[index]?.name ?? '', flow);
    if (typeof replaced !== 'string') {
      problems.push(marked.valueProblem(place, replaced, `a value cannot stand here: ${replaced.why}`));
      continue;
    }
    script += marked.text.slice(last, place.startIndex) + replaced;
    last = place.endIndex;
  }
  const told = new Set(problems.map(({ part }) => part));
  for (const problem of flow.problems()) {
    const found = marked.valueProblem(problem.at, problem, problem.why);
    const place = marked.places.some(({ startIndex }) => startIndex === problem.at.startIndex);
    if (place && told.has(found.part)) continue;
    if (place) told.add(found.part);
    problems.push(place ? { ...found, message: `a value cannot stand here: ${problem.why}` } : found);
  }
  if (problems.length > 0) return { ok: false, problems };
  script += marked.text.slice(last);
  const [first] = marked.places;
  if (first && !isUnderstood(parser, script)) {
    const message = 'this script is not understood once its values are in place';
    return { ok: false, problems: [marked.syntaxProblem(first, message)] };
  }
  return { ok: true, script, variables };
}

function isUnderstood(parser: BashParser, script: string): boolean {
  const tree = parser.parse(script);
  const understood = tree !== null && !tree.rootNode.hasError;
  tree?.delete();
  return understood;
}

/** What stands in a place's stead, or why nothing can. */
function replacement(root: Node, place: Place, name: string, flow: Flow): string | Danger {
  const node = root.smallestOver(place);
  const position = positionOf(node);
  if (typeof position !== 'string') return position;
  if (position === 'comment') return `\${${name}}`;
  if (position !== 'raw' && escapes(place.before)) {
    return {
      why: 'the backslash before it would take the value away',
      help: 'write two of them for one, or none',
    };
  }
  const danger = flow.dangerAround(node, place);
  if (danger) return danger;
  if (!place.words) return reference(position, name);
  const alone = node.startIndex === place.startIndex && node.endIndex === place.endIndex;
  const own =
    position === 'bare' && alone && /^(?:command|array|for_statement)$/.test(node.parent?.type ?? '');
  if (own) return `"\${${name}[@]}"`;
  return {
    why: 'a list becomes separate words, so it has to be a word of its own',
    help: 'leave a space on both sides and no quotes around `{{args …}}`, or join the list: `{{join list ","}}`',
  };
}

function escapes(before: string): boolean {
  return (/\\+$/.exec(before)?.[0].length ?? 0) % 2 === 1;
}

function reference(position: Exclude<Position, 'comment'>, name: string): string {
  switch (position) {
    case 'bare':
      return `"\${${name}}"`;
    case 'string':
    case 'heredoc':
      return `\${${name}}`;
    case 'raw':
      return `'"\${${name}}"'`;
  }
}

type Place = Stretch & { readonly words: boolean; readonly before: string };

/** The script with a word in the place of each value, and the way back. */
class Marked {
  readonly text: string;
  readonly seed: string;
  readonly places: readonly Place[];
  readonly #parts: readonly Stretch[];

  constructor(parts: readonly ScriptPart[]) {
    const sources = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
    let seed = 'qWfValue';
    while (sources.includes(seed)) seed += 'q';
    const places: Place[] = [];
    const all: Stretch[] = [];
    let text = '';
    for (const part of parts) {
      const startIndex = text.length;
      const before = text.slice(-64);
      text += part.kind === 'text' ? part.text : markerOf(seed, places.length, part.words);
      const stretch = { startIndex, endIndex: text.length };
      all.push(stretch);
      if (part.kind === 'value') places.push({ ...stretch, words: part.words, before });
    }
    this.text = text;
    this.seed = seed;
    this.places = places;
    this.#parts = all;
  }

  valueProblem(at: Stretch, { help = HELP_ENV }: Danger, message: string): BashProblem {
    return this.#problem('value-as-code', at, message, help);
  }

  syntaxProblem(at: Stretch, message: string): BashProblem {
    return this.#problem('bash-syntax', at, message, SYNTAX_HELP);
  }

  /** A problem told where the first character of a stretch was written. */
  #problem(rule: BashProblem['rule'], at: Stretch, message: string, help: string): BashProblem {
    const index = Math.max(
      0,
      this.#parts.findIndex((part) => at.startIndex < part.endIndex),
    );
    const part = this.#parts[index] ?? { startIndex: 0, endIndex: 0 };
    const start = Math.max(0, at.startIndex - part.startIndex);
    const end = Math.min(part.endIndex, Math.max(at.endIndex, at.startIndex + 1)) - part.startIndex;
    return { rule, message, help, part: index, start, end };
  }
}
