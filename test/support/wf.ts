import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a `wf` of its own process ended. */
export interface WfResult {
  readonly stdout: string;
  readonly stderr: string;
  /** -1: a signal ended it. */
  readonly exitCode: number;
}

export interface WfOptions {
  /** Beside `PATH` and an empty `HOME`. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from standard input; without it there is none. */
  readonly input?: string;
  /** Where it is started, when not at the project's root. */
  readonly cwd?: string;
}

const dev = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));
// One folder for all tests and all later runs of them: a start costs a third of what it costs without.
const shared = join(tmpdir(), 'wf-tests');

/**
 * Runs the real command in a process of its own, as somebody would in an empty home: without colours, without an
 * identity or configuration of git, in no particular language. Words of a string are told apart by blanks; a list goes
 * as it is.
 */
export function runWf(
  cwd: string,
  args: string | readonly string[],
  { env = {}, input, cwd: at = cwd }: WfOptions = {},
): Promise<WfResult> {
  const home = join(shared, 'home');
  mkdirSync(home, { recursive: true });
  const words = typeof args === 'string' ? args.split(' ').filter((word) => word !== '') : args;
  const child = spawn(process.execPath, [dev, ...words], {
    cwd: at,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      NODE_COMPILE_CACHE: join(shared, 'compile-cache'),
      NO_COLOR: '1',
      LANG: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      ...env,
    },
  });
  // A command that ends before it has read all is no mistake of the test's.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const collect = (stream: NodeJS.ReadableStream | null) => {
    let text = '';
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return () => text;
  };
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout: stdout(), stderr: stderr(), exitCode: code ?? -1 }));
  });
}
