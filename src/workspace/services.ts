import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { UserError } from '../support/user-error.ts';
import { killGroup } from './kill-group.ts';
import type { Registry } from './run-process.ts';

/** How long a service may take to be ready. */
const READY_MILLISECONDS = 60_000;

export interface ServiceRequest {
  readonly id: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Both of its streams go here. */
  readonly log: string;
  readonly ready:
    | { readonly port: number }
    /** A regular expression. */
    | { readonly log: string }
    | { readonly argv: readonly [string, ...string[]] };
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
  options: {
    readonly registry: Registry;
    readonly signal: AbortSignal;
    readonly onChange?: ((service: string, what: 'started' | 'stopped', log: string) => void) | undefined;
  },
): Promise<Services> {
  const running: { readonly id: string; readonly pid: number; readonly log: string }[] = [];
  const stop = async () => {
    for (let last = running.pop(); last; last = running.pop()) {
      await killGroup(last.pid, 5_000);
      options.registry.remove(last.pid);
      options.onChange?.(last.id, 'stopped', last.log);
    }
  };
  try {
    for (const request of requests) {
      if ('port' in request.ready && (await isOpen(request.ready.port))) {
        throw new UserError(
          `service "${request.id}" cannot start: port ${request.ready.port} is taken by something else`,
          {
            hint: 'stop what listens there, or give the service another port',
          },
        );
      }
      await start(request, running, options);
      options.onChange?.(request.id, 'started', request.log);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

async function start(
  request: ServiceRequest,
  running: { id: string; pid: number; log: string }[],
  { registry, signal }: { readonly registry: Registry; readonly signal: AbortSignal },
): Promise<void> {
  const [program, ...args] = request.argv;
  const log = openSync(request.log, 'a');
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: request.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error: NodeJS.ErrnoException) => {
    ended = error.code === 'ENOENT' ? `there is no program "${program}" on PATH` : error.message;
  });
  child.once('exit', (code, killedBy) => {
    ended ??= `it ended with ${code === null ? (killedBy ?? 'a signal') : `exit code ${code}`}`;
  });
  if (child.pid !== undefined) {
    registry.add(child.pid);
    running.push({ id: request.id, pid: child.pid, log: request.log });
  }
  const until = Date.now() + READY_MILLISECONDS;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    if (await isReady(request)) return;
    if (signal.aborted) throw new UserError(`cancelled while service "${request.id}" was starting`);
    if (ended !== undefined) throw notReady(request, ended);
    if (Date.now() > until) throw notReady(request, `it was not ready within ${READY_MILLISECONDS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function notReady({ id, log }: ServiceRequest, why: string): UserError {
  const tail = logText(log).trimEnd().split('\n').slice(-10).join('\n');
  return new UserError(`service "${id}" did not start: ${why}${tail === '' ? '' : `\n${tail}`}`, {
    hint: `its log is ${log}`,
  });
}

async function isReady({ ready, log, cwd, env }: ServiceRequest): Promise<boolean> {
  if ('port' in ready) return isOpen(ready.port);
  if ('log' in ready) {
    const pattern = new RegExp(ready.log);
    return logText(log)
      .split('\n')
      .some((line) => pattern.test(line));
  }
  const [program, ...args] = ready.argv;
  return new Promise((resolve) => {
    const probe = spawn(program, args, { cwd, env, stdio: 'ignore', timeout: 10_000 });
    probe.once('error', () => resolve(false));
    probe.once('close', (code) => resolve(code === 0));
  });
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

function logText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
