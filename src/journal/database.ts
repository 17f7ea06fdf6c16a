import { existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';
import { makeUnversionedFolder } from '../support/unversioned-folder.ts';
import { UserError } from '../support/user-error.ts';
import { applicationId, migrations } from './schema.ts';

/** How long a writer waits for another process's transaction before it gives up. */
export const busyMilliseconds = 5_000;

/**
 * The journal's SQLite file, made with its directory when there is none and brought up to this version's tables.
 * Throws `UserError` when the file is damaged, newer than this program, or not to be written; it is then as it was.
 */
export async function openDatabase(file: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await importSqlite();
  const open = (path: string): DatabaseSync => {
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${busyMilliseconds}; PRAGMA foreign_keys = ON;`);
      checkOwner(database, file);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      migrate(database, file);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  };

  try {
    if (!existsSync(file)) create(file, (path) => open(path).close());
    // SQLite takes an empty file for a new database. Ours is never empty, see `create`.
    if (statSync(file).size === 0) throw damaged(file, 'it is empty');
    return open(file);
  } catch (error) {
    throw asUserError(error, file);
  }
}

/**
 * Makes a complete journal beside the file and moves it into place, so that no process ever meets half a journal and
 * an empty file is always damage. When several do so at once, the first one's stays.
 */
function create(file: string, fill: (path: string) => void): void {
  const directory = dirname(file);
  makeUnversionedFolder(directory);

  const draft = `${file}.${process.pid}.new`;
  try {
    fill(draft);
    try {
      linkSync(draft, file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return;
      // Some file systems have no hard links.
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
      renameSync(draft, file);
    }
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(draft + end, { force: true });
  }
}

function checkOwner(database: DatabaseSync, file: string): void {
  const owner = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  if (version > migrations.length && owner === applicationId) {
    throw new UserError(
      `${file} was written by a newer wf (journal ${version}, this wf knows ${migrations.length})`,
      {
        hint: 'update wf, or use another project directory',
      },
    );
  }
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'];
  if (owner !== applicationId && tables !== 0) throw damaged(file, 'it is not a journal of wf');
}

function migrate(database: DatabaseSync, file: string): void {
  if (pragma(database, 'user_version') === migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have done it while this one waited.
    for (const step of migrations.slice(pragma(database, 'user_version'))) database.exec(step);
    database.exec(
      `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}; COMMIT`,
    );
  } catch (error) {
    rollBack(database);
    throw asUserError(error, file);
  }
}

export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/** Ends a transaction that failed. SQLite has ended it already after some errors, a full disk among them. */
export function rollBack(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // There was none any more.
  }
}

/** SQLite's primary result codes that mean the world rather than a mistake of ours. */
const sqlite = {
  perm: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  notadb: 26,
};

/**
 * What a person can do something about, said so; anything else as it came. Goes by codes: the messages differ from
 * version to version, and `code` is the same for all of SQLite's errors.
 */
export function asUserError(error: unknown, file: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const { code, errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number };
  const told = (message: string, hint: string): UserError => new UserError(message, { hint, cause: error });

  if (errcode !== undefined) {
    switch (errcode & 0xff) {
      case sqlite.busy:
      case sqlite.locked:
        return told(
          `${file} has been locked by another program for ${busyMilliseconds / 1000} seconds`,
          'wait for the other program, or end it; nothing was written',
        );
      case sqlite.perm:
      case sqlite.readonly:
      case sqlite.cantopen:
        return told(
          `${file} cannot be opened for writing`,
          `make ${dirname(file)} and what is in it writable`,
        );
      case sqlite.full:
        return told(
          `no space left for ${file}`,
          'free some space and resume: everything up to the last full entry is kept',
        );
      case sqlite.ioerr:
        return told(
          `${file} cannot be read or written (${error.message})`,
          'look at the disk (full, failing, gone?) and resume: everything up to the last full entry is kept',
        );
      case sqlite.corrupt:
      case sqlite.notadb:
        return damaged(file, error.message, error);
    }
  }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return told(`no space left for ${file}`, 'free some space and try again');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return told(`${file} cannot be written`, `make ${dirname(file)} writable`);
    case 'ENOTDIR':
    case 'EEXIST':
      return told(`${dirname(file)} is not a directory`, 'move away the file of that name');
    default:
      return error;
  }
}

/** The journal holds something that wf cannot have written. Nothing is repaired by itself: what is there may be all there is. */
export function damaged(file: string, what: string, cause?: unknown): UserError {
  return new UserError(`${file} is damaged: ${what}`, {
    hint: `nothing was changed. Restore it from a backup, or move ${file} (with its -wal and -shm) away to start anew`,
    cause,
  });
}

/** Node 22 warns on import that SQLite is experimental, which is none of our users' business. */
async function importSqlite(): Promise<typeof import('node:sqlite')> {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).includes('SQLite')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return await import('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
