import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { withFiles } from './file-problem.ts';
import { git } from './git.ts';
import { gitFolder } from './git-state.ts';
import { globMatcher } from '../support/globs.ts';

const execute = promisify(execFile);

export interface Prepare {
  /** Globs of what the result depends on. */
  readonly files: readonly string[];
  /** What else it depends on: the command itself. */
  readonly key: string;
  /** Runs the command; throws when it fails. */
  readonly run: (directory: string) => Promise<void>;
}

export interface PreparePlace {
  /** Folder of what is kept. */
  readonly cache: string;
  /** `in place`: a person's own directory. `plain`: no repository. */
  readonly kind: 'clone' | 'plain' | 'in place';
  readonly signal: AbortSignal;
}

/**
 * Prepares a directory once per content of the files it depends on. What the command leaves behind that is new or
 * ignored (`node_modules`) is kept, copied into the next directory, so that no step can damage what is kept, and ignored
 * by git from then on; what it changes in files that git has is undone, since the next time it would be missing. Two at
 * once do the work twice and keep one result; a command that fails leaves nothing. In place nothing is copied or undone:
 * the command runs again when the files it depends on differ, or something it left is gone.
 */
export async function prepareDirectory(
  directory: string,
  prepare: Prepare,
  place: PreparePlace,
): Promise<void> {
  const { cache, kind, signal } = place;
  const digest = await digestOf(directory, prepare, kind);
  const kept = join(cache, digest);
  if (kind === 'in place') return prepareInPlace(directory, prepare, join(cache, 'in-place.json'), digest);
  if (!(await restore(kept, directory))) {
    const before = new Set(await leftFiles(directory, kind));
    await prepare.run(directory);
    signal.throwIfAborted();
    if (kind === 'clone') await git(['checkout', '-q', '--', ':/'], { cwd: directory, accept: [0, 1] });
    const made = (await leftFiles(directory, kind)).filter((path) => !before.has(path));
    await withFiles(cache, () => keep(directory, made, kept));
  }
  if (kind === 'clone') await ignore(directory, await readdir(kept));
}

async function keep(directory: string, made: readonly string[], kept: string): Promise<void> {
  const building = `${kept}.${process.pid}.${Date.now()}`;
  try {
    await mkdir(building, { recursive: true });
    for (const path of made) {
      await mkdir(dirname(join(building, path)), { recursive: true });
      await copy(join(directory, path), dirname(join(building, path)));
    }
    // Whoever renames first has it; the other's is the same.
    await rename(building, kept);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!existsSync(kept)) throw error;
  }
}

async function restore(kept: string, directory: string): Promise<boolean> {
  const names = await readdir(kept).catch(() => undefined);
  if (!names) return false;
  for (const name of names) await copy(join(kept, name), directory);
  // Shows that it is of use.
  await utimes(kept, new Date(), new Date()).catch(() => undefined);
  return true;
}

async function copy(path: string, folder: string): Promise<void> {
  const clones = process.platform === 'linux' ? ['--reflink=auto'] : [];
  await execute('cp', ['-a', ...clones, '--', path, `${folder}/`]);
}

interface InPlace {
  readonly digest: string;
  readonly made: readonly string[];
}

async function prepareInPlace(
  directory: string,
  prepare: Prepare,
  file: string,
  digest: string,
): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const last = text === undefined ? undefined : (JSON.parse(text) as InPlace);
  if (last?.digest === digest && last.made.every((path) => existsSync(join(directory, path)))) return;
  await prepare.run(directory);
  await withFiles(file, async () => {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, JSON.stringify({ digest, made: await leftFiles(directory, 'in place') }));
    await rename(`${file}.new`, file);
  });
}

async function digestOf(
  directory: string,
  { files, key }: Prepare,
  kind: PreparePlace['kind'],
): Promise<string> {
  const matches = globMatcher(files);
  const paths =
    kind === 'plain' ? [] : (await listFiles(directory, ['--cached', '--others'])).filter(matches);
  const hash = createHash('sha256').update(
    `${process.platform} ${process.arch} ${kind === 'plain'} ${key}\0`,
  );
  for (const path of [...new Set(paths)].sort()) {
    hash.update(`${path}\0`);
    hash.update(await readFile(join(directory, path)).catch(() => Buffer.alloc(0)));
    hash.update('\0');
  }
  return hash.digest('hex');
}

/** Untracked and ignored files and folders, the folders as one entry. */
async function leftFiles(directory: string, kind: PreparePlace['kind']): Promise<readonly string[]> {
  if (kind === 'plain') return readdir(directory);
  const others = ['--others', '--directory'];
  const all = [
    ...(await listFiles(directory, others)),
    ...(await listFiles(directory, [...others, '--ignored'])),
  ];
  return [
    ...new Set(all.filter((path) => path !== './' && path !== '.wf/').map((path) => path.replace(/\/$/, ''))),
  ];
}

async function listFiles(directory: string, which: readonly string[]): Promise<readonly string[]> {
  const listed = await git(['ls-files', '-z', '--exclude-standard', ...which], { cwd: directory });
  return listed.stdout
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '');
}

/** From now on git ignores what is there: it is no work of the steps. */
async function ignore(directory: string, names: readonly string[]): Promise<void> {
  const { stdout } = await git(['rev-parse', '--show-toplevel'], { cwd: directory });
  const top = stdout.toString('utf8').replace(/\n$/, '');
  const folder = gitFolder(top);
  if (!folder || names.length === 0) return;
  const prefix = relative(top, directory);
  const lines = (await leftFiles(directory, 'clone')).map((path) => `/${escaped(join(prefix, path))}`);
  await mkdir(join(folder.shared, 'info'), { recursive: true });
  await appendFile(join(folder.shared, 'info', 'exclude'), `${lines.join('\n')}\n`);
}

function escaped(path: string): string {
  return path.replace(/[\\*?[\]#! ]/g, '\\$&');
}
