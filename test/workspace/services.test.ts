import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startServices } from '../../src/workspace/services.ts';
import type { ServiceOptions, ServiceRequest, Services } from '../../src/workspace/services.ts';
import { processPlace, running, until } from './processes.ts';

/** Listens on a port after a while and says so; `$PORT`. */
const LISTEN = `require('net').createServer().listen(+process.env.PORT, '127.0.0.1', () => console.log('listening'))`;

function place() {
  const { folder, fifos, groups } = processPlace();
  const changes: string[] = [];
  const bash = (id: string, script: string, ready: ServiceRequest['ready']): ServiceRequest => ({
    id,
    argv: ['bash', '--norc', '--noprofile', '-c', script],
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    log: join(folder, `${id}.log`),
    ready,
  });
  const start = (
    requests: readonly ServiceRequest[],
    options: Partial<ServiceOptions> = {},
  ): Promise<Services> =>
    startServices(requests, {
      fifos,
      registry: { add: (pid) => groups.add(pid), remove: (pid) => groups.delete(pid) },
      signal: new AbortController().signal,
      onChange: (id, what) => changes.push(`${id} ${what}`),
      ...options,
    });
  const log = (id: string) => readFileSync(join(folder, `${id}.log`), 'utf8');
  return { folder, groups, changes, bash, start, log };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('services', () => {
  it('start one after the other, each when the one before is ready, and stop the last first', async () => {
    const { folder, groups, changes, bash, start, log } = place();
    const port = await freePort();
    const listener: ServiceRequest = {
      ...bash('database', '', { port }),
      argv: [process.execPath, '-e', LISTEN],
      env: { PORT: String(port) },
    };
    const services = await start([
      listener,
      bash(
        'worker',
        `echo warming; [ -e seeded ] || sleep 0.2; echo 'ready (1+1=2)'; trap 'echo bye; exit' TERM; sleep 60 & wait`,
        {
          // Plain text: nothing in it means anything else.
          log: 'ready (1+1=2)',
        },
      ),
      bash('seed', `sleep 0.1; touch seeded; sleep 60`, { argv: ['test', '-e', 'seeded'] }),
    ]);
    expect(changes).toEqual(['database started', 'worker started', 'seed started']);
    expect(groups.size).toBe(3);
    expect(existsSync(join(folder, 'seeded'))).toBe(true);

    await services.stop();
    await services.stop();
    expect(changes.slice(3)).toEqual(['seed stopped', 'worker stopped', 'database stopped']);
    expect(groups.size).toBe(0);
    expect(log('database')).toBe('listening\n');
    expect(log('worker')).toBe('warming\nready (1+1=2)\nbye\n');
  });

  it('are ready by a text only once they have written it this time, in whatever pieces', async () => {
    const { folder, bash, start, log } = place();
    writeFileSync(join(folder, 'web.log'), 'up and running\n');
    const script = `printf 'up and'; sleep 0.1; printf ' run'; until [ -e go ]; do sleep 0.01; done; echo ning; sleep 60`;
    let ready = false;
    const starting = start([bash('web', script, { log: 'up and running' })]).then((services) => {
      ready = true;
      return services;
    });
    await until('half of it is written', () => log('web').endsWith('up and run'));
    expect(ready).toBe(false);
    writeFileSync(join(folder, 'go'), '');
    await (await starting).stop();
    expect(log('web')).toBe('up and running\nup and running\n');
  });

  it('that are cancelled while they start leave nothing', async () => {
    const { groups, bash, start } = place();
    const over = new AbortController();
    const starting = start([bash('slow', 'sleep 60', { log: 'never' })], { signal: over.signal });
    await until('it runs', () => groups.size > 0);
    over.abort();
    await expect(starting).rejects.toMatchObject({
      name: 'UserError',
      message: 'cancelled while service "slow" was starting',
    });
    expect(groups.size).toBe(0);
  });
});

describe('a service that does not start', () => {
  it('because it ends first is told with its last words, and what was started is stopped', async () => {
    const { folder, groups, changes, bash, start } = place();
    const starting = start([
      bash('first', 'echo up; sleep 60', { log: 'up' }),
      bash('second', 'echo cannot open /data >&2; exit 2', { port: await freePort() }),
    ]);
    await expect(starting).rejects.toMatchObject({
      name: 'UserError',
      message: 'service "second" did not start: it ended with exit code 2\ncannot open /data',
      hint: `its log is ${join(folder, 'second.log')}`,
    });
    expect(changes).toEqual(['first started', 'first stopped']);
    expect(groups.size).toBe(0);
  });

  it('because it went into the background is told what to do', async () => {
    const { bash, start } = place();
    await expect(start([bash('daemon', 'sleep 60 & exit 0', { log: 'never' })])).rejects.toThrow(
      'service "daemon" did not start: it ended with exit code 0, and a service has to stay in the foreground',
    );
  });

  it('because it is never ready is stopped', async () => {
    const { groups, bash, start } = place();
    const starting = start([bash('deaf', 'echo starting; sleep 60', { port: await freePort() })], {
      readyWithin: 200,
    });
    await expect(starting).rejects.toThrow(
      'service "deaf" did not start: it was not ready within 0.2 s\nstarting',
    );
    expect(groups.size).toBe(0);
    const looking = start([bash('shy', 'sleep 60', { argv: ['sleep', '60.4242'] })], { readyWithin: 200 });
    await expect(looking).rejects.toThrow('not ready within 0.2 s');
    expect(running('sleep 60.4242')).toEqual([]);
  });

  it('because somebody else has its port is told before it is started', async () => {
    const { bash, start } = place();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const starting = start([bash('web', 'touch started; sleep 60', { port })]);
    await expect(starting).rejects.toMatchObject({
      name: 'UserError',
      message: `service "web" cannot start: port ${port} is taken by something else`,
    });
    server.close();
  });

  it('because there is no such program is told', async () => {
    const { bash, start } = place();
    const request: ServiceRequest = { ...bash('db', '', { log: 'up' }), argv: ['no-such-database'] };
    await expect(start([request])).rejects.toThrow(
      'service "db" did not start: there is no program "no-such-database" on PATH',
    );
  });
});
