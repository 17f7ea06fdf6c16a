import { misspelling } from '../diagnostics/suggest.ts';
import { isNotNull, isPresent, type FactPath, type Facts } from './facts.ts';
import { any, mayBeNull, propertyNames, readStep, unionOf, withoutNull } from './read-type.ts';
import type { Problem } from './reference.ts';
import { rootNames } from './root-names.ts';
import { showKind, showType } from './show-type.ts';
import type { Scope, Type } from './types.ts';

/** A property or element as it is read in a text. */
export interface ReadStep {
  readonly step: string | number;
  readonly start: number;
  readonly end: number;
}

/** What reading a step of a value found, and what is wrong with it. */
export interface StepResult {
  readonly type: Type;
  /** A reference to nothing: nothing that follows from it is worth a word. */
  readonly broken: boolean;
  readonly problem: Problem | undefined;
}

/** How a place reads: what is known there, whether absence is no mistake, and how its notation writes a guard. */
export interface Reader {
  readonly facts: Facts;
  /** The value is only asked for, as in `has(x)`: it may be absent, but not unknown. */
  readonly tolerant: boolean;
  /** The guarded form of a read, to be shown as help. */
  guarded(type: Type): string;
}

/** Looks a root name up. An unknown one is told with the names there are. */
export function readRoot(name: string, place: { start: number; end: number }, scope: Scope): StepResult {
  const type = scope.get(name);
  if (type !== undefined) return { type, broken: false, problem: undefined };
  const names = [...scope.keys()];
  const where = rootNames.get(name);
  return {
    type: any,
    broken: true,
    problem: {
      rule: 'unknown-reference',
      message: `"${name}" is not a name that can be read here; ${
        names.length === 0
          ? 'there are none'
          : `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
      }`,
      ...(where === undefined
        ? (misspelling(name, names) ?? { help: placeOf(name, scope) })
        : { help: `"${name}" is there ${where}` }),
      ...place,
    },
  };
}

/**
 * Reads one step of a value.
 *
 * @param of the type of the value and its name in the author's text
 * @param path the path of what is read, when it is fixed
 */
export function readProperty(
  of: { readonly type: Type; readonly text: string },
  { step, start, end }: ReadStep,
  path: FactPath | undefined,
  reader: Reader,
): StepResult {
  const base = path?.slice(0, -1);
  const type = base !== undefined && isNotNull(reader.facts, base) ? withoutNull(of.type) : of.type;
  const reading = readStep(type, step);
  if (!reading.found) {
    return { type: any, broken: true, problem: { ...unknown(type, of.text, step, path), start, end } };
  }
  const shown = typeof step === 'number' ? `${of.text}[${step}]` : `${of.text}.${step}`;
  const known = reader.tolerant || (path !== undefined && isPresent(reader.facts, path));
  const found =
    path !== undefined && isNotNull(reader.facts, path) ? withoutNull(reading.type) : reading.type;
  if (mayBeNull(type) && !known) {
    return {
      type: found,
      broken: false,
      problem: {
        rule: 'maybe-absent',
        message: `"${shown}" may be absent: "${of.text}" may be null`,
        help: `write ${reader.guarded(found)}`,
        start,
        end,
      },
    };
  }
  if (!reading.absent || known) return { type: found, broken: false, problem: undefined };
  return {
    type: found,
    broken: false,
    problem: {
      rule: 'maybe-absent',
      message: `"${shown}" may be absent: ${reading.because ?? 'it is not required'}`,
      help: `write ${reader.guarded(found)}`,
      start,
      end,
    },
  };
}

/** A value that stands in for one of this type, to be shown in a guarded form. */
export function standIn(type: Type, quote: "'" | '"' = "'"): string {
  const [only] = type.kind === 'union' ? [withoutNull(unionOf(type.of))] : [type];
  switch (only?.kind) {
    case 'string':
      return quote + quote;
    case 'int':
    case 'number':
      return '0';
    case 'bool':
      return 'false';
    case 'list':
      return '[]';
    case 'object':
      return '{}';
    case 'any':
    case 'null':
    case 'union':
    case undefined:
      return 'null';
  }
}

function unknown(
  type: Type,
  text: string,
  step: string | number,
  path: FactPath | undefined,
): Omit<Problem, 'start' | 'end'> {
  const rule = 'unknown-reference';
  const names = propertyNames(type);
  if (path?.length === 2 && path[0] === 'steps') {
    const late = type.kind === 'object' ? type.elsewhere?.get(String(step)) : undefined;
    return {
      rule,
      message:
        late === undefined ? `no step "${step}" can be read here${thereIs(names)}` : `step "${step}" ${late}`,
      ...(late === undefined && misspelling(String(step), names)),
    };
  }
  if (path?.length === 2 && path[0] === 'inputs') {
    return {
      rule,
      message: `there is no input "${step}"${thereIs(names)}`,
      ...misspelling(String(step), names),
    };
  }
  if (names.length > 0) {
    return {
      rule,
      message: `property "${step}" is not in ${showType(type)}`,
      ...(misspelling(String(step), names) ?? { help: helpOfStep(type, step, path) }),
    };
  }
  if (type.kind === 'list') {
    return {
      rule,
      message: `"${text}" is a list and has no property "${step}"`,
      help: ['size', 'length', 'count'].includes(String(step))
        ? `write size(${text}) in an expression, {{size ${text}}} in text`
        : 'read an element of it, or go through all of them',
    };
  }
  return {
    rule,
    message: `"${text}" is ${type.kind === 'object' ? showType(type) : showKind(type)} and has no property "${step}"`,
  };
}

function thereIs(names: readonly string[]): string {
  if (names.length === 0) return '; there are none';
  const shown = names.length > 12 ? [...names.slice(0, 12), '…'] : names;
  return `; there ${names.length === 1 ? 'is' : 'are'} ${shown.join(', ')}`;
}

// Of a step: an output that is not declared, or one without the `outputs` before it.
function helpOfStep(type: Type, step: string | number, path: FactPath | undefined): string | undefined {
  if (path?.[0] !== 'steps') return undefined;
  if (path.length === 4 && path[2] === 'outputs' && propertyNames(type).includes('exit_code'))
    return `declare it under \`outputs\` of step "${path[1]}", if the command puts it out`;
  if (path.length !== 3) return undefined;
  const outputs = readStep(type, 'outputs');
  return outputs.found && propertyNames(outputs.type).includes(String(step))
    ? `did you mean "steps.${path[1]}.outputs.${step}"?`
    : undefined;
}

// `version` alone, where `outputs.version` was meant.
function placeOf(name: string, scope: Scope): string | undefined {
  for (const [root, type] of scope) {
    if (propertyNames(type).includes(name)) return `did you mean "${root}.${name}"?`;
  }
  return undefined;
}
