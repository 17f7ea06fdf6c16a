import type { Plan } from '../plan/plan.ts';
import type { ProjectFolder } from '../workspace/project-loader.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { compileFormula } from '../plan/compile.ts';
import { renderCheckReport } from './render-check.ts';
import type { TextStyle } from './text-style.ts';

/** A plan, or the mistakes that stand in its way. */
export type Compiled =
  | { readonly ok: true; readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Compiles a formula and tells its diagnostics on stderr, warnings unless `quiet`. */
export async function compileOrTell(
  project: ProjectFolder,
  formula: string,
  options: {
    readonly profile: string | undefined;
    readonly quiet: boolean;
    readonly style: TextStyle;
    readonly json: boolean;
  },
): Promise<Compiled> {
  const { plan, diagnostics, sources } = await compileFormula(
    project,
    formula,
    options.profile === undefined ? {} : { profile: options.profile },
  );
  const told = options.quiet && plan ? [] : diagnostics;
  if (told.length > 0 && !options.json) {
    process.stderr.write(
      `${renderCheckReport({ files: sources.size, diagnostics: told }, sources, options.style)}\n`,
    );
  }
  return plan ? { ok: true, plan, diagnostics } : { ok: false, diagnostics };
}
