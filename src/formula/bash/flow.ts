import type { Danger } from './dangerous-commands.ts';
import {
  actsUpon,
  COMMAND_NAME,
  commandDanger,
  runsStandardInput,
  scriptsOf,
  testDanger,
} from './dangerous-commands.ts';
import { ARITHMETIC } from './position.ts';
import { isSpecialVariable } from './special-variables.ts';
import type { Node } from './syntax-tree.ts';
import {
  afterSubject,
  ancestors,
  bracketsAround,
  covers,
  descendants,
  functionAround,
  isArithmetic,
  subjectOf,
} from './syntax-tree.ts';
import type { CommandWord } from './words.ts';
import { readWord, wordsOf } from './words.ts';

/** A place of a value in the marked script. */
export interface Stretch {
  readonly startIndex: number;
  readonly endIndex: number;
}

export interface FlowProblem extends Danger {
  readonly at: Stretch;
}

/**
 * Follows values through a script as far as its text tells: into variables, arguments of functions, pipes, and files
 * that are written and then run. It overestimates: order is not looked at, and a name is one variable everywhere.
 */
export class Flow {
  readonly #nodes: readonly Node[];
  readonly #places: readonly Stretch[];
  /** The innermost nodes around the places. */
  readonly #holders: ReadonlySet<Node>;
  readonly #seed: string;
  /** Names that hold a value. `f()1`: an argument of the function `f`; `()1`: of the script. */
  readonly #tainted: Set<string>;
  readonly #functions = new Map<string, Node>();
  readonly #arrays = new Set<string>();
  readonly #integers = new Map<string, Node>();
  readonly #files = new Set<string>();
  /** What is known of nodes as long as nothing more is found to hold a value. */
  readonly #carrying = new Map<Node, boolean>();
  readonly #names = new Map<Node, string | undefined>();

