import type { Diagnostic, Finding } from '../diagnostics/diagnostic.ts';
import { toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { checkFile } from '../checks/check-file.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { CheckMemory } from './check-memory.ts';
import type { CheckStore } from './check-memory.ts';
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

export interface CheckOptions {
  /** Relative to the project root; without, all files. */
  readonly paths?: readonly string[];
  readonly profile?: string;
  /** Where it is remembered what need not be checked again. */
  readonly store?: CheckStore;
}

/**
 * Every diagnostic of a project, or of some of its files. Throws a {@link UserError} when wf.yaml has no such profile.
 */
export async function checkProject(loader: Loader, options: CheckOptions = {}): Promise<CheckReport> {
  const memory = options.store && (await CheckMemory.open(loader, options.store));
  const project = await Project.open(memory?.loader ?? loader);
  withProfile(project.settings, options.profile);
  const paths = options.paths ?? project.paths;
  const findings: Finding[] = [];
  /** What other files have asked for, and more of them may. */
  const shared = new Set(['wf.yaml']);
  for (const path of paths) {
    if (await memory?.isClean(path)) continue;
    const { value: found, asked } = await project.noting(() => checkFile(project, path));
    findings.push(...found);
    memory?.checked(path, found.length === 0, asked);
    for (const other of asked) if (other !== path) shared.add(other);
    if (found.length === 0 && !shared.has(path)) project.release(path);
  }
  await memory?.close();
  const diagnostics = toDiagnostics(findings, project.sources);
  return {
    ok: !diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
    files: paths.length,
    diagnostics,
    sources: project.sources,
  };
}
