import { isJsonObject, type JsonObject, type JsonValue } from '../support/json.ts';
import { ExpressionError } from './expression-error.ts';
import { functions, takes, type CelObject, type CelValue, type Parameter } from './expression-functions.ts';
import { isMacro, type Node } from './expression-nodes.ts';
import { parseExpressionText } from './expression-syntax.ts';
import { typeExpression } from './expression-types.ts';
import type { Scope } from './types.ts';

export { ExpressionError };

/**
 * Evaluates a checked CEL text.
 *
 * @param values what the root names hold
 * @param scope the types of the root names: a JSON number that a schema calls `integer` becomes an int, one that it
 *   calls `number` a double. Without it whole numbers become ints
 * @returns plain JSON
 * @throws {ExpressionError} when a value it reads is absent or of the wrong kind, or the result is not JSON
 */
export function evaluateExpression(text: string, values: JsonObject, scope?: Scope): JsonValue {
  const parsed = parseExpressionText(text);
  if (!parsed.ok) throw new ExpressionError(`${text}: ${parsed.problem.message}`);
  const { doubles } = typeExpression(parsed.tree, scope ?? untyped(values));
  return toJson(new Evaluation(text, values, doubles).valueOf(parsed.tree.root, new Map()), text);
}

/** The value of a node that reads nothing; `undefined` when it has none. */
export function constantValue(text: string, node: Node): CelValue | undefined {
  try {
    return new Evaluation(text, {}, new Set()).valueOf(node, new Map());
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

// Scopes are told apart by identity, so equal sets of names share one.
function untyped(values: JsonObject): Scope {
  const names = Object.keys(values);
  const key = names.join(' ');
  let scope = untypedScopes.get(key);
  if (scope === undefined) {
    scope = new Map(names.map((name) => [name, { kind: 'any' }]));
    if (untypedScopes.size >= 200) untypedScopes.clear();
    untypedScopes.set(key, scope);
  }
  return scope;
}

const untypedScopes = new Map<string, Scope>();

type Variables = ReadonlyMap<string, CelValue>;

/** One evaluation of one text. */
class Evaluation {
  readonly #text: string;
  readonly #values: JsonObject;
  readonly #doubles: ReadonlySet<Node>;

  constructor(text: string, values: JsonObject, doubles: ReadonlySet<Node>) {
    this.#text = text;
    this.#values = values;
    this.#doubles = doubles;
  }

  valueOf(node: Node, variables: Variables): CelValue {
    switch (node.op) {
      case 'value':
        return node.args as CelValue;
      case 'id':
      case '.':
      case '[]': {
        const value = this.#read(node, variables);
        if (value === undefined) throw new ExpressionError(`${this.#textOf(node)} is absent`);
        return value;
      }
      case 'list':
        return node.args.map((item) => this.valueOf(item, variables));
      case 'map': {
        const entries = node.args.map(([key, value]): [string, CelValue] => [
          this.#want('string', key, variables) as string,
          this.valueOf(value, variables),
        ]);
        return Object.fromEntries(entries);
      }
      case '?:': {
        const [condition, yes, no] = node.args;
        return this.valueOf(this.#want('bool', condition, variables) ? yes : no, variables);
      }
      case '&&':
        return this.#logical(false, node.args, variables);
      case '||':
        return this.#logical(true, node.args, variables);
      case '!_':
        return !this.#want('bool', node.args, variables);
      case '-_': {
        const value = this.#want('number', node.args, variables);
        return typeof value === 'bigint' ? this.#whole(-value) : -(value as number);
      }
      case '==':
        return equal(this.valueOf(node.args[0], variables), this.valueOf(node.args[1], variables));
      case '!=':
        return !equal(this.valueOf(node.args[0], variables), this.valueOf(node.args[1], variables));
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#order(node.op, node.args, variables);
      case 'in':
        return this.#membership(node.args, variables);
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return this.#arithmetic(node.op, node.args, variables);
      case 'call':
        if (node.args[0] === 'has') {
          const [asked, ...more] = node.args[1];
          if (asked === undefined || more.length > 0)
            throw new ExpressionError(`${this.#textOf(node)}: "has" asks for one property`);
          return this.#has(asked, variables);
        }
        return this.#call(node, node.args[0], false, node.args[1], variables);
      case 'rcall':
        if (isMacro(node)) return this.#macro(node.args[0], node.args[1], node.args[2], variables);
        return this.#call(node, node.args[0], true, [node.args[1], ...node.args[2]], variables);
      case '.?':
      case '[?]':
        throw new ExpressionError(`${this.#textOf(node)}: optional access is not offered`);
    }
  }

  // The value of a path, or `undefined` when the last step of it leads nowhere.
  #read(node: Node, variables: Variables): CelValue | undefined {
    switch (node.op) {
      case 'id': {
        const variable = variables.get(node.args);
        if (variable !== undefined) return this.#number(node, variable);
        return Object.hasOwn(this.#values, node.args)
          ? this.#number(node, this.#values[node.args])
          : undefined;
      }
      case '.':
        return this.#number(
          node,
          this.#step(node.args[0], this.valueOf(node.args[0], variables), node.args[1]),
        );
      case '[]': {
        const of = this.valueOf(node.args[0], variables);
        const index = this.valueOf(node.args[1], variables);
        if (typeof index === 'string' || typeof index === 'bigint' || typeof index === 'number') {
          return this.#number(node, this.#step(node.args[0], of, index));
        }
        throw new ExpressionError(
          `${this.#textOf(node.args[1])} is ${kindOf(index)} and cannot index anything`,
        );
      }
      default:
        return this.valueOf(node, variables);
    }
  }

  #step(node: Node, of: CelValue, step: string | bigint | number): CelValue | undefined {
    if (Array.isArray(of)) {
      if (typeof step === 'string') {
        throw new ExpressionError(`${this.#textOf(node)} is a list and has no property "${step}"`);
      }
      return of[Number(step)] as CelValue | undefined;
    }
    if (isObject(of)) {
      const name = String(step);
      // Own properties only: what a prototype brings is no data.
      return Object.hasOwn(of, name) ? of[name] : undefined;
    }
    throw new ExpressionError(`${this.#textOf(node)} is ${kindOf(of)} and has no property "${step}"`);
  }

  // A number from outside is an int or a double as its schema says, or by its value when nothing says.
  #number(node: Node, value: CelValue | undefined): CelValue | undefined {
    if (typeof value !== 'number') return value;
    return this.#doubles.has(node) || !Number.isSafeInteger(value) ? value : BigInt(value);
  }

  // `has(a.b.c)` is false when `a.b` is absent already: that is the answer to what was asked.
  #has(node: Node, variables: Variables): boolean {
    if (node.op !== '.' && node.op !== '[]') {
      return this.#read(node, variables) !== undefined;
    }
    if (!this.#has(node.args[0], variables)) return false;
    const of = this.#read(node.args[0], variables);
    if (!isObject(of) && !Array.isArray(of)) return false;
    if (node.op === '.') return !Array.isArray(of) && this.#step(node, of, node.args[1]) !== undefined;
    return this.#read(node, variables) !== undefined;
  }

  // As CEL has it, an error on one side does not matter when the other side decides.
  #logical(deciding: boolean, [left, right]: readonly [Node, Node], variables: Variables): boolean {
    let failure: ExpressionError | undefined;
    try {
      if (this.#want('bool', left, variables) === deciding) return deciding;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      failure = error;
    }
    if (this.#want('bool', right, variables) === deciding) return deciding;
    if (failure !== undefined) throw failure;
    return !deciding;
  }

  #order(op: '<' | '<=' | '>' | '>=', [left, right]: readonly [Node, Node], variables: Variables): boolean {
    const a = this.valueOf(left, variables);
    const b = this.valueOf(right, variables);
    const sides = ordered(a, b);
    if (sides === undefined) {
      throw new ExpressionError(
        `"${op}" cannot compare ${this.#textOf(left)}, ${kindOf(a)}, with ${this.#textOf(right)}, ${kindOf(b)}`,
      );
    }
    switch (op) {
      case '<':
        return sides[0] < sides[1];
      case '<=':
        return sides[0] <= sides[1];
      case '>':
        return sides[0] > sides[1];
      case '>=':
        return sides[0] >= sides[1];
    }
  }

  #membership([left, right]: readonly [Node, Node], variables: Variables): boolean {
    const value = this.valueOf(left, variables);
    const of = this.valueOf(right, variables);
    if (Array.isArray(of)) return of.some((item: CelValue) => equal(item, value));
    if (isObject(of)) return typeof value === 'string' && Object.hasOwn(of, value);
    throw new ExpressionError(
      `"in" looks in a list or an object, but ${this.#textOf(right)} is ${kindOf(of)}`,
    );
  }

  #arithmetic(
    op: '+' | '-' | '*' | '/' | '%',
    [left, right]: readonly [Node, Node],
    variables: Variables,
  ): CelValue {
    const a = this.valueOf(left, variables);
    const b = this.valueOf(right, variables);
    if (op === '+' && typeof a === 'string' && typeof b === 'string') return a + b;
    if (op === '+' && Array.isArray(a) && Array.isArray(b))
      return [...(a as CelValue[]), ...(b as CelValue[])];
    if (typeof a === 'bigint' && typeof b === 'bigint') return this.#wholeArithmetic(op, a, b, right);
    const numbers = takes('number', a) && takes('number', b);
    if (numbers && op !== '%') return doubleArithmetic(op, Number(a), Number(b));
    throw new ExpressionError(
      `"${op}" cannot take ${this.#textOf(left)}, ${kindOf(a)}, and ${this.#textOf(right)}, ${kindOf(b)}`,
    );
  }

  #wholeArithmetic(op: '+' | '-' | '*' | '/' | '%', a: bigint, b: bigint, right: Node): bigint {
    switch (op) {
      case '+':
        return this.#whole(a + b);
      case '-':
        return this.#whole(a - b);
      case '*':
        return this.#whole(a * b);
      case '/':
      case '%':
        if (b === 0n) throw new ExpressionError(`"${op}" by zero: ${this.#textOf(right)} is 0`);
        return op === '/' ? this.#whole(a / b) : a % b;
    }
  }

  #whole(value: bigint): bigint {
    if (value === BigInt.asIntN(64, value)) return value;
    throw new ExpressionError(`${this.#text}: an integer does not fit into 64 bits`);
  }

  #call(node: Node, name: string, method: boolean, args: readonly Node[], variables: Variables): CelValue {
    const values = args.map((arg) => this.valueOf(arg, variables));
    const form = functions
      .get(name)
      ?.find(
        (one) =>
          one.method === method &&
          one.parameters.length === values.length &&
          one.parameters.every((parameter, at) => takes(parameter, values[at] as CelValue)),
      );
    if (form === undefined) {
      throw new ExpressionError(
        `${this.#textOf(node)}: "${name}" cannot take ${values.map(kindOf).join(', ')}`,
      );
    }
    return form.run(values);
  }

  #macro(name: string, of: Node, args: readonly Node[], variables: Variables): CelValue {
    const over = this.valueOf(of, variables);
    const [variable, ...bodies] = args;
    if (!Array.isArray(over) && !isObject(over)) {
      throw new ExpressionError(`${this.#textOf(of)} is ${kindOf(over)}, not a list`);
    }
    const items: readonly CelValue[] = Array.isArray(over) ? over : Object.keys(over);
    const bind = (item: CelValue): Variables =>
      new Map(variables).set(variable?.op === 'id' ? variable.args : '', item);
    const [first, second] = bodies as [Node, Node | undefined];
    switch (name) {
      case 'map':
        if (second === undefined) return items.map((item) => this.valueOf(first, bind(item)));
        return items
          .filter((item) => this.#want('bool', first, bind(item)))
          .map((item) => this.valueOf(second, bind(item)));
      case 'filter':
        return items.filter((item) => this.#want('bool', first, bind(item)));
      case 'exists_one':
        return items.filter((item) => this.#want('bool', first, bind(item))).length === 1;
      default:
        return this.#quantify(name === 'exists', items, first, bind);
    }
  }

  // As with `&&` and `||`: an item that cannot be judged does not matter when another one decides.
  #quantify(
    deciding: boolean,
    items: readonly CelValue[],
    body: Node,
    bind: (item: CelValue) => Variables,
  ): boolean {
    let failure: ExpressionError | undefined;
    for (const item of items) {
      try {
        if (this.#want('bool', body, bind(item)) === deciding) return deciding;
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return !deciding;
  }

  #want(parameter: Parameter, node: Node, variables: Variables): CelValue {
    const value = this.valueOf(node, variables);
    if (takes(parameter, value)) return value;
    const wanted = parameter === 'bool' ? 'true or false' : `a ${parameter}`;
    throw new ExpressionError(`${this.#textOf(node)} must be ${wanted}, but it is ${kindOf(value)}`);
  }

  #textOf(node: Node): string {
    return this.#text.slice(node.start, node.end);
  }
}

function doubleArithmetic(op: '+' | '-' | '*' | '/', a: number, b: number): number {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
  }
}

