import { isJsonObject, type JsonValue } from '../support/json.ts';
import { ExpressionError } from './expression-error.ts';
import { compilePattern } from './pattern.ts';
import { any, bool, int, membersOf, number, string } from './read-type.ts';
import type { Type } from './types.ts';

/**
 * A value while an expression is evaluated: JSON, but a bigint is an int and a number is a double. The elements of
 * lists and objects are as they came; whoever takes one out tells ints from doubles.
 */
export type CelValue = null | boolean | bigint | number | string | readonly CelValue[] | CelObject;

export interface CelObject {
  readonly [key: string]: CelValue;
}

/** What an argument may be. `number` takes ints as well. */
export type Parameter = 'string' | 'int' | 'number' | 'bool' | 'list' | 'strings' | 'object' | 'any';

/** One form of a function. Of a method, the first parameter is what stands before the dot. */
export interface Overload {
  readonly method: boolean;
  readonly parameters: readonly Parameter[];
  readonly result: Type;
  run(values: readonly CelValue[]): CelValue;
}

function form(
  method: boolean,
  parameters: readonly Parameter[],
  result: Type,
  run: (...values: never[]) => CelValue,
): Overload {
  return { method, parameters, result, run: (values) => run(...(values as never[])) };
}

const strings: Type = { kind: 'list', items: string };

/** Every function there is, by name: what the checker accepts is what the evaluator can run. */
export const functions: ReadonlyMap<string, readonly Overload[]> = new Map<string, Overload[]>([
  [
    'size',
    [false, true].flatMap((method) => [
      form(method, ['string'], int, (text: string) => BigInt(lengthOf(text))),
      form(method, ['list'], int, (list: readonly CelValue[]) => BigInt(list.length)),
      form(method, ['object'], int, (object: CelObject) => BigInt(Object.keys(object).length)),
    ]),
  ],
  ['dyn', [form(false, ['any'], any, (value: CelValue) => value)]],
  [
    'string',
    [
      form(false, ['string'], string, (text: string) => text),
      form(false, ['int'], string, (value: bigint) => value.toString()),
      form(false, ['number'], string, (value: number) => String(value)),
      form(false, ['bool'], string, (value: boolean) => String(value)),
    ],
  ],
  [
    'int',
    [
      form(false, ['int'], int, (value: bigint) => value),
      form(false, ['number'], int, (value: number) => truncated(value)),
      form(false, ['string'], int, (text: string) => parsedInt(text)),
    ],
  ],
  [
    'double',
    [
      form(false, ['number'], number, (value: number | bigint) => Number(value)),
      form(false, ['string'], number, (text: string) => parsedNumber(text)),
    ],
  ],
  [
    'bool',
    [
      form(false, ['bool'], bool, (value: boolean) => value),
      form(false, ['string'], bool, (text: string) => parsedBool(text)),
    ],
  ],
  [
    'startsWith',
    [form(true, ['string', 'string'], bool, (text: string, other: string) => text.startsWith(other))],
  ],
  [
    'endsWith',
    [form(true, ['string', 'string'], bool, (text: string, other: string) => text.endsWith(other))],
  ],
  [
    'contains',
    [form(true, ['string', 'string'], bool, (text: string, other: string) => text.includes(other))],
  ],
  [
    'lowerAscii',
    [form(true, ['string'], string, (text: string) => text.replace(/[A-Z]/g, (c) => c.toLowerCase()))],
  ],
  [
    'upperAscii',
    [form(true, ['string'], string, (text: string) => text.replace(/[a-z]/g, (c) => c.toUpperCase()))],
  ],
  ['trim', [form(true, ['string'], string, (text: string) => text.trim())]],
  [
    'replace',
    [
      form(true, ['string', 'string', 'string'], string, (text: string, from: string, to: string) =>
        text.split(from).join(to),
      ),
    ],
  ],
  [
    'substring',
    [
      form(true, ['string', 'int'], string, (text: string, from: bigint) => slice(text, from)),
      form(true, ['string', 'int', 'int'], string, (text: string, from: bigint, to: bigint) =>
        slice(text, from, to),
      ),
    ],
  ],
  [
    'indexOf',
    [
      form(true, ['string', 'string'], int, (text: string, other: string) =>
        place(text, text.indexOf(other)),
      ),
    ],
  ],
  [
    'lastIndexOf',
    [
      form(true, ['string', 'string'], int, (text: string, other: string) =>
        place(text, text.lastIndexOf(other)),
      ),
    ],
  ],
  [
    'matches',
    [form(true, ['string', 'string'], bool, (text: string, pattern: string) => finds(text, pattern))],
  ],
  [
    'split',
    [form(true, ['string', 'string'], strings, (text: string, separator: string) => text.split(separator))],
  ],
  [
    'join',
    [
      form(true, ['strings'], string, (list: readonly string[]) => list.join('')),
      form(true, ['strings', 'string'], string, (list: readonly string[], separator: string) =>
        list.join(separator),
      ),
    ],
  ],
]);

