// A process that drives a run as `wf run` and `wf resume` do, with somebody attached who answers what it asks:
//   node drive-formula.ts <project> start <formula> [options as JSON]
//   node drive-formula.ts <project> resume <run> [options as JSON]
// It prints the run's state at the end. Exits 0 at an end, 4 when the run waits, 3 when the world is not as needed.
import { readdir, readFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Loader } from '../../../src/formula/loader.ts';
import type { RunEvent } from '../../../src/journal/event.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import type { NewSignal } from '../../../src/journal/signal.ts';
import { compileFormula } from '../../../src/plan/compile.ts';
import type { RunHost } from '../../../src/runner/run.ts';
import { hasEnded } from '../../../src/journal/run-state.ts';
import { resumeRun, startRun } from '../../../src/runner/run.ts';
import { UserError } from '../../../src/support/user-error.ts';

export interface DriveOptions {
  /** Dies (SIGKILL) as soon as the event with this number is on disk. */
  readonly killAt?: number;
  /** Nobody is there: the run is left when it waits. */
  readonly alone?: boolean;
  /** Somebody is there and says nothing. */
  readonly silent?: boolean;
  /** Prints each event as a line. */
  readonly tell?: boolean;
}

const [project = '', mode, name = '', json = '{}'] = process.argv.slice(2);
const options = JSON.parse(json) as DriveOptions;
const notes = process.env['NOTES'] ?? '';
let journal: Journal | undefined;

const loader: Loader = {
  list: async () => {
    const list = async (folder: string) => {
      const names = await readdir(join(project, folder)).catch(() => []);
      return names.map((file) => `${folder}/${file}`);
    };
    return ['wf.yaml', ...(await list('formulas')), ...(await list('molecules'))].sort();
  },
  read: (path) => readFile(join(project, path)).catch(() => undefined),
  exists: (path) => Promise.resolve(existsSync(join(project, path))),
};

const answers = options.alone !== true && options.silent !== true;
const host: RunHost = {
  attached: options.alone !== true,
  cancel: new AbortController().signal,
  env: process.env,
  onEvent: (event) => {
    if (options.tell === true) process.stdout.write(`${event.seq} ${event.type}\n`);
    if (event.seq === options.killAt) process.kill(process.pid, 'SIGKILL');
    if (answers) answer(event);
  },
};

/** Says what a person would. The same answer sent twice arrives once. */
function answer(event: RunEvent): void {
  const ann = { by: 'ann@example.com', verified: false };
  const send = (sender: string, signal: NewSignal) => journal?.sendSignal(event.run, signal, { sender });
  switch (event.type) {
    case 'run.started':
      send('early', { kind: 'approve', step: 'early', ...ann });
      send('no', { kind: 'event', event: 'go', data: { to: 'somebody', ok: false }, verified: false });
      send('go', { kind: 'event', event: 'go', data: { to: 'everything', ok: true }, verified: false });
      break;
    case 'approval.asked':
      if (event.step === 'late') send('late', { kind: 'approve', step: 'late', ...ann });
      break;
    case 'once.interrupted': {
      const ended = readFileSync(join(notes, 'log'), 'utf8').includes(`end ${String(event.step)}@`);
      send(`once${event.seq}`, { kind: ended ? 'ran' : 'again', step: String(event.step), ...ann });
      break;
    }
    default:
  }
}

try {
  journal = await openJournal(project);
  let state;
  if (mode === 'start') {
    const { plan, diagnostics } = await compileFormula(loader, name);
    if (!plan)
      throw new UserError(diagnostics.map((d) => `${d.file}:${d.range.start.line} ${d.message}`).join('\n'));
    state = await startRun({ project, plan, inputs: {} }, host);
  } else {
    if (answers && !hasEnded(journal.readRun(name).status)) {
      for (const event of journal.readEvents(name)) answer(event);
    }
    state = await resumeRun({ project, run: name }, host);
  }
  process.stdout.write(`${JSON.stringify(state)}\n`);
  process.exitCode = hasEnded(state.status) ? 0 : 4;
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 3;
} finally {
  journal?.close();
}
