import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const dev = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

/** Whether this machine can lend a terminal (`script` of util-linux). */
export const hasTerminal = ((): boolean => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
})();

/** A `wf` at a terminal of its own. */
export interface Terminal {
  /** Waits until a text has been shown. */
  shows(text: string): Promise<void>;
  /** Presses keys. */
  type(keys: string): void;
  /** Its exit code, and everything it has shown. */
  readonly ended: Promise<{ readonly exitCode: number; readonly shown: string }>;
}

/** Starts the real command at a terminal of 100 columns. */
export function atTerminal(cwd: string, args: string): Terminal {
  const home = mkdtempSync(join(tmpdir(), 'wf-home-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const child = spawn(
    'script',
    ['-qefc', `stty cols 100 rows 30; '${process.execPath}' '${dev}' ${args}`, '/dev/null'],
    {
      cwd,
      env: { PATH: process.env['PATH'], HOME: home, TERM: 'xterm-256color', GIT_CONFIG_NOSYSTEM: '1' },
    },
  );
  let shown = '';
  let look: () => void = () => undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    look();
  });
  const ended = new Promise<{ exitCode: number; shown: string }>((resolve) => {
    child.once('close', (code) => resolve({ exitCode: code ?? -1, shown }));
  });
  return {
    ended,
    type: (keys) => child.stdin.write(keys),
    shows: async (text) => {
      const gone = ended.then(() => {
        if (!shown.includes(text)) throw new Error(`"${text}" was never shown:\n${shown}`);
      });
      while (!shown.includes(text)) {
        await Promise.race([gone, new Promise<void>((resolve) => (look = resolve))]);
      }
    },
  };
}