// Numbers are equal by value, whichever kind they are; values of different kinds are not equal.
function equal(a: CelValue, b: CelValue): boolean {
  if (takes('number', a) && takes('number', b)) return a == b;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: CelValue, at) => equal(item, b[at] as CelValue));
  }
  if (isObject(a) && isObject(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && equal(a[name] as CelValue, b[name] as CelValue))
    );
  }
  return a === b;
}

type Ordered = number | bigint | string | boolean;

// The two values when there is an order between them.
function ordered(a: CelValue, b: CelValue): readonly [Ordered, Ordered] | undefined {
  const kinds: readonly Parameter[] = ['number', 'string', 'bool'];
  return kinds.some((kind) => takes(kind, a) && takes(kind, b)) ? [a as Ordered, b as Ordered] : undefined;
}

function isObject(value: CelValue | undefined): value is CelObject {
  return isJsonObject(value as JsonValue | undefined);
}

function kindOf(value: CelValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a string';
    case 'boolean':
      return 'a boolean';
    case 'bigint':
      return 'an integer';
    case 'number':
      return 'a number';
    default:
      return 'an object';
  }
}

function toJson(value: CelValue, text: string): JsonValue {
  if (typeof value === 'bigint') {
    if (Number.isSafeInteger(Number(value))) return Number(value);
    throw new ExpressionError(`${text}: the integer ${value} is too large for JSON`);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new ExpressionError(`${text}: the result ${value} is not a number in JSON`);
  }
  if (Array.isArray(value)) return value.map((item: CelValue) => toJson(item, text));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toJson(item, text)]));
  }
  return value as JsonValue;
}
