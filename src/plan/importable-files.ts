import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { isTestFile } from '../formula/test-file.ts';

/**
 * What another project takes in of one: its settings, formulas, molecules and aspects, and the schemas that these name.
 * Its tests, scripts and all else stay where they are: commands of a formula run in the workspace of who uses it.
 */
export async function importableFiles(loader: Loader): Promise<ReadonlyMap<string, Uint8Array>> {
  const project = await Project.open(loader);
  const paths = new Set<string>();
  for (const path of project.paths) {
    if (isTestFile(path) || !/^(?:wf|(?:formulas|molecules)\/[^/]+)\.yaml$/.test(path)) continue;
    paths.add(path);
    for (const asked of (await project.file(path))?.asked ?? []) paths.add(asked);
    project.release(path);
  }
  const files = new Map<string, Uint8Array>();
  for (const path of [...paths].sort()) {
    const bytes = await loader.read(path);
    if (bytes) files.set(path, bytes);
  }
  return files;
}
