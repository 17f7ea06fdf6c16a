import { posix } from 'node:path';
import { importPlace } from '../formula/imports.ts';
import type { Loader } from '../formula/loader.ts';
import { maxFileSize } from '../source/limits.ts';
import { UserError } from '../support/user-error.ts';
import { gitAtOnce } from './git.ts';
import type { ProjectFolder } from './project-loader.ts';

/** A project as it was committed. */
export interface ProjectRevision extends Loader {
  /** The commit. */
  readonly commit: string;
}

interface Entry {
  readonly mode: string;
  readonly object: string;
  readonly size: number;
}

/**
 * A project as it stands in a commit, read from git's objects: nothing is checked out. Throws a {@link UserError} where
 * there is no repository or no such revision.
 */
export function projectRevision(project: ProjectFolder, revision: string): ProjectRevision {
  const { root } = project;
  const commit = resolveRevision(root, revision);
  const files = treeLoader(root, commit);
  return {
    ...files,
    commit,
    // Files of imports are in no commit: they are kept by the commit that `wf.lock` names.
    read: (path) => (importPlace(path) ? project.read(path) : files.read(path)),
  };
}

/** The files of a tree of git, which is asked in `root`. */
export function treeLoader(root: string, tree: string): Loader {
  const entries = entriesOf(tree, root);
  const texts = new Map<string, Buffer>();
  /** The entry that a path leads to; a link is followed as far as it stays within. */
  const find = (path: string, hops = 0): Entry | undefined => {
    const entry = entries.get(posix.normalize(path));
    if (entry?.mode !== '120000') return entry;
    const target = gitAtOnce(['cat-file', 'blob', entry.object], root)?.toString('utf8');
    return target === undefined || hops > 8
      ? undefined
      : find(posix.join(posix.dirname(path), target), hops + 1);
  };
  return {
    list: () =>
      Promise.resolve(
        [...entries.keys()]
          .filter((path) => /^(wf\.lock|wf\.ya?ml|(formulas|molecules)\/.+\.ya?ml)$/.test(path))
          .sort(),
      ),
    exists: (path) => Promise.resolve(find(path) !== undefined),
    read: (path) => {
      const entry = find(path);
      if (!entry) return Promise.resolve(undefined);
      if (entry.size > maxFileSize) return Promise.resolve(new Uint8Array(maxFileSize + 1));
      if (texts.size === 0)
        for (const [object, text] of blobs(projectFiles(entries), root)) texts.set(object, text);
      const text = texts.get(entry.object) ?? gitAtOnce(['cat-file', 'blob', entry.object], root);
      return Promise.resolve(text);
    },
  };
}

/** The commit of a revision. Throws a {@link UserError} where there is no repository or no such revision. */
export function resolveRevision(root: string, revision: string): string {
  if (gitAtOnce(['rev-parse', '--git-dir'], root) === undefined)
    throw new UserError(`${root} is in no git repository, so it has no revisions`);
  const commit = gitAtOnce(['rev-parse', '--verify', '-q', '--end-of-options', `${revision}^{commit}`], root)
    ?.toString('utf8')
    .trim();
  if (commit === undefined) {
    const shallow =
      gitAtOnce(['rev-parse', '--is-shallow-repository'], root)?.toString('utf8').trim() === 'true';
    throw new UserError(`there is no commit, branch or tag "${revision}" here`, {
      hint: shallow
        ? 'this clone is shallow: fetch the revision first, or clone with the whole history (`fetch-depth: 0`)'
        : 'fetch it first, if another repository has it',
    });
  }
  return commit;
}

/** Blobs by path from the project's root. */
function entriesOf(commit: string, root: string): ReadonlyMap<string, Entry> {
  const listed = gitAtOnce(['ls-tree', '-r', '-l', '-z', commit], root)?.toString('utf8') ?? '';
  const entries = new Map<string, Entry>();
  for (const line of listed.split('\0')) {
    const [, mode, object, size, path] = /^(\d+) blob (\S+) +(\d+)\t(.*)$/s.exec(line) ?? [];
    if (mode !== undefined && object !== undefined && path !== undefined)
      entries.set(path, { mode, object, size: Number(size) });
  }
  return entries;
}

function projectFiles(entries: ReadonlyMap<string, Entry>): readonly string[] {
  return [...entries].flatMap(([path, { object, size }]) =>
    /^(?:wf\.yaml|(?:formulas|molecules)\/.+\.yaml)$/.test(path) && size <= maxFileSize ? [object] : [],
  );
}

/** The contents of many blobs, from one process of git. */
function blobs(objects: readonly string[], root: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  if (objects.length === 0) return found;
  const output = gitAtOnce(['cat-file', '--batch'], root, `${objects.join('\n')}\n`) ?? Buffer.alloc(0);
  for (let at = 0; at < output.length;) {
    const end = output.indexOf('\n', at);
    const [object = '', type, size] = output.toString('latin1', at, end).split(' ');
    if (type !== 'blob') break;
    found.set(object, output.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return found;
}
