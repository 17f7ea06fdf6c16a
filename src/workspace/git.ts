import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { UserError } from '../support/user-error.ts';
import { confirmedOwner } from './ownership.ts';

/** Who commits what a run leaves: never the person who started it, whose identity may not even be configured. */
const IDENTITY = { name: 'wf', email: 'wf@localhost' };

/**
 * Settings that make our own git do the same on every machine: no hooks, no signatures, no conversion of line ends, no
 * helper of the user's. They come through the environment, so that no repository's configuration is touched.
 */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['commit.gpgSign', 'false'],
  ['tag.gpgSign', 'false'],
  ['core.autocrlf', 'false'],
  ['core.safecrlf', 'false'],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.quotePath', 'false'],
  ['diff.external', ''],
  ['diff.noprefix', 'false'],
  ['diff.mnemonicPrefix', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.splitIndex', 'false'],
  ['index.version', '2'],
  ['advice.addEmbeddedRepo', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['advice.detachedHead', 'false'],
  ['protocol.file.allow', 'always'],
];

export interface GitOptions {
  /** The directory it works in. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  readonly signal?: AbortSignal | undefined;
  /** Exit codes that are an answer. Default: 0. */
  readonly accept?: readonly number[];
}

export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A git command that failed. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    const command = args.find((word) => /^[a-z]+(-[a-z]+)*$/.test(word)) ?? '';
    const last = stderr.trim().split('\n').at(-1) ?? '';
    const why = last === '' ? `exit code ${exitCode ?? '?'}` : last.replace(/^(error|fatal): /, '');
    super(`git ${command}: ${why}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** Runs git. Throws a {@link GitError} for an exit code that was not expected, a {@link UserError} without git. */
export function git(args: readonly string[], options: GitOptions): Promise<GitAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, {
      cwd: options.cwd,
      env: { ...gitEnvironment(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' && existsSync(options.cwd) ? noGit(error) : error),
    );
    child.once('close', (code) => {
      const stderr = Buffer.concat(err).toString('utf8');
      if (code === null || !(options.accept ?? [0]).includes(code)) reject(gitProblem(args, code, stderr));
      else resolve({ exitCode: code, stdout: Buffer.concat(out), stderr });
    });
  });
}

/** The output of a git command without its last line end. */
export async function gitText(args: readonly string[], options: GitOptions): Promise<string> {
  return (await git(args, options)).stdout.toString('utf8').replace(/\n$/, '');
}

/** What git could not do: our fault or its own, unless it says that the world has no room for it. */
export function gitProblem(args: readonly string[], code: number | null, stderr: string): Error {
  const error = new GitError(args, code, stderr);
  const line =
    /^.*(No space left on device|Out of diskspace|Disk quota exceeded|Read-only file system).*$/m.exec(
      stderr,
    );
  if (!line) return error;
  return new UserError(`git cannot write: ${line[0].replace(/^(error|fatal): /, '')}`, {
    hint:
      line[1] === 'Read-only file system'
        ? 'make it writable, then try again'
        : 'free some space, then `wf resume`',
    cause: error,
  });
}

/** The output of a quick git command, at once; undefined when it fails or there is no git. */
export function gitAtOnce(args: readonly string[], cwd: string, input?: string): Buffer | undefined {
  const { status, stdout } = spawnSync('git', args, {
    cwd,
    env: gitEnvironment(),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'ignore'],
    maxBuffer: 256 * 1024 * 1024,
    ...(input !== undefined && { input }),
  });
  return status === 0 ? stdout : undefined;
}

/** Where a folder is in its repository: empty at its top or outside of any, else with a slash at its end. */
export function placeInRepository(folder: string): string {
  return gitAtOnce(['rev-parse', '--show-prefix'], folder)?.toString('utf8').trimEnd() ?? '';
}

function noGit(cause: unknown): UserError {
  return new UserError('git is not installed, or not on PATH', {
    hint: 'install git 2.38 or newer',
    cause,
  });
}

function gitEnvironment(): Record<string, string> {
  const run = confirmedOwner();
  const passed = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !name.startsWith('GIT_'),
  ) as [string, string][];
  const kept = [
    'GIT_SSH',
    'GIT_SSH_COMMAND',
    'GIT_ASKPASS',
    'GIT_CONFIG_GLOBAL',
    'GIT_CONFIG_SYSTEM',
    'GIT_CONFIG_NOSYSTEM',
    'GIT_SSL_CAINFO',
  ].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as [string, string]],
  );
  const settings = SETTINGS.flatMap(([key, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...Object.fromEntries([...passed, ...kept, ...settings]),
    GIT_CONFIG_COUNT: String(SETTINGS.length),
    GIT_AUTHOR_NAME: IDENTITY.name,
    GIT_AUTHOR_EMAIL: IDENTITY.email,
    GIT_COMMITTER_NAME: IDENTITY.name,
    GIT_COMMITTER_EMAIL: IDENTITY.email,
    // Refs are read from files after every step.
    GIT_DEFAULT_REF_FORMAT: 'files',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_PAGER: 'cat',
    LC_ALL: 'C',
    ...(run !== undefined && { WF_RUN: run }),
  };
}
