import { connect } from 'node:net';
import { SERVICE_READY_MILLISECONDS } from '../plan/limits.ts';
import { UserError } from '../support/user-error.ts';
import type { FifoPool } from './fifo-pool.ts';
import type { ProcessResult, Registry } from './run-process.ts';
import { runProcess } from './run-process.ts';

/** How long one look by a command may take. */
const PROBE_MILLISECONDS = 10_000;

/** Characters of a service's last words that an error shows. */
const TAIL = 2_000;

export interface ServiceRequest {
  readonly id: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Both of its streams are appended here. */
  readonly log: string;
  readonly ready:
    | { readonly port: number }
    /** Text that it writes. */
    | { readonly log: string }
    | { readonly argv: readonly [string, ...string[]] };
}

export interface ServiceOptions {
  readonly fifos: FifoPool;
  readonly registry: Registry;
  readonly signal: AbortSignal;
  /** Milliseconds. Default: a minute. */
  readonly readyWithin?: number;
  readonly onChange?: ((service: string, what: 'started' | 'stopped', log: string) => void) | undefined;
}

/** Processes beside the steps. */
export interface Services {
  /** Ends them, the last started first. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts services one after the other, each when the one before is ready. Throws a {@link UserError} with the end of
 * its log when one does not get ready, ends first, or finds its port taken; then those already started are stopped.
 */
export async function startServices(
  requests: readonly ServiceRequest[],
  options: ServiceOptions,
): Promise<Services> {
  const running: Service[] = [];
  const stop = async () => {
    for (let last = running.pop(); last; last = running.pop()) {
      await last.stop();
      if (last.wasReady) options.onChange?.(last.request.id, 'stopped', last.request.log);
    }
  };
  try {
    for (const request of requests) {
      if ('port' in request.ready && (await isOpen(request.ready.port))) {
        throw new UserError(
          `service "${request.id}" cannot start: port ${request.ready.port} is taken by something else`,
          { hint: 'stop what listens there, or give the service another port' },
        );
      }
      const service = new Service(request, options);
      running.push(service);
      await service.ready();
      options.onChange?.(request.id, 'started', request.log);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

class Service {
  readonly request: ServiceRequest;
  wasReady = false;
  readonly #options: ServiceOptions;
  readonly #over = new AbortController();
  readonly #ended: Promise<void>;
  #end: ProcessResult | undefined;
  #problem: Error | undefined;
  /** As much of what it wrote as an error shows or the awaited text may begin in. */
  readonly #tail = { stdout: '', stderr: '', both: '' };
  #said = false;

  constructor(request: ServiceRequest, options: ServiceOptions) {
    this.request = request;
    this.#options = options;
    const { argv, cwd, env, log } = request;
    const heard = (stream: 'stdout' | 'stderr', text: string) => this.#hear(stream, text);
    this.#ended = runProcess(
      { argv, cwd, env, log, secrets: [], signal: this.#over.signal, whole: 0, onOutput: heard },
      options,
    ).then(
      (end) => void (this.#end = end),
      (error: unknown) => void (this.#problem = error instanceof Error ? error : new Error(String(error))),
    );
  }

  async ready(): Promise<void> {
    const { signal, readyWithin = SERVICE_READY_MILLISECONDS } = this.#options;
    const { id } = this.request;
    const until = Date.now() + readyWithin;
    for (let pause = 5; ; pause = Math.min(pause * 1.5, 250)) {
      const ready = await this.#isReady(Math.max(until - Date.now(), 100));
      if (signal.aborted) throw new UserError(`cancelled while service "${id}" was starting`);
      // First of all: whoever answers on the port is not the one that has ended.
      if (this.#problem !== undefined) throw this.#problem;
      if (this.#end) throw this.#notReady(whyEnded(this.#end));
      if (ready) {
        this.wasReady = true;
        return;
      }
      if (Date.now() > until) throw this.#notReady(`it was not ready within ${readyWithin / 1000} s`);
      await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, pause))]);
    }
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#ended;
  }

  #hear(stream: 'stdout' | 'stderr', text: string): void {
    this.#tail.both = (this.#tail.both + text).slice(-TAIL);
    if (this.#said || !('log' in this.request.ready)) return;
    const wanted = this.request.ready.log;
    const seen = this.#tail[stream] + text;
    this.#said = seen.includes(wanted);
    this.#tail[stream] = wanted.length > 1 ? seen.slice(1 - wanted.length) : '';
  }

  async #isReady(within: number): Promise<boolean> {
    const { ready, cwd, env } = this.request;
    if ('port' in ready) return isOpen(ready.port);
    if ('log' in ready) return this.#said;
    const looked = await runProcess(
      {
        argv: ready.argv,
        cwd,
        env,
        secrets: [],
        signal: this.#options.signal,
        timeout: Math.min(PROBE_MILLISECONDS, within),
        whole: 0,
      },
      this.#options,
    );
    return looked.ended === 'exit' && looked.exitCode === 0;
  }

  #notReady(why: string): UserError {
    const { id, log } = this.request;
    const tail = this.#tail.both.trimEnd().split('\n').slice(-10).join('\n');
    return new UserError(`service "${id}" did not start: ${why}${tail === '' ? '' : `\n${tail}`}`, {
      hint: `its log is ${log}`,
    });
  }
}

function whyEnded({ message, exitCode, killedBy }: ProcessResult): string {
  if (message !== undefined) return message;
  if (exitCode === undefined) return `it was ended by ${killedBy ?? 'a signal'}`;
  return `it ended with exit code ${exitCode}${exitCode === 0 ? ', and a service has to stay in the foreground' : ''}`;
}

async function isOpen(port: number): Promise<boolean> {
  const answers = await Promise.all(['127.0.0.1', '::1'].map((host) => accepts(host, port)));
  return answers.includes(true);
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(500, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
