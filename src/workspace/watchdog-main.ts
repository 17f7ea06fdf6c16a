import { createInterface } from 'node:readline';
import { systemTicks } from './processes-of-run.ts';
import { endGroups, readGroups } from './watchdog.ts';

/** A process that was being started when its parent died carries the run's name only a moment later. */
const LOOK_AGAIN_MILLISECONDS = 500;

/** Between SIGTERM and SIGKILL, so that five seconds after the runner nothing is left. */
const GRACE_MILLISECONDS = 3_000;

const [, , run = ''] = process.argv;
const lines: string[] = [];
let released = false;

// Ctrl-C is for the runner; this one has to outlive it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (line === '.') released = true;
  // What has ended is forgotten, or a long run would be remembered whole.
  else if (line.startsWith('-')) {
    const before = lines.findIndex((other) => readGroups([other])[0]?.pid === Number(line.slice(1)));
    if (before >= 0) lines.splice(before, 1);
  } else lines.push(line);
});
input.on('close', () => {
  const groups = readGroups(lines);
  if (released && groups.length === 0) process.exit(0);
  void end(groups).then(() => process.exit(0));
});

/** What starts from now on belongs to whoever carries the run on. */
async function end(groups: ReturnType<typeof readGroups>): Promise<void> {
  const died = systemTicks();
  await endGroups(groups, run, GRACE_MILLISECONDS, died);
  await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MILLISECONDS));
  await endGroups([], run, GRACE_MILLISECONDS, died);
}
