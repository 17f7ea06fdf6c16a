import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import picomatch from 'picomatch';
import { git } from './git.ts';

export interface Prepare {
  /** Globs of what the result depends on. */
  readonly files: readonly string[];
  /** What else it depends on: the command itself. */
  readonly key: string;
  /** Runs the command; throws when it fails. */
  readonly run: (directory: string) => Promise<void>;
}

/**
 * Prepares a directory once per content of the files it depends on. What the command leaves behind that is new or
 * ignored (`node_modules`) is kept and copied into the next directory, so that no step can damage what is kept. Two at
 * once do the work twice and keep one result; a command that fails leaves nothing.
 */
export async function prepareDirectory(
  directory: string,
  prepare: Prepare,
  cache: string,
  signal: AbortSignal,
): Promise<void> {
  const kept = join(cache, await digestOf(directory, prepare));
  if (await restore(kept, directory)) return;
  const before = new Set(await leftFiles(directory));
  await prepare.run(directory);
  signal.throwIfAborted();
  const made = (await leftFiles(directory)).filter((path) => !before.has(path));
  const building = `${kept}.${process.pid}.${Date.now()}`;
  await mkdir(building, { recursive: true });
  for (const path of made) {
    await mkdir(dirname(join(building, path)), { recursive: true });
    await cp(join(directory, path), join(building, path), {
      recursive: true,
      verbatimSymlinks: true,
      mode: 2,
    });
  }
  // Whoever renames first has it; the other's is the same.
  await rename(building, kept).catch(() => rm(building, { recursive: true, force: true }));
}

async function restore(kept: string, directory: string): Promise<boolean> {
  let names: string[];
  try {
    names = await readdir(kept);
  } catch {
    return false;
  }
  for (const name of names) {
    await cp(join(kept, name), join(directory, name), { recursive: true, verbatimSymlinks: true, mode: 2 });
  }
  return true;
}

async function digestOf(directory: string, { files, key }: Prepare): Promise<string> {
  const matches = picomatch([...files], { dot: true });
  const listed = await git(['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: directory,
    accept: [0, 128],
  });
  const paths = listed.stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '' && matches(path));
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${key}\0`);
  for (const path of [...new Set(paths)].sort()) {
    hash.update(`${path}\0`);
    hash.update(await readFile(join(directory, path)).catch(() => Buffer.alloc(0)));
  }
  return hash.digest('hex');
}

/** Untracked and ignored files and folders, the folders as one entry. */
async function leftFiles(directory: string): Promise<readonly string[]> {
  const list = async (...more: readonly string[]) =>
    (
      await git(['ls-files', '-z', '--others', '--directory', ...more], { cwd: directory, accept: [0, 128] })
    ).stdout
      .toString('utf8')
      .split('\0');
  const all = [...(await list('--exclude-standard')), ...(await list('--ignored', '--exclude-standard'))];
  return [
    ...new Set(all.filter((path) => path !== '' && path !== './').map((path) => path.replace(/\/$/, ''))),
  ];
}
