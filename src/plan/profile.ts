import { suggest } from '../diagnostics/suggest.ts';
import type { ProjectSettings } from '../formula/formula.ts';
import { UserError } from '../support/user-error.ts';

/**
 * The settings of wf.yaml as a profile has them; without a name, as they stand. Throws a {@link UserError} when there is
 * no such profile.
 */
export function withProfile(
  settings: ProjectSettings | 'broken' | undefined,
  name: string | undefined,
): { readonly env: readonly string[]; readonly people: ReadonlyMap<string, readonly string[]> } {
  // What is broken was told where it is; of its profiles nothing can be said.
  if (settings === 'broken') return { env: [], people: new Map() };
  const profile = name === undefined ? undefined : settings?.profiles.get(name);
  if (name !== undefined && !profile) {
    const known = [...(settings?.profiles.keys() ?? [])];
    throw new UserError(`wf.yaml has no profile "${name}"`, {
      hint:
        suggest(name, known) ??
        (known.length === 0
          ? 'profiles are listed under `profiles` in wf.yaml'
          : `there are: ${known.join(', ')}`),
    });
  }
  const people = [...(settings?.people ?? []), ...(profile?.people ?? [])];
  return {
    env: [...new Set((profile?.env ?? settings?.env ?? []).map(({ value }) => value))].sort(),
    people: new Map(people.map(([group, { value }]) => [group, [...new Set(value)].sort()])),
  };
}
