import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeUnversionedFolder } from '../support/unversioned-folder.ts';
import { UserError } from '../support/user-error.ts';
import type { Note } from './directory-workspace.ts';
import { DirectoryWorkspace, pin, statesFolder, unpin, writeNote } from './directory-workspace.ts';
import { withFiles } from './file-problem.ts';
import { git, GitError, gitText } from './git.ts';
import { gitFolder } from './git-state.ts';
import type { Prepare } from './prepare.ts';
import { repositoryPlace, withoutPassword } from './repository-address.ts';
import { prepareDirectory } from './prepare.ts';
import type { RunWorkspace } from './run-workspace.ts';
import { uncommittedFiles } from './uncommitted-files.ts';
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

/** A repository, as far as making a workspace of it asks. */
interface Repository {
  readonly top: string;
  /** Where in it the project is, or empty. */
  readonly prefix: string;
  readonly shallow: boolean;
  readonly format: string;
  /** Its `.git`, or of which this one is a linked worktree. */
  readonly folder: string;
}

/** A directory that is ready to be snapshot for the first time. */
interface Begun {
  readonly note: Omit<Note, 'initial'>;
  /** Takes back what was made, when the rest cannot be. */
  readonly undo: () => Promise<void>;
}

/**
 * Makes the workspace of a run, or finds it again. Throws a {@link UserError} when the world is not as needed: no git, no
 * repository, no commit yet, a dirty tree under `checkout`, a revision that does not exist; then nothing is left.
 */
export async function openRunWorkspace(options: OpenWorkspace): Promise<RunWorkspace> {
  const { project, run, from } = options;
  const noteFile = noteOf(project, run);
  const known = options.resume ? await readNote(noteFile) : undefined;
  await withFiles(join(project, '.wf'), () => makeFolder(project));
  const repository = from === 'clone' || from === 'checkout' ? await repositoryOf(project) : undefined;
  const directory = from === 'checkout' && repository ? repository.top : join(project, '.wf', 'work', run);
  const store = statesFolder(project, run);
  const snapshots = new Snapshots({
    store,
    prefix: `refs/wf/${run}`,
    ...(from !== 'empty' && {
      repository: {
        directory,
        ...(repository && { objects: join(repository.folder, 'objects'), format: repository.format }),
        ...(from !== 'checkout' && { remake: () => remake(options, repository, directory) }),
      },
    }),
  });
  const note = known ?? (await make(options, { repository, directory, snapshots, noteFile }));
  return new DirectoryWorkspace({
    kind: typeof from === 'object' ? 'git' : from,
    project,
    run,
    directory,
    top: repository?.top,
    note,
    noteFile,
    snapshots,
    // Whoever died may have left anything in it.
    fresh: !known,
  });
}

/** With the run's other files, since it outlives the workspace. The name of a step's own begins with the run's. */
function noteOf(project: string, run: string): string {
  const [id = run, ...own] = run.split('.');
  return join(project, '.wf', 'runs', id, ['workspace', ...own, 'json'].join('.'));
}

async function makeFolder(project: string): Promise<void> {
  makeUnversionedFolder(join(project, '.wf'));
  await mkdir(join(project, '.wf', 'work'), { recursive: true });
}

async function readNote(path: string): Promise<Note | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Note);
}

async function make(
  options: OpenWorkspace,
  {
    repository,
    directory,
    snapshots,
    noteFile,
  }: {
    readonly repository: Repository | undefined;
    readonly directory: string;
    readonly snapshots: Snapshots;
    readonly noteFile: string;
  },
): Promise<Note> {
  const { from, project, prepare, signal } = options;
  const undone: (() => Promise<void>)[] = [() => snapshots.remove()];
  try {
    await snapshots.remove();
    const { note, undo } = await begin(options, repository, directory);
    undone.push(undo);
    const root = join(directory, note.prefix);
    // Git knows no empty folders: nothing of the project may be in this commit.
    await withFiles(root, () => mkdir(root, { recursive: true }));
    if (prepare) {
      await prepareDirectory(root, prepare, {
        cache: join(project, '.wf', 'cache', 'prepare'),
        kind: from === 'checkout' ? 'in place' : from === 'empty' ? 'plain' : 'clone',
        signal,
      });
    }
    const initial =
      from === 'empty' && !prepare ? EMPTY_STATE : await snapshots.take(directory, 'before-all', undefined);
    const complete = { ...note, initial };
    await mkdir(dirname(noteFile), { recursive: true });
    await writeNote(noteFile, complete);
    return complete;
  } catch (error) {
    for (const undo of undone.reverse()) await undo().catch(() => undefined);
    throw error;
  }
}

