import { constants } from 'node:fs';
import { lstat, open, opendir, realpath, rename, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { globMatcher } from '../../support/globs.ts';
import type { ConfinedPlace } from './confined.ts';
import { isClosed, PathRefused, relativePath, withPlace } from './confined.ts';

/** Bytes of a file that is read or searched at most. */
export const LARGEST = 8 * 1024 * 1024;

/** The bytes of a file, and its mode. */
export async function readConfined(
  root: string,
  path: string,
): Promise<{ readonly content: Buffer; readonly mode: number }> {
  return withPlace(root, path, { create: false }, (place) => readPlace(place));
}

async function readPlace(place: ConfinedPlace): Promise<{ readonly content: Buffer; readonly mode: number }> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(join(place.folder, place.name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(
    (error: unknown) => {
      throw unopened(place.path, error);
    },
  );
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new PathRefused(`"${place.path}" is a folder`);
    if (!stat.isFile()) throw new PathRefused(`"${place.path}" is no ordinary file`);
    if (stat.size > LARGEST)
      throw new PathRefused(`"${place.path}" has ${stat.size} bytes, and at most ${LARGEST} are read`);
    return { content: await handle.readFile(), mode: stat.mode & 0o777 };
  } finally {
    await handle.close();
  }
}

/**
 * Puts a file in the place of what is there: a new one under the same name, so that a file that has another name outside of
 * the workspace is not changed there.
 */
export async function writeConfined(
  root: string,
  path: string,
  content: Buffer | string,
  mode?: number,
): Promise<void> {
  await withPlace(root, path, { create: true }, async (place) => {
    const target = join(place.folder, place.name);
    const before = await lstat(target).catch(() => undefined);
    if (before && !before.isFile())
      throw new PathRefused(
        before.isDirectory() ? `"${place.path}" is a folder` : `"${place.path}" is no ordinary file`,
      );
    const fresh = join(place.folder, `.wf-${randomUUID()}`);
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    try {
      const handle = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
      try {
        await handle.writeFile(content);
        const kept = mode ?? (before ? before.mode & 0o777 : undefined);
        if (kept !== undefined) await handle.chmod(kept);
      } finally {
        await handle.close();
      }
      await rename(fresh, target);
    } catch (error) {
      await rm(fresh, { force: true });
      throw unopened(place.path, error);
    }
  });
}

function unopened(path: string, error: unknown): PathRefused {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return new PathRefused(`there is no file "${path}"`);
    case 'ELOOP':
      return new PathRefused(`"${path}" is a link`);
    case 'EISDIR':
      return new PathRefused(`"${path}" is a folder`);
    case 'ENAMETOOLONG':
      return new PathRefused('a name in the path is too long');
    default:
      return new PathRefused(`"${path}" cannot be used (${code ?? String(error)})`);
  }
}

/**
 * The files under a folder of the workspace, or the one file that is named, without what belongs to git or to wf; links are told and
 * not followed. Paths are relative to the workspace, sorted within each folder.
 */
export async function* filesUnder(
  root: string,
  path: string | undefined,
  glob: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const top = await realpath(root);
  const start = relativePath(top, root, path ?? '.');
  const matches = glob === undefined ? () => true : matcherOf(glob);
  const real = await realpath(join(top, start)).catch(() => {
    throw new PathRefused(`there is no "${start}"`);
  });
  if (real !== join(top, start) && start !== '.')
    throw new PathRefused(`"${start}" is, or goes through, a link`);
  if (!(await lstat(real)).isDirectory()) {
    yield start;
    return;
  }
  const walk = async function* (folder: string): AsyncGenerator<string> {
    if (signal.aborted) return;
    const entries = [];
    const directory = await opendir(join(top, folder)).catch(() => undefined);
    if (!directory) return;
    for await (const entry of directory) entries.push(entry);
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const inner = folder === '.' ? entry.name : `${folder}/${entry.name}`;
      if (isClosed(inner)) continue;
      if (entry.isDirectory()) yield* walk(inner);
      else if (matches(start === '.' ? inner : inner.slice(start.length + 1)) || matches(inner)) yield inner;
    }
  };
  yield* walk(start);
}

/** A glob without a folder in it is about names, wherever they are. */
function matcherOf(glob: string): (path: string) => boolean {
  const matches = globMatcher([glob.includes('/') ? glob : `**/${glob}`]);
  return (path) => matches(path);
}
