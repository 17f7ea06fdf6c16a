import type { Finding, Located, Misspelt, Related, Severity, Span } from '../diagnostics/diagnostic.ts';
import type {
  Aspect,
  Declaration,
  Formula,
  Molecule,
  ProjectSettings,
  Workspace,
} from '../formula/formula.ts';
import type { ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import type { FormulaScopes } from '../formula/scope.ts';
import type { ToolCatalog } from '../formula/tools.ts';
import type { BashParser } from '../formula/bash/compile-bash.ts';

/** What a check looks at: one formula with all it uses, one molecule, or one rule of an aspect. */
export type Subject = {
  readonly file: string;
  readonly inputs: readonly Declaration[];
  /** All steps, those of `finally` last; of a molecule, the one step it would become. */
  readonly steps: readonly ResolvedStep[];
  readonly scopes: FormulaScopes;
  readonly settings: ProjectSettings | 'broken' | undefined;
  /** The tools that agents can be given. */
  readonly tools: ToolCatalog;
  /** Scripts of the project that its commands start. */
  readonly scripts: readonly Located<string>[];
  /** Those of them that are there. */
  readonly files: ReadonlySet<string>;
  readonly bash: BashParser | undefined;
  /** Every template and expression of the file could be read; if not, what is never read may be read there. */
  readonly complete: boolean;
} & (
  | { readonly kind: 'formula'; readonly formula: Formula; readonly resolved: ResolvedFormula }
  | { readonly kind: 'molecule'; readonly molecule: Molecule }
  /** One rule of an aspect. */
  | { readonly kind: 'aspect'; readonly aspect: Aspect }
);

/** One static check. Pure: the same subject gives the same findings in the same order. */
export interface Check {
  /** Kebab-case, public and lasting. */
  readonly rule: string;
  /** What holds when it is silent. */
  readonly summary: string;
  run(subject: Subject): Iterable<CheckFinding>;
}

/** A finding without what the check itself says. */
export interface CheckFinding {
  readonly span: Span;
  readonly message: string;
  readonly help?: string | undefined;
  readonly misspelt?: Misspelt;
  readonly related?: readonly Related[];
  /** Absent: error. */
  readonly severity?: Severity;
}

/** Runs checks over a subject. */
export function* runChecks(checks: readonly Check[], subject: Subject): Generator<Finding> {
  for (const check of checks) {
    for (const { severity = 'error', help, ...finding } of check.run(subject)) {
      yield { ...finding, rule: check.rule, severity, ...(help !== undefined && { help }) };
    }
  }
}

/** Every workspace that the subject's own file describes. */
export function workspacesOf(subject: Subject): readonly Workspace[] {
  return [
    ...(subject.kind === 'formula' && subject.formula.workspace ? [subject.formula.workspace] : []),
    ...subject.steps.flatMap((step) => {
      const { workspace } = step.body;
      return workspace && writtenHere(subject, workspace.owner, step) ? [workspace.value] : [];
    }),
  ];
}

/** The step whose own text stands in the subject's file: in a formula, what a molecule wrote is checked with the molecule. */
export function writtenHere(subject: Subject, owner: 'step' | 'molecule', step: ResolvedStep): boolean {
  if (subject.kind === 'molecule') return true;
  return owner === 'step' || step.molecule === undefined;
}
