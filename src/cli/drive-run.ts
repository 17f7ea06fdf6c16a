import type { Journal } from '../journal/journal.ts';
import { openJournal } from '../journal/journal.ts';
import type { RunState } from '../journal/run-state.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunHost } from '../runner/run.ts';
import { identityOf } from '../workspace/identity.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { NdjsonReporter } from './ndjson-reporter.ts';
import { PlainReporter } from './plain-reporter.ts';
import { renderRunEnd } from './render-run.ts';
import type { RunReporter } from './run-reporter.ts';
import { silentReporter } from './run-reporter.ts';
import { answer } from './send-signal.ts';
import type { TerminalHost } from './terminal-reporter.ts';
import { TerminalReporter } from './terminal-reporter.ts';
import { textStyle } from './text-style.ts';

/** Of a command that shows a run while it happens: where its output goes. */
export interface ShowFlags {
  readonly quiet: boolean;
  readonly events: boolean;
}

/** What showing a run asks of its command. */
export interface ShowingCommand {
  readonly argv: readonly string[];
  jsonEnabled(): boolean;
  log(text: string): void;
}

/** Ctrl-C, being asked to end, and a terminal that closes: each means the same. */
const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Drives a run in front of somebody: shows what happens, cancels at the first Ctrl-C and lets go at once at the second,
 * and ends with the exit code that the run's end asks for.
 */
export async function driveRun(
  command: ShowingCommand,
  flags: ShowFlags,
  { project, plan }: { readonly project: string; readonly plan: Plan },
  drive: (host: RunHost, by: string | undefined) => Promise<RunState>,
): Promise<RunState> {
  const cancel = new AbortController();
  const stop = () => {
    if (cancel.signal.aborted) {
      // The watchdog ends the children.
      reporter.close();
      process.stderr.write(`left in the middle: wf cancel ${run} ends it in good order\n`);
      process.exit(exitCodes.cancelled);
    }
    cancel.abort('cancel');
    reporter.note('cancelling: what runs is stopped, then `finally`; Ctrl-C again leaves at once');
  };
  let run = '';
  const reporter = reporterFor(command, flags, {
    plan,
    interrupt: stop,
    answer: (kind, step) => answerHere(project, run, kind, step),
  });
  for (const signal of STOPS) process.on(signal, stop);
  try {
    const state = await drive(
      {
        onEvent: (event) => {
          ({ run } = event);
          reporter.event(event);
        },
        onOutput: (place, stream, text) => reporter.output(place, stream, text),
        onNotice: (text) => reporter.note(text),
        attached: isAttached(command, flags),
        cancel: cancel.signal,
        env: process.env,
      },
      await identityOf(project),
    );
    reporter.close();
    return end(command, flags, state);
  } finally {
    reporter.close();
    for (const signal of STOPS) process.off(signal, stop);
  }
}

/**
 * Follows a run that another process drives, to its end or until it waits and nobody is there; Ctrl-C only stops
 * following.
 */
export async function followRun(
  command: ShowingCommand,
  flags: ShowFlags,
  journal: Journal,
  run: string,
): Promise<RunState> {
  const plan = journal.readPlan(run);
  const enough = new AbortController();
  const stop = () => enough.abort();
  const reporter = reporterFor(command, flags, {
    plan,
    interrupt: stop,
    answer: () => Promise.resolve(undefined),
  });
  for (const signal of STOPS) process.on(signal, stop);
  // A run that nobody drives moves no more by itself.
  const look = setInterval(() => {
    if (journal.leaseHolder(run)?.alive !== true) stop();
  }, 250);
  try {
    for await (const event of journal.watch(run, 0, enough.signal)) reporter.event(event);
    reporter.close();
    return end(command, flags, journal.readState(run));
  } finally {
    clearInterval(look);
    reporter.close();
    for (const signal of STOPS) process.off(signal, stop);
  }
}

function end(command: ShowingCommand, flags: ShowFlags, state: RunState): RunState {
  if (!flags.events) command.log(renderRunEnd(state, textStyle(process.stdout, command.argv)));
  process.exitCode = exitCodeOf(state.status);
  return state;
}

function reporterFor(command: ShowingCommand, flags: ShowFlags, host: TerminalHost): RunReporter {
  if (flags.events) return new NdjsonReporter(process.stdout);
  if (flags.quiet || command.jsonEnabled()) return silentReporter;
  const style = textStyle(process.stderr, command.argv);
  if (process.stderr.isTTY && process.env['TERM'] !== 'dumb')
    return new TerminalReporter(process.stderr, style, host);
  return new PlainReporter(process.stderr, style);
}

/** Somebody sits at a terminal and sees what is asked. */
function isAttached(command: ShowingCommand, flags: ShowFlags): boolean {
  return (
    process.stdin.isTTY && process.stderr.isTTY && !command.jsonEnabled() && !flags.events && !flags.quiet
  );
}

/** Sends the answer of the person at this terminal; resolves to what is wrong with it. */
async function answerHere(
  project: string,
  run: string,
  kind: 'approve' | 'reject',
  step: string,
): Promise<string | undefined> {
  const journal = await openJournal(project);
  try {
    await answer(journal, project, run, { kind, step, comment: undefined });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    journal.close();
  }
}
