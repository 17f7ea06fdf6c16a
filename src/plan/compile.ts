import type { Diagnostic, Finding } from '../diagnostics/diagnostic.ts';
import { LineIndex } from '../diagnostics/line-index.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { bashFor, checkFile, orderOf } from '../checks/check-file.ts';
import type { Formula } from '../formula/formula.ts';
import type { Loader } from '../formula/loader.ts';
import type { ProjectFile } from '../formula/project.ts';
import { Project } from '../formula/project.ts';
import type { ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import { resolveFormula } from '../formula/resolve.ts';
import { UserError } from '../support/user-error.ts';
import { boundsOf } from './bounds.ts';
import { COMPILER } from './compiler.ts';
import { digestPlan } from './digest.ts';
import { checkPolicy } from './policy.ts';
import { withProfile } from './profile.ts';
import type { Lowering } from './lower.ts';
import { lowerConcurrency, lowerDeclarations, lowerFinally, lowerSteps, lowerWorkspace } from './lower.ts';
import type { Plan, PlanSource } from './plan.ts';

export interface Compilation {
  /** Absent when there is an error among the diagnostics. */
  readonly plan: Plan | undefined;
  /** Of the formula and of everything it uses. */
  readonly diagnostics: readonly Diagnostic[];
  /** The texts that the diagnostics point into, by path. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Compiles one formula of a project into its plan. Throws a {@link UserError} when the project has no formula of that
 * name, or no such profile; everything that is wrong inside of files is a diagnostic.
 */
export async function compileFormula(
  loader: Loader,
  name: string,
  options: { readonly profile?: string } = {},
): Promise<Compilation> {
  const project = await Project.open(loader);
  const path = `formulas/${name}.yaml`;
  if (!project.paths.includes(path)) throw unknownFormula(name, project.paths);
  await project.closure(path);
  const findings: Finding[] = [];
  for (const used of project.sources.keys()) findings.push(...(await checkFile(project, used)).findings);
  const file = await project.file(path);
  if (file) findings.push(...(await policyOf(project, file, findings)));
  const diagnostics = toDiagnostics(findings, project.sources);
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  if (failed || file?.content?.kind !== 'formula')
    return { plan: undefined, diagnostics, sources: project.sources };
  const plan = await lowerFormula(file.content, project, options.profile);
  return { plan, diagnostics, sources: project.sources };
}

/** Where a file that is well by itself is not as the policy wants it. */
export async function policyOf(
  project: Project,
  { content }: ProjectFile,
  findings: readonly Finding[],
): Promise<readonly Finding[]> {
  if (content?.kind !== 'formula' || findings.some(({ severity }) => severity === 'error')) return [];
  return checkPolicy(content, project, () => lowerFormula(content, project, undefined));
}

async function lowerFormula(formula: Formula, project: Project, profile: string | undefined): Promise<Plan> {
  const { value: resolved } = resolveFormula(formula, project.library);
  const settings = withProfile(project.settings, profile);
  const lowering: Lowering = {
    people: settings.people,
    sourceOf: sourcePlaces(project.sources),
    needsOf: (inner) => {
      const { order } = orderOf(inner);
      return order.needs.map((needs) => needs.map((index) => inner.steps[index]?.step.id.value ?? ''));
    },
    bash: await bashFor(allSteps(resolved), formula.workspace),
  };
  const last = lowerFinally(resolved, lowering);
  const body: Omit<Plan, 'plan'> = {
    schema: 1,
    compiler: COMPILER,
    formula: formula.name.value,
    ...(formula.description !== undefined && { description: formula.description }),
    ...(profile !== undefined && { profile }),
    inputs: lowerDeclarations(formula.inputs),
    ...(formula.outputs.length > 0 && {
      outputs: Object.fromEntries(formula.outputs.map(({ name, value }) => [name.value, value.text])),
    }),
    ...(settings.env.length > 0 && { env: settings.env }),
    workspace: formula.workspace ? lowerWorkspace(formula.workspace, lowering) : { from: 'clone' },
    ...(formula.budget && { budget: { minutes: formula.budget.minutes } }),
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

function sourcePlaces(sources: ReadonlyMap<string, string>): Lowering['sourceOf'] {
  const indexes = new Map<string, LineIndex>();
  return ({ file, start }): PlanSource => {
    let index = indexes.get(file);
    if (!index) indexes.set(file, (index = new LineIndex(sources.get(file) ?? '')));
    return { file, ...index.position(start) };
  };
}

function unknownFormula(name: string, paths: readonly string[]): UserError {
  const names = paths.flatMap((path) => /^formulas\/([^.]+)\.yaml$/.exec(path)?.[1] ?? []);
  return new UserError(`there is no formula "${name}" in this project`, {
    hint:
      suggest(name, names) ??
      (names.length === 0
        ? 'formulas are files formulas/<name>.yaml; `wf init` makes the first'
        : `there are: ${names.slice(0, 20).join(', ')}`),
  });
}
