import type { ObjectType, Property, Scope, Type } from '../../src/formula/types.ts';

/** Types in few words, for tests of what reads them. */
export const any: Type = { kind: 'any' };
export const nothing: Type = { kind: 'null' };
export const bool: Type = { kind: 'bool' };
export const int: Type = { kind: 'int' };
export const number: Type = { kind: 'number' };
export const string: Type = { kind: 'string' };

export function list(items: Type): Type {
  return { kind: 'list', items };
}

export function oneOf(...values: string[]): Type {
  return { kind: 'string', values };
}

export function either(...of: Type[]): Type {
  return { kind: 'union', of };
}

/** A closed object. A name that ends in `?` may be absent, because step "a" may be skipped. */
export function object(properties: Record<string, Type>, rest?: Type): ObjectType {
  const entries = Object.entries(properties).map(([name, type]): [string, Property] =>
    name.endsWith('?')
      ? [name.slice(0, -1), { type, required: false, because: 'step "a" may be skipped' }]
      : [name, { type, required: true }],
  );
  return { kind: 'object', properties: new Map(entries), rest };
}

export function scope(names: Record<string, Type>): Scope {
  return new Map(Object.entries(names));
}
