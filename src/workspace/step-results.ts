import { lstat, readFile, readlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { StateId } from '../journal/event.ts';
import { globMatcher } from '../support/globs.ts';
import type { Snapshots, TrackedFile } from './snapshots.ts';

/** What became of one file, from where the repository, or the empty folder, begins. */
export interface ResultFile {
  readonly path: string;
  /** What git knew of it before. Absent: nothing. */
  readonly before?: TrackedFile;
  /** What it is now. Absent: it is gone. */
  readonly after?: { readonly mode: FileMode; readonly content: FileContent };
}

export type FileMode = '100644' | '100755' | '120000';

/** Of a link, where it leads. */
export type FileContent = () => Promise<Buffer>;

/** More than this is rather made again. */
const MOST_FILES = 20_000;

/** Clocks of file systems tick. */
const TICK_MILLISECONDS = 20;

/**
 * What the files of a workspace say about a step whose result may be kept: what it began with, what it made of them, and
 * whether a result fits to what is there. Git is asked for what it tracks; of what it ignores, that counts as made by a
 * step which was written while it ran.
 */
export class StepResults {
  readonly #snapshots: Snapshots;
  /** Folder of the repository that steps work in, without a slash at its end. */
  readonly #prefix: string;

  constructor(snapshots: Snapshots, prefix: string) {
    this.#snapshots = snapshots;
    this.#prefix = prefix;
  }

  /** The files of a state that match some globs, as `path mode object`, sorted. */
  async matching(state: StateId, globs: readonly string[]): Promise<readonly string[]> {
    const matches = globMatcher(globs);
    const found: string[] = [];
    for (const [path, { mode, object }] of await this.#snapshots.files(state)) {
      const here = this.#prefix === '' ? path : posix.relative(this.#prefix, path);
      if (!here.startsWith('../') && matches(here)) found.push(`${here} ${mode} ${object}`);
    }
    return found.sort();
  }

  /**
   * What a step made of its files, beginning at `since` (milliseconds since the epoch). Undefined where that cannot be put
   * in its place later: it moved HEAD, an index or branches, changed a repository inside of this one, or made too much.
   */
  async made(
    directory: string,
    before: StateId,
    after: StateId,
    since: number,
  ): Promise<readonly ResultFile[] | undefined> {
    const changes = before === after ? [] : await this.#snapshots.delta(before, after);
    if (!changes || changes.length > MOST_FILES) return undefined;
    if (changes.some(({ before: one, after: other }) => !isFile(one) || !isFile(other))) return undefined;
    const tracked = changes.map(({ path, before: one, after: other }) => ({
      path,
      ...(one && { before: one }),
      ...(other && {
        after: {
          mode: other.mode as FileMode,
          content: () => this.#snapshots.content(other.object),
        },
      }),
    }));
    const top = this.#topOf(directory);
    const ignored: ResultFile[] = [];
    for (const path of await this.#snapshots.ignored(top)) {
      const stat = await lstat(join(top, path)).catch(() => undefined);
      if (!stat || stat.ctimeMs < since - TICK_MILLISECONDS) continue;
      if (!stat.isFile() && !stat.isSymbolicLink()) continue;
      if (ignored.length > MOST_FILES) return undefined;
      const mode = stat.isSymbolicLink() ? '120000' : (stat.mode & 0o100) === 0 ? '100644' : '100755';
      ignored.push({ path, after: { mode, content: () => contentOf(join(top, path), mode) } });
    }
    return [...tracked, ...ignored];
  }

  /** Where a file of a result goes, seen from the directory of a step. */
  placeOf(directory: string, path: string): string {
    return join(this.#topOf(directory), path);
  }

  /** Whether the files that a result changes are what they were for the step that it is of. */
  async fits(
    directory: string,
    state: StateId,
    files: readonly Pick<ResultFile, 'path' | 'before'>[],
  ): Promise<boolean> {
    const now = await this.#snapshots.files(state);
    const top = this.#topOf(directory);
    for (const { path, before } of files) {
      const there = now.get(path);
      if (there?.mode !== before?.mode || there?.object !== before?.object) return false;
      if (!(await isWithin(top, path))) return false;
      const stat = before ? undefined : await lstat(join(top, path)).catch(() => undefined);
      if (stat?.isDirectory()) return false;
    }
    return true;
  }

  #topOf(directory: string): string {
    return this.#prefix === '' ? directory : directory.slice(0, -(this.#prefix.length + 1));
  }
}

function isFile(file: TrackedFile | undefined): boolean {
  return file === undefined || ['100644', '100755', '120000'].includes(file.mode);
}

/** No folder on the way to it is a link, which may lead anywhere by now, or a file. */
async function isWithin(top: string, path: string): Promise<boolean> {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    const stat = await lstat(join(top, folder)).catch(() => undefined);
    if (stat && !stat.isDirectory()) return false;
  }
  return true;
}

async function contentOf(path: string, mode: FileMode): Promise<Buffer> {
  if (mode === '120000') return readlink(path, 'buffer');
  return readFile(path);
}
