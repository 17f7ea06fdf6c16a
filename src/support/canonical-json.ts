import canonicalize from 'canonicalize';
import type { Digest } from './digest.ts';
import { digestOf } from './digest.ts';
import type { JsonValue } from './json.ts';

/** SHA-256 of a JSON value's canonical form. */
export function digestJson(value: JsonValue): Digest {
  return digestOf(canonicalJson(value));
}

/** RFC 8785. Throws a TypeError for what is not plain JSON, since the library would write something else in its place. */
export function canonicalJson(value: JsonValue): string {
  assertPlain(value, '$');
  return canonicalize(value) as string;
}

function assertPlain(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    // Not forEach: it would step over the holes of a sparse array.
    for (let index = 0; index < value.length; index++) assertPlain(value[index], `${path}[${index}]`);
    return;
  }
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)) {
    for (const [key, inner] of Object.entries(value)) {
      if (inner !== undefined) assertPlain(inner, `${path}.${key}`);
    }
    return;
  }
  throw new TypeError(`not plain JSON at ${path}: ${typeof value}`);
}
