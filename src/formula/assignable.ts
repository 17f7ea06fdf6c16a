import type { Type } from './types.ts';

/**
 * Whether some value of type `given` could be a value of type `wanted`. Lenient on purpose: it says no only when no
 * value fits, since what a schema says beyond types (ranges, patterns) is checked when the value is there.
 */
export function isAssignable(given: Type, wanted: Type): boolean {
  if (given.kind === 'any' || wanted.kind === 'any') return true;
  if (given.kind === 'union') return given.of.some((member) => isAssignable(member, wanted));
  if (wanted.kind === 'union') return wanted.of.some((member) => isAssignable(given, member));
  if (given.kind === 'list') return wanted.kind === 'list' && isAssignable(given.items, wanted.items);
  if (given.kind === 'object') {
    if (wanted.kind !== 'object') return false;
    return [...wanted.properties].every(([name, { type, required }]) => {
      const property = given.properties.get(name);
      if (property) return isAssignable(property.type, type);
      return !required || given.rest !== undefined;
    });
  }
  if (given.kind === 'int' && wanted.kind === 'number') return overlaps(given.values, wanted.values);
  if (given.kind === 'number' && wanted.kind === 'int') {
    return overlaps(given.values, wanted.values) && (given.values?.some(Number.isInteger) ?? true);
  }
  if (given.kind !== wanted.kind) return false;
  if ('values' in given && 'values' in wanted) {
    return overlaps<boolean | number | string>(given.values, wanted.values);
  }
  return true;
}

function overlaps<T>(given: readonly T[] | undefined, wanted: readonly T[] | undefined): boolean {
  return !given || !wanted || given.some((value) => wanted.includes(value));
}
