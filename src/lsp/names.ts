import type { Span } from '../diagnostics/diagnostic.ts';
import { RESERVED } from '../checks/reserved-output.ts';
import { importPlace } from '../formula/imports.ts';
import type { Project } from '../formula/project.ts';
import type { Named, Occurrence } from './occurrences.ts';
import { holderOf, isSame, occurrencesIn } from './occurrences.ts';
import { scalarAt } from './scalar-at.ts';

/** What has a name at an offset of a file. */
export async function occurrenceAt(
  project: Project,
  path: string,
  offset: number,
): Promise<Occurrence | undefined> {
  const all = await occurrencesOf(project, path);
  return all.find(({ span }) => span.file === path && span.start <= offset && offset <= span.end);
}

/** The file that a name under `uses`, `extends` or `aspects` leads to; undefined for another word, and where there is none. */
export function fileNamedAt(
  project: Project,
  path: string,
  text: string,
  offset: number,
): string | undefined {
  const found = scalarAt(text, offset);
  if (!found || found.isKey) return undefined;
  const key = found.keys.filter((part) => typeof part === 'string').at(-1);
  const name = { value: String(found.scalar.value), span: { file: path, start: 0, end: 0 } };
  const file =
    key === 'uses'
      ? project.usedFile(name)
      : key === 'extends' || key === 'aspects'
        ? project.formulaFile(name)
        : undefined;
  return file !== undefined && project.isThere(file) ? file : undefined;
}

/** Every place of a project where something is named. */
export async function placesOf(
  project: Project,
  of: Named,
  isCancelled: () => boolean = () => false,
): Promise<readonly Occurrence[]> {
  const found: Occurrence[] = [];
  const paths = new Set([...project.paths, of.file]);
  for (const path of paths) {
    if (isCancelled()) return [];
    const file = await project.file(path);
    // Most files do not hold the word at all.
    if (!file?.text.includes(of.name)) continue;
    found.push(...(await occurrencesOf(project, path)).filter((one) => isSame(one.of, of)));
  }
  return found;
}

/** Where something has its name. */
export async function definitionOf(project: Project, of: Named): Promise<Span | undefined> {
  const all = await occurrencesOf(project, of.file);
  return all.find((one) => one.isDefinition && isSame(one.of, of))?.span;
}

/** Why something cannot be called by a name; undefined: it can. */
export async function whyNot(project: Project, of: Named, name: string): Promise<string | undefined> {
  if (importPlace(of.file)) return `"${of.name}" is named in an import, and only its owners can rename it`;
  if (!/^(?!(?:in|true|false|null)$)[a-z][a-z0-9_]*$/.test(name))
    return `"${name}" is not an id: use lower-case letters, digits and "_", beginning with a letter`;
  const what = `${of.kind === 'step' ? 'a' : 'an'} ${of.kind} "${name}"`;
  if (await definitionOf(project, { ...of, name })) return `there is ${what} already`;
  const content = (await project.closure(of.file))?.content;
  const isOfStep = content?.kind === 'molecule' || of.within !== '';
  if (of.kind === 'output' && isOfStep && RESERVED.has(name))
    return `"${name}" is what every command puts out, and no output can be called so`;
  const clash = await clashOf(project, of, name);
  return clash === undefined ? undefined : `there is ${what} in ${clash}, and one would replace the other`;
}

/** The formula that extends, or is extended by, that of a step or input, and has something else of that name. */
async function clashOf(project: Project, of: Named, name: string): Promise<string | undefined> {
  const { kind } = of;
  if (kind === 'output') return undefined;
  for (const path of new Set([of.file, ...project.paths])) {
    if (path !== of.file && !(await project.file(path))?.text.includes('extends')) continue;
    const content = (await project.closure(path))?.content;
    if (content?.kind !== 'formula') continue;
    if (holderOf(content, kind, of.name, project.library) !== of.file) continue;
    const found = holderOf(content, kind, name, project.library);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function occurrencesOf(project: Project, path: string): Promise<readonly Occurrence[]> {
  const file = await project.closure(path);
  const [, folder, name] = /^(formulas|molecules)\/([^/.]+)\..*test\.yaml$/.exec(path) ?? [];
  if (folder !== undefined) await project.closure(`${folder}/${name}.yaml`);
  return file ? occurrencesIn(file, project) : [];
}
