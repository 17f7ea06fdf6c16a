import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** One process, told apart from a later one with the same number. Plain JSON, so that another process can judge it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** What a pid means something in: the boot and the pid namespace. Undefined where there is no /proc. */
  readonly space?: string;
  /** Clock ticks since boot at which it started. Undefined where there is no /proc. */
  readonly start?: string;
}

/** The process with this number on this machine as it is now; undefined when there is none, or only its remains. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const space = pidSpace();
  if (space === undefined) {
    return isListed(pid) ? { pid, host: hostname() } : undefined;
  }
  const start = startTime(pid);
  return start === undefined ? undefined : { pid, host: hostname(), space, start };
}

/** Whether the process is surely gone. False when it lives, and when that cannot be told from here (another machine). */
export function isProvablyDead(process: ProcessIdentity): boolean {
  if (process.host !== hostname() || process.space !== pidSpace()) return false;
  if (process.space === undefined) return !isListed(process.pid);
  return startTime(process.pid) !== process.start;
}

function pidSpace(): string | undefined {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}

function startTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold anything, so count from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  // A zombie runs nothing any more; it waits for a parent that may never ask.
  return state === 'Z' || state === 'X' ? undefined : fields[19];
}

function isListed(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
