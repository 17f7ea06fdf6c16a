import type { Misspelt } from './diagnostic.ts';

/**
 * `did you mean "build"?` when one of the candidates is likely to be what was meant by `name`, otherwise `undefined`.
 * The earlier of two equally near candidates wins.
 */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? undefined : `did you mean "${nearest}"?`;
}

/** The help for a misspelt name, with what was meant, for a finding to take over; undefined when no candidate is near. */
export function misspelling(
  written: string,
  candidates: Iterable<string>,
): { readonly help: string; readonly misspelt: Misspelt } | undefined {
  const meant = nearestName(written, candidates);
  return meant === undefined ? undefined : meantBy(written, meant);
}

/** The help for a name of which it is known what was meant. */
export function meantBy(
  written: string,
  meant: string,
): { readonly help: string; readonly misspelt: Misspelt } {
  return { help: `did you mean "${meant}"?`, misspelt: { written, meant } };
}

/** The candidate that `name` is probably a misspelling of. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const distance = sameLetters(name, candidate) ? 0 : editDistance(name, candidate, limit(name, candidate));
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

// A third of the longer name may differ: "biuld" for "build", but never "run" for "wait" or "a" for "b".
function limit(a: string, b: string): number {
  return Math.min(Math.floor(Math.max(a.length, b.length) / 3), 4, Math.min(a.length, b.length) - 1);
}

// `forEach`, `for-each` and `for_each` are the same word to whoever typed them.
function sameLetters(a: string, b: string): boolean {
  const plain = fold(a);
  return plain !== '' && plain === fold(b);
}

function fold(name: string): string {
  return name.replace(/[-_\s]/g, '').toLowerCase();
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn one text into the other (the optimal string
 * alignment form of Damerau-Levenshtein), or `Infinity` when there are more than `most`.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    if (Math.min(...current) > most) return Infinity;
    beforeLast = last;
    last = current;
  }
  const distance = last[b.length] ?? Infinity;
  return distance > most ? Infinity : distance;
}
