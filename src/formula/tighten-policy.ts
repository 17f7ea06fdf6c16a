import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import type { Policy } from './formula.ts';

/**
 * A project's policy on top of the one that it takes `from` an import: nothing that is allowed by both was refused by
 * one of them. For each part that means:
 *
 * - `require`: all that either asks for;
 * - `allow`: what the patterns of both allow;
 * - `max_bounds`: the lower of the two limits;
 * - `aspects`: the import's, then the project's, which come to stand inside;
 * - `effects`: those that both allow.
 *
 * Where the project asks for less than it gets, that is told, since it will not have it.
 */
export function tightenPolicy(
  base: Policy,
  own: Policy,
): { readonly value: Policy; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const whose = `the policy of "${own.from?.value}" allows`;
  const maxBounds = new Map(base.maxBounds);
  for (const [name, limit] of own.maxBounds) {
    const above = base.maxBounds.get(name);
    if (above && limit.value > above.value)
      findings.push(
        loosened(
          limit,
          above,
          `${limit.value} is more than the ${above.value} that ${whose}`,
          'write at most that',
        ),
      );
    else maxBounds.set(name, limit);
  }
  const below = own.effects;
  const above = base.effects;
  const more = above && below?.value.find((effect) => !above.value.includes(effect));
  if (below && more !== undefined)
    findings.push(loosened(below, above, `\`${more}\` is none of the effects that ${whose}`, 'leave it out'));
  return {
    value: {
      from: own.from,
      require: [
        ...base.require,
        ...own.require.filter(({ value }) => !base.require.some((one) => one.value === value)),
      ],
      repositories: [...base.repositories, ...own.repositories],
      models: [...base.models, ...own.models],
      maxBounds,
      aspects: [...base.aspects, ...own.aspects],
      effects:
        below && above
          ? { ...below, value: below.value.filter((effect) => above.value.includes(effect)) }
          : (below ?? above),
    },
    findings,
  };
}

function loosened(
  { span }: Located<unknown>,
  above: Located<unknown> | undefined,
  what: string,
  help: string,
): Finding {
  return {
    rule: 'policy-loosened',
    severity: 'error',
    message: what,
    help: `${help}; a policy that is taken from an import can only be made stricter`,
    span,
    ...(above && { related: [{ message: 'it is allowed here', span: above.span }] }),
  };
}
