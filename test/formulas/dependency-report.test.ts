import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../src/journal/run-state.ts';
import { closedRegistry, testRegistry } from '../support/npm-registry.ts';
import type { NpmAnswer, NpmPackage } from '../support/npm-registry.ts';
import type { TestProject } from '../support/project.ts';
import { shippedProject } from '../support/shipped.ts';

type Entries = Readonly<Record<string, object>>;

function lockfile(packages: Entries, version = 3): string {
  return JSON.stringify({
    name: 'web',
    version: '1.0.0',
    lockfileVersion: version,
    packages: { '': { name: 'web', version: '1.0.0' }, ...packages },
  });
}

/** A repository with the shipped formulas and these files. */
function repository(files: Readonly<Record<string, string>>): TestProject {
  const project = shippedProject();
  project.write(files);
  return project.commit();
}

async function run(project: TestProject, ...flags: readonly string[]): Promise<RunState> {
  const { stdout } = await project.wf(['run', 'dependency-report', '--json', ...flags]);
  return JSON.parse(stdout) as RunState;
}

function one(version: string, license = 'MIT'): NpmPackage {
  return { latest: version, versions: { [version]: { license } } };
}

function status(code: number): NpmAnswer {
  return (_, response) => void response.writeHead(code).end('no');
}

const hostile = `run "$(touch hacked)" 'now'\n\u001b[2J\u202e| \`touch hacked\` ${'x'.repeat(1_000_000)}`;

