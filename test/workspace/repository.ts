import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { StateId } from '../../src/journal/event.ts';
import type { OpenWorkspace } from '../../src/workspace/open-run-workspace.ts';
import { openRunWorkspace } from '../../src/workspace/open-run-workspace.ts';
import type { RunWorkspace } from '../../src/workspace/run-workspace.ts';

export const RUN = '01JDH5Z0000000000000000000';

/** An own home without any identity, for git in this process and in what it starts. */
export function emptyHome(): string {
  const home = temporary();
  const before = { ...process.env };
  process.env['HOME'] = home;
  process.env['GIT_CONFIG_NOSYSTEM'] = '1';
  delete process.env['XDG_CONFIG_HOME'];
  onTestFinished(() => {
    process.env = before;
  });
  return home;
}

export function temporary(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'wf-space-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with git in it, as a person would have it. */
export class Folder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Runs git, with an identity that nobody else has. */
  git(...args: readonly string[]): string {
    const identity = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
    return execFileSync('git', [...identity, ...args], {
      cwd: this.path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  }

  sh(script: string): string {
    return execFileSync('bash', ['--norc', '-c', `set -e\n${script}`], {
      cwd: this.path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        GIT_AUTHOR_NAME: 'Bot',
        GIT_AUTHOR_EMAIL: 'bot@example.com',
        GIT_COMMITTER_NAME: 'Bot',
        GIT_COMMITTER_EMAIL: 'bot@example.com',
      },
    }).trim();
  }

  write(files: Readonly<Record<string, string | Buffer>>): this {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true });
      writeFileSync(join(this.path, name), content);
    }
    return this;
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8');
  }

  commit(message = 'change'): string {
    this.git('add', '--all');
    this.git('commit', '-q', '--allow-empty', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }
}

/** A repository on branch `main` with these files committed. */
export function repository(files: Readonly<Record<string, string | Buffer>> = { 'a.txt': 'one\n' }): Folder {
  emptyHome();
  const folder = new Folder(temporary());
  folder.git('init', '-q', '-b', 'main');
  folder.write(files).commit('first');
  return folder;
}

/** A workspace as a run opens it. */
export function open(project: string, options: Partial<OpenWorkspace> = {}): Promise<RunWorkspace> {
  return openRunWorkspace({
    project,
    run: RUN,
    formula: 'tidy',
    from: 'clone',
    allowDirty: false,
    resume: false,
    signal: new AbortController().signal,
    ...options,
  });
}

/** One step: enters, does something there, and leaves a state. */
export async function step(
  workspace: RunWorkspace,
  state: StateId,
  name: string,
  script: string | ((folder: Folder) => void),
  copy?: string,
): Promise<StateId> {
  const directory = await workspace.enter(state, { ...(copy !== undefined && { copy }) });
  const folder = new Folder(directory.path);
  if (typeof script === 'string') folder.sh(script);
  else script(folder);
  const left = await directory.snapshot(`${name}@1`);
  await directory.leave();
  return left;
}

/** What a state holds. */
export async function fileIn(
  workspace: RunWorkspace,
  state: StateId,
  path: string,
): Promise<string | undefined> {
  return (await workspace.fileAt(state, path))?.toString('utf8');
}

/** A good end, and on record. */
export async function ended(workspace: RunWorkspace, state: StateId, message: string) {
  const end = await workspace.finish(state, message);
  await workspace.forget();
  return end;
}
