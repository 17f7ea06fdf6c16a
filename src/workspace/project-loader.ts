import type { BigIntStats, Dirent } from 'node:fs';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, isAbsolute, join, posix, relative, resolve, sep } from 'node:path';
import type { Loader } from '../formula/loader.ts';
import { maxFileSize } from '../source/limits.ts';
import { UserError } from '../support/user-error.ts';

/** A project on disk: where it is, and its files. */
export interface ProjectFolder extends Loader {
  /** Absolute path, links resolved. */
  readonly root: string;
}

/** Folders whose `.yaml` files are parts of a project. */
const FOLDERS = ['formulas', 'molecules'];

/**
 * The project that a folder belongs to: the nearest one upwards that holds `wf.yaml` or `formulas/`, up to the top of the
 * git repository. Where there is none, the folder itself, empty as it is.
 */
export function openProject(cwd: string): ProjectFolder {
  const start = realpathSync(cwd);
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'wf.yaml')) || isDirectory(join(folder, 'formulas')))
      return projectAt(folder);
    if (existsSync(join(folder, '.git')) || dirname(folder) === folder) return projectAt(start);
  }
}

/** A file that is younger looks different each time. */
const FRESH_MILLISECONDS = 100;

/** The project in a folder that is known to be the root of one. */
export function projectAt(root: string): ProjectFolder {
  /** Undefined for what lies outside, be it by `..` or through a link. */
  const inside = (path: string): string | undefined => {
    const full = resolve(root, path);
    let real: string;
    try {
      real = realpathSync.native(full);
    } catch {
      return undefined;
    }
    return real === root || real.startsWith(root + sep) ? real : undefined;
  };
  return {
    root,
    list: () => {
      const found = ['wf.yaml', 'wf.lock'].filter((name) => existsSync(join(root, name)));
      for (const folder of FOLDERS) {
        for (const name of filesOf(join(root, folder))) {
          if (/\.ya?ml$/.test(name)) found.push(`${folder}/${name}`);
        }
      }
      if (existsSync(join(root, 'wf.yml'))) found.push('wf.yml');
      return Promise.resolve(found.sort());
    },
    read: (path) => {
      const file = inside(path);
      if (file === undefined) return Promise.resolve(undefined);
      try {
        return Promise.resolve(beginningOf(file));
      } catch (error) {
        return Promise.reject(unreadable(path, error));
      }
    },
    look: (path) => {
      const found = entryOf(resolve(root, path));
      if (!found?.isFile()) return 'nothing';
      const { dev, ino, size, mtimeNs, ctimeNs } = found;
      // Written just now, it may be written again without a clock that ticks in milliseconds telling.
      const age = Date.now() - Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
      return [dev, ino, size, mtimeNs, ctimeNs, ...(age < FRESH_MILLISECONDS ? [randomUUID()] : [])].join(
        ' ',
      );
    },
    exists: (path) => {
      const file = inside(path);
      return Promise.resolve(file !== undefined && statSync(file).isFile());
    },
  };
}

/**
 * Paths as somebody wrote them on the command line, in the project's terms. A folder stands for the `.yaml` files in it.
 * Throws a {@link UserError} for what is not there or not in the project.
 */
export function projectPaths(
  project: ProjectFolder,
  paths: readonly string[],
  cwd: string,
): readonly string[] {
  return paths.flatMap((path) => {
    const full = resolve(cwd, path);
    if (!existsSync(full)) throw new UserError(`there is no file ${path}`);
    const inProject = relative(project.root, realpathSync(full));
    if (inProject.startsWith('..') || isAbsolute(inProject)) {
      throw new UserError(`${path} is outside of the project in ${project.root}`, {
        hint: 'start wf in the project that the file belongs to, or say --cwd',
      });
    }
    const slashed = inProject.split(sep).join('/');
    if (!isDirectory(full)) return [slashed];
    return filesOf(full)
      .filter((name) => name.endsWith('.yaml') && !posix.basename(name).startsWith('.'))
      .map((name) => (slashed === '' ? name : `${slashed}/${name}`))
      .filter(
        (name) =>
          slashed !== '' || name === 'wf.yaml' || FOLDERS.some((folder) => name.startsWith(`${folder}/`)),
      )
      .sort();
  });
}

/** All of a file, or so much of a huge one that it is seen to be too large. */
function beginningOf(file: string): Uint8Array {
  if (statSync(file).size <= maxFileSize) return readFileSync(file);
  const descriptor = openSync(file, 'r');
  try {
    const bytes = new Uint8Array(maxFileSize + 1);
    return bytes.subarray(0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The files and folders below a folder, with `/` between names; links are followed, hidden folders and packages left out. Written out because a recursive `readdir` asks the
 * system for each file whether it is a folder, which the listing has said already.
 */
function filesOf(folder: string, above = ''): readonly string[] {
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw unreadable(folder, error);
  }
  return entries.flatMap((entry) => {
    const inside = `${folder}${sep}${entry.name}`;
    const isFolder =
      entry.isDirectory() || (entry.isSymbolicLink() && isDirectory(inside) && !leadsUp(inside, folder));
    const isHidden = entry.name.startsWith('.') || entry.name === 'node_modules';
    const below = isFolder && !isHidden ? filesOf(inside, `${above}${entry.name}/`) : [];
    return [above + entry.name, ...below];
  });
}

/** Whether a link leads to a folder that it stands in, so that who follows it would come back to it for ever. */
function leadsUp(link: string, folder: string): boolean {
  return `${realpathSync(folder)}${sep}`.startsWith(`${realpathSync(link)}${sep}`);
}

/** Undefined for what is not there, and for a link that leads nowhere. */
function entryOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isDirectory(path: string): boolean {
  return entryOf(path)?.isDirectory() ?? false;
}

function unreadable(path: string, cause: unknown): UserError {
  const { code } = cause as NodeJS.ErrnoException;
  const why =
    code === 'EISDIR' ? 'it is a folder' : code === 'EACCES' ? 'you may not' : String(code ?? cause);
  return new UserError(`${path} cannot be read: ${why}`, { cause });
}
