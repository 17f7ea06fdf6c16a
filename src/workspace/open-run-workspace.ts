import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../support/user-error.ts';
import { DirectoryWorkspace } from './directory-workspace.ts';
import { git, GitError, gitText } from './git.ts';
import type { Prepare } from './prepare.ts';
import { prepareDirectory } from './prepare.ts';
import type { RunWorkspace } from './run-workspace.ts';
import { EMPTY_STATE, Snapshots } from './snapshots.ts';

/** Where a workspace comes from; templates are rendered. */
export type WorkspaceSource =
  'clone' | 'checkout' | 'empty' | { readonly git: string; readonly ref?: string };

export interface OpenWorkspace {
  /** Absolute path of the project. */
  readonly project: string;
  /** Names its folders and refs. */
  readonly run: string;
  readonly formula: string;
  readonly from: WorkspaceSource;
  /** Commit, branch or tag to begin at; absent: what is checked out. */
  readonly revision?: string;
  readonly allowDirty: boolean;
  /** It may have been made before. */
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly prepare?: Prepare | undefined;
}

/** What is remembered of a workspace once it is complete, so that it is found again and not made anew. */
interface Opened {
  readonly base?: string;
  readonly branch?: string;
  readonly initial: string;
  readonly prefix: string;
}

/**
 * Makes the workspace of a run, or finds it again. Throws a {@link UserError} when the world is not as needed: no git, no
 * repository, no commit yet, a dirty tree under `checkout`, a revision that does not exist.
 */
export async function openRunWorkspace(options: OpenWorkspace): Promise<RunWorkspace> {
  const { project, run, from } = options;
  const work = join(project, '.wf', 'work');
  const note = join(work, `${run}.json`);
  const known = options.resume ? await readNote(note) : undefined;
  await mkdir(work, { recursive: true });
  const directory = from === 'checkout' ? await topLevel(project) : join(work, run);
  const opened = known ?? (await make(options, directory));
  const kind = typeof from === 'object' ? 'git' : from;
  const snapshots = snapshotsOf(options, directory);
  const workspace = new DirectoryWorkspace({
    kind,
    project,
    run,
    formula: options.formula,
    directory,
    prefix: opened.prefix,
    base: opened.base,
    branch: opened.branch,
    initial: opened.initial,
    snapshots,
    // Whoever died may have left anything in it.
    known: known ? undefined : opened.initial,
    note,
  });
  if (!known) await writeFile(note, JSON.stringify(opened));
  return workspace;
}

async function readNote(path: string): Promise<Opened | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Opened;
  } catch {
    // It was being written when the process died, so nothing has run yet.
    return undefined;
  }
}

function snapshotsOf({ project, run, from }: OpenWorkspace, directory: string): Snapshots {
  const store = join(project, '.wf', 'work', `${run}.states`);
  return new Snapshots(
    store,
    from === 'empty' ? undefined : join(directory, '.git', 'objects'),
    `refs/wf/${run}`,
  );
}

async function make(options: OpenWorkspace, directory: string): Promise<Opened> {
  const { from, project } = options;
  const snapshots = snapshotsOf(options, directory);
  await snapshots.remove();
  const place = await begin(options, directory);
  if (options.prepare) {
    await prepareDirectory(
      join(directory, place.prefix),
      options.prepare,
      join(project, '.wf', 'cache', 'prepare'),
      options.signal,
    );
  }
  if (from === 'empty' && !options.prepare) return { initial: EMPTY_STATE, prefix: '' };
  const initial = await snapshots.take(directory, 'base', []);
  return { ...place, initial };
}

