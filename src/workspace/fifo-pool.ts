import { execFile } from 'node:child_process';
import { constants, closeSync, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../support/user-error.ts';
import { withFiles } from './file-problem.ts';

const run = promisify(execFile);

/** How many are made at a time: making one costs a process. */
const BATCH = 16;

/** One end for us, one for a child. */
export interface Fifo {
  readonly path: string;
  readonly readEnd: number;
  readonly writeEnd: number;
}

/**
 * Named pipes for the output of children. Node's own pipes are sockets, and `echo > /dev/stderr` or `tee /dev/stdout`,
 * which people write, cannot open a socket again; a file they would cut off. A pipe is used by one child at a time and
 * goes back when every writer is gone.
 */
export class FifoPool {
  readonly #folder: string;
  #free: string[] = [];
  #made = 0;
  #making: Promise<void> | undefined;

  /** `folder` is made when it is missing, and removed by {@link close}. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** For the two streams of one child. */
  async takePair(): Promise<readonly [Fifo, Fifo]> {
    while (this.#free.length < 2) {
      this.#making ??= this.#make().finally(() => (this.#making = undefined));
      await this.#making;
    }
    const first = this.#open(this.#free.pop() as string);
    try {
      return [first, this.#open(this.#free.pop() as string)];
    } catch (error) {
      closeQuietly(first.readEnd);
      closeQuietly(first.writeEnd);
      throw error;
    }
  }

  #open(path: string): Fifo {
    // Non-blocking for reading, or the open would wait for a writer.
    const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeEnd = openSync(path, constants.O_WRONLY);
    return { path, readEnd, writeEnd };
  }

  /** `drained`: every writer has closed it. One that somebody still holds is never used again. */
  give(fifo: Fifo, drained: boolean): void {
    if (drained) this.#free.push(fifo.path);
    else void rm(fifo.path, { force: true });
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #make(): Promise<void> {
    await withFiles(this.#folder, () => mkdir(this.#folder, { recursive: true, mode: 0o700 }));
    const paths = Array.from({ length: BATCH }, () => join(this.#folder, String(this.#made++)));
    try {
      await run('mkfifo', ['-m', '600', ...paths]);
    } catch (error) {
      const { stderr = '', message } = error as Error & { readonly stderr?: string };
      const why = stderr.trim().split('\n').at(-1) ?? message;
      throw new UserError(`no named pipe can be made in ${this.#folder}: ${why}`, {
        hint: 'the project has to be on a file system that knows named pipes, and `mkfifo` on PATH',
        cause: error,
      });
    }
    this.#free.push(...paths);
  }
}

export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It was closed before.
  }
}
