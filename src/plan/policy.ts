import type { Finding, Located, Span } from '../diagnostics/diagnostic.ts';
import { effectsOf } from '../formula/effects.ts';
import type { Formula, Policy, Workspace } from '../formula/formula.ts';
import type { Project } from '../formula/project.ts';
import type { ResolvedFormula } from '../formula/resolve.ts';
import { resolveFormula } from '../formula/resolve.ts';
import { globMatcher } from '../support/globs.ts';
import type { Bound } from './bounds.ts';
import { reckon } from './bounds.ts';
import type { Plan } from './plan.ts';

/**
 * Where a formula is not as the policy in wf.yaml wants it. `compile` makes its plan, which is asked for only where bounds
 * are limited, and may find that there is none.
 */
export async function checkPolicy(
  source: Formula,
  project: Project,
  compile: () => Promise<Omit<Plan, 'plan' | 'bounds'> | undefined>,
): Promise<readonly Finding[]> {
  const { settings } = project;
  const policy = settings === 'broken' ? undefined : settings?.policy;
  if (!policy) return [];
  const { value: resolved } = resolveFormula(source, project.library);
  const { formula } = resolved;
  const plan = policy.maxBounds.size > 0 ? await compile() : undefined;
  return [
    ...policy.require.flatMap((what) => required(what, formula, resolved)),
    ...checkRepositories(formula, resolved, policy.repositories),
    ...checkEffects(formula, resolved, policy.effects),
    ...(plan ? checkBounds(formula, policy.maxBounds, reckon(plan)) : []),
  ];
}

function required(what: Located<string>, formula: Formula, resolved: ResolvedFormula): readonly Finding[] {
  const related = [{ message: 'it is asked for here', span: what.span }];
  if (what.value === 'budget') {
    if (formula.budget) return [];
    return [
      {
        rule: 'policy-require',
        severity: 'error',
        message: `formula "${formula.name.value}" has no \`budget\`, which the policy requires`,
        help: 'say how many minutes of work it may take: `budget: {minutes: 30}`',
        span: formula.name.span,
        related,
      },
    ];
  }
  return resolved.steps
    .filter(
      ({ body, group }) =>
        !group && body.action?.kind === 'run' && body.verify.length === 0 && effectsOf(body).length > 0,
    )
    .map(({ step }) => ({
      rule: 'policy-require',
      severity: 'error',
      message: `step "${step.id.value}" runs a command and has no \`verify\`, which the policy requires`,
      help: 'say what has to hold when it has ended: `verify: [{run: …}]`',
      span: placeIn(formula, step.id.span),
      related,
    }));
}

function checkEffects(
  formula: Formula,
  { steps, finally: last }: ResolvedFormula,
  allowed: Policy['effects'],
): readonly Finding[] {
  if (!allowed) return [];
  return [...steps, ...last].flatMap(({ step, body, group }) => {
    const more = group ? undefined : effectsOf(body).find((effect) => !allowed.value.includes(effect));
    if (more === undefined) return [];
    const why = body.effects
      ? ''
      : more === 'external'
        ? ', since it is given secrets'
        : ', as every command that does not say otherwise';
    return [
      {
        rule: 'policy-effects',
        severity: 'error',
        message: `step "${step.id.value}" has the effect \`${more}\`${why}, which the policy does not allow`,
        help: `say what it really touches (\`effects: [${allowed.value.join(', ')}]\`), or do it in another project`,
        span: placeIn(formula, body.effects?.span ?? step.id.span),
        related: [{ message: 'what is allowed stands here', span: allowed.span }],
      },
    ];
  });
}

/** What stands in a file that the formula extends or weaves in is told at its own name. */
function placeIn(formula: Formula, span: Span): Span {
  return span.file === formula.file ? span : formula.name.span;
}

/** A repository that is only known when the formula runs cannot be looked at now. */
function checkRepositories(
  formula: Formula,
  { steps, finally: last }: ResolvedFormula,
  allowed: Policy['repositories'],
): readonly Finding[] {
  if (!allowed) return [];
  const matches = globMatcher(allowed.value);
  const workspaces: readonly Workspace[] = [
    ...(formula.workspace ? [formula.workspace] : []),
    ...[...steps, ...last].flatMap(({ body }) => (body.workspace ? [body.workspace.value] : [])),
  ];
  return workspaces.flatMap(({ from }): readonly Finding[] => {
    if (typeof from !== 'object') return [];
    const { git } = from;
    const address = plainAddress(git.text);
    if (git.literal && address !== undefined && matches(address)) return [];
    return [
      {
        rule: 'policy-repository',
        severity: 'error',
        message: git.literal
          ? address === undefined
            ? `the policy does not allow ${git.text}: its address can be read in more than one way`
            : `the policy does not allow the repository ${git.text}`
          : 'under a policy that lists repositories, which one it is has to be known before the formula runs',
        help: git.literal
          ? `it allows ${allowed.value.join(', ')}`
          : 'write the address without `{{…}}`, and give one step or formula to each repository',
        span: placeIn(formula, git.span),
        related: [{ message: 'what is allowed stands here', span: allowed.span }],
      },
    ];
  });
}

/**
 * An address as a policy compares it: without a user, its host in lower case. Undefined for one with characters that
 * hosts and tools read in different ways, as `%2e%2e` for `..`.
 */
function plainAddress(address: string): string | undefined {
  if (!/^[A-Za-z0-9._~:/@+-]+$/.test(address) || /(?:^|\/)\.\.?(?:\/|$)/.test(address)) return undefined;
  return address.replace(
    /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/@]*@)?([^/@]*)/i,
    (_, scheme: string, host: string) => scheme.toLowerCase() + host.toLowerCase(),
  );
}

function checkBounds(
  formula: Formula,
  limits: Policy['maxBounds'],
  bounds: { readonly minutes: Bound; readonly attempts: Bound },
): readonly Finding[] {
  return [...limits].flatMap(([name, limit]): readonly Finding[] => {
    const { value, step, why } = bounds[name];
    if (value <= limit.value) return [];
    const what = name === 'minutes' ? 'minutes of work' : 'attempts';
    const place = step === undefined ? '' : step === 'workspace' ? '`workspace`' : `step "${step}"`;
    return [
      {
        rule: 'policy-bounds',
        severity: 'error',
        message:
          value === Infinity
            ? `formula "${formula.name.value}" has no limit of ${name}, as the policy asks for: ${[place, why].filter(Boolean).join(': ')}`
            : `formula "${formula.name.value}" may come to ${value} ${what}, and the policy allows ${limit.value}`,
        help:
          value === Infinity
            ? 'give the step a `timeout`, or the formula a `budget`'
            : place === ''
              ? 'a smaller `budget` limits it'
              : `most of it is ${place}${why === undefined ? '' : `: ${why}`}`,
        span: formula.name.span,
        related: [{ message: 'the limit stands here', span: limit.span }],
      },
    ];
  });
}
