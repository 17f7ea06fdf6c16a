import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Body, EnvEntry, Formula, Molecule, Step, VerifyCheck, Workspace } from './formula.ts';

/** A formula in which every `uses` has been looked up. */
export interface ResolvedFormula {
  readonly formula: Formula;
  readonly steps: readonly ResolvedStep[];
  readonly finally: readonly ResolvedStep[];
}

/** A step with the molecule it became merged in, or the formula it holds as a group. */
export interface ResolvedStep {
  readonly step: Step;
  readonly molecule: Molecule | undefined;
  readonly group: ResolvedFormula | undefined;
  readonly body: ResolvedBody;
}

/**
 * A body whose parts know who wrote them: what a molecule wrote reads the molecule's `inputs`, what the step wrote
 * reads those of its formula.
 */
export type ResolvedBody = Omit<Body, 'env' | 'verify' | 'workspace'> & {
  readonly env: readonly Owned<EnvEntry>[];
  readonly verify: readonly Owned<VerifyCheck>[];
  readonly workspace: Owned<Workspace> | undefined;
};

export interface Owned<T> {
  readonly owner: 'step' | 'molecule';
  readonly value: T;
}

/** How `uses` finds what it names. Undefined: there is no such file; `broken`: there is, and it was reported itself. */
export interface Library {
  molecule(name: string): Molecule | 'broken' | undefined;
  formula(name: string): Formula | 'broken' | undefined;
  /** All names, for suggestions, in the form `uses` takes. */
  readonly names: readonly string[];
}

/** The most formulas that use each other in a row. */
const mostDeep = 100;

/** A formula on the way down, with the `uses` that was followed out of it. */
interface Hop {
  readonly formula: Formula;
  readonly uses: Located<string>;
}

/**
 * Looks up every `uses` of a formula, through all formulas it uses. A step whose `uses` cannot be resolved stays, with
 * no action, so that the others are still checked.
 */
export function resolveFormula(
  formula: Formula,
  library: Library,
): { readonly value: ResolvedFormula; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const resolved = new Map<string, ResolvedFormula>();

  const visit = (current: Formula, path: readonly Hop[]): ResolvedFormula => {
    const known = resolved.get(current.name.value);
    if (known) return known;
    const own = path.length === 0;
    const steps = current.steps.map((step) => resolveStep(current, step, path, own));
    const last = current.finally.map((step) => resolveStep(current, step, path, own));
    const value = { formula: current, steps, finally: last };
    resolved.set(current.name.value, value);
    return value;
  };

  const resolveStep = (current: Formula, step: Step, path: readonly Hop[], own: boolean): ResolvedStep => {
    // Findings of used formulas belong to those files and are reported when they are checked themselves.
    const report = (finding: Finding) => own && findings.push(finding);
    const uses = step.uses;
    if (!uses) return { step, molecule: undefined, group: undefined, body: merge(undefined, step.body) };
    if (uses.value.startsWith('formula/')) {
      const name = uses.value.slice('formula/'.length);
      const hops = [...path, { formula: current, uses }];
      const start = hops.findIndex((hop) => hop.formula.name.value === name);
      const target = library.formula(name);
      if (start >= 0) {
        // Told in each of the files that form the circle, at the `uses` that leads into it.
        if (start === 0) findings.push(usesCycle(hops));
      } else if (target === undefined) {
        report(unknownUses(uses, library));
      } else if (target !== 'broken' && hops.length > mostDeep) {
        // Told once: for the formula that is just too deep, and not for each that uses it.
        if (!target.steps.some((inner) => inner.uses?.value.startsWith('formula/')))
          findings.push(usesTooDeep(hops));
      } else if (target !== 'broken') {
        return { step, molecule: undefined, group: visit(target, hops), body: merge(undefined, step.body) };
      }
      return { step, molecule: undefined, group: undefined, body: merge(undefined, step.body) };
    }
    const molecule = library.molecule(uses.value);
    if (molecule === undefined) report(unknownUses(uses, library));
    const found = typeof molecule === 'object' ? molecule : undefined;
    return { step, molecule: found, group: undefined, body: merge(found?.body, step.body) };
  };

  return { value: visit(formula, []), findings };
}

