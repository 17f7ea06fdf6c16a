/**
 * What is known at some place of a text about the paths it reads: that one is present, that one is not null. A guard
 * (`has(x)`, `x != null`, `{{#if x}}`) adds facts for what stands behind it.
 *
 * A path begins with the name it starts from; names of variables are unique within a text, so that a path always
 * means the same value.
 */
export type Facts = ReadonlySet<string>;

/** A path as the facts name it. */
export type FactPath = readonly (string | number)[];

export const noFacts: Facts = new Set();

// No name an author can write holds these characters, so that keys cannot collide.
const separator = '\u0000';
const notNull = '\u0001';

/** The facts that hold when the value at `path` is there: everything on the way to it is an object. */
export function factsOfPresence(path: FactPath): Facts {
  const facts = new Set<string>();
  for (let length = 1; length <= path.length; length++) {
    const key = keyOf(path.slice(0, length));
    facts.add(key);
    if (length < path.length) facts.add(key + notNull);
  }
  return facts;
}

/** As {@link factsOfPresence}, and the value itself is not null. */
export function factsOfValue(path: FactPath): Facts {
  return join(factsOfPresence(path), new Set([keyOf(path) + notNull]));
}

/** All facts of both. */
export function join(a: Facts, b: Facts): Facts {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  return new Set([...a, ...b]);
}

/** The facts that both have. */
export function meet(a: Facts, b: Facts): Facts {
  if (a.size === 0 || b.size === 0) return noFacts;
  return new Set([...a].filter((fact) => b.has(fact)));
}

export function isPresent(facts: Facts, path: FactPath): boolean {
  return facts.size > 0 && facts.has(keyOf(path));
}

export function isNotNull(facts: Facts, path: FactPath): boolean {
  return facts.size > 0 && facts.has(keyOf(path) + notNull);
}

/** The paths below `name` that are present, each without `name` itself. */
export function presentBelow(facts: Facts, name: string): string[][] {
  const below: string[][] = [];
  for (const fact of facts) {
    if (!fact.startsWith(name + separator) || fact.endsWith(notNull)) continue;
    below.push(fact.split(separator).slice(1));
  }
  return below;
}

function keyOf(path: FactPath): string {
  return path.join(separator);
}
