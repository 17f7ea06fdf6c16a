/** Whether any process of the group is left. */
function groupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** SIGTERM to a process group, then, after `grace` milliseconds, SIGKILL. Resolves when nothing of it is left. */
export async function killGroup(pid: number, grace: number): Promise<void> {
  if (!send(pid, 'SIGTERM')) return;
  const until = Date.now() + grace;
  for (let pause = 2; groupAlive(pid) && Date.now() < until; pause = Math.min(pause * 2, 50)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  send(pid, 'SIGKILL');
  for (let tries = 0; groupAlive(pid) && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
