import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Loader } from '../../formula/loader.ts';
import { Project } from '../../formula/project.ts';
import { UserError } from '../../support/user-error.ts';
import { compileFormula } from '../compile.ts';
import type { Digest } from '../../support/digest.ts';
import type { Plan } from '../plan.ts';
import type { PlanChange } from './change.ts';
import { comparePlans, privilegesIn } from './compare-plans.ts';

/** What became of one formula between two states of a project. */
export type FormulaDifference = { readonly formula: string } & (
  | { readonly status: 'same'; readonly before: Digest; readonly after: Digest }
  | {
      readonly status: 'changed';
      readonly before: Digest;
      readonly after: Digest;
      readonly changes: readonly PlanChange[];
    }
  /** `grows`: what it brings along. */
  | {
      readonly status: 'added';
      readonly after: Digest;
      readonly plan: Plan;
      readonly grows: readonly string[];
    }
  | { readonly status: 'removed'; readonly before: Digest | null }
  /** It does not compile now. */
  | { readonly status: 'broken'; readonly diagnostics: readonly Diagnostic[] }
  /** It compiles now and did not before. */
  | {
      readonly status: 'repaired';
      readonly after: Digest;
      readonly plan: Plan;
      readonly grows: readonly string[];
      readonly diagnostics: readonly Diagnostic[];
    }
);

/**
 * What differs between two states of a project: of one formula, or of all that either has. Throws a {@link UserError}
 * when neither has a formula of that name.
 */
export async function compareProjects(
  before: Loader,
  after: Loader,
  options: { readonly formula?: string; readonly profile?: string } = {},
): Promise<readonly FormulaDifference[]> {
  const [old, young] = [await formulasOf(before), await formulasOf(after)];
  const { formula } = options;
  // Whoever asks for one that is nowhere is told what there is.
  if (formula !== undefined && !old.has(formula) && !young.has(formula)) await compileFormula(after, formula);
  const names = formula === undefined ? [...new Set([...old, ...young])].sort() : [formula];
  const profile = options.profile === undefined ? {} : { profile: options.profile };
  const found: FormulaDifference[] = [];
  for (const name of names) {
    const one = old.has(name) ? await compileThen(before, name, profile) : undefined;
    refuseMissingImports(one);
    const other = young.has(name) ? await compileFormula(after, name, profile) : undefined;
    found.push({ formula: name, ...differenceOf(one, other) });
  }
  return found;
}

interface Compiled {
  readonly plan: Plan | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

type Outcome = FormulaDifference extends infer D ? (D extends unknown ? Omit<D, 'formula'> : never) : never;

function differenceOf(before: Compiled | undefined, after: Compiled | undefined): Outcome {
  if (!after) return { status: 'removed', before: before?.plan?.plan ?? null };
  if (!after.plan) return { status: 'broken', diagnostics: after.diagnostics };
  const { plan } = after;
  if (!before) return { status: 'added', after: plan.plan, plan, grows: privilegesIn(plan) };
  if (!before.plan)
    return {
      status: 'repaired',
      after: plan.plan,
      plan,
      grows: privilegesIn(plan),
      diagnostics: before.diagnostics,
    };
  const digests = { before: before.plan.plan, after: plan.plan };
  return digests.before === digests.after
    ? { status: 'same', ...digests }
    : { status: 'changed', ...digests, changes: comparePlans(before.plan, plan) };
}

/** What cannot be looked at is no reason to say that a formula did not compile then. */
function refuseMissingImports(before: Compiled | undefined): void {
  const missing = before?.diagnostics.find(({ rule }) => rule === 'lock-mismatch');
  if (!missing) return;
  throw new UserError(`what the project imported then cannot be looked at: ${missing.message}`, {
    hint: '`wf lock --at <revision>` fetches what wf.lock pinned there',
  });
}

/** Before there was a profile, as without one: what it sets is then told as new. */
async function compileThen(
  loader: Loader,
  name: string,
  options: { readonly profile?: string },
): Promise<Compiled> {
  try {
    return await compileFormula(loader, name, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return compileFormula(loader, name);
  }
}

async function formulasOf(loader: Loader): Promise<ReadonlySet<string>> {
  return new Set(await (await Project.open(loader)).formulas());
}
