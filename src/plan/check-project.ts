import type { Diagnostic, Finding } from '../diagnostics/diagnostic.ts';
import { toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { checkFile } from '../checks/check-file.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { withProfile } from './profile.ts';

export interface CheckReport {
  /** No error; there may be warnings. */
  readonly ok: boolean;
  /** How many files were looked at. */
  readonly files: number;
  readonly diagnostics: readonly Diagnostic[];
  /** The texts that the diagnostics point into, by path. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Every diagnostic of a project, or of some of its files (paths relative to the project root). Throws a
 * {@link UserError} when wf.yaml has no such profile.
 */
export async function checkProject(
  loader: Loader,
  options: { readonly paths?: readonly string[]; readonly profile?: string } = {},
): Promise<CheckReport> {
  const project = await Project.open(loader);
  withProfile(project.settings, options.profile);
  const paths = options.paths ?? project.paths;
  const findings: Finding[] = [];
  for (const path of paths) findings.push(...(await checkFile(project, path)));
  const diagnostics = toDiagnostics(findings, project.sources);
  return {
    ok: !diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
    files: paths.length,
    diagnostics,
    sources: project.sources,
  };
}
