import { lstatSync, readdirSync } from 'node:fs';

/** More entries than this are left to git, which is then as fast. */
const MOST_ENTRIES = 3_000;

/** The clock of file systems moves in steps of up to this many milliseconds: a change within one of them does not show. */
const TICK_MILLISECONDS = 12;

/** What a directory looked like from outside. */
export interface Look {
  /** The same as long as nothing in it changed: for each entry its kind, size, inode and times. */
  readonly text: string;
  /** When the last change was, in milliseconds. */
  readonly newest: number;
}

/** Looks at a directory. Undefined when it is so large that git is as fast, or the clock is not to be trusted. */
export function lookAt(directory: string): Look | undefined {
  const parts: string[] = [];
  let newest = 0;
  const visit = (path: string, ofGit: boolean): boolean => {
    for (const name of readdirSync(path).sort()) {
      const stat = lstatSync(`${path}/${name}`);
      if (stat.ctimeMs > newest) newest = stat.ctimeMs;
      parts.push(`${name} ${stat.mode} ${stat.size} ${stat.ino} ${stat.mtimeMs} ${stat.ctimeMs}`);
      if (parts.length > MOST_ENTRIES) return false;
      if (!stat.isDirectory()) continue;
      // What git stores is not looked into: its HEAD, index and refs say when something changed.
      if (ofGit && (name === 'objects' || name === 'logs')) continue;
      if (!visit(`${path}/${name}`, name === '.git')) return false;
    }
    parts.push('/');
    return true;
  };
  try {
    if (!visit(directory, false) || newest > Date.now() + 1) return undefined;
  } catch {
    return undefined;
  }
  return { text: parts.join('\n'), newest };
}

/** Waits until every change that comes after a look will show in the next one. */
export async function settle({ newest }: Look): Promise<void> {
  const left = newest + TICK_MILLISECONDS - Date.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
}