function usesCycle(hops: readonly Hop[]): Finding {
  const [first, ...others] = hops as [Hop, ...Hop[]];
  const name = first.formula.name.value;
  const through = others.map((hop) => `"${hop.formula.name.value}"`).join(', ');
  return {
    rule: 'uses-cycle',
    severity: 'error',
    message:
      others.length === 0
        ? `formula "${name}" uses itself`
        : `formula "${name}" uses itself, through ${through}`,
    help: 'break the circle: `repeat` runs a step again, and a shared part can be a formula that both use',
    span: first.uses.span,
    related: others.map((hop) => ({
      message: `"${hop.formula.name.value}" uses "${hop.uses.value}" here`,
      span: hop.uses.span,
    })),
  };
}

function usesTooDeep(hops: readonly Hop[]): Finding {
  const [first] = hops as [Hop, ...Hop[]];
  return {
    rule: 'uses-too-deep',
    severity: 'error',
    message: `formula "${first.formula.name.value}" uses formulas that use formulas, more than ${mostDeep} in a row`,
    help: 'a shared part can be a molecule, or a formula that others use directly',
    span: first.uses.span,
  };
}

function unknownUses(uses: Located<string>, library: Library): Finding {
  const name = uses.value;
  const asFormula = library.names.includes(`formula/${name}`);
  const kind = name.startsWith('formula/') ? 'formula' : 'molecule';
  const file =
    kind === 'formula' ? `formulas/${name.slice('formula/'.length)}.yaml` : `molecules/${name}.yaml`;
  return {
    rule: 'unknown-uses',
    severity: 'error',
    message: `there is no ${kind} "${name.replace(/^formula\//, '')}"`,
    help: asFormula
      ? `a formula is used as \`formula/${name}\``
      : (suggest(name, library.names) ?? `it would be in ${file}`),
    span: uses.span,
  };
}

/** The step's own keys replace the molecule's; `verify` adds; `env` and `secrets` merge, the step's names winning. */
function merge(molecule: Body | undefined, step: Body): ResolvedBody {
  const own = <T>(owner: 'step' | 'molecule', values: readonly T[]): Owned<T>[] =>
    values.map((value) => ({ owner, value }));
  if (!molecule) {
    return {
      ...step,
      env: own('step', step.env),
      verify: own('step', step.verify),
      workspace: step.workspace && { owner: 'step', value: step.workspace },
    };
  }
  const named = new Set(step.env.map((entry) => entry.name.value));
  const secret = new Set(step.secrets.map((entry) => entry.name.value));
  return {
    title: step.title ?? molecule.title,
    tags: [...new Set([...molecule.tags, ...step.tags])],
    action: molecule.action,
    env: [
      ...own(
        'molecule',
        molecule.env.filter((entry) => !named.has(entry.name.value)),
      ),
      ...own('step', step.env),
    ],
    secrets: [...molecule.secrets.filter((entry) => !secret.has(entry.name.value)), ...step.secrets],
    exit: step.exit ?? molecule.exit,
    parse: step.parse ?? molecule.parse,
    outputs: step.outputs ?? molecule.outputs,
    verify: [...own('molecule', molecule.verify), ...own('step', step.verify)],
    retry: step.retry ?? molecule.retry,
    timeout: step.timeout ?? molecule.timeout,
    budget: step.budget ?? molecule.budget,
    once: step.once ?? molecule.once,
    workspace: step.workspace
      ? { owner: 'step', value: step.workspace }
      : molecule.workspace && { owner: 'molecule', value: molecule.workspace },
    keys: new Map([...molecule.keys, ...step.keys]),
  };
}