async function begin(options: OpenWorkspace, directory: string): Promise<Omit<Opened, 'initial'>> {
  const { from, project, run, formula } = options;
  if (from === 'empty') {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    return { prefix: '' };
  }
  const branch = `wf/${formula}/${run}`;
  if (from === 'checkout') {
    const prefix = await prefixIn(project);
    await refuseDirty(directory, options.allowDirty);
    const base = await commitOf(directory, 'HEAD');
    return { prefix, base };
  }
  if (typeof from === 'object') {
    const address = /^[\w+.-]+:\/\/|^[^/]+@[^/]+:/.test(from.git) ? from.git : resolve(project, from.git);
    await rm(directory, { recursive: true, force: true });
    await cloning(
      () =>
        git(['clone', '-q', '--no-checkout', address, directory], { cwd: project, signal: options.signal }),
      from.git,
    );
    const base = await commitOf(directory, from.ref ?? 'HEAD');
    await git(['checkout', '-q', '-B', branch, base], { cwd: directory });
    return { prefix: '', base, branch };
  }
  const top = await topLevel(project);
  const prefix = await prefixIn(project);
  const base = await commitOf(top, options.revision ?? 'HEAD');
  // A clone that shares objects breaks when its origin collects what nothing refers to any more.
  await git(['update-ref', `refs/wf/${run}/base`, base], { cwd: top });
  await rm(directory, { recursive: true, force: true });
  const shallow = (await gitText(['rev-parse', '--is-shallow-repository'], { cwd: top })) === 'true';
  await cloning(
    () =>
      git(
        [
          'clone',
          '-q',
          '--no-checkout',
          ...(shallow ? ['--no-local'] : ['--shared']),
          shallow ? `file://${top}` : top,
          directory,
        ],
        { cwd: top, signal: options.signal },
      ),
    top,
  );
  await git(['checkout', '-q', '-B', branch, base], { cwd: directory });
  const origin = await git(['config', '--get', 'remote.origin.url'], { cwd: top, accept: [0, 1] });
  const url = origin.stdout.toString('utf8').trim();
  // Steps that push mean the remote that people push to, not the repository that the run came from.
  await git(url === '' ? ['config', '--unset', 'remote.origin.url'] : ['config', 'remote.origin.url', url], {
    cwd: directory,
  });
  return { prefix, base, branch };
}

async function cloning(clone: () => Promise<unknown>, what: string): Promise<void> {
  try {
    await clone();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new UserError(`${what} cannot be cloned: ${error.message}`, {
      hint: 'check the address, and that git can read it without a password prompt',
      cause: error,
    });
  }
}

async function topLevel(project: string): Promise<string> {
  try {
    return await gitText(['rev-parse', '--show-toplevel'], { cwd: project });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new UserError(`${project} is not in a git repository, and the formula works in a clone of it`, {
      hint: 'run `git init` and commit, or say `workspace: empty` in the formula',
      cause: error,
    });
  }
}

function prefixIn(project: string): Promise<string> {
  return gitText(['rev-parse', '--show-prefix'], { cwd: project });
}

async function commitOf(repository: string, revision: string): Promise<string> {
  // A branch that only the remote has is meant as well.
  for (const name of [revision, `refs/remotes/origin/${revision}`]) {
    const answer = await git(['rev-parse', '--verify', '-q', '--end-of-options', `${name}^{commit}`], {
      cwd: repository,
      accept: [0, 1, 128],
    });
    if (answer.exitCode === 0) return answer.stdout.toString('utf8').trim();
  }
  if (revision === 'HEAD') {
    throw new UserError('the repository has no commit yet, so there is nothing to clone', {
      hint: 'commit first, or say `workspace: empty` in the formula',
    });
  }
  throw new UserError(`there is no commit, branch or tag "${revision}" in ${repository}`);
}

async function refuseDirty(directory: string, allowed: boolean): Promise<void> {
  if (allowed) return;
  const status = await gitText(
    ['status', '--porcelain', '--untracked-files=all', '--', '.', ':(exclude).wf'],
    { cwd: directory },
  );
  if (status === '') return;
  const files = status.split('\n');
  throw new UserError(
    `the formula works in place, and ${files.length} ${files.length === 1 ? 'file is' : 'files are'} not committed: ${files
      .slice(0, 3)
      .map((line) => line.slice(3))
      .join(', ')}${files.length > 3 ? ', …' : ''}`,
    {
      hint: 'commit or stash first, or say --allow-dirty',
    },
  );
}
