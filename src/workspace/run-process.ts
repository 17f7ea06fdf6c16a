import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { Socket } from 'node:net';
import type { CappedText } from '../journal/event.ts';
import { Masker } from '../support/mask.ts';
import { CappedOutput } from './capped-output.ts';
import type { Fifo, FifoPool } from './fifo-pool.ts';
import { closeQuietly } from './fifo-pool.ts';
import { killGroup } from './kill-group.ts';

/** Between SIGTERM and SIGKILL. */
export const GRACE_MILLISECONDS = 5_000;

/** How long output may still come after the process itself has ended; then what holds it open is ended too. */
const DRAIN_MILLISECONDS = 250;

/** Bytes of a stream that are kept for a record. */
const CAP_BYTES = 64 * 1024;

/** Bytes of a stream that can be parsed. */
const WHOLE_BYTES = 32 * 1024 * 1024;

export interface ProcessRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  /** Aborted: the group is ended, the result says `cancelled`. */
  readonly signal: AbortSignal;
  /** Replaced by `***` in everything that is kept or shown. */
  readonly secrets: readonly string[];
  /** Both streams are appended to this file as they come. */
  readonly log?: string;
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
}

export interface ProcessResult {
  /** `failed`: it could not be started. */
  readonly ended: 'exit' | 'timeout' | 'cancelled' | 'failed';
  /** Undefined when a signal ended it, or it did not start. */
  readonly exitCode: number | undefined;
  readonly killedBy: string | undefined;
  /** Why it could not be started. */
  readonly message: string | undefined;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output extends CappedText {
  /** All of it, for parsing; undefined when it is over 32 MiB. */
  readonly whole: string | undefined;
}

/** Who has to know of process groups while they live: the watchdog. */
export interface Registry {
  add(pid: number): void;
  remove(pid: number): void;
}

/**
 * Runs one process in a group of its own and waits until it and its output have ended. Timeout and abort: SIGTERM to
 * the group, five seconds, SIGKILL. What cannot be started is a result, never an exception.
 */
export async function runProcess(
  request: ProcessRequest,
  { fifos, registry }: { readonly fifos: FifoPool; readonly registry: Registry },
): Promise<ProcessResult> {
  const out = new Stream(await fifos.take(), 'stdout', request);
  const err = new Stream(await fifos.take(), 'stderr', request);
  const log = request.log === undefined ? undefined : createWriteStream(request.log, { flags: 'a' });
  for (const stream of [out, err]) stream.listen((chunk) => log?.write(chunk));
  const [program, ...args] = request.argv;
  let ended: ProcessResult['ended'] = 'exit';
  let message: string | undefined;

  const exit = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn(program, args, {
        cwd: request.cwd,
        env: request.env,
        // A group of its own; also a session of its own, so that Ctrl-C in a terminal does not reach it before us.
        detached: true,
        stdio: ['ignore', out.fifo.writeEnd, err.fifo.writeEnd],
      });
    } catch (error) {
      ended = 'failed';
      message = startProblem(program, error as NodeJS.ErrnoException);
      resolve({ code: null, signal: null });
      return;
    } finally {
      closeQuietly(out.fifo.writeEnd);
      closeQuietly(err.fifo.writeEnd);
    }
    const { pid } = child;
    if (pid !== undefined) registry.add(pid);
    let killing: Promise<void> | undefined;
    const end = (reason: 'timeout' | 'cancelled') => {
      if (killing || pid === undefined) return;
      ended = reason;
      killing = killGroup(pid, GRACE_MILLISECONDS);
    };
    const onAbort = () => end('cancelled');
    const timer =
      request.timeout === undefined
        ? undefined
        : setTimeout(() => end('timeout'), Math.min(request.timeout, 2 ** 31 - 1));
    if (request.signal.aborted) onAbort();
    else request.signal.addEventListener('abort', onAbort, { once: true });
    child.once('error', (error: NodeJS.ErrnoException) => {
      ended = 'failed';
      message = startProblem(program, error);
      clearTimeout(timer);
      request.signal.removeEventListener('abort', onAbort);
      resolve({ code: null, signal: null });
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', onAbort);
      void (async () => {
        // A child of the child may go on in the background and hold the output open: it belongs to the step and ends with it.
        await Promise.race([Promise.all([out.closed, err.closed]), delay(DRAIN_MILLISECONDS)]);
        if (pid !== undefined) {
          await killGroup(pid, killing ? 0 : 500);
          registry.remove(pid);
        }
        await killing;
        resolve({ code, signal });
      })();
    });
  });

  const drained = await Promise.race([
    Promise.all([out.closed, err.closed]).then(() => true),
    delay(DRAIN_MILLISECONDS).then(() => false),
  ]);
  out.finish();
  err.finish();
  fifos.give(out.fifo, drained);
  fifos.give(err.fifo, drained);
  if (log) await new Promise((resolve) => log.end(resolve));
  return {
    ended,
    exitCode: ended === 'exit' ? (exit.code ?? undefined) : undefined,
    killedBy: exit.signal ?? undefined,
    message,
    stdout: out.output,
    stderr: err.output,
  };
}

/** Reads one FIFO, masks it, and hands it on. */
class Stream {
  readonly fifo: Fifo;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #kept = new CappedOutput(CAP_BYTES, WHOLE_BYTES);
  readonly #masker: Masker;
  readonly #name: 'stdout' | 'stderr';
  readonly #request: ProcessRequest;
  #sink: (chunk: Buffer) => void = () => undefined;
  #finished = false;

  constructor(fifo: Fifo, name: 'stdout' | 'stderr', request: ProcessRequest) {
    this.fifo = fifo;
    this.#name = name;
    this.#request = request;
    this.#masker = new Masker(request.secrets);
    this.#socket = new Socket({ fd: fifo.readEnd, readable: true, writable: false });
    this.closed = new Promise((resolve) => {
      this.#socket.once('end', resolve);
      this.#socket.once('error', () => resolve());
      this.#socket.once('close', () => resolve());
    });
  }

  listen(sink: (chunk: Buffer) => void): void {
    this.#sink = sink;
    this.#socket.on('data', (chunk: Buffer) => this.#take(this.#masker.push(chunk)));
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#socket.destroy();
    this.#take(this.#masker.end());
  }

  get output(): Output {
    return { ...this.#kept.capped, whole: this.#kept.whole };
  }

  #take(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#kept.add(chunk);
    this.#sink(chunk);
    this.#request.onOutput?.(this.#name, chunk.toString('utf8'));
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function startProblem(program: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return `there is no program "${program}" on PATH`;
    case 'EACCES':
      return `"${program}" cannot be executed: permission denied`;
    case 'E2BIG':
      return `the arguments and environment of "${program}" are too long for this system`;
    case undefined:
    default:
      return `"${program}" could not be started: ${error.message}`;
  }
}
