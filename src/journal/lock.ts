import type { DatabaseSync } from 'node:sqlite';
import { readHolder } from './lease.ts';

/** Where a run stands in line for a lock that runs share. */
export type LockPlace =
  | { readonly held: true }
  /** `holder`: the run whose turn it is; not `driven`: no process carries it on, so it holds until it is resumed or cancelled. */
  | {
      readonly held: false;
      readonly holder: string;
      readonly driven: boolean;
      readonly older: readonly string[];
    };

/**
 * Takes the lock when it is this one's turn, and its place in line otherwise. To be called again, until it is held;
 * who already has a place keeps it. Inside a transaction.
 *
 * The order is that of asking. A run in line that nobody drives is passed over and keeps its place for when it is
 * resumed; one that holds the lock holds on, driven or not, since what it protects may be half done.
 */
export function takeLock(database: DatabaseSync, group: string, run: string, name: string): LockPlace {
  database
    .prepare('INSERT OR IGNORE INTO locks (lock_group, run, name) VALUES (?, ?, ?)')
    .run(group, run, name);
  const line = database
    .prepare('SELECT run, name, held FROM locks WHERE lock_group = ? ORDER BY ticket')
    .all(group)
    .map((row) => ({ run: String(row['run']), name: String(row['name']), held: row['held'] === 1 }));
  const place = placeInLine(line, run, name, (other) => readHolder(database, other)?.alive === true);
  if (place.held) {
    database
      .prepare('UPDATE locks SET held = 1 WHERE lock_group = ? AND run = ? AND name = ?')
      .run(group, run, name);
  }
  return place;
}

/** Who waits for a lock or holds it. */
export interface LockClaim {
  readonly run: string;
  readonly name: string;
  readonly held: boolean;
}

/** Where a claim stands in a line that is in order of asking; `held` when it is its turn. */
export function placeInLine(
  line: readonly LockClaim[],
  run: string,
  name: string,
  isDriven: (run: string) => boolean,
): LockPlace {
  const own = line.findIndex((claim) => claim.run === run && claim.name === name);
  const holder = line.findIndex((claim) => claim.held);
  if (holder === own) return { held: true };

  const drives = (claim: LockClaim): boolean => claim.run === run || isDriven(claim.run);
  const first = holder >= 0 ? line[holder] : line.slice(0, own).find(drives);
  if (first === undefined) return { held: true };
  const older = line.slice(0, own).flatMap((claim) => (claim.run === run ? [] : [claim.run]));
  return { held: false, holder: first.run, driven: drives(first), older: [...new Set(older)] };
}

/** Gives up a place in line, also when its turn has come meanwhile. */
export function leaveLine(database: DatabaseSync, group: string, run: string, name: string): void {
  database.prepare('DELETE FROM locks WHERE lock_group = ? AND run = ? AND name = ?').run(group, run, name);
}

/** Gives back a lock that the run holds. */
export function releaseLock(database: DatabaseSync, group: string, run: string): void {
  database.prepare('DELETE FROM locks WHERE lock_group = ? AND run = ? AND held = 1').run(group, run);
}

/** A run that ended holds nothing and waits for nothing. */
export function releaseAllLocks(database: DatabaseSync, run: string): void {
  database.prepare('DELETE FROM locks WHERE run = ?').run(run);
}
