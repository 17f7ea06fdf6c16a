import { isJsonObject, type JsonValue } from '../support/json.ts';
import { shellWord } from './bash/quote.ts';
import { any, int, membersOf, mayBeNull, string, unionOf } from './read-type.ts';
import { RenderError } from './render-error.ts';
import type { HelperName } from './template-tree.ts';
import { firstTokens } from './tokens.ts';
import type { Type } from './types.ts';

/** What a rendering needs from outside. */
export interface RenderWorld {
  /** The content of a file of the workspace, for `{{file path}}`. @throws {RenderError} when it cannot be read */
  readFile(path: string): string;
  /** What to print for a part that is not known before the run. Without it, such a part ends the rendering. */
  hole?(part: UnknownPart): string;
}

/** A part of a template that reads what is not known before the run. */
export interface UnknownPart {
  /** As the author wrote it, without braces; of a block its beginning, `#each x`. */
  readonly text: string;
  /** It is a path and nothing else. */
  readonly plain: boolean;
  /** What is missing. */
  readonly names: readonly string[];
  /** Of the value itself, when a part of it is known: {@link NotKnown.shown}. */
  readonly shown: string | undefined;
}

/** What an argument of a helper may be. */
export type HelperParameter = 'any' | 'sized' | 'string' | 'count' | 'scalars' | 'lines';

/** A helper that gives a value. */
export interface Helper {
  /** How it is written, for messages. */
  readonly usage: string;
  readonly required: readonly HelperParameter[];
  readonly optional: readonly HelperParameter[];
  result(args: readonly Type[]): Type;
  run(args: readonly JsonValue[], world: RenderWorld): JsonValue;
}

type Scalar = string | number | boolean;

/** Every helper there is. `default` is told apart by the renderer, since its first argument may be absent. */
export const helpers: Readonly<Record<HelperName, Helper>> = {
  args: {
    usage: '{{args list}}',
    required: ['scalars'],
    optional: [],
    result: () => string,
    run: ([list]) => (list as readonly Scalar[]).map((item) => shellWord(withoutNul(String(item)))).join(' '),
  },
  default: {
    usage: "{{default value 'otherwise'}}",
    required: ['any', 'any'],
    optional: [],
    result: ([value, otherwise]) => unionOf([value ?? any, widened(otherwise ?? any)]),
    run: ([value, otherwise]) => value ?? otherwise ?? null,
  },
  file: {
    usage: '{{file path}}',
    required: ['string'],
    optional: [],
    result: () => string,
    run: ([path], world) => world.readFile(path as string),
  },
  indent: {
    usage: '{{indent text 4}}',
    required: ['string', 'count'],
    optional: [],
    result: () => string,
    run: ([text, count]) => (text as string).replace(/^(?=[^\r\n])/gm, ' '.repeat(count as number)),
  },
  join: {
    usage: "{{join list ', '}}",
    required: ['scalars'],
    optional: ['string'],
    result: () => string,
    run: ([list, separator]) => (list as readonly Scalar[]).map(String).join((separator as string) ?? ', '),
  },
  json: {
    usage: '{{json value}}',
    required: ['any'],
    optional: ['count'],
    result: () => string,
    run: ([value, indent]) => JSON.stringify(value, undefined, indent as number | undefined),
  },
  lines: {
    usage: '{{lines list}} or {{lines text 20}}',
    required: ['lines'],
    optional: ['count'],
    result: () => string,
    run: ([value, most]) => linesOf(value as string | readonly Scalar[], most as number | undefined),
  },
  size: {
    usage: '{{size value}}',
    required: ['sized'],
    optional: [],
    result: () => int,
    run: ([value]) => sizeOf(value as JsonValue),
  },
  truncate: {
    usage: '{{truncate text 500}}',
    required: ['string', 'count'],
    optional: [],
    result: () => string,
    run: ([text, most]) => truncated(text as string, most as number),
  },
};

/** Whether a value of a type may be what a parameter takes. */
export function mayBe(parameter: HelperParameter, type: Type): boolean {
  if (parameter !== 'any' && mayBeNull(type)) return false;
  return membersOf(type).some((member) => member.kind === 'any' || mayBeOne(parameter, member));
}

function mayBeOne(parameter: HelperParameter, type: Type): boolean {
  switch (parameter) {
    case 'any':
      return true;
    case 'sized':
      return type.kind === 'string' || type.kind === 'list' || type.kind === 'object';
    case 'string':
      return type.kind === 'string';
    case 'count':
      return type.kind === 'int' && (type.values?.some((value) => value >= 0) ?? true);
    case 'scalars':
      return (
        type.kind === 'list' && membersOf(type.items).every((item) => item.kind === 'any' || isPlain(item))
      );
    case 'lines':
      return type.kind === 'string' || mayBeOne('scalars', type);
  }
}

function isPlain(type: Type): boolean {
  return type.kind === 'string' || type.kind === 'int' || type.kind === 'number' || type.kind === 'bool';
}

/** Whether a value is what a parameter takes. */
export function isA(parameter: HelperParameter, value: JsonValue): boolean {
  switch (parameter) {
    case 'any':
      return true;
    case 'sized':
      return typeof value === 'string' || Array.isArray(value) || isJsonObject(value);
    case 'string':
      return typeof value === 'string';
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case 'scalars':
      return Array.isArray(value) && value.every((item) => item !== null && typeof item !== 'object');
    case 'lines':
      return typeof value === 'string' || isA('scalars', value);
  }
}

/** A parameter in a sentence. */
export function showParameter(parameter: HelperParameter): string {
  switch (parameter) {
    case 'any':
      return 'a value';
    case 'sized':
      return 'a string, a list or an object';
    case 'string':
      return 'a string';
    case 'count':
      return 'a whole number';
    case 'scalars':
      return 'a list of strings, numbers or booleans';
    case 'lines':
      return 'a string or a list of strings';
  }
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new RenderError('a shell word cannot hold a NUL character');
  return text;
}

// A literal stands for any value of its kind.
function widened(type: Type): Type {
  switch (type.kind) {
    case 'bool':
    case 'int':
    case 'number':
    case 'string':
      return { kind: type.kind };
    case 'any':
    case 'null':
    case 'list':
    case 'object':
    case 'union':
      return type;
  }
}

// What is left out is said, so that nobody takes a part for the whole.
function linesOf(value: string | readonly Scalar[], most: number | undefined): string {
  const lines = typeof value === 'string' ? value.split('\n') : value.map(String);
  if (most === undefined || lines.length <= most) return lines.join('\n');
  return [...lines.slice(0, most), `[… ${counted(lines.length - most, 'line')}]`].join('\n');
}

function truncated(text: string, most: number): string {
  const kept = firstTokens(text, most);
  return kept.length === text.length ? text : `${kept}[… ${counted(text.length - kept.length, 'character')}]`;
}

function counted(count: number, what: string): string {
  return `${count} more ${what}${count === 1 ? '' : 's'}`;
}

function sizeOf(value: JsonValue): number {
  if (typeof value === 'string') return [...value].length;
  return Array.isArray(value) ? value.length : Object.keys(value as object).length;
}
