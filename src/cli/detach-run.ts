import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openJournal } from '../journal/journal.ts';
import type { RunState } from '../journal/run-state.ts';
import type { RunRequest } from '../runner/run.ts';
import { beginRun } from '../runner/run.ts';
import { runFolder } from '../runner/run-logs.ts';
import { identityOf } from '../workspace/identity.ts';
import type { TextStyle } from './text-style.ts';

/** Begins a run and leaves it to a process of its own that outlives this one. Its progress goes to a file of the run. */
export async function detachRun(
  command: { log(text: string): void; readonly style: TextStyle },
  request: RunRequest,
): Promise<RunState> {
  const by = await identityOf(request.project);
  const run = await beginRun({ ...request, ...(by !== undefined && { by }) });
  const folder = runFolder(request.project, run);
  mkdirSync(folder, { recursive: true });
  const log = openSync(join(folder, 'detached.log'), 'a');
  const [, script = ''] = process.argv;
  const child = spawn(
    process.execPath,
    [...process.execArgv, script, 'resume', run, '--cwd', request.project],
    {
      cwd: request.project,
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  const gone = new AbortController();
  child.once('exit', () => gone.abort()).unref();
  const journal = await openJournal(request.project);
  try {
    // Whoever is told of the run may look at once, and has to find that somebody drives it.
    while (!gone.signal.aborted && journal.leaseHolder(run)?.alive !== true) await wait(20);
    command.log(`${run}\n${command.style.help(`wf watch ${run} follows it`)}`);
    return journal.readState(run);
  } finally {
    journal.close();
  }
}
