import type { Diagnostic, Finding } from '../diagnostics/diagnostic.ts';
import { sortDiagnostics, toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { checkFile } from '../checks/check-file.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { affectedFiles } from './affected-files.ts';
import { CheckMemory, seenThrough } from './check-memory.ts';
import type { CheckedFile, CheckStore, Seen } from './check-memory.ts';
import { importedFindings } from './imported-findings.ts';
import { policyOf } from './lower-formula.ts';
import { withProfile } from './profile.ts';

export interface CheckReport {
  /** No error; there may be warnings. */
  readonly ok: boolean;
  /** How many files were looked at. */
  readonly files: number;
  /** With `changed`: of how many. */
  readonly of?: number;
  readonly diagnostics: readonly Diagnostic[];
  /** How many more there would be that somebody lets stand (`# wf-ignore:`). */
  readonly ignored: number;
  /** The texts that the diagnostics point into, by path. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface CheckOptions {
  /** Relative to the project root; without, all files. */
  readonly paths?: readonly string[];
  readonly profile?: string;
  /** Only files that one of these has a word in; `others` are files that may lie in between. */
  readonly changed?: { readonly changed: ReadonlySet<string>; readonly others: readonly string[] };
  /** Where it is remembered what need not be checked again. */
  readonly store?: CheckStore;
  /** Has files checked elsewhere, in several parts at once; undefined: they are too few for that. */
  readonly inParts?: (paths: readonly string[]) => Promise<readonly CheckedPart[]> | undefined;
}

/** What a check of some files came to: plain data, which can be handed from one thread to another. */
export interface CheckedPart {
  readonly files: readonly CheckedFile[];
  readonly diagnostics: readonly Diagnostic[];
  /** The texts that the diagnostics point into, by path. */
  readonly sources: ReadonlyMap<string, string>;
  /** All files that were looked at, as they were. */
  readonly seen: ReadonlyMap<string, Seen>;
}

/**
 * Every diagnostic of a project, or of some of its files. Throws a {@link UserError} when wf.yaml has no such profile.
 */
export async function checkProject(loader: Loader, options: CheckOptions = {}): Promise<CheckReport> {
  const project = await Project.open(loader);
  withProfile(project.settings, options.profile);
  const all = options.paths ?? project.paths;
  const { changed } = options;
  const affected = changed && new Set(await affectedFiles(loader, changed.changed, changed.others));
  const paths = affected ? all.filter((path) => affected.has(path)) : all;
  const store = options.store && project.paths.length >= options.store.fewest ? options.store : undefined;
  const memory = store && (await CheckMemory.open(loader, store));
  const rest: string[] = [];
  for (const path of paths) if (!(await memory?.isClean(path))) rest.push(path);
  const parts = rest.length === 0 ? [] : ((await options.inParts?.(rest)) ?? [await checkPart(loader, rest)]);
  await memory?.keep(
    parts.flatMap(({ files }) => files),
    new Map(parts.flatMap(({ seen }) => [...seen])),
  );
  const told = sortDiagnostics(parts.flatMap((part) => part.diagnostics));
  // A name that stood in a file by chance is no reason to tell what was there before.
  const chance = new Set(
    parts.flatMap(({ files }) =>
      files.filter((file) => changed && !dependsOn(file, changed.changed)).map(({ path }) => path),
    ),
  );
  const diagnostics = told.filter(({ file }) => !chance.has(file));
  return {
    ok: !diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
    files: paths.length - chance.size,
    ...(changed && { of: all.length }),
    diagnostics,
    ignored: parts
      .flatMap(({ files }) => files)
      .filter(({ path }) => !chance.has(path))
      .reduce((sum, one) => sum + one.ignored, 0),
    sources: new Map(parts.flatMap(({ sources }) => [...sources])),
  };
}

function dependsOn({ path, asked }: CheckedFile, changed: ReadonlySet<string>): boolean {
  return changed.has(path) || asked.some((other) => changed.has(other));
}

/** Checks some files of a project. */
export async function checkPart(loader: Loader, paths: readonly string[]): Promise<CheckedPart> {
  const { loader: watched, seen } = seenThrough(loader);
  const project = await Project.open(watched);
  const files: CheckedFile[] = [];
  const findings: Finding[] = [];
  /** What other files have asked for, and more of them may. */
  const shared = new Set(['wf.yaml', 'wf.lock']);
  for (const path of paths) {
    const { value, asked } = await project.noting(async () => {
      const { findings: own, ignored: stand } = await checkFile(project, path);
      const file = await project.file(path);
      const more = file ? await policyOf(project, file, own) : [];
      return { found: [...own, ...more, ...(await importedFindings(project, path))], stand };
    });
    const { found, stand } = value;
    findings.push(...found);
    // What stands is counted each time.
    files.push({ path, isClean: found.length === 0 && stand === 0, ignored: stand, asked });
    for (const other of asked) if (other !== path) shared.add(other);
    if (found.length === 0 && !shared.has(path)) project.release(path);
  }
  const diagnostics = toDiagnostics(findings, project.sources);
  const pointedAt = new Set(
    diagnostics.flatMap(({ file, related = [] }) => [file, ...related.map((place) => place.file)]),
  );
  const sources = new Map([...project.sources].filter(([path]) => pointedAt.has(path)));
  return { files, diagnostics, sources, seen };
}
