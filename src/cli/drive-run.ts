import type { RunState } from '../journal/run-state.ts';
import type { RunHost } from '../runner/run.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { identityOf } from '../workspace/identity.ts';
import { NdjsonReporter } from './ndjson-reporter.ts';
import { PlainReporter } from './plain-reporter.ts';
import { renderRunEnd } from './render-run.ts';
import type { RunReporter } from './run-reporter.ts';
import { silentReporter } from './run-reporter.ts';
import { textStyle } from './text-style.ts';

/** Of a command that drives a run: where its output goes. */
export interface DriveFlags {
  readonly quiet: boolean;
  readonly events: boolean;
}

/** What driving a run asks of its command. */
export interface DrivingCommand {
  readonly argv: readonly string[];
  jsonEnabled(): boolean;
  log(text: string): void;
}

/**
 * Drives a run in front of somebody: shows what happens, cancels at the first Ctrl-C and lets go at once at the second,
 * and ends with the exit code that the run's end asks for.
 */
export async function driveRun(
  command: DrivingCommand,
  flags: DriveFlags,
  project: string,
  drive: (host: RunHost, by: string | undefined) => Promise<RunState>,
): Promise<RunState> {
  const reporter = reporterFor(command, flags);
  const cancel = new AbortController();
  const attached = process.stdin.isTTY && process.stderr.isTTY && !command.jsonEnabled() && !flags.events;
  const stop = () => {
    // The watchdog ends the children; the run can be resumed.
    if (cancel.signal.aborted) process.exit(exitCodes.cancelled);
    cancel.abort('cancel');
    reporter.note('cancelling: what runs is stopped, then `finally`; Ctrl-C again leaves at once');
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    const state = await drive(
      {
        onEvent: (event) => reporter.event(event),
        onOutput: (place, stream, text) => reporter.output(place, stream, text),
        attached,
        cancel: cancel.signal,
        env: process.env,
      },
      await identityOf(project),
    );
    reporter.close();
    if (!flags.events) command.log(renderRunEnd(state, textStyle(process.stdout, command.argv)));
    process.exitCode = exitCodeOf(state.status);
    return state;
  } finally {
    reporter.close();
    for (const signal of signals) process.off(signal, stop);
  }
}

function reporterFor(command: DrivingCommand, flags: DriveFlags): RunReporter {
  if (flags.events) return new NdjsonReporter(process.stdout);
  if (flags.quiet || command.jsonEnabled()) return silentReporter;
  return new PlainReporter(process.stderr, textStyle(process.stderr, command.argv));
}
