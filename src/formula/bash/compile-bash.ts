import type { Node } from 'web-tree-sitter';
import type { CommandWord } from './dangerous-commands.ts';
import { commandDanger, runsStandardInput } from './dangerous-commands.ts';
import type { BashParser } from './load-parser.ts';

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

/** Variables that bash or programs it starts act upon. */
const SPECIAL_VARIABLES =
  /^(?:PS[0-4]|BASH\w*|ENV|PATH|IFS|PROMPT_COMMAND|CDPATH|SHELLOPTS|GLOBIGNORE|FIGNORE|HOME|SHELL|EDITOR|VISUAL|PAGER|BROWSER|LD_\w+|DYLD_\w+|GIT_\w+|NODE_OPTIONS|NODE_PATH|PYTHON\w+|PERL\w+|RUBY\w+|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|TERMINFO\w*|LESSOPEN|LESSCLOSE|MANPAGER|SSH_ASKPASS|histchars|OPTIND|RANDOM|SECONDS|EXECIGNORE|INPUTRC|TZ|LC_\w+|LANG\w*)$/;

const HELP_ENV = 'pass it in the environment: `env: {NAME: "{{…}}"}`, and use "$NAME"';

/**
 * Turns a bash script with places for values into one in which each value is a quoted reference to a shell variable, so
 * that no character of a value is ever read as code. A place where that cannot be promised is refused: what is allowed
 * is listed, everything else is in doubt. The result is parsed again and has to be understood.
 */
export function compileBash(parser: BashParser, parts: readonly ScriptPart[]): BashResult {
  const marked = new Marked(parts);
  const authored = parts.findIndex((part) => part.kind === 'text' && part.text.includes(PREFIX));
  if (authored >= 0) {
    const text = (parts[authored] as { readonly text: string }).text;
    const start = text.indexOf(PREFIX);
    const message = `names that begin with "${PREFIX}" are taken by the values of a script`;
    return {
      ok: false,
      problems: [{ rule: 'value-as-code', message, part: authored, start, end: start + PREFIX.length }],
    };
  }
  const tree = parser.parse(marked.text);
  if (!tree) throw new Error('bash was not parsed');
  try {
    const broken = firstError(tree.rootNode);
    if (broken)
      return {
        ok: false,
        problems: [marked.problem('bash-syntax', broken, syntaxMessage(broken), SYNTAX_HELP)],
      };
    return new Compilation(parser, marked, tree.rootNode).compile();
  } finally {
    tree.delete();
  }
}

const SYNTAX_HELP =
  'a script with values in it has to be understood down to the last character; if `bash -n` accepts it, write that part more plainly, or pass values in `env` and leave `{{…}}` out';

function syntaxMessage(node: Node): string {
  return node.isMissing
    ? `something is missing here: ${node.type}`
    : 'this part of the script is not understood as bash';
}

/** The script with a word in the place of each value, and the way back. */
class Marked {
  readonly text: string;
  readonly places: readonly {
    readonly part: number;
    readonly start: number;
    readonly end: number;
    readonly words: boolean;
  }[];
  readonly #parts: readonly { readonly part: number; readonly start: number; readonly end: number }[];

  constructor(parts: readonly ScriptPart[]) {
    const places: { part: number; start: number; end: number; words: boolean }[] = [];
    const all: { part: number; start: number; end: number }[] = [];
    const sources = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
    // A word that is nowhere in the script, so that finding it means finding the place.
    let seed = 'qWfValue';
    while (sources.includes(seed)) seed += 'q';
    let text = '';
    for (const [index, part] of parts.entries()) {
      const start = text.length;
      text += part.kind === 'text' ? part.text : `${seed}${places.length}z`;
      all.push({ part: index, start, end: text.length });
      if (part.kind === 'value') places.push({ part: index, start, end: text.length, words: part.words });
    }
    this.text = text;
    this.places = places;
    this.#parts = all;
  }

