import type { Located } from '../diagnostics/diagnostic.ts';

/** What a formula calls something: `fix-file`, `formula/release`; with `std/` before it, of an import. */
export interface Name {
  /** The import it is in. Absent: it is in the project, or in the import, in which the name is written. */
  readonly from?: string;
  readonly kind: 'formula' | 'molecule';
  readonly name: string;
}

/** A name that was not read from a file: one that a command is given. */
export function named(value: string): Located<string> {
  return { value, span: { file: '', start: 0, end: 0 } };
}

/** The name that `uses` holds. */
export function usedName(uses: string): Name {
  const words = uses.split('/');
  const name = String(words.pop());
  const kind = words.at(-1) === 'formula' ? (words.pop(), 'formula' as const) : 'molecule';
  const [from] = words;
  return { ...(from !== undefined && { from }), kind, name };
}

/** The name that `extends` and `aspects` hold, and that a command is given: always of what stands in `formulas/`. */
export function formulaName(text: string): Name {
  const [first = '', second] = text.split('/');
  return second === undefined
    ? { kind: 'formula', name: first }
    : { from: first, kind: 'formula', name: second };
}

/** Where in its project something stands. */
export function fileOfName({ kind, name }: Name): string {
  return `${kind}s/${name}.yaml`;
}

/** How `uses` says it. */
export function usesOf({ from, kind, name }: Name): string {
  return [...(from === undefined ? [] : [from]), ...(kind === 'formula' ? ['formula'] : []), name].join('/');
}

/** How `extends`, `aspects` and a command say it; undefined for a molecule, which they cannot name. */
export function formulaNameOf(uses: string): string | undefined {
  const { from, kind, name } = usedName(uses);
  if (kind === 'molecule') return undefined;
  return from === undefined ? name : `${from}/${name}`;
}
