import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { CappedText } from '../journal/event.ts';
import { Masker } from '../support/mask.ts';
import { CappedOutput } from './capped-output.ts';
import type { Fifo, FifoPool } from './fifo-pool.ts';
import { closeQuietly } from './fifo-pool.ts';
import { fileProblem } from './file-problem.ts';
import { killGroup } from './kill-group.ts';
import { confirmedOwner } from './ownership.ts';

/** Between SIGTERM and SIGKILL. */
export const GRACE_MILLISECONDS = 5_000;

/** How long output may still come after the process itself has ended; then what holds it open is ended too. */
const DRAIN_MILLISECONDS = 250;

/** What a process left in the background gets between SIGTERM and SIGKILL. */
const LEFTOVER_GRACE_MILLISECONDS = 500;

/** The longest delay of a timer. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** More than any pipe holds. */
const PIPE_BYTES = 1024 * 1024;

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
  /** Bytes of each stream up to which all of it is kept for parsing. Default: 32 MiB. */
  readonly whole?: number;
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
  /** All of it, for parsing; undefined when it was too long. */
  readonly whole: string | undefined;
}

/** Who has to know of process groups while they live: the watchdog. */
export interface Registry {
  add(pid: number): void;
  remove(pid: number): void;
}

/**
 * Runs one process in a group of its own and waits until it and its output have ended. Timeout and abort: SIGTERM to
 * the group, five seconds, SIGKILL. What cannot be started is a result, never an exception; throws a `UserError` when
 * the world leaves no place for its output.
 */
export async function runProcess(
  request: ProcessRequest,
  { fifos, registry }: { readonly fifos: FifoPool; readonly registry: Registry },
): Promise<ProcessResult> {
  confirmedOwner();
  const [outPipe, errPipe] = await fifos.takePair();
  const log = new Log(request.log);
  const out = new Stream(outPipe, 'stdout', request, log);
  const err = new Stream(errPipe, 'stderr', request, log);
  const closed = Promise.all([out.closed, err.closed]);
  const [program, ...args] = request.argv;
  let ended: ProcessResult['ended'] = 'exit';
  let message: string | undefined;

  const exit = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => {
      ended = 'failed';
      message = startProblem(program, request.cwd, error);
      resolve({ code: null, signal: null });
    };
    let child: ReturnType<typeof spawn>;
    try {
      child = spawn(program, args, {
        cwd: request.cwd,
        env: request.env,
        // A group of its own; also a session of its own, so that Ctrl-C in a terminal does not reach it before us.
        detached: true,
        stdio: ['ignore', outPipe.writeEnd, errPipe.writeEnd],
      });
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
      return;
    } finally {
      closeQuietly(outPipe.writeEnd);
      closeQuietly(errPipe.writeEnd);
    }
    const { pid } = child;
    if (pid === undefined) {
      child.once('error', failed);
      return;
    }
    registry.add(pid);
    let killing: Promise<void> | undefined;
    const end = (reason: 'timeout' | 'cancelled') => {
      if (killing) return;
      ended = reason;
      killing = killGroup(pid, GRACE_MILLISECONDS);
    };
    const onAbort = () => end('cancelled');
    const calm = request.timeout === undefined ? undefined : alarm(request.timeout, () => end('timeout'));
    if (request.signal.aborted) onAbort();
    else request.signal.addEventListener('abort', onAbort, { once: true });
    log.onProblem(onAbort);
    child.once('exit', (code, signal) => {
      calm?.();
      request.signal.removeEventListener('abort', onAbort);
      void (async () => {
        // Others of a group that is being ended have their five seconds as well.
        if (killing) await killing;
        // A child of the child may go on in the background and hold the output open: it belongs to the step and ends with it.
        else await Promise.race([closed, delay(DRAIN_MILLISECONDS)]);
        await killGroup(pid, LEFTOVER_GRACE_MILLISECONDS);
        registry.remove(pid);
        resolve({ code, signal });
      })();
    });
  });

  // Whoever left the group may hold the output open for good: nobody waits for that.
  const drained = await Promise.race([closed.then(() => true), delay(DRAIN_MILLISECONDS).then(() => false)]);
  out.finish();
  err.finish();
  fifos.give(outPipe, drained);
  fifos.give(errPipe, drained);
  await log.close();
  return {
    ended,
    exitCode: ended === 'exit' ? (exit.code ?? undefined) : undefined,
    killedBy: exit.signal ?? undefined,
    message,
    stdout: out.output,
    stderr: err.output,
  };
}

/** The file that both streams of a process go to. */
class Log {
  /** Undefined before the first byte: most commands are silent, and to open a file takes as long as many of them. */
  #file: ReturnType<typeof createWriteStream> | undefined;
  readonly #path: string | undefined;
  #problem: Error | undefined;
  #told: () => void = () => undefined;
  #waiting: (() => void)[] = [];

