/**
 * The shape of a value as templates and expressions see it. Derived from JSON Schema; far smaller than JSON Schema,
 * since it only has to answer "may I read this path, and what comes out".
 */
export type Type =
  | { readonly kind: 'any' }
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly values?: readonly boolean[] }
  | { readonly kind: 'int'; readonly values?: readonly number[] }
  | { readonly kind: 'number'; readonly values?: readonly number[] }
  /** `values` when an `enum` or `const` names all it can be. */
  | { readonly kind: 'string'; readonly values?: readonly string[] }
  | { readonly kind: 'list'; readonly items: Type }
  | ObjectType
  | { readonly kind: 'union'; readonly of: readonly Type[] };

export interface ObjectType {
  readonly kind: 'object';
  readonly properties: ReadonlyMap<string, Property>;
  /** What a property has that is not listed; `undefined`: there are no others. */
  readonly rest: Type | undefined;
  /** Names that one may look for here, each with why it is not: completes a sentence. */
  readonly elsewhere?: ReadonlyMap<string, string>;
}

export interface Property {
  readonly type: Type;
  /** False: may be absent, so reading it asks for `has(x) ? x : y` or `{{default x 'y'}}`. */
  readonly required: boolean;
  /** Why it may be absent, in words that follow "may be absent:" ("step \"a\" may be skipped"). */
  readonly because?: string;
}

/** The names a template or expression may read, each with its type: `inputs`, `steps`, `run`, `item`, … */
export type Scope = ReadonlyMap<string, Type>;
