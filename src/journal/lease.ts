import type { DatabaseSync } from 'node:sqlite';
import { type ProcessIdentity, identifyProcess, isProvablyDead } from '../support/process-identity.ts';
import { UserError } from '../support/user-error.ts';

/** The right to drive a run. Its token grows with each new holder; what an earlier one still wants to write is refused. */
export interface Lease {
  readonly run: string;
  readonly token: number;
}

/** Who drives a run. */
export interface LeaseHolder {
  /** For people: `pid 123 on build-7 since 2026-01-31T10:00:00.000Z`. */
  readonly text: string;
  readonly process: ProcessIdentity;
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly token: number;
  /** False: it let its lease run out, or its process is provably gone, so that anybody may take over. */
  readonly alive: boolean;
}

/** A lease runs out when it was not renewed for so long. */
export const leaseMilliseconds = 10_000;

/** How often a holder renews. */
export const renewMilliseconds = 2_000;

/** Somebody else drives the run now; nothing was written. */
export class LeaseLost extends UserError {
  constructor(run: string, holder: LeaseHolder | undefined) {
    super(
      `run ${run} is no longer driven by this process${holder === undefined ? '' : ` but by ${holder.text}`}`,
      {
        hint: `\`wf watch ${run}\` follows it`,
      },
    );
  }
}

// All of these stand inside a transaction of the caller's and read the time there: who waited for the write lock must
// not judge by the time before.

export function takeLease(database: DatabaseSync, run: string): Lease {
  const now = Date.now();
  const holder = readHolder(database, run);
  if (holder?.alive === true) {
    throw new UserError(`run ${run} is being driven by ${holder.text}`, {
      hint: `\`wf watch ${run}\` follows it, \`wf cancel ${run}\` ends it`,
    });
  }
  const token = (holder?.token ?? 0) + 1;
  database
    .prepare('INSERT OR REPLACE INTO leases (run, token, process, since, expires) VALUES (?, ?, ?, ?, ?)')
    .run(
      run,
      token,
      JSON.stringify(identifyProcess(process.pid)),
      new Date(now).toISOString(),
      now + leaseMilliseconds,
    );
  return { run, token };
}

/** Throws {@link LeaseLost} unless the lease holds. Renews it when that is due, so that a busy holder needs no clock. */
export function useLease(database: DatabaseSync, lease: Lease): void {
  const row = database.prepare('SELECT token, expires FROM leases WHERE run = ?').get(lease.run);
  if (row?.['token'] !== lease.token) throw new LeaseLost(lease.run, readHolder(database, lease.run));
  const expires = Date.now() + leaseMilliseconds;
  if (expires - Number(row['expires']) < renewMilliseconds) return;
  database.prepare('UPDATE leases SET expires = ? WHERE run = ?').run(expires, lease.run);
}

/** Lets go, when it is still held. The row stays, since the token must never count from the start again. */
export function giveUpLease(database: DatabaseSync, lease: Lease): void {
  database.prepare('UPDATE leases SET expires = 0 WHERE run = ? AND token = ?').run(lease.run, lease.token);
}

export function readHolder(database: DatabaseSync, run: string): LeaseHolder | undefined {
  const row = database.prepare('SELECT token, process, since, expires FROM leases WHERE run = ?').get(run);
  if (row === undefined) return undefined;
  const process = JSON.parse(String(row['process'])) as ProcessIdentity;
  const since = String(row['since']);
  return {
    text: `pid ${process.pid} on ${process.host} since ${since}`,
    process,
    since,
    token: Number(row['token']),
    alive: Number(row['expires']) > Date.now() && !isProvablyDead(process),
  };
}