describe('dependency-report', () => {
  it('says what is deprecated, outdated, there twice, under which licence, and what it could not ask', async () => {
    const acme = await testRegistry({
      '@acme/ui': { latest: '3.0.0', versions: { '2.4.0': {}, '3.0.0': {} } },
    });
    const registry = await testRegistry({
      chalk: { latest: '5.6.0', versions: { '4.1.2': {}, '5.3.0': {}, '5.6.0': {} } },
      semver: { latest: '7.6.3', versions: { '7.6.3': {}, '8.0.0-beta.2': {} } },
      request: {
        latest: '2.88.2',
        versions: { '2.88.2': { deprecated: 'request is no longer maintained' } },
      },
      evil: { latest: '1.0.1', versions: { '1.0.0': { deprecated: hostile } } },
      quiet: { latest: '1.0.0', versions: { '1.0.0': { deprecated: true, license: { type: 'ISC' } } } },
      wild: one('1.0.0', 'SEE LICENSE IN LICENSE.txt'),
      family: one('1.0.0', 'BSD'),
      choice: { latest: '1.0.0', versions: { '1.0.0': {} } },
      aliased: { latest: '0.3.0', versions: { '0.2.9': {} } },
      unpublished: one('2.0.0'),
      zipped: (_, response) =>
        void response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(JSON.stringify({ 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': {} } }))),
      moved: (_, response) => void response.writeHead(302, { location: '/choice' }).end(),
      broken: status(500),
      secret: status(401),
      slow: () => undefined,
      malformed: (_, response) => void response.end('<html>'),
      tagless: (_, response) => void response.end('{"versions": {}}'),
      hung: (request) => void request.socket.destroy(),
    });
    const mit = { license: 'MIT' };
    const project = repository({
      '.npmrc': `registry=${registry.url}\n@acme:registry=${acme.url}\n//127.0.0.1/:_authToken=s3cret\n`,
      'package-lock.json': lockfile({
        'packages/api': {
          name: 'api',
          version: '1.0.0',
          dependencies: { tarball: 'https://example.com/t.tgz' },
        },
        'node_modules/api': { resolved: 'packages/api', link: true },
        'node_modules/@acme/ui': { version: '2.4.0', ...mit },
        'node_modules/chalk': { version: '4.1.2', ...mit },
        'node_modules/request/node_modules/chalk': { version: '5.3.0', ...mit, dev: true },
        'node_modules/evil/node_modules/chalk': { version: '5.3.0', ...mit, dev: true },
        'node_modules/semver': { version: '8.0.0-beta.2', license: 'ISC' },
        'node_modules/request': { version: '2.88.2', license: 'Apache-2.0', dev: true },
        'node_modules/evil': { version: '1.0.0', license: 'MIT\u001b[31m$(touch hacked)' },
        'node_modules/quiet': { version: '1.0.0' },
        'node_modules/wild': { version: '1.0.0' },
        'node_modules/family': { version: '1.0.0' },
        'node_modules/choice': { version: '1.0.0', licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }] },
        'node_modules/other-name': { name: 'aliased', version: '0.2.9', license: '(MIT OR CC0-1.0)' },
        'node_modules/unpublished': { version: '1.0.0', ...mit },
        'node_modules/zipped': { version: '1.0.0', ...mit },
        'node_modules/moved': { version: '1.0.0', ...mit },
        'node_modules/broken': { version: '1.0.0', ...mit },
        'node_modules/secret': { version: '1.0.0', ...mit },
        'node_modules/slow': { version: '1.0.0', ...mit },
        'node_modules/malformed': { version: '1.0.0', ...mit },
        'node_modules/tagless': { version: '1.0.0', ...mit },
        'node_modules/hung': { version: '1.0.0', ...mit },
        'node_modules/nowhere': { version: '1.0.0', ...mit },
        'node_modules/@acme-design-system/a-button-with-an-icon-for-the-top-of-a-page': { version: '1.0.0' },
        'node_modules/forked': {
          version: '1.0.0',
          ...mit,
          resolved: 'git+ssh://git@example.com/forked.git#abc',
        },
        'node_modules/tarball': { version: '1.0.0', ...mit, resolved: 'https://example.com/t.tgz' },
        'node_modules/$(touch hacked)\u001b[2J': { version: '1.0.0' },
        'node_modules/..': { version: '1.0.0' },
        'node_modules/later': { version: '$(touch hacked)' },
      }),
    });
    const state = await run(project, '-i', 'timeout=1');
    expect(state.error).toBeUndefined();
    expect(state.status).toBe('succeeded');
    expect(state.branch).toBeUndefined();
    expect(existsSync(join(project.root, 'hacked'))).toBe(false);

    const { table, report } = state.outputs as { table: string; report: object };
    const told = table.replaceAll(registry.url, 'http://npm.test/').replaceAll(acme.url, 'http://acme.test/');
    expect(told).toMatchInlineSnapshot(`
      "web 1.0.0, by package-lock.json of version 3

        24  packages    23 names in 25 places
         3  deprecated  of the 13 names asked about
         6  outdated    3 major, 2 minor, 1 patch
         1  duplicates  names with more than one version
         5  licences    and 4 packages without a known one
         9  not asked   wholly or in part

      Not asked
        2  http://npm.test/: 404 Not Found
           @acme-design-system/a-button-with-an-icon-for-the-top-of-a-… and 1 more
        1  http://npm.test/: 500 Internal Server Error
           broken
        1  http://npm.test/: no answer (ECONNRESET)
           hung
        1  http://npm.test/: the answer is not JSON
           malformed
        1  http://npm.test/: 401 Unauthorized
           secret
        1  http://npm.test/: no answer within 1 s
           slow
        1  http://npm.test/: the answer names no latest version
           tagless
        1  http://npm.test/: this version is not there
           unpublished@1.0.0

      Deprecated
        evil     1.0.0        run "$(touch hacked)" 'now' [2J | \`touch hacked\` xx…
        quiet    1.0.0        no reason given
        request  2.88.2  dev  request is no longer maintained

      Outdated
        @acme/ui     2.4.0  3.0.0  major
        chalk        4.1.2  5.6.0  major
        unpublished  1.0.0  2.0.0  major
        aliased      0.2.9  0.3.0  minor
        chalk        5.3.0  5.6.0  minor  dev
        evil         1.0.0  1.0.1  patch

      Duplicates
        chalk  4.1.2, 5.3.0

      Licences
        15  MIT
         2  ISC
         1  (MIT OR CC0-1.0)
         1  Apache-2.0
         1  MIT OR Apache-2.0

      Without a known licence
        @acme-design-system/…-the-top-of-a-page  1.0.0  says nothing
        evil                                     1.0.0  MIT [31m$(touch hacked)
        family                                   1.0.0  BSD
        wild                                     1.0.0  SEE LICENSE IN LICENSE.txt

      From elsewhere, not from a registry
        forked   1.0.0  git
        tarball  1.0.0  url

      Left out
        node_modules/$(touch hacked) [2J  its name is none that npm allows
        node_modules/..                   its name is none that npm allows
        node_modules/later                its version is none that npm allows"
    `);
    for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(76);

    expect(report).toMatchObject({
      registries: [acme.url, registry.url].sort(),
      complete: false,
      duplicates: [
        {
          name: 'chalk',
          versions: [
            { version: '4.1.2', paths: ['node_modules/chalk'] },
            {
              version: '5.3.0',
              paths: ['node_modules/request/node_modules/chalk', 'node_modules/evil/node_modules/chalk'],
            },
          ],
        },
      ],
      skipped: [
        { path: 'packages/api', why: 'workspace' },
        { path: 'node_modules/api', why: 'link' },
        { path: 'node_modules/$(touch hacked)\u001b[2J', why: 'name' },
        { path: 'node_modules/..', why: 'name' },
        { path: 'node_modules/later', why: 'version' },
      ],
    });
    const { deprecated, unasked } = report as {
      deprecated: readonly { name: string; message: string }[];
      unasked: readonly { name: string; version: string; reason: string }[];
    };
    // Its end is cut off, and what is left is a line of plain text.
    expect(deprecated.find(({ name }) => name === 'evil')?.message).toMatch(
      /^run "\$\(touch hacked\)" 'now' \[2J \| `touch hacked` x{400,}$/,
    );
    expect(unasked.map(({ name, version, reason }) => `${name} ${version} ${reason}`)).toEqual([
      '@acme-design-system/a-button-with-an-icon-for-the-top-of-a-page  unknown',
      'broken  failed',
      'hung  no_answer',
      'malformed  malformed',
      'nowhere  unknown',
      'secret  not_allowed',
      'slow  timeout',
      'tagless  malformed',
      'unpublished 1.0.0 unknown',
    ]);
    expect(acme.asked).toEqual(['@acme/ui']);
    // What is not from a registry is nobody's business there, and a licence is asked for when the lockfile has none.
    expect(registry.asked).not.toContain('forked');
    expect(registry.asked).not.toContain('tarball');
    expect(registry.asked.filter((path) => path.endsWith('/1.0.0')).sort()).toEqual([
      'family/1.0.0',
      'quiet/1.0.0',
      'wild/1.0.0',
    ]);
    expect(registry.asked.filter((path) => path === 'broken')).toHaveLength(2);
  });

  it('is done in seconds with 400 packages, offline too, and says that it could not ask', async () => {
    const packages = Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [`package-${at}`, one(`1.${at}.0`)] as const),
    );
    const registry = await testRegistry(packages);
    const project = repository({
      'package-lock.json': lockfile(
        Object.fromEntries(
          Object.keys(packages).map((name) => [`node_modules/${name}`, { version: '1.0.0', license: 'MIT' }]),
        ),
        2,
      ),
    });
    const started = Date.now();
    const online = await run(project, '-i', `registry=${registry.url}`);
    expect(online.outputs).toMatchObject({ report: { asked: 400, lockfile_version: 2 } });
    const offline = await run(project, '-i', `registry=${await closedRegistry()}`);
    expect(Date.now() - started).toBeLessThan(30_000);

    expect(offline.status).toBe('succeeded');
    const { table, report } = offline.outputs as {
      table: string;
      report: { unasked: readonly { reason: string }[] };
    };
    expect(report).toMatchObject({
      asked: 0,
      complete: false,
      licences: { counts: [{ licence: 'MIT', count: 400 }] },
    });
    expect(report.unasked.map(({ reason }) => reason).sort()).toEqual([
      ...Array<string>(5).fill('no_answer'),
      ...Array<string>(395).fill('not_asked'),
    ]);
    expect(table.replace(/127\.0\.0\.1:\d+/g, 'closed.test')).toMatchInlineSnapshot(`
      "web 1.0.0, by package-lock.json of version 2

        400  packages    400 names in 400 places
          0  deprecated  of the 0 names asked about
          0  outdated
          0  duplicates
          1  licences
        400  not asked   wholly or in part

      Not asked
          5  http://closed.test/: no answer (ECONNREFUSED)
             package-0, package-1, package-10, package-100, package-101
        395  http://closed.test/: given up: 5 requests without an answer
             package-102, package-103, package-104, package-105 and 391 more

      Licences
        400  MIT"
    `);
  });

  it('gives up soon on a registry that takes connections and never answers', async () => {
    const silent = (): undefined => undefined;
    const names = Array.from({ length: 100 }, (_, at) => `package-${at}`);
    const registry = await testRegistry(Object.fromEntries(names.map((name) => [name, silent])));
    const project = repository({
      'package-lock.json': lockfile(
        Object.fromEntries(names.map((name) => [`node_modules/${name}`, { version: '1.0.0' }])),
      ),
    });
    const state = await run(project, '-i', `registry=${registry.url}`, '-i', 'timeout=0.5');
    expect(state).toMatchObject({ status: 'succeeded', outputs: { report: { asked: 0 } } });
    // 16 at once, and until the fifth of them is given up one more for each.
    expect(registry.asked.length).toBeLessThanOrEqual(20);
  });

  it('asks where npm would: by the environment that wf.yaml lets in, the .npmrc of the user, a proxy', async () => {
    const acme = await testRegistry({ '@acme/ui': one('2.0.0') });
    const registry = await testRegistry({ 'left-pad': one('1.3.0') });
    const project = repository({
      'wf.yaml': 'env: [npm_config_registry, npm_config_proxy]\n',
      'package-lock.json': lockfile({
        'node_modules/left-pad': { version: '1.3.0' },
        'node_modules/@acme/ui': { version: '2.0.0' },
      }),
      'home/.npmrc': `@acme:registry=${acme.url.replace('//', '//user:s3cret@')}\n`,
    });
    const asked = async (env: Readonly<Record<string, string>>) => {
      const { stdout } = await project.wf('run dependency-report --json', { env });
      return (JSON.parse(stdout) as RunState).outputs;
    };
    const HOME = join(project.root, 'home');
    expect(await asked({ HOME, npm_config_registry: registry.url })).toMatchObject({
      report: { complete: true, registries: [acme.url, registry.url].sort() },
    });
    expect(registry.asked).toEqual(['left-pad', 'left-pad/1.3.0']);
    expect(acme.asked).toEqual(['@acme/ui', '@acme/ui/2.0.0']);

    const far = 'http://user:s3cret@registry.invalid/npm';
    const proxied = await asked({ npm_config_registry: far, npm_config_proxy: registry.url });
    expect([...registry.asked].sort().slice(-2)).toEqual(['npm/@acme/ui', 'npm/left-pad']);
    expect((proxied as { table: string }).table).toContain('2  http://registry.invalid/npm/: 404 Not Found');
    expect(JSON.stringify(proxied)).not.toContain('s3cret');
  });

  it('reports what the lockfile says where npm does not say which registry there is', async () => {
    const project = repository({
      'package-lock.json': lockfile({ 'node_modules/a': { version: '1.0.0', license: 'MIT' } }),
      'bin/npm': '#!/bin/sh\nexit 1\n',
    });
    chmodSync(join(project.root, 'bin/npm'), 0o755);
    const path = `${join(project.root, 'bin')}:${process.env['PATH'] ?? ''}`;
    const { stdout } = await project.wf('run dependency-report --json', { env: { PATH: path } });
    const { outputs } = JSON.parse(stdout) as RunState;
    expect(outputs).toMatchObject({
      table: expect.stringContaining(
        '1  npm does not say which registry it has; the input "registry" can',
      ) as string,
      report: { registries: [], asked: 0, licences: { counts: [{ licence: 'MIT', count: 1 }] } },
    });
  });

  it('reads the lockfile of a folder, the published one first, and says what is wrong with others', async () => {
    const project = repository({
      'formulas/a.yaml': `formula: a
steps:
  - id: read
    for_each: '["shrunk", "none", "yarn", "old", "newer", "conflict", "empty", "..", "/"]'
    join: {quorum: 1}
    uses: read-lockfile
    with: {folder: '{{item}}'}
`,
      'shrunk/npm-shrinkwrap.json': lockfile({ 'node_modules/a': { version: '1.0.0' } }, 2),
      'shrunk/package-lock.json': lockfile({}),
      'yarn/yarn.lock': '',
      'yarn/pnpm-lock.yaml': '',
      'old/package-lock.json': '{"lockfileVersion": 1, "dependencies": {}}',
      'newer/package-lock.json': '{"lockfileVersion": 4, "packages": {}}',
      'conflict/package-lock.json': '<<<<<<< HEAD\n{}',
      'empty/package-lock.json': '{"lockfileVersion": 3}',
    });
    const { stdout } = await project.wf('run a --json');
    const { items = [] } = (JSON.parse(stdout) as RunState).steps['read'] ?? {};
    const told = items.map(({ outputs, error }) => error?.detail ?? outputs);
    expect(told[0]).toMatchObject({
      file: 'npm-shrinkwrap.json',
      lockfile_version: 2,
      packages: [{ name: 'a', version: '1.0.0' }],
    });
    expect(told.slice(1).join('\n')).toMatchInlineSnapshot(`
      "there is no package-lock.json or npm-shrinkwrap.json in "none", as far as it is committed
      "yarn" has yarn.lock and pnpm-lock.yaml, and only lockfiles of npm can be read: \`npm install --package-lock-only\` writes one
      package-lock.json has version 1, of npm 6: \`npm install --package-lock-only\` of a later npm writes version 3
      package-lock.json has version 4, and only 2 and 3 can be read
      package-lock.json cannot be read: Unexpected token '<', "<<<<<<< HEAD {}" is not valid JSON
      package-lock.json is no lockfile: it has no "packages"
      the folder ".." is not in this repository
      the folder "/" is not in this repository"
    `);
  });
});
