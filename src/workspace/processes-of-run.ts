import { readdirSync, readFileSync } from 'node:fs';

/** Processes whose environment names the run, ourselves excepted. Empty where there is no /proc to ask. */
export function processesOfRun(run: string): readonly number[] {
  let entries: readonly string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      return `\0${readFileSync(`/proc/${entry}/environ`, 'latin1')}`.includes(`\0WF_RUN=${run}\0`)
        ? [pid]
        : [];
    } catch {
      // It ended, or belongs to somebody else.
      return [];
    }
  });
}