async function begin(
  options: OpenWorkspace,
  repository: Repository | undefined,
  directory: string,
): Promise<Begun> {
  const { from, run, formula } = options;
  const removed = () => rm(directory, { recursive: true, force: true });
  if (from === 'empty') {
    await removed();
    await withFiles(directory, () => mkdir(directory, { recursive: true }));
    return { note: { prefix: '' }, undo: removed };
  }
  const branch = `wf/${formula}/${run}`;
  if (typeof from === 'object') {
    try {
      const base = await cloneAddress(options, from, directory);
      await git(['checkout', '-q', '-B', branch, base], { cwd: directory });
      return { note: { prefix: '', base, branch }, undo: removed };
    } catch (error) {
      await removed();
      throw error;
    }
  }
  if (!repository) throw new Error(`a ${from} without a repository`);
  const { top, prefix } = repository;
  if (from === 'checkout') {
    const base = await commitOf(top, 'HEAD');
    await refuseDirty(top, options.allowDirty);
    return { note: { prefix, base }, undo: () => Promise.resolve() };
  }
  const base = await commitOf(top, options.revision ?? 'HEAD');
  const undo = async () => {
    await removed();
    await unpin(top, run);
  };
  try {
    const refs = await listRefs(top);
    refuseTakenBranch(refs, branch);
    // A clone that shares objects breaks when its origin collects what nothing refers to any more.
    await pin(
      top,
      run,
      base,
      refs.flatMap(({ commit }) => commit ?? []),
    );
    await removed();
    await cloneRepository(repository, run, directory, options.signal);
    await git(['checkout', '-q', '-B', branch, base], { cwd: directory });
  } catch (error) {
    await undo();
    throw error;
  }
  return { note: { prefix, base, branch }, undo };
}

/** `.git` alone, at the commit that the run began with, in a directory that has lost it. */
async function remake(
  options: OpenWorkspace,
  repository: Repository | undefined,
  directory: string,
): Promise<void> {
  const { from, project, run, formula } = options;
  const note = await readNote(noteOf(project, run));
  const aside = `${directory}.remade`;
  await rm(aside, { recursive: true, force: true });
  const controller = new AbortController();
  if (repository) await cloneRepository(repository, run, aside, controller.signal);
  else if (typeof from === 'object') await cloneAddress(options, from, aside);
  const branch = `refs/heads/wf/${formula}/${run}`;
  await git(['update-ref', branch, note?.base ?? 'HEAD'], { cwd: aside });
  await git(['symbolic-ref', 'HEAD', branch], { cwd: aside });
  await git(['read-tree', 'HEAD'], { cwd: aside });
  await rm(join(directory, '.git'), { recursive: true, force: true });
  await rename(join(aside, '.git'), join(directory, '.git'));
  await rm(aside, { recursive: true, force: true });
}

/** A clone without files of the repository that the project is in. */
async function cloneRepository(
  { top, shallow }: Repository,
  run: string,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const how = ['--no-checkout', '--origin', 'origin', shallow ? '--no-local' : '--shared'];
  await cloning(() => git(['clone', '-q', ...how, '--', top, directory], { cwd: top, signal }), top);
  if (shallow) {
    // What is not on a branch does not come along by itself.
    const options = ['-q', '--no-tags', '--no-write-fetch-head', '--update-shallow'];
    await git(['fetch', ...options, 'origin', `refs/wf/${run}/base`], { cwd: directory, signal });
  }
  await carryConfig(top, directory);
}

/** Settings that files and commits depend on. A clone has none of the repository's own. */
const CARRIED =
  /^((user|author|committer|filter|lfs|merge|diff)\.|remote\.origin\.(promisor|partialclonefilter)$)/i;

async function carryConfig(top: string, directory: string): Promise<void> {
  const listed = await gitText(['config', '--local', '--null', '--list'], { cwd: top });
  const settings = listed.split('\0').flatMap((entry) => {
    const at = entry.indexOf('\n');
    return at < 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)] as const];
  });
  // Steps that push mean the remote that people push to, not the repository that the run came from.
  const url = settings.find(([key]) => key === 'remote.origin.url')?.[1];
  const config = join(gitFolder(directory)?.own ?? directory, 'config');
  const written = await readFile(config, 'utf8');
  await writeFile(
    config,
    written.replace(/^\turl = .*\n/m, () => (url === undefined ? '' : `\turl = ${quoted(url)}\n`)),
  );
  const carried = settings
    .filter(([key]) => CARRIED.test(key))
    .map(([key, value]) => configEntry(key, value));
  await appendFile(config, carried.join(''));
}

function configEntry(key: string, value: string): string {
  const [first, last] = [key.indexOf('.'), key.lastIndexOf('.')];
  const sub = first === last ? '' : ` "${key.slice(first + 1, last).replace(/[\\"]/g, '\\$&')}"`;
  return `[${key.slice(0, first)}${sub}]\n\t${key.slice(last + 1)} = ${quoted(value)}\n`;
}

