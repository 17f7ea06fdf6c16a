import { meantBy, nearestName } from '../diagnostics/suggest.ts';
import { factsWhen, pathOf, variablesIn, type Variables } from './expression-facts.ts';
import { functions, mayTake, type Overload } from './expression-functions.ts';
import { isMacro, macros, type Node } from './expression-nodes.ts';
import type { ExpressionTree } from './expression-syntax.ts';
import { join, noFacts, presentBelow, type Facts } from './facts.ts';
import { compilePattern } from './pattern.ts';
import { readProperty, readRoot, standIn, type Reader } from './read-path.ts';
import {
  any,
  bool,
  canEqual,
  int,
  isNumeric,
  mayBeNull,
  membersOf,
  number,
  nothing,
  string,
  unionOf,
  valuesOf,
  withPresent,
  withoutNull,
} from './read-type.ts';
import type { Problem } from './reference.ts';
import { showKind, showType } from './show-type.ts';
import type { Property, Scope, Type } from './types.ts';

/** What an expression comes out as, and what is wrong with it. */
export interface TypedExpression {
  readonly type: Type;
  readonly problems: readonly Problem[];
  /** The nodes that read a number which a schema calls `number`: a double, also when it is whole. */
  readonly doubles: ReadonlySet<Node>;
  /** Those of {@link doubles} that are always there and never null. */
  readonly certainDoubles: ReadonlySet<Node>;
  /** The comparisons that come out the same for all values of the types compared. */
  readonly decided: ReadonlyMap<Node, boolean>;
}

/** The types of an expression. Equal trees in one scope are typed once, so scopes must not change. */
export function typeExpression(tree: ExpressionTree, scope: Scope): TypedExpression {
  let known = typed.get(scope);
  if (known === undefined) typed.set(scope, (known = new WeakMap()));
  let result = known.get(tree);
  if (result === undefined) {
    const typing = new Typing(tree.text, scope);
    const type = typing.typeOf(tree.root, { variables: new Map(), types: new Map(), facts: noFacts });
    result = {
      type,
      problems: typing.problems,
      doubles: typing.doubles,
      certainDoubles: typing.certainDoubles,
      decided: typing.decided,
    };
    known.set(tree, result);
  }
  return result;
}

const typed = new WeakMap<Scope, WeakMap<ExpressionTree, TypedExpression>>();

/** Where a node stands: the variables of the macros around it, and what the guards before it tell. */
interface Place {
  readonly variables: Variables;
  /** By the name as written. */
  readonly types: ReadonlyMap<string, Type>;
  readonly facts: Facts;
  /** Absence is asked about, as inside `has`. */
  readonly tolerant?: boolean;
}

/** One pass over one expression. Goes on after a mistake with a type of `any`, so that one mistake is told once. */
class Typing {
  readonly problems: Problem[] = [];
  readonly doubles = new Set<Node>();
  readonly certainDoubles = new Set<Node>();
  readonly decided = new Map<Node, boolean>();
  readonly #text: string;
  readonly #scope: Scope;

  constructor(text: string, scope: Scope) {
    this.#text = text;
    this.#scope = scope;
  }

