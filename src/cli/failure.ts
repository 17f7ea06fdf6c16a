import { suggest } from '../diagnostics/suggest.ts';
import { UserError } from '../support/user-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { TextStyle } from './text-style.ts';
import { UsageError } from './usage-error.ts';

/** A failed command as `--json` prints it. */
export interface Failure {
  readonly kind: 'usage' | 'world' | 'internal';
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The process's exit code. */
  readonly exit: number;
  /** Where in wf, of a mistake of its own. */
  readonly stack?: string;
}

/** What an exception means to whoever called. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UserError) {
    const { message, hint } = error;
    return { kind: 'world', message, ...(hint !== undefined && { hint }), exit: exitCodes.world };
  }
  if (error instanceof UsageError) {
    const { message, hint } = error;
    return { kind: 'usage', message, ...(hint !== undefined && { hint }), exit: exitCodes.usage };
  }
  // The parser's own errors, and those of commands that are not there.
  if (isUsage(error)) {
    const message = error.message
      .replace(/^The following errors? occurred:\s*/, '')
      .replace(/\s*See more help with --help\s*$/, '')
      .trim();
    const hint = flagMeant(error);
    return { kind: 'usage', message, ...(hint !== undefined && { hint }), exit: exitCodes.usage };
  }
  if (!(error instanceof Error))
    return { kind: 'internal', message: String(error), exit: exitCodes.internal };
  const stack = error.stack ?? error.message;
  return {
    kind: 'internal',
    message: error.message,
    exit: exitCodes.internal,
    stack: withCauses(error, stack),
  };
}

/** A failure as text for stderr. */
export function renderFailure(failure: Failure, style: TextStyle, command: string | undefined): string {
  const { kind, message, hint, stack } = failure;
  if (kind === 'internal') {
    return [
      `${style.error('error')}: this is a mistake in wf, not in what you did`,
      stack ?? message,
      style.help('help: report it with these lines at https://github.com/formulary-dev/formulary/issues'),
      '',
    ].join('\n');
  }
  const help =
    hint ??
    (kind === 'usage'
      ? `wf ${command === undefined ? '' : `${command} `}--help shows what it takes`
      : undefined);
  return [
    `${style.error('error')}: ${message}`,
    ...(help === undefined ? [] : [style.help(`help: ${help}`)]),
    '',
  ].join('\n');
}

function isUsage(error: unknown): error is Error {
  return error instanceof Error && (error as { oclif?: { exit?: number } }).oclif?.exit === exitCodes.usage;
}

/** Which of the command's flags was meant by one that it does not have; the parser's error holds both. */
function flagMeant(error: Error): string | undefined {
  const { flags: [written] = [], parse } = error as {
    readonly flags?: readonly string[];
    readonly parse?: { readonly input?: { readonly flags?: object } };
  };
  const known = Object.keys(parse?.input?.flags ?? {}).map((name) => `--${name}`);
  return written?.startsWith('--') ? suggest(written, known) : undefined;
}

function withCauses(error: Error, stack: string): string {
  return error.cause instanceof Error
    ? `${stack}\ncaused by: ${withCauses(error.cause, error.cause.stack ?? error.cause.message)}`
    : stack;
}
