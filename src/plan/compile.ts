import type { Diagnostic, Finding } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { checkFile } from '../checks/check-file.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { UserError } from '../support/user-error.ts';
import { lowerFormula, policyOf } from './lower-formula.ts';
import type { Plan } from './plan.ts';

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
 * name, or it is an aspect, or there is no such profile; everything that is wrong inside of files is a diagnostic.
 */
export async function compileFormula(
  loader: Loader,
  name: string,
  options: { readonly profile?: string; readonly isFree?: boolean } = {},
): Promise<Compilation> {
  const project = await Project.open(loader, options);
  const path = `formulas/${name}.yaml`;
  if (!project.paths.includes(path)) throw unknownFormula(name, project.paths);
  const { content } = (await project.closure(path)) ?? {};
  if (content?.kind === 'aspect')
    throw new UserError(`"${name}" is an aspect, and no formula`, {
      hint: `it is woven into formulas that say \`aspects: [${name}]\``,
    });
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