  /** `outside`: variables that hold a value before the script begins. */
  constructor(root: Node, places: readonly Stretch[], seed: string, outside: readonly string[] = []) {
    this.#nodes = [...descendants(root)];
    const comments = this.#nodes.filter((node) => node.type === 'comment');
    this.#places = places.filter((place) => !comments.some((comment) => covers(comment, place)));
    this.#holders = new Set(this.#places.map((place) => root.smallestOver(place)));
    this.#seed = seed;
    this.#tainted = new Set(outside);
    if (this.#places.length === 0 && this.#tainted.size === 0) return;
    for (const node of this.#nodes) this.#declare(node);
    for (let before = -1; before !== this.#size;) {
      before = this.#size;
      this.#carrying.clear();
      for (const node of this.#nodes) this.#spread(node);
    }
  }

  get #size(): number {
    return this.#tainted.size + this.#files.size;
  }

  /** Why a value could become code in one of the commands around it. */
  dangerAround(node: Node, place: Stretch): Danger | undefined {
    return this.#dangerAround(node, (inner) => covers(inner, place));
  }

  /** Everything that becomes of the values later. */
  *problems(): Generator<FlowProblem> {
    if (this.#places.length === 0 && this.#tainted.size === 0) return;
    for (const node of this.#nodes) {
      yield* this.#nameProblems(node);
      yield* this.#declarationProblems(node);
      if (node.type === 'command') yield* this.#commandProblems(node);
    }
  }

  #words(command: Node, tainted: (node: Node) => boolean): readonly CommandWord[] {
    return wordsOf(command, tainted, this.#seed);
  }

  #nameOf(command: Node): string | undefined {
    if (!this.#names.has(command)) this.#names.set(command, this.#words(command, () => false)[0]?.literal);
    return this.#names.get(command);
  }

  #declare(node: Node): void {
    switch (node.type) {
      case 'function_definition': {
        const name = node.childForFieldName('name')?.text;
        if (name !== undefined) this.#functions.set(name, node);
        return;
      }
      case 'variable_assignment': {
        const name = node.childForFieldName('name');
        if (name?.type === 'subscript') this.#arrays.add(name.childForFieldName('name')?.text ?? '');
        else if (node.childForFieldName('value')?.type === 'array') this.#arrays.add(name?.text ?? '');
        return;
      }
      case 'declaration_command': {
        const flags = flagsOf(node);
        for (const part of node.namedChildren) {
          if (part?.type !== 'variable_name' && part?.type !== 'variable_assignment') continue;
          const name =
            part.type === 'variable_name' ? part.text : (part.childForFieldName('name')?.text ?? '');
          if (/[aA]/.test(flags)) this.#arrays.add(name);
          if (flags.includes('i')) this.#integers.set(name, part);
        }
        return;
      }
      case 'command': {
        const [name, ...args] = this.#words(node, () => false);
        if (/^(?:mapfile|readarray)$/.test(name?.literal ?? ''))
          for (const target of targetsOf(name?.literal ?? '', args)) this.#arrays.add(target);
        if (name?.literal === 'read')
          args.forEach(
            (word, at) =>
              /^-[a-z]*a$/.test(word.literal ?? '') && this.#arrays.add(args[at + 1]?.literal ?? ''),
          );
      }
    }
  }

  /** One step of the values' spreading. */
  #spread(node: Node): void {
    switch (node.type) {
      case 'variable_assignment': {
        const value = node.childForFieldName('value');
        const name = node.childForFieldName('name');
        if (value && name && this.#carries(value))
          this.#tainted.add(
            (name.type === 'subscript' ? name.childForFieldName('name')?.text : name.text) ?? '',
          );
        return;
      }
      case 'for_statement': {
        const variable = node.childForFieldName('variable');
        const values = node.namedChildren.filter(
          (child) => child?.type !== 'do_group' && child?.id !== variable?.id,
        );
        if (variable && values.some((value) => value && this.#carries(value)))
          this.#tainted.add(variable.text);
        return;
      }
      case 'file_redirect': {
        const to = node.childForFieldName('destination');
        if (!to || !/^\d*(?:>|&>)/.test(node.text) || /^(?:\d+|\/dev\/.*)$/.test(to.text)) return;
        if (!node.parent || !this.#carries(node.parent)) return;
        this.#files.add(pathOf(to.text));
        return;
      }
      case 'command':
        this.#spreadCommand(node);
    }
  }

  #spreadCommand(node: Node): void {
    const [name, ...args] = this.#words(node, (child) => this.#carries(child));
    const program = name?.literal ?? '';
    const carries = args.some((word) => word.tainted);
    if (this.#functions.has(program) && carries) this.#taintArguments(program);
    else if (program === 'set' && carries) this.#taintArguments(functionName(node));
    else if (program === 'printf' && args[0]?.literal === '-v' && carries)
      this.#tainted.add(args[1]?.literal ?? '');
    else if (/^(?:read|mapfile|readarray)$/.test(program)) {
      if (this.#inputCarries(node)) for (const target of targetsOf(program, args)) this.#tainted.add(target);
    } else if (program === 'getopts') {
      if (![...this.#tainted].some((each) => each.startsWith(`${functionName(node)}()`))) return;
      for (const target of ['OPTARG', args[1]?.literal ?? 'OPTARG']) this.#tainted.add(target);
    } else if (program === 'tee' && this.#inputCarries(node)) {
      for (const child of node.children)
        if (child && child.type !== 'command_name') this.#files.add(pathOf(child.text));
    }
  }

  #taintArguments(owner: string): void {
    for (const name of ['@', '*', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
      this.#tainted.add(`${owner}()${name}`);
  }

  #isTainted(name: Node): boolean {
    return this.#tainted.has(/^[@*\d]/.test(name.text) ? `${functionName(name)}()${name.text}` : name.text);
  }

  /** Whether a value, or something made of one, is in what a node is or prints. */
  #carries(node: Node): boolean {
    const known = this.#carrying.get(node);
    if (known !== undefined) return known;
    // Met again on the way down: a function that calls itself. In doubt it does.
    this.#carrying.set(node, true);
    const carries = this.#carriesItself(node) || node.children.some((child) => this.#carries(child));
    this.#carrying.set(node, carries);
    return carries;
  }

  #carriesItself(node: Node): boolean {
    if (this.#holders.has(node)) return true;
    switch (node.type) {
      case 'variable_name':
      case 'special_variable_name':
        return this.#isTainted(node);
      case 'command': {
        const called = this.#nameOf(node);
        const body = called === undefined ? undefined : this.#functions.get(called);
        if (body && this.#carries(body)) return true;
        // A file of the script's own making.
        return this.#files.size > 0 && node.children.some((child) => this.#files.has(pathOf(child.text)));
      }
      default:
        return false;
    }
  }

  /** Whether what a command reads on standard input may hold a value. */
  #inputCarries(command: Node): boolean {
    let child = command;
    for (const up of [command, ...ancestors(command)]) {
      if (up.type === 'command' || up.type === 'redirected_statement') {
        const inputs = up.children.filter(
          (part): part is Node =>
            part !== null &&
            (/^(?:heredoc|herestring)_redirect$/.test(part.type) ||
              (part.type === 'file_redirect' && /^\d*<(?!&)/.test(part.text))) &&
            !covers(part, command),
        );
        if (inputs.length > 0) return inputs.some((input) => this.#feeds(input));
      }
      if (up.type === 'heredoc_redirect' && covers(up, command)) return this.#carries(up);
      if (up.type === 'pipeline') {
        const stages = up.children.filter(
          (part): part is Node => part !== null && part.endIndex <= child.startIndex && part.isNamed,
        );
        if (stages.length > 0) return stages.some((stage) => this.#carries(stage));
      }
      // What comes in there is not told by what stands around it.
      if (up.type === 'process_substitution' && up.text.startsWith('>')) return true;
      if (up.type === 'function_definition') return true;
      child = up;
    }
    return this.#nodes.some(
      (node) =>
        /^(?:redirected_statement|command)$/.test(node.type) &&
        /^exec\s+0?<(?!&)/.test(node.text) &&
        this.#carries(node),
    );
  }

  #feeds(redirect: Node): boolean {
    const from = redirect.childForFieldName('destination');
    return this.#carries(redirect) || (from !== undefined && this.#files.has(pathOf(from.text)));
  }

  #dangerAround(node: Node, tainted: (node: Node) => boolean): Danger | undefined {
    for (const up of [node, ...ancestors(node)]) {
      if (up.type === 'command') {
        const words = this.#words(up, tainted);
        if (words[0]?.literal !== undefined && this.#functions.has(words[0].literal)) continue;
        const danger = commandDanger(words);
        if (danger) return danger;
      }
      if (up.type === 'test_command' && up.children[0]?.text === '[') {
        const danger = testDanger(this.#operands(up, tainted));
        if (danger) return danger;
      }
    }
    return undefined;
  }

  /** The words between `[` and `]`, whatever the grammar took them for. */
  #operands(test: Node, tainted: (node: Node) => boolean): readonly CommandWord[] {
    const words = (node: Node): readonly CommandWord[] => {
      if (node.type.endsWith('_expression') || node.type === 'ERROR')
        return node.children.flatMap((child) => (child ? words(child) : []));
      return [{ ...readWord(node.text, this.#seed), tainted: tainted(node) }];
    };
    return test.children.slice(1, -1).flatMap((child) => (child ? words(child) : []));
  }

  *#commandProblems(command: Node): Generator<FlowProblem> {
    const words = this.#words(command, () => false);
    const program = words[0]?.literal;
    if (program !== undefined && this.#functions.has(program)) return;
    if (words[0]?.literal !== undefined && runsStandardInput(words) && this.#inputCarries(command)) {
      yield {
        at: this.#sourceOf(command) ?? command,
        why: `\`${program}\` runs what it reads`,
        help: 'let it read a script without values, which takes them from the environment',
      };
    }
    if (program === 'coproc' && runsStandardInput(words))
      yield { at: command, why: '`coproc` runs what it reads' };
    if (this.#files.size === 0) return;
    const scripts = scriptsOf(words);
    for (const [at, child] of command.children
      .filter((part) => part && part.type !== 'variable_assignment' && !part.type.endsWith('_redirect'))
      .entries()) {
      const word = words[at];
      if (!child || !word || !scripts.includes(word) || !this.#files.has(pathOf(child.text))) continue;
      yield {
        at: child,
        why: 'this file was written with a value in it, and here it is run',
        help: 'write the script without values, and let it take them as arguments: "$1"',
      };
    }
  }

  /** The value that flows into a command, if it stands right before it. */
  #sourceOf(command: Node): Stretch | undefined {
    for (const up of [command, ...ancestors(command)]) {
      const inside = this.#places.filter((place) => covers(up, place));
      if (inside.length > 0 && up.type !== 'program') return inside[0];
    }
    return undefined;
  }

  *#declarationProblems(node: Node): Generator<FlowProblem> {
    if (node.type === 'declaration_command' && flagsOf(node).includes('n')) {
      const why = 'with -n a variable is another name of one, and where its value goes cannot be followed';
      yield {
        at: node,
        why,
        help: 'hand the value over as an argument, or print it and catch it with `$(…)`',
      };
      return;
    }
    if (node.type === 'variable_assignment') {
      const name = node.childForFieldName('name');
      const value = node.childForFieldName('value');
      if (!name || !value || !this.#carries(value)) return;
      const declared = node.parent?.type === 'declaration_command' && value.type !== 'array';
      if (declared && (/[aA]/.test(flagsOf(node.parent)) || this.#arrays.has(name.text))) {
        yield {
          at: this.#places.find((place) => covers(value, place)) ?? value,
          why: `a declared array takes "(…)" in a value for code`,
          help: `write \`${name.text}=(…)\` with the value as an item`,
        };
      }
      if (this.#places.some((place) => covers(value, place))) return;
      if (isSpecialVariable(name.text)) yield { at: name, ...actsUpon(name.text) };
      return;
    }
    if (node.type === 'variable_name' || node.type === 'word') {
      const declaration = this.#integers.get(node.text);
      if (declaration && covers(declaration, node) && this.#tainted.has(node.text)) {
        yield {
          at: node,
          why: `"${node.text}" is declared with -i and takes a value, which bash would run as arithmetic`,
          help: 'declare it without',
        };
      }
    }
  }

  *#nameProblems(use: Node): Generator<FlowProblem> {
    const named = /^(?:special_)?variable_name$/.test(use.type);
    // A bare word is a variable where bash computes; in `${list[@]}` it is none.
    if (!named && !(use.type === 'word' && /^[A-Za-z_]/.test(use.text) && isArithmetic(use))) return;
    if (!this.#isTainted(use)) return;
    const { parent } = use;
    if (parent?.type === 'variable_assignment' && parent.childForFieldName('name')?.id === use.id) return;
    if (parent?.type === 'for_statement' && parent.childForFieldName('variable')?.id === use.id) return;
    const danger = this.#misuse(use);
    if (!danger) return;
    const written = /^[@*\d]/.test(use.text) ? `$${use.text}` : `"${use.text}"`;
    yield {
      at: use,
      why: `${written} may hold a value, and ${danger.why}`,
      help:
        danger.help ??
        `use it only as "$${use.text}", in double quotes, as a word of a command that takes data`,
    };
  }

  #misuse(use: Node): Danger | undefined {
    const element =
      use.parent?.type === 'subscript' && use.parent.childForFieldName('name')?.id === use.id
        ? use.parent
        : use;
    const expansion = element.parent;
    if (expansion?.type === 'variable_assignment') return undefined;
    if (expansion?.type === 'expansion' && expansion.text.startsWith('${#')) return undefined;
    if (isArithmetic(element)) return ARITHMETIC;
    if (expansion?.type !== 'simple_expansion' && expansion?.type !== 'expansion') {
      const named = use.parent && /^(?:declaration|unset)_command$/.test(use.parent.type);
      return named ? undefined : { why: 'here it is more than a word' };
    }
    if (expansion.type === 'expansion') {
      if (subjectOf(expansion)?.id !== element.id)
        return { why: 'inside of another expansion it is more than a word' };
      if (expansion.text.startsWith('${!')) return { why: '`${!…}` takes it for a name' };
      if (/^@[^Qk]/.test(afterSubject(expansion))) return { why: '`${…@…}` can run code in it' };
    }
    if (isLoose(expansion)) {
      return {
        why: 'without quotes it is split into words and file names',
        help: `put it into double quotes: "${expansion.text}"`,
      };
    }
    for (let at = expansion, up = expansion.parent; up; at = up, up = up.parent) {
      if (up.type === 'command_name') return COMMAND_NAME;
      if (
        up.type === 'unset_command' ||
        (up.type === 'declaration_command' && at.type !== 'variable_assignment')
      )
        return { why: 'here it would be the name of a variable' };
      if (up.type === 'unary_expression' && /^-[vR]$/.test(up.childForFieldName('operator')?.text ?? ''))
        return { why: 'here it would be the name of a variable' };
      if (
        up.type === 'file_redirect' &&
        up.children.some((part) => part?.type === '>&' || part?.type === '<&')
      )
        return { why: 'bash expands what follows `>&` twice' };
      if (up.type === 'array' && at.type === 'concatenation' && at.text.startsWith('[')) return ARITHMETIC;
    }
    return this.#dangerAround(expansion, (node) => covers(node, expansion));
  }
}

/** Whether an expansion stands where bash splits what comes out. */
function isLoose(expansion: Node): boolean {
  let holder = expansion.parent;
  while (holder?.type === 'concatenation') holder = holder.parent;
  switch (holder?.type) {
    case 'string':
    case 'heredoc_body':
    case 'herestring_redirect':
    case 'variable_assignment':
    case 'case_statement':
    case 'case_item':
      return false;
    default:
      return (
        bracketsAround(expansion) !== '[[' ||
        [...ancestors(expansion)].some(
          (up) => up.type === 'command_substitution' && bracketsAround(up) === '[[',
        )
      );
  }
}

function flagsOf(declaration: Node | null): string {
  return (declaration?.children ?? [])
    .filter((word) => word?.type === 'word' && /^[-+]/.test(word.text))
    .map((word) => word?.text ?? '')
    .join('');
}

function functionName(node: Node): string {
  return functionAround(node)?.childForFieldName('name')?.text ?? '';
}

/** The variables that `read` or `mapfile` fill. */
function targetsOf(program: string, args: readonly CommandWord[]): readonly string[] {
  const names = args.flatMap((word) =>
    word.literal !== undefined && /^[A-Za-z_]\w*$/.test(word.literal) ? [word.literal] : [],
  );
  return names.length > 0 ? names : [program === 'read' ? 'REPLY' : 'MAPFILE'];
}

function pathOf(word: string): string {
  return word.replace(/["']/g, '').replace(/^\.\//, '');
}
