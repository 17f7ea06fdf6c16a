import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a registry has of one version; what it leaves out is as it mostly is. */
export interface NpmVersion {
  readonly deprecated?: string | boolean;
  readonly license?: unknown;
}

export interface NpmPackage {
  readonly latest: string;
  readonly versions: Readonly<Record<string, NpmVersion>>;
}

/** A package, or what the server does when it is asked for one. */
export type NpmAnswer = NpmPackage | ((request: IncomingMessage, response: ServerResponse) => void);

export interface TestRegistry {
  /** Its address, with a slash at the end. */
  readonly url: string;
  /** Paths it was asked for, in order of arrival. */
  readonly asked: readonly string[];
}

/** A registry of npm on this machine, which goes when the test ends; like the real one it has licences of versions alone. */
export async function testRegistry(packages: Readonly<Record<string, NpmAnswer>>): Promise<TestRegistry> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    // Through a proxy the whole address is asked for.
    const { pathname } = new URL(request.url ?? '/', 'http://registry.test');
    const path = decodeURIComponent(pathname.slice(1));
    asked.push(path);
    const [, name = '', version] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.+))?$/.exec(path) ?? [];
    const answer = Object.hasOwn(packages, name) ? packages[name] : undefined;
    if (typeof answer === 'function') return answer(request, response);
    const about = version === undefined ? answer : answer?.versions[version];
    if (answer === undefined || about === undefined)
      return void response.writeHead(404).end('{"error":"not found"}');
    const short = Object.entries(answer.versions).map(([key, { deprecated }]) => [
      key,
      { name, version: key, ...(deprecated !== undefined && { deprecated }) },
    ]);
    const body =
      version === undefined
        ? { name, 'dist-tags': { latest: answer.latest }, versions: Object.fromEntries(short) as object }
        : { name, version, ...about };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

/** An address at which nobody listens. */
export async function closedRegistry(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}
