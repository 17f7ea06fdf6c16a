import type { Diagnostic, Finding } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { checkFile } from '../checks/check-file.ts';
import { importPlace } from '../formula/imports.ts';
import type { Loader } from '../formula/loader.ts';
import { formulaNameOf, named } from '../formula/names.ts';
import { Project } from '../formula/project.ts';
import { UserError } from '../support/user-error.ts';
import { errorsAmong, importFindings } from './imported-findings.ts';
import { lowerFormula, policyOf, rolesWithoutModel } from './lower-formula.ts';
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
  const path = project.formulaFile(named(name));
  if (!project.isThere(path)) {
    // What is wrong with the imports comes before what would be in them.
    const wrong = name.includes('/') ? await importFindings(project) : [];
    if (wrong.length === 0) throw unknownFormula(name, project.library.names);
    return { plan: undefined, diagnostics: toDiagnostics(wrong, project.sources), sources: project.sources };
  }
  const { content } = (await project.closure(path)) ?? {};
  if (content?.kind === 'aspect')
    throw new UserError(`"${name}" is an aspect, and no formula`, {
      hint: `it is woven into formulas that say \`aspects: [${name}]\``,
    });
  const findings: Finding[] = [];
  for (const used of project.sources.keys()) {
    const found = (await checkFile(project, used)).findings;
    // Warnings in what is imported are for who wrote it.
    findings.push(...(importPlace(used) ? errorsAmong(found) : found));
  }
  const file = await project.file(path);
  // What it uses runs too. An imported formula is looked at where it is used.
  const own = [...project.sources.keys()].filter((used) => !importPlace(used));
  for (const used of await Promise.all(own.map((one) => project.file(one))))
    if (used) findings.push(...(await policyOf(project, used, findings)));
  if (file?.content?.kind === 'formula' && !findings.some(({ severity }) => severity === 'error'))
    findings.push(...rolesWithoutModel(file.content, project, options.profile));
  const diagnostics = toDiagnostics(findings, project.sources);
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  if (failed || file?.content?.kind !== 'formula')
    return { plan: undefined, diagnostics, sources: project.sources };
  const plan = await lowerFormula(file.content, project, options.profile);
  return { plan, diagnostics, sources: project.sources };
}

function unknownFormula(name: string, uses: readonly string[]): UserError {
  const names = uses.flatMap((one) => formulaNameOf(one) ?? []);
  return new UserError(`there is no formula "${name}" in this project`, {
    hint:
      suggest(name, names) ??
      (names.length === 0
        ? 'formulas are files formulas/<name>.yaml; `wf init` makes the first'
        : `there are: ${names.slice(0, 20).join(', ')}`),
  });
}
