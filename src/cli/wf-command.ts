import { Command, Flags } from '@oclif/core';
import { exitCodes } from './exit-codes.ts';
import { failureOf, renderFailure } from './failure.ts';
import { textStyle } from './text-style.ts';
import type { TextStyle } from './text-style.ts';

/**
 * What all commands share: flags that mean the same everywhere, and one place where a failure becomes a message and an
 * exit code. A command parses, calls one function, and shows what it gives; what `run` returns is what `--json` prints.
 */
export abstract class WfCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    cwd: Flags.directory({
      description: 'The folder to work in, as if started there.',
      helpGroup: 'GLOBAL',
      helpValue: '<folder>',
    }),
    profile: Flags.string({
      description: 'Use this profile of wf.yaml.',
      helpGroup: 'GLOBAL',
      helpValue: '<name>',
    }),
    quiet: Flags.boolean({
      description: 'Say nothing but the result and errors.',
      helpGroup: 'GLOBAL',
      char: 'q',
    }),
    'no-color': Flags.boolean({ description: 'No colours.', helpGroup: 'GLOBAL' }),
  };

  /** How text for stdout is coloured. */
  get style(): TextStyle {
    return textStyle(process.stdout, this.argv);
  }

  /** How text for stderr is coloured. */
  protected get errorStyle(): TextStyle {
    return textStyle(process.stderr, this.argv);
  }

  protected override init(): Promise<unknown> {
    // The parser would take a word that is not there from standard input: from a pipe that is meant for `--plan -`, or
    // from the list that a loop of the shell goes through.
    for (const arg of Object.values(this.ctor.args)) arg.ignoreStdin = true;
    return super.init();
  }

  protected override toErrorJson(error: unknown): unknown {
    return { error: failureOf(error) };
  }

  // Indented as text for eyes would be, and without colour whatever the terminal: it is for programs.
  protected override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  }

  /** Tells a failure once. Never rethrows but for what is no failure: the end of a command that asked for it. */
  protected override catch(error: Error): Promise<void> {
    // Whoever read our output has gone: nothing is left to say, and nobody to say it to.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return Promise.resolve();
    if ((error as { code?: string }).code === 'EEXIT') throw error;
    const failure = failureOf(error);
    process.exitCode = failure.exit;
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(error));
    else process.stderr.write(renderFailure(failure, this.errorStyle, this.id));
    return Promise.resolve();
  }
}

export { exitCodes };
