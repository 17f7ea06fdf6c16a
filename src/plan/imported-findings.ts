import type { Finding } from '../diagnostics/diagnostic.ts';
import { checkFile } from '../checks/check-file.ts';
import { importPlace } from '../formula/imports.ts';
import type { Project } from '../formula/project.ts';

/** What is wrong with how the imports of a project are named and pinned. */
export async function importFindings(project: Project): Promise<readonly Finding[]> {
  const files = await Promise.all(['wf.yaml', 'wf.lock'].map((path) => project.file(path)));
  return [...project.findings, ...files.flatMap((file) => errorsAmong(file?.findings ?? []))];
}

/**
 * What stands in the way of a file in the files of imports that it uses, and in how those are pinned: nobody else in this
 * project would tell. Warnings there are for who wrote them.
 */
export async function importedFindings(project: Project, path: string): Promise<readonly Finding[]> {
  if (importPlace(path) || !(await project.namesImport(path))) return [];
  const used = (await project.usedBy(path)).filter((one) => importPlace(one));
  const found = await Promise.all(used.map((one) => findingsOf(project, one)));
  return [...(await importFindings(project)), ...found.flat()];
}

/** The same for all that use a file: looked at once. */
function findingsOf(project: Project, path: string): Promise<readonly Finding[]> {
  const known = FOUND.get(project) ?? new Map<string, Promise<readonly Finding[]>>();
  FOUND.set(project, known);
  let found = known.get(path);
  if (!found) {
    found = errorsIn(project, path);
    known.set(path, found);
  }
  return found;
}

const FOUND = new WeakMap<Project, Map<string, Promise<readonly Finding[]>>>();

async function errorsIn(project: Project, path: string): Promise<readonly Finding[]> {
  return errorsAmong((await checkFile(project, path)).findings);
}

/** Findings that stand in the way of a plan. */
export function errorsAmong(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'error');
}
