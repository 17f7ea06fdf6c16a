import { createHash } from 'node:crypto';
import type { Loader } from '../formula/loader.ts';

/**
 * Where a memory is kept between checks, as text. What it gives back may be old, of another process, or nothing: a
 * memory only believes what the files confirm.
 */
export interface CheckStore {
  /** Which checker wrote it: one that checks anything else may not read it. */
  readonly version: string;
  /** Of how many files a project is worth it: with fewer a check takes hardly longer than to remember it. */
  readonly fewest: number;
  load(): Promise<string | undefined>;
  /** May fail without harm, and says nothing then. */
  save(text: string): Promise<void>;
}

/** A file as it was when something was found out with it. */
export interface Seen {
  readonly look: string;
  /** Of its content; or whether there was such a file, where nothing else was asked. */
  readonly digest: string;
}

/** What a check of one file came to. */
export interface CheckedFile {
  readonly path: string;
  /** Nothing was found in it. */
  readonly isClean: boolean;
  /** How much its author lets stand. */
  readonly ignored: number;
  /** The files that this depends on. */
  readonly asked: readonly string[];
}

interface Kept {
  readonly version: string;
  readonly paths: readonly string[];
  readonly looks: readonly string[];
  readonly digests: readonly string[];
  /** Files in which nothing was found, each with those it was checked with, by position in `paths`. */
  readonly clean: readonly (readonly number[])[];
}

const ABSENT = 'absent';
const PRESENT = 'present';

/**
 * Remembers in which files nothing was found, and with which others that was so, so that only what may have changed is
 * checked again. Files are compared by content; where a loader can tell that one was not touched, it is not even read.
 */
export class CheckMemory {
  readonly #store: CheckStore;
  readonly #loader: Loader;
  readonly #seen = new Map<string, Seen>();
  /** File → those it was clean with, itself included. */
  readonly #clean = new Map<string, readonly string[]>();
  readonly #unchanged = new Map<string, Promise<boolean>>();
  #differs = false;

  private constructor(loader: Loader, store: CheckStore, kept: Kept | undefined) {
    this.#loader = loader;
    this.#store = store;
    if (!kept) return;
    const { paths, looks, digests, clean } = kept;
    paths.forEach((path, at) =>
      this.#seen.set(path, { look: String(looks[at]), digest: String(digests[at]) }),
    );
    for (const positions of clean) {
      const [path, ...others] = positions.map((at) => String(paths[at]));
      if (path !== undefined) this.#clean.set(path, [path, ...others]);
    }
  }

  static async open(loader: Loader, store: CheckStore): Promise<CheckMemory> {
    return new CheckMemory(loader, store, parse(await store.load(), store.version));
  }

  /** Whether nothing was found in a file, and neither it nor anything that it was checked with has changed. */
  async isClean(path: string): Promise<boolean> {
    const files = this.#clean.get(path);
    if (!files) return false;
    for (const file of files) if (!(await this.#isUnchanged(file))) return false;
    return true;
  }

  /** Remembers what a check of files came to, and keeps it for the next one when there is anything new. */
  async keep(files: readonly CheckedFile[], fresh: ReadonlyMap<string, Seen>): Promise<void> {
    if (files.length === 0 && !this.#differs) return;
    const checked = new Set(files.map(({ path }) => path));
    for (const { path, isClean, asked } of files) {
      if (isClean) this.#clean.set(path, [path, ...asked.filter((other) => other !== path)]);
      else this.#clean.delete(path);
    }
    const changed = new Set<string>();
    for (const [path, seen] of fresh) {
      const before = this.#seen.get(path);
      if (before && !agree(before.digest, seen.digest)) changed.add(path);
      // Others may have been checked with its content, of which nothing was asked this time.
      if (seen.digest === PRESENT && before && before.digest !== ABSENT) continue;
      this.#seen.set(path, seen);
    }
    for (const [path, files] of this.#clean) {
      // What was found out with other files holds no longer.
      const stale = !checked.has(path) && files.some((file) => changed.has(file));
      if (stale) this.#clean.delete(path);
    }
    const paths = [...new Set([...this.#clean.values()].flat())];
    const at = new Map(paths.map((path, position) => [path, position]));
    const kept: Kept = {
      version: this.#store.version,
      paths,
      looks: paths.map((path) => this.#seen.get(path)?.look ?? ''),
      digests: paths.map((path) => this.#seen.get(path)?.digest ?? ''),
      clean: [...this.#clean.values()].map((files) => files.map((file) => at.get(file) ?? 0)),
    };
    await this.#store.save(JSON.stringify(kept));
  }

  #isUnchanged(path: string): Promise<boolean> {
    const known = this.#unchanged.get(path);
    if (known) return known;
    const unchanged = this.#compare(path);
    this.#unchanged.set(path, unchanged);
    return unchanged;
  }

  async #compare(path: string): Promise<boolean> {
    const seen = this.#seen.get(path);
    if (!seen) return false;
    const look = lookAt(this.#loader, path);
    if (look !== '' && look === seen.look) return true;
    const digest = await this.#digestNow(path, seen);
    if (digest !== seen.digest) return false;
    // Touched, and the same: the next time its look says so.
    this.#seen.set(path, { look, digest });
    this.#differs = true;
    return true;
  }

  async #digestNow(path: string, { digest }: Seen): Promise<string> {
    if (digest === PRESENT) return (await this.#loader.exists(path)) ? PRESENT : ABSENT;
    const bytes = await this.#loader.read(path).catch(() => undefined);
    return bytes ? digestOf(bytes) : ABSENT;
  }
}

/** The same loader, and what it has shown so far. */
export function seenThrough(loader: Loader): {
  readonly loader: Loader;
  readonly seen: ReadonlyMap<string, Seen>;
} {
  const seen = new Map<string, Seen>();
  return {
    seen,
    loader: {
      list: () => loader.list(),
      read: async (path) => {
        // Before it is read: what is written in between shows the next time.
        const look = lookAt(loader, path);
        const bytes = await loader.read(path);
        seen.set(path, { look, digest: bytes ? digestOf(bytes) : ABSENT });
        return bytes;
      },
      exists: async (path) => {
        const look = lookAt(loader, path);
        const exists = await loader.exists(path);
        if (!seen.has(path)) seen.set(path, { look, digest: exists ? PRESENT : ABSENT });
        return exists;
      },
    },
  };
}

function lookAt(loader: Loader, path: string): string {
  return loader.look?.(path) ?? '';
}

/** Whether what is known of a file now is what was known: that it is there goes with any content. */
function agree(before: string, now: string): boolean {
  if (before === PRESENT || now === PRESENT) return before !== ABSENT && now !== ABSENT;
  return before === now;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

function parse(text: string | undefined, version: string): Kept | undefined {
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as Partial<Kept> | null;
    const whole =
      kept?.version === version &&
      [kept.paths, kept.looks, kept.digests, kept.clean].every((list) => Array.isArray(list));
    return whole ? (kept as Kept) : undefined;
  } catch {
    return undefined;
  }
}
