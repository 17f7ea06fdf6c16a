import { chmod, copyFile, mkdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../support/json.ts';
import type { Digest } from '../support/digest.ts';
import { digestOf } from '../support/digest.ts';
import { newId } from '../support/ids.ts';
import { maskText } from '../support/mask.ts';
import { makeUnversionedFolder } from '../support/unversioned-folder.ts';
import { withFiles } from './file-problem.ts';
import type { FileMode, ResultFile } from './step-results.ts';

/** What is recorded of a step, as events have it. */
export interface KeptRecord {
  readonly outputs: JsonObject;
  readonly exitCode?: number;
  readonly stdout?: JsonObject;
  readonly stderr?: JsonObject;
}

/** A result that was found. */
export interface KeptResult {
  readonly record: KeptRecord;
  readonly files: readonly Pick<ResultFile, 'path' | 'before'>[];
  /** Puts the files where they belong, whatever is there. */
  put(placeOf: (path: string) => string): Promise<void>;
}

/** A result that may come to be kept. */
export interface StagedResult {
  /** It held: keeps it, unless somebody else has kept one meanwhile. */
  keep(): Promise<void>;
  /** It did not. */
  discard(): Promise<void>;
}

/** More than this is rather made again. */
const MOST_BYTES = 512 * 1024 * 1024;

/** How a result is kept: what was recorded, and a file for each that there is after it, by its number. */
interface Entry {
  readonly version: 1;
  readonly record: KeptRecord;
  readonly files: readonly EntryFile[];
}

interface EntryFile {
  readonly path: string;
  readonly before?: ResultFile['before'];
  readonly after?: { readonly mode: FileMode; readonly digest: Digest };
}

/**
 * Results of steps, each in a folder of its own that is named for what it depends on. A folder appears whole or not at
 * all, so that any number of processes may use it at the same time; what was changed since is not used.
 */
export class StepCache {
  readonly #home: string;
  readonly #folder: string;
  readonly #secrets: readonly string[];

  /**
   * @param home `.wf` of the project
   * @param secrets texts that are not to be kept
   */
  constructor(home: string, secrets: readonly string[]) {
    this.#home = home;
    this.#folder = join(home, 'cache', 'steps');
    this.#secrets = secrets;
  }

  /** What is kept under a key; undefined: nothing, or nothing that could be used. */
  async find(key: Digest): Promise<KeptResult | undefined> {
    const folder = this.#folderOf(key);
    const entry = await this.#read(folder);
    if (!entry) return undefined;
    const kept = (index: number) => join(folder, String(index));
    // All is looked at before anything is changed.
    for (const [index, { after }] of entry.files.entries()) {
      if (!after) continue;
      const bytes = await readFile(kept(index)).catch(() => undefined);
      if (!bytes || digestOf(bytes) !== after.digest) {
        await rm(folder, { recursive: true, force: true });
        return undefined;
      }
    }
    const now = new Date();
    await utimes(folder, now, now).catch(() => undefined);
    return {
      record: entry.record,
      files: entry.files,
      put: async (placeOf) => {
        for (const [index, { path, after }] of entry.files.entries()) {
          const place = placeOf(path);
          await withFiles(place, async () => {
            await rm(place, { force: true });
            if (!after) return;
            await mkdir(dirname(place), { recursive: true });
            if (after.mode === '120000') await symlink(await readFile(kept(index)), place);
            else {
              await copyFile(kept(index), place);
              await chmod(place, after.mode === '100755' ? 0o755 : 0o644);
            }
          });
        }
      },
    };
  }

  /** Copies a result aside. Undefined: it holds a secret, or is too large. */
  async stage(
    key: Digest,
    record: KeptRecord,
    files: readonly ResultFile[],
  ): Promise<StagedResult | undefined> {
    const masked = JSON.parse(maskText(JSON.stringify(record), this.#secrets)) as KeptRecord;
    makeUnversionedFolder(this.#home);
    const fresh = `${this.#folderOf(key)}.${newId()}`;
    const discard = () => rm(fresh, { recursive: true, force: true });
    const kept: EntryFile[] = [];
    let left = MOST_BYTES;
    try {
      await mkdir(fresh, { recursive: true, mode: 0o700 });
      for (const { path, before, after } of files) {
        const bytes = await after?.content();
        left -= bytes?.length ?? 0;
        if (left < 0 || (bytes && this.#secrets.some((secret) => bytes.includes(secret)))) {
          await discard();
          return undefined;
        }
        if (bytes) await writeFile(join(fresh, String(kept.length)), bytes);
        kept.push({
          path,
          ...(before && { before }),
          ...(after && bytes && { after: { mode: after.mode, digest: digestOf(bytes) } }),
        });
      }
      const entry: Entry = { version: 1, record: masked, files: kept };
      const text = JSON.stringify(entry);
      await writeFile(join(fresh, 'result.json'), `${digestOf(text)}\n${text}`);
    } catch {
      // A file that went away, a full disk: then it is made again the next time.
      await discard().catch(() => undefined);
      return undefined;
    }
    return {
      keep: async () => {
        const folder = this.#folderOf(key);
        try {
          await rename(fresh, folder);
        } catch {
          // One is there already: this one is newer, and was asked for because that one would not do, or was not to be used.
          await rename(folder, `${fresh}.old`).catch(() => undefined);
          await rename(fresh, folder).catch(discard);
          await rm(`${fresh}.old`, { recursive: true, force: true });
        }
      },
      discard,
    };
  }

  #folderOf(key: Digest): string {
    return join(this.#folder, key.slice('sha256:'.length));
  }

  async #read(folder: string): Promise<Entry | undefined> {
    const text = await readFile(join(folder, 'result.json'), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const [digest = '', ...rest] = text.split('\n');
    const json = rest.join('\n');
    if (digestOf(json) === digest) return JSON.parse(json) as Entry;
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
}