  typeOf(node: Node, place: Place): Type {
    switch (node.op) {
      case 'value':
        return this.#literal(node);
      case 'id':
        return this.#keep(node, this.#name(node, node.args, place), place);
      case '.':
        return this.#keep(
          node,
          this.#property(node, node.args[0], node.args[1], { start: node.pos, end: node.end }, place),
          place,
        );
      case '[]':
        return this.#keep(node, this.#element(node, node.args[0], node.args[1], place), place);
      case 'call':
        return this.#call(node, node.args[0], node.args[1], { ...place, tolerant: false });
      case 'rcall':
        return this.#method(node, node.args[0], node.args[1], node.args[2], { ...place, tolerant: false });
      case 'list':
        return { kind: 'list', items: unionOf(node.args.map((item) => this.typeOf(item, place))) };
      case 'map':
        return this.#map(node.args, place);
      case '?:': {
        const [condition, yes, no] = node.args;
        this.#expect('bool', condition, place, 'the condition of "?:"');
        const whenTrue = join(place.facts, factsWhen(true, condition, place.variables));
        const whenFalse = join(place.facts, factsWhen(false, condition, place.variables));
        return unionOf([
          this.typeOf(yes, { ...place, facts: whenTrue }),
          this.typeOf(no, { ...place, facts: whenFalse }),
        ]);
      }
      case '&&':
      case '||': {
        const [left, right] = node.args;
        this.#expect('bool', left, place, `the left side of "${node.op}"`);
        const facts = join(place.facts, factsWhen(node.op === '&&', left, place.variables));
        this.#expect('bool', right, { ...place, facts }, `the right side of "${node.op}"`);
        return bool;
      }
      case '!_':
        this.#expect('bool', node.args, place, 'what stands after "!"');
        return bool;
      case '-_': {
        const type = this.typeOf(node.args, place);
        if (type.kind === 'any' || isNumeric(type)) return plain(type);
        return this.#wrong(node, `"-" takes a number, but ${this.#show(node.args, type)}`);
      }
      case '==':
      case '!=':
        return this.#equality(node, node.args, place);
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#order(node, node.op, node.args, place);
      case 'in':
        return this.#membership(node, node.args, place);
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return this.#arithmetic(node, node.op, node.args, place);
      case '.?':
      case '[?]':
        return this.#wrong(node, 'optional access is not offered', 'use has(x) ? x : y');
    }
  }

  #keep(node: Node, type: Type, place: Place): Type {
    if (membersOf(type).some((member) => member.kind === 'number')) {
      this.doubles.add(node);
      if (type.kind === 'number' && place.tolerant !== true) this.certainDoubles.add(node);
    }
    return type;
  }

  #literal(node: Node & { op: 'value' }): Type {
    const value = node.args;
    switch (typeof value) {
      case 'string':
        return { kind: 'string', values: [value] };
      case 'boolean':
        return { kind: 'bool', values: [value] };
      case 'bigint':
        return { kind: 'int', values: [Number(value)] };
      case 'number':
        return { kind: 'number', values: [value] };
      default:
        if (value === null) return nothing;
        return this.#wrong(node, 'JSON has neither bytes nor unsigned numbers', 'leave out the letter');
    }
  }

  #name(node: Node, name: string, place: Place): Type {
    const variable = place.types.get(name);
    if (variable !== undefined) return variable;
    const { type, problem } = readRoot(name, { start: node.start, end: node.end }, this.#scope);
    if (problem !== undefined) this.#report(problem);
    return type;
  }

  #property(node: Node, of: Node, step: string, span: { start: number; end: number }, place: Place): Type {
    const type = this.typeOf(of, place);
    const path = pathOf(node, place.variables);
    const target = { type, text: this.#textOf(of) };
    const result = readProperty(target, { step, ...span }, path, this.#reader(node, place));
    if (result.problem !== undefined) this.#report(result.problem);
    return result.type;
  }

  #reader(node: Node, place: Place): Reader {
    return {
      facts: place.facts,
      tolerant: place.tolerant ?? false,
      guarded: (type) => {
        const text = this.#wholePath(node);
        const guarded = `has(${text}) ? ${text} : ${text === this.#textOf(node) ? standIn(type) : '…'}`;
        // Beside an operator the guard would reach further than is meant.
        return text === this.#text.trim() ? guarded : `(${guarded})`;
      },
    };
  }

  // The longest path that begins with this one: the author reads `a.b.c`, and it is `b` that may be absent.
  #wholePath(node: Node): string {
    const rest = /^(?:\.[A-Za-z_]\w*(?![\w(]))+/.exec(this.#text.slice(node.end))?.[0] ?? '';
    return this.#textOf(node) + rest;
  }

  #element(node: Node, of: Node, index: Node, place: Place): Type {
    if (index.op === 'value' && typeof index.args === 'string') {
      return this.#property(node, of, index.args, { start: index.start, end: index.end }, place);
    }
    const type = this.typeOf(of, place);
    const by = this.typeOf(index, { ...place, tolerant: false });
    if (type.kind === 'any') return any;
    const items: Type[] = [];
    let misfit: Type | undefined;
    for (const member of membersOf(withoutNull(type))) {
      if (member.kind === 'any') items.push(any);
      else if (member.kind === 'list' && mayTake('int', by)) items.push(member.items);
      else if (member.kind === 'object' && mayTake('string', by)) {
        items.push(...[...member.properties.values()].map((property) => property.type));
        if (member.rest !== undefined) items.push(member.rest);
      } else misfit ??= member;
    }
    if (items.length > 0 && misfit !== undefined)
      return this.#mixed(node, `${showKind(by)} cannot index`, [of], [type], [misfit]);
    if (items.length > 0) return unionOf(items);
    if (
      membersOf(type).some((one) => one.kind === 'list' || (one.kind === 'object' && !mayTake('string', by)))
    ) {
      return this.#wrong(index, `${this.#show(of, type)} and cannot be indexed by ${showType(by)}`);
    }
    if (membersOf(type).some((one) => one.kind === 'object')) return any;
    return this.#wrong(index, `${this.#show(of, type)} and has no elements`);
  }

  #call(node: Node, name: string, args: readonly Node[], place: Place): Type {
    if (name !== 'has') return this.#apply(node, name, false, args, nameEnd(node.start, name), place);
    const [asked] = args;
    if (args.length !== 1 || asked === undefined || (asked.op !== '.' && asked.op !== '[]')) {
      return this.#wrong(node, '"has" asks for one property', 'write has(x.y)');
    }
    this.typeOf(asked, { ...place, tolerant: true });
    return bool;
  }

  #method(node: Node, name: string, of: Node, args: readonly Node[], place: Place): Type {
    const start = this.#text.indexOf(name, of.end);
    const span = { start, end: start + name.length };
    if (isMacro(node)) return this.#macro(name, of, args, place);
    if (macros.has(name)) {
      for (const arg of [of, ...args.slice(1)]) this.typeOf(arg, place);
      return this.#report({
        rule: 'expression-type',
        message: `"${name}" takes a variable and an expression, as in xs.${name}(x, …)`,
        ...span,
      });
    }
    return this.#apply(node, name, true, [of, ...args], span, place);
  }

  #apply(
    node: Node,
    name: string,
    method: boolean,
    args: readonly Node[],
    span: { start: number; end: number },
    place: Place,
  ): Type {
    const types = args.map((arg) => this.typeOf(arg, place));
    const forms = functions.get(name);
    if (forms === undefined) {
      const near = nearestName(name, [...functions.keys(), ...macros.keys(), 'has']);
      return this.#report({
        rule: 'expression-type',
        message: `there is no function "${name}"`,
        ...(near !== undefined && meantBy(name, near)),
        ...span,
      });
    }
    const ofKind = forms.filter((one) => one.method === method);
    if (ofKind.length === 0) {
      const help = method ? `write ${name}(x)` : `write x.${name}(…)`;
      return this.#report({
        rule: 'expression-type',
        message: `"${name}" is not called like this`,
        help,
        ...span,
      });
    }
    const fitting = ofKind.filter(
      ({ parameters }) =>
        parameters.length === types.length &&
        parameters.every((parameter, at) => mayTake(parameter, withoutNull(types[at] as Type))),
    );
    if (fitting.length > 0) {
      if (name === 'matches') this.#pattern(args[1]);
      const misfit = combinations(types.map(withoutNull)).find(
        (kinds) =>
          !fitting.some((one) =>
            one.parameters.every((parameter, at) => mayTake(parameter, kinds[at] as Type)),
          ),
      );
      if (misfit !== undefined) return this.#mixed(node, `"${name}" cannot take`, args, types, misfit);
      types.forEach((type, at) => {
        if (fitting.every((one) => one.parameters[at] !== 'any')) this.#refuseNull(args[at] as Node, type);
      });
      return unionOf(fitting.map((one) => one.result));
    }
    return this.#report({
      rule: 'expression-type',
      ...misfit(name, ofKind, types),
      start: node.start,
      end: node.end,
    });
  }

  #pattern(node: Node | undefined): void {
    if (node?.op !== 'value' || typeof node.args !== 'string') return;
    const pattern = compilePattern(node.args);
    if (!pattern.ok)
      this.#wrong(node, `this is not a regular expression as RE2 reads them: ${pattern.problem}`);
  }

  #macro(name: string, of: Node, args: readonly Node[], place: Place): Type {
    const type = this.typeOf(of, place);
    const [variable, ...bodies] = args;
    const items = this.#itemsOf(of, type);
    if (variable?.op !== 'id') return any;
    const variables = variablesIn(place.variables, variable.args, variable);
    const types = new Map(place.types).set(variable.args, items);
    const unique = variables.get(variable.args) as string;
    let facts = place.facts;
    let result: Type = any;
    bodies.forEach((body, at) => {
      const inside: Place = { variables, types, facts };
      const makesValue = name === 'map' && at === bodies.length - 1;
      if (makesValue) result = this.typeOf(body, inside);
      else this.#expect('bool', body, inside, `the condition of "${name}"`);
      facts = join(facts, factsWhen(true, body, variables));
    });
    if (name === 'map') return { kind: 'list', items: result };
    if (name !== 'filter') return bool;
    // What the condition tells of each item holds for those that are left.
    return { kind: 'list', items: presentBelow(facts, unique).reduce(withPresent, items) };
  }

  #itemsOf(of: Node, type: Type): Type {
    this.#refuseNull(of, type);
    const items: Type[] = [];
    for (const member of membersOf(type)) {
      if (member.kind === 'any') items.push(any);
      if (member.kind === 'list') items.push(member.items);
      if (member.kind === 'object') items.push(string);
    }
    const misfit = membersOf(withoutNull(type)).find(
      ({ kind }) => kind !== 'any' && kind !== 'list' && kind !== 'object',
    );
    if (items.length > 0 && misfit === undefined) return unionOf(items);
    if (items.length > 0 && misfit !== undefined)
      return this.#mixed(of, 'a list is wanted, not', [of], [type], [misfit]);
    return this.#wrong(of, `${this.#show(of, type)}, not a list`);
  }

  #map(entries: readonly (readonly [Node, Node])[], place: Place): Type {
    const properties = new Map<string, Property>();
    let rest: Type | undefined;
    for (const [key, value] of entries) {
      const keyType = this.typeOf(key, place);
      const type = this.typeOf(value, place);
      if (key.op === 'value' && typeof key.args === 'string') {
        if (properties.has(key.args))
          this.#wrong(key, `the key ${JSON.stringify(key.args)} stands here twice`);
        properties.set(key.args, { type, required: true });
      } else if (mayTake('string', keyType)) {
        rest = rest === undefined ? type : unionOf([rest, type]);
      } else {
        this.#wrong(key, `a key is a string, but ${this.#show(key, keyType)}`);
      }
    }
    return { kind: 'object', properties, rest };
  }

  #equality(node: Node, [left, right]: readonly [Node, Node], place: Place): Type {
    const a = this.typeOf(left, place);
    const b = this.typeOf(right, place);
    const [same, ...others] = [...(valuesOf(a) ?? [undefined]), ...(valuesOf(b) ?? [undefined])];
    if (same !== undefined && others.every((value) => value === same))
      this.decided.set(node, node.op === '==');
    return this.#comparable([left, right], a, b);
  }

  #comparable([left, right]: readonly [Node, Node], a: Type, b: Type): Type {
    // Two literals are a constant, which other checks tell; here no value is read that could be misspelled.
    if (canEqual(a, b) || (left.op === 'value' && right.op === 'value' && a.kind === b.kind)) return bool;
    const literal = left.op === 'value' ? left : right.op === 'value' ? right : undefined;
    const [read, type, other] = literal === left ? [right, b, a] : [left, a, b];
    const values = membersOf(type).flatMap((member) => valuesOf(member) ?? []);
    if (
      literal !== undefined &&
      values.length > 0 &&
      membersOf(type).some((one) => one.kind === other.kind)
    ) {
      const near = nearestName(String(valuesOf(other)?.[0]), values.map(String));
      return this.#report({
        rule: 'expression-type',
        message: `"${this.#textOf(read)}" is never ${this.#textOf(literal)}; it is one of ${values.map(quoted).join(', ')}`,
        help: near === undefined ? undefined : `did you mean ${quoted(near)}?`,
        start: literal.start,
        end: literal.end,
      });
    }
    return this.#report({
      rule: 'expression-type',
      message:
        type.kind === other.kind
          ? `"${this.#textOf(left)}" and "${this.#textOf(right)}" have no value in common`
          : `${showKind(type)} is never equal to ${showKind(other)}`,
      help: conversion(type, other, this.#textOf(read)),
      start: left.start,
      end: right.end,
    });
  }

  #order(node: Node, op: string, [left, right]: readonly [Node, Node], place: Place): Type {
    const a = this.typeOf(left, place);
    const b = this.typeOf(right, place);
    this.#refuseNull(left, a);
    this.#refuseNull(right, b);
    const pairs = combinations([withoutNull(a), withoutNull(b)]);
    const misfit = pairs.find(([one, other]) => !haveOrder(one as Type, other as Type));
    if (misfit === undefined) {
      const outcomes = new Set(
        (valuesOf(a) ?? []).flatMap((x) => (valuesOf(b) ?? []).map((y) => isOrdered(op, x, y))),
      );
      const [outcome] = outcomes;
      if (outcomes.size === 1 && outcome !== undefined) this.decided.set(node, outcome);
      return bool;
    }
    if (pairs.some(([one, other]) => haveOrder(one as Type, other as Type)))
      return this.#mixed(node, `"${op}" cannot compare`, [left, right], [a, b], misfit);
    return this.#report({
      rule: 'expression-type',
      message: `"${op}" cannot compare ${showKind(a)} with ${showKind(b)}`,
      help: conversion(a, b, this.#textOf(left)),
      start: node.start,
      end: node.end,
    });
  }

  #membership(node: Node, [left, right]: readonly [Node, Node], place: Place): Type {
    const a = this.typeOf(left, place);
    const b = this.typeOf(right, place);
    this.#refuseNull(right, b);
    if (right.op === 'list') {
      const types = right.args.map((item) => this.typeOf(item, place));
      types.forEach((type, at) => this.#comparable([left, right.args[at] as Node], a, type));
      const listed = new Set(types.map((type) => valuesOf(type)).flatMap((v) => (v?.length === 1 ? v : [])));
      const values = valuesOf(a) ?? [];
      if (values.length > 0 && values.every((value) => listed.has(value))) this.decided.set(node, true);
      return bool;
    }
    let never: Type | undefined;
    let found = false;
    let misfit: Type | undefined;
    for (const member of membersOf(withoutNull(b))) {
      if (member.kind === 'list') {
        if (canEqual(a, member.items)) found = true;
        else never = member.items;
      } else if (member.kind === 'any' || (member.kind === 'object' && mayTake('string', a))) found = true;
      else misfit ??= member;
    }
    if (found && misfit !== undefined)
      return this.#mixed(node, '"in" cannot look into', [right], [b], [misfit]);
    if (found) return bool;
    if (membersOf(b).some((member) => member.kind === 'object')) {
      return this.#wrong(left, `the keys of an object are strings, but ${this.#show(left, a)}`);
    }
    if (never === undefined)
      return this.#wrong(right, `"in" looks in a list or an object, but ${this.#show(right, b)}`);
    return this.#report({
      rule: 'expression-type',
      message: `${showType(a)} is never in a list of ${showType(never)}`,
      start: node.start,
      end: node.end,
    });
  }

  #arithmetic(node: Node, op: '+' | '-' | '*' | '/' | '%', sides: readonly [Node, Node], place: Place): Type {
    const [left, right] = sides;
    const a = this.typeOf(left, place);
    const b = this.typeOf(right, place);
    this.#refuseNull(left, a);
    this.#refuseNull(right, b);
    const results: Type[] = [];
    let misfit: readonly Type[] | undefined;
    for (const kinds of combinations([withoutNull(a), withoutNull(b)])) {
      const [one, other] = kinds as [Type, Type];
      const result = resultOf(op, one, other);
      if (result === undefined) misfit ??= kinds;
      else results.push(result);
    }
    if (misfit === undefined) return unionOf(results);
    if (results.length > 0) return this.#mixed(node, `"${op}" cannot take`, sides, [a, b], misfit);
    const text = a.kind === 'string' ? right : left;
    const mixed = op === '+' && (a.kind === 'string') !== (b.kind === 'string');
    return this.#report({
      rule: 'expression-type',
      message: `"${op}" cannot take ${showKind(a)} and ${showKind(b)}`,
      help: mixed ? `write string(${this.#textOf(text)})` : undefined,
      start: node.start,
      end: node.end,
    });
  }

  #expect(kind: 'bool', node: Node, place: Place, what: string): void {
    const type = this.typeOf(node, place);
    this.#refuseNull(node, type);
    const members = membersOf(withoutNull(type));
    const misfit = members.find((one) => !mayTake(kind, one));
    if (misfit === undefined) return;
    if (members.some((one) => mayTake(kind, one))) {
      this.#mixed(node, `${what} cannot be`, [node], [type], [misfit]);
      return;
    }
    this.#wrong(
      node,
      `${what} must be true or false, but ${this.#show(node, type)}`,
      asCondition(type, this.#textOf(node)),
    );
  }

  #refuseNull(node: Node, type: Type): void {
    if (type.kind === 'null' || !mayBeNull(type)) return;
    const text = this.#textOf(node);
    this.#wrong(node, `"${text}" may be null here`, `write ${text} != null ? ${text} : ${standIn(type)}`);
  }

  // Some of what a value may be fits, and some does not: a run would fail with that.
  #mixed(
    node: Node,
    cannot: string,
    values: readonly Node[],
    types: readonly Type[],
    misfit: readonly Type[],
  ): Type {
    const at = types.findIndex((type) => membersOf(withoutNull(type)).length > 1);
    const value = values[at] ?? node;
    return this.#report({
      rule: 'expression-type',
      message: `${cannot} ${misfit.map(showKind).join(' and ')}, which "${this.#textOf(value)}" may be here: it is ${showType(types[at] ?? any)}`,
      help: `write dyn(${this.#textOf(value)}) where you know that it never is`,
      start: value.start,
      end: value.end,
    });
  }

  #wrong(node: Node, message: string, help?: string): Type {
    return this.#report({ rule: 'expression-type', message, help, start: node.start, end: node.end });
  }

  // What comes of a mistake is `any`, so that nothing is reported that only follows from it.
  #report(problem: Problem): Type {
    this.problems.push(problem);
    return any;
  }

  #show(node: Node, type: Type): string {
    return node.op === 'value'
      ? `${this.#textOf(node)} is ${showKind(type)}`
      : `"${this.#textOf(node)}" is ${showKind(type)}`;
  }

  #textOf(node: Node): string {
    return this.#text.slice(node.start, node.end);
  }
}

