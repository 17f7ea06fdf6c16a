import { createInterface } from 'node:readline';
import { endGroups, readGroups } from './watchdog.ts';

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
  void endGroups(groups, run, GRACE_MILLISECONDS).then(() => process.exit(0));
});
