import { suggest } from '../diagnostics/suggest.ts';
import type { ProfileSettings, ProjectSettings } from '../formula/formula.ts';
import { UserError } from '../support/user-error.ts';
import type { PlanModel } from './plan.ts';
import { priceOf } from './prices.ts';

/** The settings that hold under a profile. */
export interface EffectiveSettings {
  readonly env: readonly string[];
  readonly people: ReadonlyMap<string, readonly string[]>;
  /** Roles that have a model. */
  readonly roles: ReadonlySet<string>;
  /** The model that has a role. Throws a {@link UserError} when none has. */
  readonly modelOf: (role: string) => PlanModel;
}

/**
 * The settings of wf.yaml as a profile has them; without a name, as they stand. Throws a {@link UserError} when there is
 * no such profile.
 */
export function withProfile(
  settings: ProjectSettings | 'broken' | undefined,
  name: string | undefined,
): EffectiveSettings {
  // What is broken was told where it is; of its profiles nothing can be said.
  if (settings === 'broken') return effective(undefined, undefined, undefined);
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
  return effective(settings, profile, name);
}

function effective(
  settings: ProjectSettings | undefined,
  profile: ProfileSettings | undefined,
  name: string | undefined,
): EffectiveSettings {
  const people = [...(settings?.people ?? []), ...(profile?.people ?? [])];
  const models = new Map([...(settings?.models ?? []), ...(profile?.models ?? [])]);
  return {
    roles: new Set(models.keys()),
    modelOf: (role) => {
      const model = models.get(role);
      if (!model)
        throw new UserError(
          `${name === undefined ? 'wf.yaml' : `profile "${name}"`} has no model for the role "${role}"`,
          { hint: `say which: \`models: {${role}: {id: …}}\`` },
        );
      const { id, effort } = model;
      const price = priceOf(id, model.price);
      return { role, id, ...(effort && { effort }), ...(price && { price }) };
    },
    env: [...new Set((profile?.env ?? settings?.env ?? []).map(({ value }) => value))].sort(),
    people: new Map(people.map(([group, { value }]) => [group, [...new Set(value)].sort()])),
  };
}
