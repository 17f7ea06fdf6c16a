import type { Finding, Located, Span } from '../diagnostics/diagnostic.ts';
import { effectsOf } from '../formula/effects.ts';
import type { Formula, Policy, Workspace } from '../formula/formula.ts';
import { importPlace } from '../formula/imports.ts';
import { locatedRoles } from '../formula/roles.ts';
import type { Project } from '../formula/project.ts';
import type { ResolvedFormula } from '../formula/resolve.ts';
import { resolveFormula } from '../formula/resolve.ts';
import { globMatcher } from '../support/globs.ts';
import type { Bound } from './bounds.ts';
import { reckon } from './bounds.ts';
import type { BoundName, Plan } from './plan.ts';

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
  const parts = [
    { resolved, path: '', placeOf: (span: Span) => (span.file === formula.file ? span : formula.name.span) },
    ...importedParts(resolved),
  ];
  return [
    ...parts.flatMap((part) => [
      ...policy.require.flatMap((what) => required(what, part)),
      ...checkRepositories(part, policy.repositories),
      ...checkEffects(part, policy.effects),
      ...checkRoles(part, policy.models),
    ]),
    ...(plan ? checkBounds(resolved, policy, reckon(plan)) : []),
  ];
}

/** Something that the policy is about: a formula, or one of an import that it uses, which nobody else looks at here. */
interface Part {
  readonly resolved: ResolvedFormula;
  /** What is before the ids of its steps: `parent.child.`, empty for the formula itself. */
  readonly path: string;
  /** Where that is told which is wrong at some place: what is woven in, extended or imported has its place elsewhere. */
  readonly placeOf: (span: Span) => Span;
}

function importedParts({ steps, finally: last }: ResolvedFormula): readonly Part[] {
  const within = (resolved: ResolvedFormula, path: string, place: Span): readonly Part[] => [
    { resolved, path, placeOf: () => place },
    ...[...resolved.steps, ...resolved.finally].flatMap(({ step, group }) =>
      group ? within(group, `${path}${step.id.value}.`, place) : [],
    ),
  ];
  return [...steps, ...last].flatMap(({ step, group }) =>
    group && importPlace(group.formula.file)
      ? within(group, `${step.id.value}.`, step.uses?.span ?? step.id.span)
      : [],
  );
}

function required(what: Located<string>, { resolved, path, placeOf }: Part): readonly Finding[] {
  const related = [{ message: 'it is asked for here', span: what.span }];
  if (what.value === 'budget') {
    const { formula } = resolved;
    // That of who uses it holds for what is inside.
    if (formula.budget || path !== '') return [];
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
        !group &&
        (body.action?.kind === 'run' || body.action?.kind === 'agent') &&
        body.verify.length === 0 &&
        effectsOf(body).length > 0,
    )
    .map(({ step, body }) => ({
      rule: 'policy-require',
      severity: 'error',
      message: `step "${path}${step.id.value}" ${body.action?.kind === 'agent' ? 'is an agent that can act' : 'runs a command'} and has no \`verify\`, which the policy requires`,
      help: 'say what has to hold when it has ended: `verify: [{run: …}]`',
      span: placeOf(step.id.span),
      related,
    }));
}

function checkEffects({ resolved, path, placeOf }: Part, allowed: Policy['effects']): readonly Finding[] {
  if (!allowed) return [];
  return [...resolved.steps, ...resolved.finally].flatMap(({ step, body, group }) => {
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
        message: `step "${path}${step.id.value}" has the effect \`${more}\`${why}, which the policy does not allow`,
        help: `say what it really touches (\`effects: [${allowed.value.join(', ')}]\`), or do it in another project`,
        span: placeOf(body.effects?.span.file === step.id.span.file ? body.effects.span : step.id.span),
        related: [{ message: 'what is allowed stands here', span: allowed.span }],
      },
    ];
  });
}

function checkRoles({ resolved, path, placeOf }: Part, allowed: Policy['models']): readonly Finding[] {
  return [...resolved.steps, ...resolved.finally].flatMap((step) =>
    locatedRoles(step).flatMap(({ role }): readonly Finding[] => {
      // Of two policies, each has its say.
      const refusing = allowed.find(({ value }) => !value.includes(role.value));
      if (!refusing) return [];
      return [
        {
          rule: 'policy-model',
          severity: 'error',
          message: `step "${path}${step.step.id.value}" asks the model "${role.value}", which the policy does not allow`,
          help: refusing.value.length === 0 ? 'it allows none' : `it allows ${refusing.value.join(', ')}`,
          span: placeOf(role.span),
          related: [{ message: 'what is allowed stands here', span: refusing.span }],
        },
      ];
    }),
  );
}

/** A repository that is only known when the formula runs cannot be looked at now. */
function checkRepositories({ resolved, placeOf }: Part, allowed: Policy['repositories']): readonly Finding[] {
  const { formula, steps, finally: last } = resolved;
  const workspaces: readonly Workspace[] = [
    ...(formula.workspace ? [formula.workspace] : []),
    ...[...steps, ...last].flatMap(({ body }) => (body.workspace ? [body.workspace.value] : [])),
  ];
  return workspaces.flatMap(({ from }): readonly Finding[] => {
    if (typeof from !== 'object') return [];
    const { git } = from;
    const address = plainAddress(git.text);
    // Of two policies, each has its say.
    const refusing = allowed.find(
      ({ value }) => !git.literal || address === undefined || !globMatcher(value)(address),
    );
    if (!refusing) return [];
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
          ? `it allows ${refusing.value.join(', ')}`
          : 'write the address without `{{…}}`, and give one step or formula to each repository',
        span: placeOf(git.span),
        related: [{ message: 'what is allowed stands here', span: refusing.span }],
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

const MEASURES: Readonly<Record<BoundName, string>> = {
  minutes: 'minutes of work',
  attempts: 'attempts',
  agentTurns: 'turns of models',
  usd: 'USD',
};

function checkBounds(
  { formula, steps, finally: last }: ResolvedFormula,
  { maxBounds, require }: Policy,
  bounds: Readonly<Record<BoundName, Bound>>,
): readonly Finding[] {
  // A budget that is asked for and missing is told by itself; with it there would be a limit.
  const isTold = !formula.budget && require.some(({ value }) => value === 'budget');
  return [...maxBounds].flatMap(([name, limit]): readonly Finding[] => {
    const { value, step, why } = bounds[name];
    if (value <= limit.value || (isTold && value === Infinity)) return [];
    const what = MEASURES[name];
    const [id] = step?.split('.') ?? [];
    const own = [...steps, ...last].find((one) => one.step.id.value === id)?.step.id.span;
    const place = step === undefined ? '' : step === 'workspace' ? '`workspace`' : `step "${step}"`;
    return [
      {
        rule: 'policy-bounds',
        severity: 'error',
        message:
          value === Infinity
            ? `formula "${formula.name.value}" has no limit of ${what}, as the policy asks for: ${[place, why].filter(Boolean).join(': ')}`
            : `formula "${formula.name.value}" may come to ${value} ${what}, and the policy allows ${limit.value}`,
        help:
          value === Infinity
            ? name === 'minutes'
              ? 'give the step a `timeout`, or the formula a `budget`'
              : 'give the step what it lacks, or the formula a `budget`'
            : place === ''
              ? 'a smaller `budget` limits it'
              : `most of it is ${place}${why === undefined ? '' : `: ${why}`}`,
        span: own?.file === formula.file ? own : formula.name.span,
        related: [{ message: 'the limit stands here', span: limit.span }],
      },
    ];
  });
}
