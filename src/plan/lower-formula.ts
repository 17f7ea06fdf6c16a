import type { Finding } from '../diagnostics/diagnostic.ts';
import { LineIndex } from '../diagnostics/line-index.ts';
import { bashFor, checkFile } from '../checks/check-file.ts';
import type { Formula } from '../formula/formula.ts';
import { calledName } from '../formula/imports.ts';
import type { Project, ProjectFile } from '../formula/project.ts';
import type { ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import { resolveFormula } from '../formula/resolve.ts';
import { locatedRoles } from '../formula/roles.ts';
import { needsOf } from '../formula/step-order.ts';
import { boundsOf } from './bounds.ts';
import { COMPILER } from './compiler.ts';
import { digestPlan } from './digest.ts';
import { checkPolicy } from './policy.ts';
import { withProfile } from './profile.ts';
import type { Lowering } from './lower.ts';
import {
  lowerBudget,
  lowerConcurrency,
  lowerDeclarations,
  lowerFinally,
  lowerSteps,
  lowerWorkspace,
} from './lower.ts';
import type { Plan, PlanSource } from './plan.ts';

/** Where a file that is well by itself is not as the policy wants it. */
export async function policyOf(
  project: Project,
  { content, path }: ProjectFile,
  findings: readonly Finding[],
): Promise<readonly Finding[]> {
  if (content?.kind !== 'formula' || findings.some(({ severity }) => severity === 'error')) return [];
  return checkPolicy(content, project, async () => {
    // What is wrong with what it uses is told there, and stands in the way of a plan; so is what is not pinned.
    if (!(await project.hasAll(path))) return undefined;
    const sound = await Promise.all((await project.usedBy(path)).map((used) => isSound(project, used)));
    if (!sound.every(Boolean)) return undefined;
    // A role that only profiles have is looked at with them.
    return rolesWithoutModel(content, project, undefined).length === 0
      ? lowerFormula(content, project, undefined)
      : undefined;
  });
}

/** Roles that a formula names and that nobody has under this profile, each at its place. */
export function rolesWithoutModel(
  source: Formula,
  project: Project,
  profile: string | undefined,
): readonly Finding[] {
  const { roles } = withProfile(project.settings, profile);
  const { value } = resolveFormula(source, project.library);
  return allSteps(value)
    .flatMap(locatedRoles)
    .filter(({ role }) => !roles.has(role.value))
    .map(({ role }) => ({
      rule: 'unknown-model',
      severity: 'error',
      message: `${profile === undefined ? 'without a profile' : `under profile "${profile}"`} no model has the role "${role.value}"`,
      help: `give it one in wf.yaml, \`models: {${role.value}: {id: …}}\`, or choose a profile that does`,
      span: role.span,
    }));
}

/** Whether there is no error in a file. Looked at once for all that use it. */
function isSound(project: Project, path: string): Promise<boolean> {
  const known = SOUND.get(project) ?? new Map<string, Promise<boolean>>();
  SOUND.set(project, known);
  let sound = known.get(path);
  if (!sound) {
    sound = checkFile(project, path).then(
      ({ findings }) => !findings.some(({ severity }) => severity === 'error'),
    );
    known.set(path, sound);
  }
  return sound;
}

const SOUND = new WeakMap<Project, Map<string, Promise<boolean>>>();

/** The plan of a formula that has been checked. */
export async function lowerFormula(
  source: Formula,
  project: Project,
  profile: string | undefined,
): Promise<Plan> {
  const { value: resolved } = resolveFormula(source, project.library);
  const { formula } = resolved;
  const settings = withProfile(project.settings, profile);
  const lowering: Lowering = {
    people: settings.people,
    modelOf: settings.modelOf,
    sourceOf: sourcePlaces(project.sources),
    needsOf,
    bash: await bashFor(allSteps(resolved), formula.workspace),
  };
  const last = lowerFinally(resolved, lowering);
  const body: Omit<Plan, 'plan'> = {
    schema: 1,
    compiler: COMPILER,
    formula: calledName(source.file, formula.name.value),
    ...(formula.description !== undefined && { description: formula.description }),
    ...(profile !== undefined && { profile }),
    inputs: lowerDeclarations(formula.inputs),
    ...(formula.outputs.length > 0 && {
      outputs: Object.fromEntries(formula.outputs.map(({ name, value }) => [name.value, value.text])),
    }),
    ...(settings.env.length > 0 && { env: settings.env }),
    workspace: formula.workspace ? lowerWorkspace(formula.workspace, lowering) : { from: 'clone' },
    ...(formula.budget && { budget: lowerBudget(formula.budget) }),
    ...(formula.concurrency && { concurrency: lowerConcurrency(formula.concurrency) }),
    steps: lowerSteps(resolved, lowering),
    ...(last.length > 0 && { finally: last }),
  };
  return { plan: digestPlan(body), ...body, bounds: boundsOf(body) };
}

function* stepsWithin(formula: ResolvedFormula): Generator<ResolvedStep> {
  for (const step of [...formula.steps, ...formula.finally]) {
    yield step;
    if (step.group) yield* stepsWithin(step.group);
  }
}

function allSteps(formula: ResolvedFormula): readonly ResolvedStep[] {
  return [...stepsWithin(formula)];
}

/** Places in texts, by line and column. */
export function sourcePlaces(sources: ReadonlyMap<string, string>): Lowering['sourceOf'] {
  const indexes = new Map<string, LineIndex>();
  return ({ file, start }): PlanSource => {
    let index = indexes.get(file);
    if (!index) indexes.set(file, (index = new LineIndex(sources.get(file) ?? '')));
    return { file, ...index.position(start) };
  };
}