function nameEnd(start: number, name: string): { start: number; end: number } {
  return { start, end: start + name.length };
}

function resultOf(op: '+' | '-' | '*' | '/' | '%', a: Type, b: Type): Type | undefined {
  if (a.kind === 'any' || b.kind === 'any') {
    const known = a.kind === 'any' ? b : a;
    if (known.kind === 'any' || isNumeric(known)) return any;
    return op === '+' && (known.kind === 'string' || known.kind === 'list') ? any : undefined;
  }
  if (op === '%') return a.kind === 'int' && b.kind === 'int' ? int : undefined;
  if (isNumeric(a) && isNumeric(b)) return a.kind === 'int' && b.kind === 'int' ? int : number;
  if (op !== '+') return undefined;
  if (a.kind === 'string' && b.kind === 'string') return string;
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', items: unionOf([a.items, b.items]) };
  return undefined;
}

function haveOrder(one: Type, other: Type): boolean {
  if (one.kind === 'any' || other.kind === 'any') return true;
  if (isNumeric(one) && isNumeric(other)) return true;
  return one.kind === other.kind && (one.kind === 'string' || one.kind === 'bool');
}

/** Every choice of one alternative for each of the types. */
function combinations(types: readonly Type[]): (readonly Type[])[] {
  return types.reduce<(readonly Type[])[]>(
    (chosen, type) => chosen.flatMap((before) => membersOf(type).map((one) => [...before, one])),
    [[]],
  );
}

