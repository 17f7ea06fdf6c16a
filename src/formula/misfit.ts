import { nearestName } from '../diagnostics/suggest.ts';
import { isAssignable } from './assignable.ts';
import { membersOf } from './read-type.ts';
import { showKind, showType } from './show-type.ts';
import type { ObjectType, Type } from './types.ts';

/** Why no value of one type is one of another, at the innermost place that does not fit. */
export interface Misfit {
  /** Completes a sentence about the value: `property "os" is missing in {platfrom: string}`. */
  readonly why: string;
  readonly help: string | undefined;
}

/**
 * The innermost reason for a pair of types that {@link isAssignable} refuses; undefined where the types themselves say it
 * as well: scalars, and unions, where each member has a reason of its own.
 */
export function explainMisfit(given: Type, wanted: Type): Misfit | undefined {
  return explain(given, wanted, '');
}

function explain(given: Type, wanted: Type, path: string): Misfit | undefined {
  if (given.kind === 'list') {
    const list = onlyOf(wanted, 'list');
    return list && explain(given.items, list.items, `${path}[]`);
  }
  if (given.kind === 'object') {
    const object = onlyOf(wanted, 'object');
    return object && explainObject(given, object, path);
  }
  if (path === '') return undefined;
  const [asked, found] = [showKind(wanted), showKind(given)];
  return asked === found
    ? { why: `"${path}" is ${showType(given)}, not ${showType(wanted)}`, help: undefined }
    : { why: `"${path}" is ${found}, not ${asked}`, help: undefined };
}

function explainObject(given: ObjectType, wanted: ObjectType, path: string): Misfit | undefined {
  for (const [name, { type, required }] of wanted.properties) {
    const property = given.properties.get(name);
    const below = path === '' ? name : `${path}.${name}`;
    if (property) {
      if (isAssignable(property.type, type)) continue;
      return (
        explain(property.type, type, below) ?? {
          why: `"${below}" is ${showType(property.type)}, not ${showType(type)}`,
          help: undefined,
        }
      );
    }
    if (!required || given.rest !== undefined) continue;
    const where = path === '' ? showType(given) : `${showType(given)} at "${path}"`;
    const near = nearestName(name, [...given.properties.keys()]);
    return {
      why: `property "${name}" is not in ${where}`,
      help: near === undefined ? undefined : `it has "${near}"; one of the two names is misspelled`,
    };
  }
  return undefined;
}

function onlyOf<K extends 'list' | 'object'>(type: Type, kind: K): Extract<Type, { kind: K }> | undefined {
  const members = membersOf(type);
  const found = members.filter((member) => member.kind === kind);
  return found.length === 1 ? (found[0] as Extract<Type, { kind: K }>) : undefined;
}
