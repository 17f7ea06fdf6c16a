import { readdirSync, readFileSync } from 'node:fs';
import { identifyProcess } from '../support/process-identity.ts';

/**
 * Processes whose environment names the run, ourselves and those that started us excepted; with `startedBy`, those that
 * had started by then. Empty where there is no /proc to ask.
 */
export function processesOfRun(run: string, startedBy = Infinity): readonly number[] {
  let entries: readonly string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return [];
  }
  const named = entries.flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) return [];
    try {
      const environment = `\0${readFileSync(`/proc/${entry}/environ`, 'latin1')}`;
      if (!environment.includes(`\0WF_RUN=${run}\0`)) return [];
      return startedBy === Infinity || Number(identifyProcess(pid)?.start) <= startedBy ? [pid] : [];
    } catch {
      // It ended, or belongs to somebody else.
      return [];
    }
  });
  if (named.length === 0) return [];
  const own = ancestry();
  return named.filter((pid) => !own.has(pid));
}

/** This process and all above it: whoever carries on a run from a shell of one of its steps is not ended by that. */
function ancestry(): ReadonlySet<number> {
  const all = new Set<number>();
  for (let pid = process.pid; pid > 0 && !all.has(pid);) {
    all.add(pid);
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      break;
    }
  }
  return all;
}

/** Now, as starts of processes are counted: in hundredths of a second since the machine started. */
export function systemTicks(): number {
  try {
    return Math.ceil(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 100);
  } catch {
    return Infinity;
  }
}