/** Whether a value is what a parameter takes. */
export function takes(parameter: Parameter, value: CelValue): boolean {
  switch (parameter) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return typeof value === 'bigint';
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'object':
      return isJsonObject(value as JsonValue);
    case 'any':
      return true;
  }
}

/** Whether a value of a type may be what a parameter takes. */
export function mayTake(parameter: Parameter, type: Type): boolean {
  if (parameter === 'any' || type.kind === 'any') return true;
  switch (type.kind) {
    case 'union':
      return type.of.some((one) => mayTake(parameter, one));
    case 'list':
      if (parameter !== 'strings') return parameter === 'list';
      return membersOf(type.items).every((one) => mayTake('string', one));
    case 'int':
      return parameter === 'int' || parameter === 'number';
    case 'null':
    case 'bool':
    case 'number':
    case 'string':
    case 'object':
      return parameter === type.kind;
  }
}

// CEL counts code points, JavaScript UTF-16 units.
function lengthOf(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if (isPair(text, at)) {
      length--;
      at++;
    }
  }
  return length;
}

function isPair(text: string, at: number): boolean {
  const high = text.charCodeAt(at);
  const low = text.charCodeAt(at + 1);
  return high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000;
}

function place(text: string, unit: number): bigint {
  return BigInt(unit === -1 ? -1 : lengthOf(text.slice(0, unit)));
}

function slice(text: string, from: bigint, to?: bigint): string {
  const characters = [...text];
  const end = to ?? BigInt(characters.length);
  if (from < 0n || end < from || end > BigInt(characters.length)) {
    throw new ExpressionError(
      `substring(${from}${to === undefined ? '' : `, ${to}`}) is outside a text of ${characters.length} characters`,
    );
  }
  return characters.slice(Number(from), Number(end)).join('');
}

function truncated(value: number): bigint {
  if (Number.isFinite(value)) return BigInt(Math.trunc(value));
  throw new ExpressionError(`int() cannot take ${value}`);
}

function finds(text: string, pattern: string): boolean {
  const compiled = compilePattern(pattern);
  if (compiled.ok) return compiled.finds(text);
  throw new ExpressionError(`${JSON.stringify(pattern)} is not a regular expression: ${compiled.problem}`);
}

function parsedInt(text: string): bigint {
  if (/^[-+]?\d{1,19}$/.test(text)) return BigInt(text);
  throw new ExpressionError(`int() cannot read ${JSON.stringify(text)} as a whole number`);
}

function parsedNumber(text: string): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : NaN;
  if (Number.isFinite(value)) return value;
  throw new ExpressionError(`double() cannot read ${JSON.stringify(text)} as a number`);
}

function parsedBool(text: string): boolean {
  if (text === 'true' || text === 'True' || text === 'TRUE' || text === 't' || text === '1') return true;
  if (text === 'false' || text === 'False' || text === 'FALSE' || text === 'f' || text === '0') return false;
  throw new ExpressionError(`bool() cannot read ${JSON.stringify(text)} as true or false`);
}