  constructor(path: string | undefined) {
    this.#path = path;
  }

  onProblem(told: () => void): void {
    this.#told = told;
    if (this.#problem) told();
  }

  /** False: the disk is behind, and the caller is told by `then` when it has caught up. */
  write(chunk: Buffer, then: () => void): boolean {
    if (this.#path === undefined || this.#problem) return true;
    this.#file ??= this.#open(this.#path);
    if (this.#file.write(chunk)) return true;
    this.#waiting.push(then);
    return false;
  }

  async close(): Promise<void> {
    const file = this.#file;
    if (file && !this.#problem) await new Promise((resolve) => file.end(resolve));
    if (this.#problem) throw fileProblem(this.#problem, this.#path ?? '');
  }

  #open(path: string): ReturnType<typeof createWriteStream> {
    const file = createWriteStream(path, { flags: 'a' });
    file.on('error', (error) => {
      this.#problem ??= error;
      this.#flow();
      this.#told();
    });
    file.on('drain', () => this.#flow());
    return file;
  }

  #flow(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}

/** Reads one FIFO, masks it, and hands it on. */
class Stream {
  readonly closed: Promise<void>;
  readonly #fifo: Fifo;
  readonly #socket: Socket;
  readonly #kept: CappedOutput;
  readonly #masker: Masker;
  readonly #decoder = new StringDecoder('utf8');
  readonly #name: 'stdout' | 'stderr';
  readonly #request: ProcessRequest;
  readonly #log: Log;
  #open = true;

  constructor(fifo: Fifo, name: 'stdout' | 'stderr', request: ProcessRequest, log: Log) {
    this.#fifo = fifo;
    this.#name = name;
    this.#request = request;
    this.#log = log;
    this.#kept = new CappedOutput(CAP_BYTES, request.whole ?? WHOLE_BYTES);
    this.#masker = new Masker(request.secrets);
    this.#socket = new Socket({ fd: fifo.readEnd, readable: true, writable: false });
    this.closed = new Promise((resolve) => {
      const ended = () => {
        this.#open = false;
        resolve();
      };
      this.#socket.once('end', ended);
      this.#socket.once('error', ended);
      this.#socket.once('close', ended);
    });
    this.#socket.on('data', (chunk: Buffer) => this.#take(this.#masker.push(chunk)));
  }

  /** Takes what was written until now and stops listening. */
  finish(): void {
    if (this.#open) {
      this.#open = false;
      this.#socket.removeAllListeners('data').pause();
      const waiting = this.#socket.read() as Buffer | null;
      if (waiting) this.#take(this.#masker.push(waiting));
      this.#takeRest();
    }
    this.#socket.destroy();
    this.#take(this.#masker.end(), true);
  }

  get output(): Output {
    return { ...this.#kept.capped, whole: this.#kept.whole };
  }

  /** On a busy machine the time to drain may be over before the first byte of it was asked for. */
  #takeRest(): void {
    const room = Buffer.alloc(64 * 1024);
    try {
      for (let taken = 0; taken < PIPE_BYTES;) {
        const count = readSync(this.#fifo.readEnd, room);
        if (count === 0) return;
        taken += count;
        this.#take(this.#masker.push(Buffer.from(room.subarray(0, count))));
      }
    } catch {
      // Empty for now: it does not wait.
    }
  }

  #take(chunk: Buffer, last = false): void {
    const text = this.#decoder.write(chunk) + (last ? this.#decoder.end() : '');
    if (text !== '') this.#request.onOutput?.(this.#name, text);
    if (chunk.length === 0) return;
    this.#kept.add(chunk);
    if (!this.#log.write(chunk, () => this.#socket.resume())) this.#socket.pause();
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A timer that may be longer than Node's. Returns how to stop it. */
function alarm(milliseconds: number, ring: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number) => {
    timer = setTimeout(
      () => (left > LONGEST_TIMER ? wait(left - LONGEST_TIMER) : ring()),
      Math.min(left, LONGEST_TIMER),
    );
  };
  wait(milliseconds);
  return () => clearTimeout(timer);
}

function startProblem(program: string, cwd: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      // The system tells one error for both.
      return existsSync(cwd)
        ? `there is no program "${program}"${program.includes('/') ? '' : ' on PATH'}`
        : `the directory it works in does not exist: ${cwd}`;
    case 'EACCES':
      return `"${program}" cannot be executed: permission denied`;
    case 'ENOEXEC':
      return `"${program}" is no program for this system; a script needs a first line like #!/bin/sh`;
    case 'E2BIG':
      return `the arguments and environment of "${program}" are too long for this system`;
    case undefined:
    default:
      return `"${program}" could not be started: ${error.message}`;
  }
}
