import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, mkdir, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, posix, relative, sep } from 'node:path';

/** Why a path is not touched, as the model is told. */
export class PathRefused extends Error {
  override readonly name = 'PathRefused';
}

/** A file inside of the workspace, held by the folder that it is in. */
export interface ConfinedPlace {
  /**
   * A path by which the folder is reached whatever its names are changed to meanwhile. Where the system has no such path
   * (it is not Linux), that of the folder as it was checked.
   */
  readonly folder: string;
  readonly name: string;
  /** Relative to the workspace, with `/`. */
  readonly path: string;
}

const LONGEST = 4096;

/**
 * Does something with a file of a folder and of nothing outside of it: not through `..`, not through a link anywhere on the
 * way, also not one that is put there meanwhile, and not in a `.git` or `.wf`. Each folder on the way is opened, and looked at once it
 * is: a name can be made to mean something else, an open folder cannot.
 *
 * @param create folders on the way that are not there are made
 */
export async function withPlace<T>(
  root: string,
  path: string,
  { create }: { readonly create: boolean },
  work: (place: ConfinedPlace) => Promise<T>,
): Promise<T> {
  const top = await realpath(root);
  const clean = relativePath(top, root, path);
  if (clean === '.') throw new PathRefused(`"${path}" is the workspace itself, and no file`);
  return descend(top, clean, { create }, 0, work);
}

/** A path from the workspace's top, without `.` and `..`. */
export function relativePath(top: string, root: string, path: string): string {
  if (path.length > LONGEST) throw new PathRefused('the path is too long');
  if (path.includes('\0')) throw new PathRefused('the path holds a NUL');
  let own = path;
  if (isAbsolute(path)) {
    const base = [root, top].find((one) => path === one || path.startsWith(one + sep));
    if (base === undefined) throw new PathRefused(`"${path}" is outside of the workspace`);
    own = relative(base, path) || '.';
  }
  const clean = posix.normalize(own.replaceAll(sep, '/')).replace(/\/$/, '');
  if (clean === '..' || clean.startsWith('../'))
    throw new PathRefused(`"${path}" is outside of the workspace`);
  if (isClosed(clean)) throw new PathRefused(`"${path}" belongs to git or to wf, and is not touched`);
  return clean === '' ? '.' : clean;
}

/**
 * Whether a path leads into a `.git`, or into the `.wf` of a checkout, which holds the record of the run itself; however it
 * is spelled where case does not count.
 */
export function isClosed(path: string): boolean {
  const segments = path.toLowerCase().split('/');
  return segments[0] === '.wf' || segments.includes('.git');
}

const MOST_LINKS = 20;

async function descend<T>(
  top: string,
  clean: string,
  options: { readonly create: boolean },
  links: number,
  work: (place: ConfinedPlace) => Promise<T>,
): Promise<T> {
  const segments = clean.split('/');
  const name = segments.pop() as string;
  const held: FileHandle[] = [];
  try {
    let folder = await enter(top, top, held);
    for (const segment of segments) {
      const next = join(folder, segment);
      const stat = await lstat(next).catch(() => undefined);
      if (!stat && options.create) await mkdir(next).catch(ignoreExisting);
      else if (!stat) throw new PathRefused(`there is no folder "${segments.join('/')}"`);
      folder = stat?.isSymbolicLink()
        ? await enter(await inside(top, next, clean), top, held)
        : await enter(next, top, held);
    }
    const stat = await lstat(join(folder, name)).catch(() => undefined);
    if (stat?.isSymbolicLink()) {
      if (links === MOST_LINKS) throw new PathRefused(`"${clean}" is a link that leads to too many others`);
      const target = await inside(top, join(folder, name), clean);
      return await descend(top, relative(top, target).replaceAll(sep, '/'), options, links + 1, work);
    }
    return await work({ folder, name, path: clean });
  } finally {
    await Promise.all(held.map((handle) => handle.close()));
  }
}

/** Where a link leads, if that is inside of the workspace and there. */
async function inside(top: string, link: string, path: string): Promise<string> {
  const target = await realpath(link).catch(() => {
    throw new PathRefused(`"${path}" is a link that leads nowhere`);
  });
  const own = relative(top, target).replaceAll(sep, '/');
  if (own.startsWith('..') || isAbsolute(own))
    throw new PathRefused(`"${path}" is a link that leads out of the workspace`);
  if (isClosed(own)) throw new PathRefused(`"${path}" leads into what belongs to git or to wf`);
  return target;
}

/** Opens a folder and looks where it really is. */
async function enter(path: string, top: string, held: FileHandle[]): Promise<string> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  let handle: FileHandle;
  try {
    handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PathRefused(
      code === 'ENOTDIR' || code === 'ELOOP'
        ? 'a part of the path is no folder'
        : `the folder cannot be opened (${code})`,
    );
  }
  held.push(handle);
  if (process.platform !== 'linux') {
    await inside(top, path, path);
    return path;
  }
  const own = `/proc/self/fd/${handle.fd}`;
  const real = await readlink(own);
  if (real !== top && !real.startsWith(top + sep))
    throw new PathRefused('the path leads out of the workspace');
  if (isClosed(relative(top, real).replaceAll(sep, '/')))
    throw new PathRefused('the path leads into what belongs to git or to wf');
  return own;
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
    throw new PathRefused(`the folder cannot be made (${(error as NodeJS.ErrnoException).code})`);
}