// The type without what a literal or an enum says of its values.
function plain(type: Type): Type {
  return isNumeric(type) ? { kind: type.kind as 'int' | 'number' } : type;
}

function misfit(
  name: string,
  forms: readonly Overload[],
  types: readonly Type[],
): { message: string; help: string } {
  const given = types.length === 0 ? 'nothing' : types.map(showKind).join(', ');
  const shapes = forms.map(({ method, parameters }) => {
    const names = parameters.map((parameter) => (parameter === 'strings' ? 'list of strings' : parameter));
    const [first, ...rest] = names;
    return method ? `${first}.${name}(${rest.join(', ')})` : `${name}(${names.join(', ')})`;
  });
  return { message: `"${name}" cannot take ${given}`, help: `there is ${shapes.join(' and ')}` };
}

/** How a value is made into a condition. */
export function asCondition(type: Type, text: string): string | undefined {
  switch (type.kind) {
    case 'string':
      return `write ${text} != ''`;
    case 'int':
    case 'number':
      return `write ${text} != 0`;
    case 'list':
      return `write size(${text}) > 0`;
    case 'any':
    case 'null':
    case 'bool':
    case 'object':
    case 'union':
      return undefined;
  }
}

function conversion(a: Type, b: Type, text: string): string | undefined {
  if (a.kind === 'string' && b.kind === 'int') return `write int(${text})`;
  if (a.kind === 'string' && b.kind === 'number') return `write double(${text})`;
  if (isNumeric(a) && b.kind === 'string') return `write string(${text})`;
  return undefined;
}

// Strings and booleans are left aside: their order in CEL is by code points.
function isOrdered(
  op: string,
  a: string | number | boolean,
  b: string | number | boolean,
): boolean | undefined {
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  if (op === '<') return a < b;
  if (op === '<=') return a <= b;
  return op === '>' ? a > b : a >= b;
}

function quoted(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
