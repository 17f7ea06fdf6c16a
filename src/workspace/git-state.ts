import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { git } from './git.ts';

/** What a step's own git looks like: HEAD, branches and index belong to the steps. */
export interface GitState {
  /** Content of `HEAD`. */
  readonly head: string;
  /** What became of refs since the run began: ref → commit or tag object, null where it is gone. */
  readonly refs: Readonly<Record<string, string | null>>;
  /** Name of the kept index; undefined: as HEAD. */
  readonly index: string | undefined;
  /** Digest of what the index says, without the times it remembers. */
  readonly staged: string;
  /** Its configuration, and what a merge, a rebase and their like have left for later: path → bytes as Latin-1. */
  readonly files: Readonly<Record<string, string>>;
}

export type Refs = Readonly<Record<string, string>>;

/** Files and folders of an operation under way, and the configuration. */
const FILES = [
  'config',
  'MERGE_HEAD',
  'MERGE_MSG',
  'MERGE_MODE',
  'SQUASH_MSG',
  'CHERRY_PICK_HEAD',
  'REVERT_HEAD',
  'AUTO_MERGE',
  'rebase-merge',
  'rebase-apply',
  'sequencer',
];

/** Where a repository keeps what is this directory's own (HEAD, index) and what its linked directories share (refs). */
export interface GitFolder {
  readonly own: string;
  readonly shared: string;
}

/** Undefined for a directory that is no repository, or one whose refs are not kept in files. */
export function gitFolder(directory: string): GitFolder | undefined {
  try {
    const path = join(directory, '.git');
    const own = statSync(path).isDirectory()
      ? path
      : resolve(
          directory,
          readFileSync(path, 'utf8')
            .replace(/^gitdir: /, '')
            .trim(),
        );
    const common = join(own, 'commondir');
    const shared = existsSync(common) ? resolve(own, readFileSync(common, 'utf8').trim()) : own;
    return existsSync(join(own, 'HEAD')) && !existsSync(join(shared, 'reftable'))
      ? { own, shared }
      : undefined;
  } catch {
    return undefined;
  }
}

/** All refs of a repository, loose and packed, read from its files: no process for what is asked after every step. */
export async function readRefs({ shared }: GitFolder): Promise<Refs> {
  const refs: Record<string, string> = {};
  const packed = await readFile(join(shared, 'packed-refs'), 'utf8').catch(() => '');
  for (const line of packed.split('\n')) {
    const match = /^([0-9a-f]{40,64}) (refs\/.+)$/.exec(line);
    if (match) refs[String(match[2])] = String(match[1]);
  }
  const loose = await readdir(join(shared, 'refs'), { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of loose) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = (await readFile(path, 'utf8')).trim();
    if (/^[0-9a-f]{40,64}$/.test(text)) refs[path.slice(shared.length + 1)] = text;
  }
  return refs;
}

/** Reads the state of a repository, its index excepted. `start`: the refs that the run began with. */
export async function readGitState(
  folder: GitFolder,
  start: Refs,
): Promise<Pick<GitState, 'head' | 'refs' | 'files'>> {
  const now = await readRefs(folder);
  const changed: [string, string | null][] = [
    ...Object.entries(now).filter(([ref, to]) => start[ref] !== to),
    ...Object.keys(start)
      .filter((ref) => !(ref in now))
      .map((ref) => [ref, null] as [string, null]),
  ];
  const files = (await Promise.all(FILES.map((name) => readTexts(folder.own, name)))).flat();
  return {
    head: await readFile(join(folder.own, 'HEAD'), 'utf8'),
    refs: Object.fromEntries(changed.sort(([a], [b]) => (a < b ? -1 : 1))),
    files: Object.fromEntries(files),
  };
}

async function readTexts(folder: string, name: string): Promise<readonly (readonly [string, string])[]> {
  const path = join(folder, name);
  const found = await stat(path).catch(() => undefined);
  if (!found) return [];
  if (!found.isDirectory()) return [[name, await readFile(path, 'latin1')]];
  const inner = await readdir(path);
  return (await Promise.all(inner.sort().map((entry) => readTexts(folder, `${name}/${entry}`)))).flat();
}

/** Puts back the files of an operation under way, and the configuration. */
export async function writeGitFiles(
  { own }: GitFolder,
  { files, head }: Pick<GitState, 'files' | 'head'>,
): Promise<void> {
  for (const name of [...FILES, 'index.lock', 'HEAD.lock']) {
    if (name !== 'config') await rm(join(own, name), { recursive: true, force: true });
  }
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(own, name)), { recursive: true });
    await writeFile(join(own, name), text, 'latin1');
  }
  await writeFile(join(own, 'HEAD'), head);
}

/** What an index says, whatever it remembers of times and inodes. */
export async function digestOfIndex(directory: string): Promise<string> {
  const listed = await git(['ls-files', '--stage', '-v', '-z'], { cwd: directory });
  return createHash('sha256').update(listed.stdout).digest('hex');
}

/** A copy of an index. Its own time matters: git looks again at files that are not older. */
export async function copyIndex(from: string, to: string): Promise<void> {
  const { atimeMs, mtimeMs } = await stat(from);
  await copyFile(from, to);
  await utimes(to, Math.floor(atimeMs) / 1000, Math.floor(mtimeMs) / 1000);
}

/** The refs of a state, in full. */
export function refsOf({ refs }: Pick<GitState, 'refs'>, start: Refs): Refs {
  return Object.fromEntries(
    Object.entries({ ...start, ...refs }).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

/** The branch that HEAD is on. */
export function branchOf({ head }: Pick<GitState, 'head'>): string | undefined {
  return /^ref: (.+)/.exec(head)?.[1]?.trim();
}

/** The commit that HEAD is at; undefined on a branch without one. */
export function headCommit(state: Pick<GitState, 'head' | 'refs'>, start: Refs): string | undefined {
  const branch = branchOf(state);
  return branch === undefined ? state.head.trim() : refsOf(state, start)[branch];
}
