import { calledName, pathWithin } from '../formula/imports.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { resolveFormula } from '../formula/resolve.ts';
import { isTestFile } from '../formula/test-file.ts';
import type { JsonSchema } from '../support/json.ts';

/** What a formula or molecule is for, and what it takes. */
export interface ListEntry {
  readonly name: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly inputs: Readonly<Record<string, JsonSchema>>;
  readonly file: string;
  /** True: the file has errors, so that only its name is known. */
  readonly broken?: true;
}

export interface ProjectList {
  readonly formulas: readonly ListEntry[];
  readonly molecules: readonly ListEntry[];
  /** What is woven into formulas. */
  readonly aspects: readonly ListEntry[];
}

/** What there is in a project and in what it imports, by name. */
export async function listProject(loader: Loader): Promise<ProjectList> {
  const project = await Project.open(loader);
  const formulas: ListEntry[] = [];
  const molecules: ListEntry[] = [];
  const aspects: ListEntry[] = [];
  for (const path of [...project.paths, ...project.importedPaths]) {
    const match = isTestFile(path) ? null : /^(formulas|molecules)\/(.+)\.yaml$/.exec(pathWithin(path));
    if (!match) continue;
    const content = (await project.closure(path))?.content;
    if (content?.kind === 'aspect') {
      const { name, description } = content;
      aspects.push({
        name: calledName(path, name.value),
        ...(description !== undefined && { description }),
        tags: [],
        inputs: {},
        file: path,
      });
      continue;
    }
    // What it extends may have inputs too.
    const known =
      content?.kind === 'formula'
        ? resolveFormula(content, project.library).value.formula
        : content?.kind === 'molecule'
          ? content
          : undefined;
    (match[1] === 'formulas' ? formulas : molecules).push({
      name: calledName(path, known?.name.value ?? String(match[2])),
      ...(known?.description !== undefined && { description: known.description }),
      tags: known?.tags ?? [],
      inputs: Object.fromEntries((known?.inputs ?? []).map(({ name, schema }) => [name.value, schema])),
      file: path,
      ...(known ? {} : { broken: true as const }),
    });
  }
  return { formulas, molecules, aspects };
}