  /** A problem at a node, told where its first character was written. */
  problem(
    rule: BashProblem['rule'],
    node: { readonly startIndex: number; readonly endIndex: number },
    message: string,
    help?: string,
  ): BashProblem {
    const at = this.#parts.find((part) => node.startIndex < part.end) ??
      this.#parts.at(-1) ?? { part: 0, start: 0, end: 0 };
    const start = Math.max(0, node.startIndex - at.start);
    const end = Math.min(at.end, Math.max(node.endIndex, node.startIndex + 1)) - at.start;
    return { rule, message, ...(help !== undefined && { help }), part: at.part, start, end };
  }
}

type Place = Marked['places'][number];

class Compilation {
  readonly #parser: BashParser;
  readonly #marked: Marked;
  readonly #root: Node;
  readonly #problems: BashProblem[] = [];
  readonly #names: readonly string[];

  constructor(parser: BashParser, marked: Marked, root: Node) {
    this.#parser = parser;
    this.#marked = marked;
    this.#root = root;
    this.#names = marked.places.map((_, index) => `${PREFIX}${index}`);
  }

  compile(): BashResult {
    const replacements = this.#marked.places.map((place, index) =>
      this.#replace(place, this.#names[index] as string),
    );
    this.#followVariables();
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems };
    let script = '';
    let last = 0;
    for (const [index, place] of this.#marked.places.entries()) {
      script += this.#marked.text.slice(last, place.start) + (replacements[index] ?? '');
      last = place.end;
    }
    script += this.#marked.text.slice(last);
    const again = this.#parser.parse(script);
    const broken = again && firstError(again.rootNode);
    again?.delete();
    const [first] = this.#marked.places;
    if (broken && first) {
      return {
        ok: false,
        problems: [
          this.#marked.problem(
            'bash-syntax',
            { startIndex: first.start, endIndex: first.end },
            'this script is not understood once its values are in place',
            SYNTAX_HELP,
          ),
        ],
      };
    }
    return {
      ok: true,
      script,
      variables: this.#marked.places.map(({ words }, index) => ({
        name: this.#names[index] as string,
        words,
      })),
    };
  }

  /** What stands in a place's stead, or undefined and a problem. */
  #replace(place: Place, name: string): string | undefined {
    const node = this.#root.descendantForIndex(place.start, place.end - 1);
    const refuse = (why: string, help = HELP_ENV): undefined => {
      this.#problems.push(
        this.#marked.problem(
          'value-as-code',
          { startIndex: place.start, endIndex: place.end },
          `a value cannot stand here: ${why}`,
          help,
        ),
      );
      return undefined;
    };
    if (!node) return refuse('the place is not understood');
    const position = positionOf(node);
    if (typeof position === 'string') return refuse(position);
    const danger = dangerAround(node, place.start, (inner) => this.#isTainted(inner, place));
    if (danger !== undefined) return refuse(danger);
    if (place.words) return this.#words(place, node, name, position.kind, refuse);
    switch (position.kind) {
      case 'bare':
        return `"\${${name}}"`;
      case 'string':
      case 'heredoc':
      case 'comment':
        return `\${${name}}`;
      case 'raw':
        return `'"\${${name}}"'`;
    }
  }

  #words(
    place: Place,
    node: Node,
    name: string,
    kind: Position['kind'],
    refuse: (why: string, help?: string) => undefined,
  ): string | undefined {
    const alone = node.startIndex === place.start && node.endIndex === place.end;
    const parent = node.parent?.type;
    if (
      kind === 'bare' &&
      alone &&
      (parent === 'command' || parent === 'array' || parent === 'for_statement')
    )
      return `"\${${name}[@]}"`;
    return refuse(
      'a list becomes separate words, so it has to be a word of its own',
      'leave a space on both sides and no quotes around `{{args …}}`, or join the list: `{{join list ","}}`',
    );
  }

  #isTainted(node: Node, place: Place): boolean {
    return node.startIndex <= place.start && node.endIndex >= place.end;
  }

  /** A variable that was set from a value must not become code later either. */
  #followVariables(): void {
    const tainted = this.#taintedVariables();
    if (tainted.size === 0) return;
    for (const use of descendants(this.#root)) {
      if (use.type === 'variable_name' || (use.type === 'word' && isArithmetic(use))) {
        if (!tainted.has(use.text)) continue;
      } else continue;
      const { parent } = use;
      if (parent?.type === 'variable_assignment' && parent.childForFieldName('name')?.id === use.id) continue;
      if (parent?.type === 'for_statement' && parent.childForFieldName('variable')?.id === use.id) continue;
      const why = this.#misuse(use);
      if (why === undefined) continue;
      this.#problems.push(
        this.#marked.problem(
          'value-as-code',
          use,
          `"${use.text}" was set from a value, and ${why}`,
          'use it only as "$' +
            use.text +
            '", in double quotes, as the word of a command; a number has to be checked first, in an input\'s schema',
        ),
      );
    }
  }

  #misuse(use: Node): string | undefined {
    if (isArithmetic(use)) return 'arithmetic would run code in it';
    const expansion = use.parent;
    if (expansion?.type !== 'simple_expansion' && expansion?.type !== 'expansion') {
      const around = ancestor(use, ['declaration_command', 'unset_command']);
      return around ? undefined : 'here it is more than a word';
    }
    if (expansion.type === 'expansion' && expansion.namedChildCount > 1)
      return 'only the plain "$name" is safe';
    const holder = expansion.parent;
    const quoted =
      holder?.type === 'string' ||
      holder?.type === 'heredoc_body' ||
      holder?.type === 'variable_assignment' ||
      holder?.type === 'test_command' ||
      holder?.type === 'case_statement';
    if (!quoted && !(holder && insideTest(expansion)))
      return 'without quotes it is split into words and file names';
    return dangerAround(
      expansion,
      expansion.startIndex,
      (inner) => inner.startIndex <= expansion.startIndex && inner.endIndex >= expansion.endIndex,
    );
  }

  /** Names set from a value, or from such a name, as far as the text tells. */
  #taintedVariables(): ReadonlySet<string> {
    const tainted = new Set<string>();
    const nodes = [...descendants(this.#root)];
    const carries = (node: Node | null): boolean =>
      node !== null &&
      (this.#marked.places.some((place) => this.#isTainted(node, place)) ||
        [...descendants(node)].some((inner) => inner.type === 'variable_name' && tainted.has(inner.text)));
    for (let before = -1; before !== tainted.size;) {
      before = tainted.size;
      for (const node of nodes) {
        if (node.type === 'variable_assignment' && carries(node.childForFieldName('value'))) {
          const name = node.childForFieldName('name')?.text.replace(/\[.*$/, '');
          if (name !== undefined) tainted.add(name);
        } else if (node.type === 'for_statement') {
          const values = node.namedChildren.filter(
            (child) => child?.type !== 'do_group' && child?.id !== node.childForFieldName('variable')?.id,
          );
          const name = node.childForFieldName('variable')?.text;
          if (name !== undefined && values.some(carries)) tainted.add(name);
        } else if (
          node.type === 'command' &&
          /^(?:read|mapfile|readarray)$/.test(node.childForFieldName('name')?.text ?? '')
        ) {
          // What is read may come from anywhere; once there are values in a script, it counts as one.
          for (const word of wordsOf(node, () => false).slice(1)) {
            if (word.literal !== undefined && /^[A-Za-z_]\w*$/.test(word.literal)) tainted.add(word.literal);
          }
          tainted.add('REPLY').add('MAPFILE');
        }
      }
    }
    return tainted;
  }
}

interface Position {
  readonly kind: 'bare' | 'string' | 'raw' | 'heredoc' | 'comment';
}

/** Nodes that a word may stand in, on the way up to the script. Everything else is refused. */
const HARMLESS = new Set([
  'program',
  'list',
  'pipeline',
  'command',
  'concatenation',
  'string',
  'command_substitution',
  'process_substitution',
  'subshell',
  'compound_statement',
  'if_statement',
  'elif_clause',
  'else_clause',
  'while_statement',
  'do_group',
  'for_statement',
  'case_statement',
  'case_item',
  'function_definition',
  'redirected_statement',
  'file_redirect',
  'heredoc_redirect',
  'herestring_redirect',
  'test_command',
  'negated_command',
  'array',
  'heredoc_body',
]);

const COMPARISONS = new Set(['==', '=', '!=', '<', '>', '&&', '||', '-nt', '-ot', '-ef', '!']);

/** In which kind of text a value stands; a string says why it cannot. */
function positionOf(node: Node): Position | string {
  let position: Position;
  switch (node.type) {
    case 'word':
      position = { kind: 'bare' };
      break;
    case 'string_content':
    case 'string':
      position = { kind: 'string' };
      break;
    case 'raw_string':
      position = { kind: 'raw' };
      break;
    case 'heredoc_body':
    case 'heredoc_content':
      position = { kind: 'heredoc' };
      break;
    case 'comment':
      return { kind: 'comment' };
    case 'variable_name':
      return 'it would be the name of a variable';
    case 'extglob_pattern':
      position = { kind: 'bare' };
      break;
    default:
      return `in ${words(node.type)} it could become code`;
  }
  for (let at = node, up = node.parent; up; at = up, up = up.parent) {
    const why = refusal(up, at);
    if (why !== undefined) return why;
  }
  return position;
}

function refusal(up: Node, child: Node): string | undefined {
  switch (up.type) {
    case 'command_name':
      return 'it would be the name of the command that is run';
    case 'variable_assignment': {
      if (up.childForFieldName('value')?.id !== child.id) return 'it would be the name of a variable';
      const name = up.childForFieldName('name')?.text ?? '';
      if (name.includes('[')) return 'an index of an array is arithmetic, which can run code';
      if (SPECIAL_VARIABLES.test(name)) return `bash and the programs it starts act upon ${name}`;
      return undefined;
    }
    case 'declaration_command': {
      if (child.type !== 'variable_assignment') return 'it would be the name of a variable';
      const flags = up.children.some((word) => word?.type === 'word' && /^[-+][a-zA-Z]*[in]/.test(word.text));
      return flags ? 'a variable declared with -i or -n makes code of it' : undefined;
    }
    case 'heredoc_redirect':
    case 'heredoc_body': {
      const redirect = up.type === 'heredoc_redirect' ? up : up.parent;
      const start = redirect?.children.find((part) => part?.type === 'heredoc_start')?.text ?? '';
      return /["'\\]/.test(start)
        ? 'in a here-document with a quoted delimiter nothing is replaced'
        : undefined;
    }
    case 'binary_expression': {
      const operator = up.childForFieldName('operator')?.text ?? '';
      if (up.parent && bracketsOf(up) === '[') return undefined;
      return COMPARISONS.has(operator)
        ? undefined
        : operator === '=~'
          ? 'the right side of `=~` is a pattern'
          : `\`${operator}\` is arithmetic, which can run code`;
    }
    case 'unary_expression': {
      const operator = up.childForFieldName('operator')?.text ?? '';
      return operator === '-v' || operator === '-R' ? 'it would be the name of a variable' : undefined;
    }
    case 'parenthesized_expression':
      return bracketsOf(up) === undefined ? 'arithmetic can run code' : undefined;
    case 'string':
      return up.children[0]?.text.startsWith('$') ? 'a translated string is not safe' : undefined;
    default:
      return HARMLESS.has(up.type) ? undefined : `in ${words(up.type)} it could become code`;
  }
}

/** `[` or `[[` around an expression; undefined: it is arithmetic. */
function bracketsOf(node: Node): '[' | '[[' | undefined {
  const test = ancestor(node, ['test_command', 'arithmetic_expansion', 'c_style_for_statement']);
  const open = test?.type === 'test_command' ? test.children[0]?.text : undefined;
  return open === '[' || open === '[[' ? open : undefined;
}

function insideTest(node: Node): boolean {
  return bracketsOf(node) === '[[';
}

function isArithmetic(node: Node): boolean {
  for (let up = node.parent; up; up = up.parent) {
    switch (up.type) {
      case 'arithmetic_expansion':
      case 'c_style_for_statement':
      case 'subscript':
        return true;
      case 'test_command':
        // `((…))` is a test command to this grammar.
        return up.children[0]?.text === '((';
      case 'binary_expression':
        if (
          bracketsOf(up) === '[[' &&
          /^-(?:eq|ne|lt|le|gt|ge)$/.test(up.childForFieldName('operator')?.text ?? '')
        )
          return true;
        break;
      case 'command':
        return up.childForFieldName('name')?.text === 'let';
      case 'string':
      case 'command_substitution':
        return false;
      default:
        break;
    }
  }
  return false;
}

/** Why a value could become code in one of the commands around it, or in one that its output goes to. */
function dangerAround(node: Node, start: number, tainted: (node: Node) => boolean): string | undefined {
  for (let at = node, up = node.parent; up; at = up, up = up.parent) {
    if (up.type === 'command') {
      const danger =
        at.type === 'herestring_redirect' ? stdinDanger(up) : commandDanger(wordsOf(up, tainted, start));
      if (danger !== undefined) return danger;
    }
    if (up.type === 'redirected_statement') {
      const body = up.childForFieldName('body');
      const feeds = at.type === 'heredoc_redirect' || at.type === 'herestring_redirect';
      if (feeds && body) {
        const danger = pipelineDanger(body, undefined) ?? pipelineDanger(at, undefined);
        if (danger !== undefined) return danger;
      }
    }
    if (up.type === 'heredoc_redirect') {
      // `cat <<E | sh`: the rest of the line belongs to the redirection here.
      const danger = pipelineDanger(up, at);
      if (danger !== undefined) return danger;
    }
    if (up.type === 'pipeline') {
      const danger = pipelineDanger(up, at);
      if (danger !== undefined) return danger;
    }
  }
  return undefined;
}

function stdinDanger(command: Node): string | undefined {
  return runsStandardInput(wordsOf(command, () => false))
    ? `\`${command.childForFieldName('name')?.text ?? ''}\` runs what it reads`
    : undefined;
}

/** Looks at every command below a node that comes after `after`. */
function pipelineDanger(node: Node, after: Node | undefined): string | undefined {
  for (const inner of [node, ...descendants(node)]) {
    if (inner.type !== 'command' || (after && inner.startIndex < after.endIndex)) continue;
    const danger = stdinDanger(inner);
    if (danger !== undefined) return danger;
  }
  return undefined;
}

/** The words of a command. `start`: where the value in question begins. */
function wordsOf(command: Node, tainted: (node: Node) => boolean, start = -1): readonly CommandWord[] {
  return command.children.flatMap((child): CommandWord[] => {
    if (!child || child.type === 'variable_assignment' || child.type.endsWith('redirect')) return [];
    if (!tainted(child)) return [{ literal: literalOf(child), tainted: false, leading: false }];
    const opening = /^["']+/.exec(child.text)?.[0].length ?? 0;
    return [{ literal: undefined, tainted: true, leading: start <= child.startIndex + opening }];
  });
}

function literalOf(node: Node): string | undefined {
  switch (node.type) {
    case 'word':
    case 'number':
    case 'command_name':
      return /[$`]/.test(node.text)
        ? undefined
        : node.text.replace(/\\(.)/g, '$1').replace(/^(["'])(.*)\1$/s, '$2');
    case 'raw_string':
      return node.text.slice(1, -1);
    case 'string':
      return /[$`\\]/.test(node.text) ? undefined : node.text.slice(1, -1);
    case 'concatenation': {
      const parts = node.children.map((child) => (child ? literalOf(child) : undefined));
      return parts.includes(undefined) ? undefined : parts.join('');
    }
    default:
      return undefined;
  }
}

function ancestor(node: Node, types: readonly string[]): Node | undefined {
  for (let up: Node | null = node.parent; up; up = up.parent) if (types.includes(up.type)) return up;
  return undefined;
}

function* descendants(node: Node): Generator<Node> {
  for (const child of node.children) {
    if (!child) continue;
    yield child;
    yield* descendants(child);
  }
}

function firstError(node: Node): Node | undefined {
  if (!node.hasError) return undefined;
  if (node.isError || node.isMissing) return node;
  for (const child of node.children) {
    const found = child && firstError(child);
    if (found) return found;
  }
  return node;
}

function words(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type.replaceAll('_', ' ')}`;
}
