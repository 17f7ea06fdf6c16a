import { isJsonObject, type JsonObject, type JsonValue } from '../support/json.ts';
import { ExpressionError } from './expression-error.ts';
import type { FoundReference } from './reference.ts';

/**
 * Thrown by reading a value that only a run will bring. Whatever computes with values needs no word about it: it ends
 * where it needs the value, and where it does not (`false && x`), it does not end.
 */
export class NotKnown extends ExpressionError {
  /** What is missing, in the author's names. */
  readonly names: readonly string[];
  /** Of a text of which a part is known: the whole, with a mark in the place of what is not. */
  readonly shown: string | undefined;

  constructor(names: readonly string[], shown?: string) {
    super(`${names.join(', ')} is not known before the run`);
    this.names = names;
    this.shown = shown;
  }
}

/** A value, or the word that there is none yet. */
export type Knowable = { readonly value: JsonValue } | { readonly missing: NotKnown };

/** An object with properties that are known and properties that are not. Reading one of those throws {@link NotKnown}. */
export function partlyKnown(properties: Readonly<Record<string, Knowable>>): JsonObject {
  const object: Record<string, JsonValue> = {};
  for (const [name, one] of Object.entries(properties)) Object.defineProperty(object, name, property(one));
  return object;
}

/** The same properties and some more, none of them read. */
export function withKnowable(object: JsonObject, more: Readonly<Record<string, Knowable>>): JsonObject {
  return Object.defineProperties<JsonObject>(partlyKnown(more), Object.getOwnPropertyDescriptors(object));
}

/** The same for a list. */
export function partlyKnownList(items: readonly Knowable[]): readonly JsonValue[] {
  const list: JsonValue[] = [];
  for (const [index, item] of items.entries()) Object.defineProperty(list, index, property(item));
  return list;
}

function property(one: Knowable): PropertyDescriptor {
  const shared = { enumerable: true, configurable: true };
  if ('value' in one) return { ...shared, value: one.value };
  return {
    ...shared,
    get: () => {
      throw one.missing;
    },
  };
}

/** What of the paths that a text reads is not known, each once. */
export function missingNames(references: readonly FoundReference[], values: JsonObject): readonly string[] {
  const names = new Set<string>();
  for (const { path } of references) {
    let at: JsonValue | undefined = values;
    for (const [depth, step] of path.entries()) {
      try {
        at = Array.isArray(at)
          ? (at as readonly JsonValue[])[Number(step)]
          : isJsonObject(at) && Object.hasOwn(at, String(step))
            ? at[String(step)]
            : undefined;
      } catch (error) {
        if (!(error instanceof NotKnown)) throw error;
        const rest = error.names.length === 1 ? showSteps(path.slice(depth + 1)) : '';
        for (const name of error.names) names.add(name + rest);
        break;
      }
    }
  }
  return [...names];
}

function showSteps(steps: readonly (string | number)[]): string {
  return steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
}
