import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Import } from '../formula/formula.ts';
import { importRoot } from '../formula/imports.ts';
import type { LockEntry, Lockfile } from '../formula/lockfile.ts';
import { importableFiles } from '../plan/importable-files.ts';
import { maxFileSize } from '../source/limits.ts';
import { digestOf } from '../support/digest.ts';
import { newId } from '../support/ids.ts';
import { makeUnversionedFolder } from '../support/unversioned-folder.ts';
import { UserError } from '../support/user-error.ts';
import { fetchCommit, forgetFetched } from './fetch-repository.ts';
import { fileProblem } from './file-problem.ts';
import { treeLoader } from './project-revision.ts';

/** What became of one import. */
export interface LockedOne {
  readonly name: string;
  readonly git: string;
  readonly ref: string;
  readonly path?: string;
  readonly commit: string;
  /** `sha256:…` of each file, by its path. */
  readonly files: Readonly<Record<string, string>>;
  /**
   * `kept`: it was pinned, and its files are here. `fetched`: it was pinned, and its files were not all here. `pinned`: it
   * was not in `wf.lock`, or otherwise. `moved`: its ref leads to another commit now.
   */
  readonly did: 'kept' | 'fetched' | 'pinned' | 'moved';
  /** The commit before, of one that `moved`. */
  readonly before?: string;
  /** Files that differ from those that were pinned before, sorted. */
  readonly changed: readonly string[];
}

export interface LockOptions {
  /** The root of the project. */
  readonly root: string;
  readonly imports: ReadonlyMap<string, Import>;
  readonly lock: Lockfile | undefined;
  /** Whether to look where the ref of an import leads now. */
  readonly update: (name: string) => boolean;
  readonly signal: AbortSignal;
  /** Told before something is fetched. */
  readonly onFetch: (name: string, git: string, ref: string) => void;
}

/**
 * Pins the imports of a project, and has their files under `.wf/imports`. An import that is pinned stays at its commit;
 * what is fetched for it has to be what its digests say. Throws a {@link UserError} where it is not, or where something
 * cannot be fetched; what was fetched before then stays.
 */
export async function lockImports(options: LockOptions): Promise<readonly LockedOne[]> {
  const done: LockedOne[] = [];
  for (const wanted of [...options.imports.values()].sort((a, b) => (a.name.value < b.name.value ? -1 : 1)))
    done.push(await lockOne(wanted, options));
  return done;
}

/** `wf.lock`, as it is written. */
export function lockText(imports: readonly LockedOne[]): string {
  const entries = imports.map(({ name, git, ref, path, commit, files }) => [
    name,
    { git, ref, ...(path !== undefined && { path }), commit, files },
  ]);
  return `${JSON.stringify({ lock: 1, imports: Object.fromEntries(entries) as object }, null, 2)}\n`;
}

async function lockOne(wanted: Import, options: LockOptions): Promise<LockedOne> {
  const { root, lock, update, signal, onFetch } = options;
  const name = wanted.name.value;
  const entry = lock?.imports.get(name);
  const said = {
    name,
    git: wanted.git.value,
    ref: wanted.ref.value,
    ...(wanted.path && { path: wanted.path.value }),
  };
  const isPinned =
    entry?.git.value === said.git && entry.ref.value === said.ref && entry.path?.value === said.path;
  const pinned = isPinned && !update(name) ? entry : undefined;
  if (pinned && (await isHere(root, name, pinned)))
    return { ...said, commit: pinned.commit.value, files: digestsOf(pinned), did: 'kept', changed: [] };
  onFetch(name, said.git, said.ref);
  const home = join(root, '.wf');
  makeUnversionedFolder(home);
  const into = join(home, 'imports', `fetching-${newId()}`);
  try {
    const { commit, directory } = await fetchCommit({
      project: root,
      address: said.git,
      ref: said.ref,
      ...(pinned && { commit: pinned.commit.value }),
      into,
      signal,
    });
    const tree = said.path === undefined ? commit : `${commit}:${said.path.replace(/\/$/, '')}`;
    const contents = await importableFiles(treeLoader(directory, tree));
    refuseUseless(contents, wanted);
    const files = Object.fromEntries([...contents].map(([path, bytes]) => [path, digestOf(bytes)]));
    if (pinned) refuseForged(pinned, files, said);
    await keepFiles(root, name, commit, contents);
    const before = isPinned ? entry : undefined;
    const changed = before ? differing(digestsOf(before), files) : Object.keys(files);
    const did = !before
      ? 'pinned'
      : before.commit.value !== commit
        ? 'moved'
        : changed.length > 0
          ? 'pinned'
          : pinned
            ? 'fetched'
            : 'kept';
    return {
      ...said,
      commit,
      files,
      did,
      ...(did === 'moved' && before && { before: before.commit.value }),
      changed: did === 'pinned' && !before ? [] : changed,
    };
  } finally {
    await forgetFetched(into);
  }
}

function digestsOf({ files }: LockEntry): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([path, { value }]) => [path, value]));
}

function differing(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => before[path] !== after[path])
    .sort();
}

/** Whether the files of an import are kept here as they were pinned. */
async function isHere(root: string, name: string, entry: LockEntry): Promise<boolean> {
  const folder = join(root, importRoot(name, entry.commit.value));
  for (const [path, digest] of entry.files) {
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    if (!bytes || digestOf(bytes) !== digest.value) return false;
  }
  return true;
}

/** Puts files where checks and compiling look for them, all at once. */
async function keepFiles(
  root: string,
  name: string,
  commit: string,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const folder = join(root, importRoot(name, commit));
  const fresh = `${join(root, '.wf/imports')}/writing-${newId()}`;
  try {
    for (const [path, bytes] of contents) {
      const file = join(fresh, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder).catch(async (error: unknown) => {
      // Somebody else has put the same files there in between.
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await rm(fresh, { recursive: true, force: true });
    });
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw fileProblem(error, folder);
  }
}

function refuseUseless(contents: ReadonlyMap<string, Uint8Array>, { name, git, ref, path }: Import): void {
  const large = [...contents].find(([, bytes]) => bytes.length > maxFileSize);
  if (large) throw new UserError(`${large[0]} of import "${name.value}" is larger than any file may be`);
  if (contents.size > 0) return;
  throw new UserError(
    `import "${name.value}" has no formulas: there is neither wf.yaml nor formulas/ nor molecules/ in ${path ? `${path.value} of ` : ''}${git.value} at ${ref.value}`,
    {
      hint: path
        ? 'look at its `path`'
        : 'where they are in a folder of the repository, say `path: <folder>`',
    },
  );
}

/** What was pinned by digest is what it is, whatever the other side says now. */
function refuseForged(
  entry: LockEntry,
  files: Readonly<Record<string, string>>,
  { name, git }: { readonly name: string; readonly git: string },
): void {
  const wrong = [...entry.files].find(([path, { value }]) => files[path] !== value);
  if (!wrong) return;
  const [path] = wrong;
  const commit = entry.commit.value.slice(0, 12);
  throw new UserError(
    files[path] === undefined
      ? `wf.lock pins ${path} of import "${name}", and there is no such file in ${git} at ${commit}`
      : `wf.lock pins ${path} of import "${name}" with another digest than it has in ${git} at ${commit}`,
    {
      hint: `somebody has changed wf.lock: look at its history; \`wf lock --update ${name}\` pins what the ref leads to now`,
    },
  );
}
