import { readdirSync, readFileSync } from 'node:fs';

/** SIGTERM to a process group, then, after `grace` milliseconds, SIGKILL. Resolves when nothing of it is left. */
export async function killGroup(pid: number, grace: number): Promise<void> {
  if (!send(pid, 'SIGTERM')) return;
  if (await gone(pid, grace)) return;
  send(pid, 'SIGKILL');
  // A process in the middle of a system call (a hung network drive) may take its time; nobody can do more.
  await gone(pid, 1_000);
}

async function gone(pid: number, within: number): Promise<boolean> {
  const until = Date.now() + within;
  for (let pause = 2; groupAlive(pid); pause = Math.min(pause * 2, 50)) {
    if (Date.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return true;
}

/** Whether any process of the group still runs. */
export function groupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // The remains of a process that nobody waits for, as in a container without an init, still count for `kill`.
  return members(pid) ?? true;
}

/** Whether the group has a member that is more than remains; undefined where there is no /proc to ask. */
function members(group: number): boolean | undefined {
  let entries: readonly string[];
  try {
    entries = readdirSync('/proc');
  } catch {
    return undefined;
  }
  if (!entries.includes('self')) return undefined;
  return entries.some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      // The second field is the program's name in parentheses and may hold anything, so count from its end.
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(pgrp) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
