import { canonicalJson } from '../../support/canonical-json.ts';
import type { JsonValue } from '../../support/json.ts';
import type { Difference } from './change.ts';

/** Whether two values mean the same; undefined is a value of its own. */
export function alike(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b));
}

/** The difference between two values under a name, if there is one. */
export function difference(
  what: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  more: Pick<Difference, 'grows' | 'breaks'> = {},
): readonly Difference[] {
  if (alike(before, after)) return [];
  const { grows, breaks } = more;
  return [
    {
      kind: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
      what,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
      ...(grows !== undefined && { grows }),
      ...(breaks !== undefined && { breaks }),
    },
  ];
}

type Entries = Readonly<Record<string, JsonValue>>;

/** The differences between two maps, by name. `more` says what one of them means. */
export function differencesByName(
  what: string,
  before: Entries | undefined,
  after: Entries | undefined,
  more: (
    name: string,
    before: JsonValue | undefined,
    after: JsonValue | undefined,
  ) => Pick<Difference, 'grows' | 'breaks'> = () => ({}),
): readonly Difference[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return names.flatMap((name) => {
    const [old, young] = [before?.[name], after?.[name]];
    return difference(`${what}.${name}`, old, young, more(name, old, young));
  });
}
