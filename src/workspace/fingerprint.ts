import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** More entries than this are left to git, which is then as fast. */
const MOST_ENTRIES = 3_000;

/** The clock of file systems moves in steps of up to this many nanoseconds: a change within one of them shows in no time. */
const TICK_NANOSECONDS = 20_000_000n;

/**
 * A text that is the same as long as nothing in a directory changed: for each entry its kind, size, inode and times.
 * Undefined when that cannot be promised: the directory is large, or something changed so recently that another change
 * would not show.
 */
export function fingerprint(directory: string): string | undefined {
  const now = BigInt(Date.now()) * 1_000_000n;
  const parts: string[] = [];
  const visit = (path: string): boolean => {
    for (const name of readdirSync(path).sort()) {
      const entry = join(path, name);
      const stat = lstatSync(entry, { bigint: true });
      if (now - stat.ctimeNs < TICK_NANOSECONDS) return false;
      parts.push(`${name} ${stat.mode} ${stat.size} ${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs}`);
      if (parts.length > MOST_ENTRIES) return false;
      // What git stores is not looked into: its HEAD, index and refs say when something changed.
      if (stat.isDirectory() && name !== 'objects' && name !== 'logs' && !visit(entry)) return false;
    }
    parts.push('/');
    return true;
  };
  try {
    return visit(directory) ? parts.join('\n') : undefined;
  } catch {
    return undefined;
  }
}
