import type { ObjectType, Property, Type } from './types.ts';

export const any: Type = { kind: 'any' };
export const nothing: Type = { kind: 'null' };
export const bool: Type = { kind: 'bool' };
export const int: Type = { kind: 'int' };
export const number: Type = { kind: 'number' };
export const string: Type = { kind: 'string' };

/** What comes of reading one property or element of a value. */
export type Reading =
  | {
      readonly found: true;
      readonly type: Type;
      /** Some values of the type do not have it. */
      readonly absent: boolean;
      readonly because: string | undefined;
    }
  | { readonly found: false };

const notFound: Reading = { found: false };

/**
 * Reads `step` of a value of type `type`. A property that an open object may or may not have, and an element of a
 * list, count as present: nothing is promised about them, and a run says so when they are missing. Null in a union is
 * left to the caller.
 */
export function readStep(type: Type, step: string | number): Reading {
  switch (type.kind) {
    case 'any':
      return present(any);
    case 'object': {
      const property = type.properties.get(String(step));
      if (property !== undefined) {
        return { found: true, type: property.type, absent: !property.required, because: property.because };
      }
      return type.rest === undefined ? notFound : present(type.rest);
    }
    case 'list':
      return typeof step === 'number' ? present(type.items) : notFound;
    case 'union': {
      const readings = type.of.filter((one) => one.kind !== 'null').map((one) => readStep(one, step));
      const found = readings.filter((reading) => reading.found);
      if (found.length === 0) return notFound;
      return {
        found: true,
        type: unionOf(found.map((reading) => reading.type)),
        absent: found.length < readings.length || found.some((reading) => reading.absent),
        because:
          found.find((reading) => reading.because !== undefined)?.because ??
          (found.length < readings.length ? 'not every form of the value has it' : undefined),
      };
    }
    case 'null':
    case 'bool':
    case 'int':
    case 'number':
    case 'string':
      return notFound;
  }
}

function present(type: Type): Reading {
  return { found: true, type, absent: false, because: undefined };
}

/** One type for a value that may be any of these. */
export function unionOf(types: readonly Type[]): Type {
  const members: Type[] = [];
  for (const type of types.flatMap(membersOf)) {
    if (type.kind === 'any') return any;
    const at = members.findIndex((member) => merged(member, type) !== undefined);
    if (at === -1) members.push(type);
    else members[at] = merged(members[at] as Type, type) as Type;
  }
  return members.length === 1 ? (members[0] as Type) : { kind: 'union', of: members };
}

// One type for both, where that loses nothing an expression could use.
function merged(a: Type, b: Type): Type | undefined {
  if (sameType(a, b)) return a;
  if (isNumeric(a) && isNumeric(b)) return a.kind === 'int' && b.kind === 'int' ? int : number;
  if (a.kind === 'string' && b.kind === 'string') {
    if (a.values === undefined || b.values === undefined) return string;
    return { kind: 'string', values: [...new Set([...a.values, ...b.values])] };
  }
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', items: unionOf([a.items, b.items]) };
  return a.kind === 'bool' && b.kind === 'bool' ? bool : undefined;
}

/** The alternatives of a union, or the type alone. */
export function membersOf(type: Type): readonly Type[] {
  return type.kind === 'union' ? type.of.flatMap(membersOf) : [type];
}

export function mayBeNull(type: Type): boolean {
  return membersOf(type).some((member) => member.kind === 'null');
}

export function withoutNull(type: Type): Type {
  if (type.kind !== 'union') return type;
  const rest = membersOf(type).filter((member) => member.kind !== 'null');
  return rest.length === 0 ? type : unionOf(rest);
}

/** The names a value of this type is known to have. */
export function propertyNames(type: Type): string[] {
  return [
    ...new Set(membersOf(type).flatMap((one) => (one.kind === 'object' ? [...one.properties.keys()] : []))),
  ];
}

/** The type with the property at `path` always there. */
export function withPresent(type: Type, path: readonly string[]): Type {
  const [name, ...rest] = path;
  if (name === undefined) return type;
  switch (type.kind) {
    case 'object': {
      const property = type.properties.get(name);
      if (property === undefined) return type;
      const certain: Property = { type: withPresent(property.type, rest), required: true };
      const narrowed: ObjectType = { ...type, properties: new Map(type.properties).set(name, certain) };
      return narrowed;
    }
    case 'union':
      return unionOf(type.of.filter((one) => readStep(one, name).found).map((one) => withPresent(one, path)));
    case 'any':
    case 'null':
    case 'bool':
    case 'int':
    case 'number':
    case 'string':
    case 'list':
      return type;
  }
}

/** Whether a value of one type can equal a value of the other. An int and a number can. */
export function canEqual(a: Type, b: Type): boolean {
  return membersOf(a).some((one) => membersOf(b).some((other) => canEqualOne(one, other)));
}

function canEqualOne(a: Type, b: Type): boolean {
  if (a.kind === 'any' || b.kind === 'any') return true;
  if (isNumeric(a) && isNumeric(b)) return shareValue(a, b);
  if (a.kind !== b.kind) return false;
  if (a.kind === 'list' && b.kind === 'list') return true;
  return shareValue(a, b);
}

function shareValue(a: Type, b: Type): boolean {
  const some = valuesOf(a);
  const others = valuesOf(b);
  return some === undefined || others === undefined || some.some((value) => others.includes(value));
}

/** All a value can be, when its schema names them. */
export function valuesOf(type: Type): readonly (string | number | boolean)[] | undefined {
  switch (type.kind) {
    case 'bool':
    case 'int':
    case 'number':
    case 'string':
      return type.values;
    case 'any':
    case 'null':
    case 'list':
    case 'object':
    case 'union':
      return undefined;
  }
}

export function isNumeric(type: Type): boolean {
  return type.kind === 'int' || type.kind === 'number';
}

function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'any':
    case 'null':
      return true;
    case 'bool':
    case 'int':
    case 'number':
    case 'string':
      return sameValues(a.values, (b as typeof a).values);
    case 'list':
      return sameType(a.items, (b as typeof a).items);
    case 'object': {
      const other = b as ObjectType;
      if (a.properties.size !== other.properties.size) return false;
      if ((a.rest === undefined) !== (other.rest === undefined)) return false;
      if (a.rest !== undefined && other.rest !== undefined && !sameType(a.rest, other.rest)) return false;
      return [...a.properties].every(([name, property]) => {
        const twin = other.properties.get(name);
        return (
          twin !== undefined && twin.required === property.required && sameType(twin.type, property.type)
        );
      });
    }
    case 'union':
      return false;
  }
}

function sameValues(a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((value, place) => value === b[place]);
}