function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}

/** Another repository, without files. Returns the commit to begin at. */
async function cloneAddress(
  { project, signal }: OpenWorkspace,
  { git: address, ref }: { readonly git: string; readonly ref?: string },
  directory: string,
): Promise<string> {
  const place = repositoryPlace(address, project);
  await rm(directory, { recursive: true, force: true });
  await cloning(
    () =>
      git(['clone', '-q', '--no-checkout', '--origin', 'origin', '--', place, directory], {
        cwd: project,
        signal,
      }),
    withoutPassword(address),
  );
  if (ref !== undefined && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(ref)) {
    // A commit that is on no branch may still be had when it is asked for by name.
    await git(['fetch', '-q', '--no-write-fetch-head', 'origin', ref], {
      cwd: directory,
      signal,
      accept: [0, 1, 128],
    });
  }
  return commitOf(directory, ref ?? 'HEAD', withoutPassword(address));
}

async function cloning(clone: () => Promise<unknown>, what: string): Promise<void> {
  try {
    await clone();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new UserError(`${what} cannot be cloned: ${withoutPassword(error.message)}`, {
      hint: 'check the address, and that git can read it without a password prompt',
    });
  }
}

async function repositoryOf(project: string): Promise<Repository> {
  try {
    const asked = ['--show-toplevel', '--show-prefix', '--is-shallow-repository', '--show-object-format'];
    const answer = await gitText(['rev-parse', '--path-format=absolute', ...asked, '--git-common-dir'], {
      cwd: project,
    });
    const [top = '', prefix = '', shallow, format = 'sha1', folder = ''] = answer.split('\n');
    return { top, prefix: prefix.replace(/\/$/, ''), shallow: shallow === 'true', format, folder };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if (!/not a git repository/i.test(error.stderr)) {
      throw new UserError(`git cannot work in ${project}: ${error.message}`, { cause: error });
    }
    throw new UserError(`${project} is not in a git repository, and the formula works in a clone of it`, {
      hint: 'run `git init` and commit, or say `workspace: empty` in the formula',
      cause: error,
    });
  }
}

interface Ref {
  readonly name: string;
  /** Undefined for what is no commit. */
  readonly commit: string | undefined;
}

async function listRefs(top: string): Promise<readonly Ref[]> {
  const format = '%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)';
  const listed = await gitText(['for-each-ref', `--format=${format}`], { cwd: top });
  return listed.split('\n').flatMap((line) => {
    const [name = '', type, oid, peeledType, peeled] = line.split(' ');
    const commit = type === 'commit' ? oid : peeledType === 'commit' ? peeled : undefined;
    return name === '' ? [] : [{ name, commit }];
  });
}

/** Git keeps a branch in a file, so that `wf` and `wf/a/b` cannot both be. */
function refuseTakenBranch(refs: readonly Ref[], branch: string): void {
  const taken = refs.find(({ name }) => `refs/heads/${branch}`.startsWith(`${name}/`));
  if (!taken) return;
  const name = taken.name.slice('refs/heads/'.length);
  throw new UserError(
    `there is a branch called "${name}", so git has no place for the run's branch ${branch}`,
    {
      hint: `rename it: git branch -m ${name} <another name>`,
    },
  );
}

async function commitOf(repository: string, revision: string, shown = repository): Promise<string> {
  // A branch that only the remote has is meant as well.
  for (const name of [revision, `refs/remotes/origin/${revision}`]) {
    const answer = await git(['rev-parse', '--verify', '-q', '--end-of-options', `${name}^{commit}`], {
      cwd: repository,
      accept: [0, 1, 128],
    });
    const commit = /^[0-9a-f]{40,64}$/m.exec(answer.stdout.toString('utf8'))?.[0];
    if (answer.exitCode === 0 && commit !== undefined) return commit;
  }
  if (revision === 'HEAD') {
    throw new UserError(`${shown} has no commit yet, so there is nothing to begin with`, {
      hint: 'commit first, or say `workspace: empty` in the formula',
    });
  }
  throw new UserError(`there is no commit, branch or tag "${revision}" in ${shown}`, {
    hint: 'look at `git branch --all` and `git tag`; a new one may have to be fetched first',
  });
}

async function refuseDirty(directory: string, allowed: boolean): Promise<void> {
  if (allowed) return;
  const files = await uncommittedFiles(directory);
  if (files.length === 0) return;
  const shown = files.slice(0, 3).join(', ');
  throw new UserError(
    `the formula works in place, and ${files.length} ${files.length === 1 ? 'file is' : 'files are'} not committed: ${shown}${files.length > 3 ? ', …' : ''}`,
    { hint: 'commit or stash first, or say --allow-dirty' },
  );
}
