import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, posix, sep } from 'node:path';
import { promisify } from 'node:util';
import type { StateId } from '../journal/event.ts';
import { UserError } from '../support/user-error.ts';
import { withFiles } from './file-problem.ts';
import type { Look } from './fingerprint.ts';
import { lookAt, settle } from './fingerprint.ts';
import { git, GitError, gitText } from './git.ts';
import { copyIndex, gitFolder } from './git-state.ts';
import { removeTree } from './remove-tree.ts';
import type { FileChange, RunWorkspace, StepDirectory } from './run-workspace.ts';
import { EMPTY_STATE } from './snapshots.ts';
import type { Snapshots } from './snapshots.ts';
import { StepResults } from './step-results.ts';
import { timeOfId } from '../support/ids.ts';

const execute = promisify(execFile);

/** What is remembered of a workspace once it is complete, so that it is found again and not made anew. */
export interface Note {
  readonly base?: string;
  readonly branch?: string;
  readonly initial: StateId;
  readonly prefix: string;
  /** `checkout`: what the directory was last brought to or seen as. */
  readonly at?: StateId;
  /** `checkout`: a person was asked to bring the directory to this state. */
  readonly asked?: StateId;
  /** What it came to, once that was handed over. */
  readonly finished?: Finished;
}

export type Finished = Awaited<ReturnType<RunWorkspace['finish']>>;

export interface DirectoryOptions {
  readonly kind: RunWorkspace['kind'];
  readonly project: string;
  readonly run: string;
  /** The repository's top level; for `empty`, the directory itself. */
  readonly directory: string;
  /** The top level of the repository that it came from. */
  readonly top: string | undefined;
  readonly note: Note;
  /** File that remembers the workspace. */
  readonly noteFile: string;
  readonly snapshots: Snapshots;
  /** The directory is in its first state; else it may be in any. */
  readonly fresh: boolean;
}

/** A directory, and what it was last seen as. */
class Tracked {
  readonly path: string;
  /** The state that it is in, as far as we know. */
  state: StateId | undefined;
  /** What it looked like then; undefined: not known. */
  seen: string | undefined;

  constructor(path: string, state: StateId | undefined) {
    this.path = path;
    this.state = state;
  }
}

/** A run's workspace on this machine: one main directory, and copies of it for what may overlap. */
export class DirectoryWorkspace implements RunWorkspace {
  readonly kind: RunWorkspace['kind'];
  readonly root: string;
  readonly base: string | undefined;
  readonly branch: string | undefined;
  readonly initial: StateId;
  readonly #options: DirectoryOptions;
  readonly #main: Tracked;
  readonly #copies = new Map<string, Tracked>();
  #note: Note;
  /** Reading the main directory for a copy and changing it exclude each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: DirectoryOptions) {
    const { kind, directory, note } = options;
    this.kind = kind;
    this.root = join(directory, note.prefix);
    this.base = note.base;
    this.branch = note.branch;
    this.initial = note.initial;
    this.#options = options;
    this.#note = note;
    this.#main = new Tracked(directory, options.fresh ? note.initial : note.at);
  }

  async enter(
    state: StateId,
    { copy }: { readonly copy?: string; readonly signal?: AbortSignal } = {},
  ): Promise<StepDirectory> {
    const tracked = copy === undefined ? this.#main : await this.#copy(copy);
    await this.#bring(tracked, state);
    const { snapshots, note } = this.#options;
    return {
      path: join(tracked.path, note.prefix),
      snapshot: async (name) => {
        const before = tracked.state ?? state;
        const look = lookAt(tracked.path);
        if (look && look.text === tracked.seen) return before;
        if (before === EMPTY_STATE && (await isEmpty(tracked.path))) return before;
        if (look) await settle(look);
        const taken = await snapshots.take(tracked.path, name, before);
        if (copy !== undefined && taken !== before) await this.#exclusively(() => this.#lend(tracked.path));
        tracked.seen = look?.text;
        await this.#isAt(tracked, taken);
        return taken;
      },
      restore: (to) => this.#bring(tracked, to),
      leave: () => Promise.resolve(),
    };
  }

  async release(copy: string): Promise<void> {
    const tracked = this.#copies.get(copy);
    this.#copies.delete(copy);
    if (tracked) await removeTree(tracked.path);
  }

  async merge(name: string, states: readonly StateId[]) {
    const [first, ...others] = states;
    let state = first ?? this.initial;
    for (const other of others) {
      const merged = await this.#options.snapshots.merge(`${name}-merge`, state, other);
      if (merged.conflicts.length > 0) {
        return { ok: false as const, files: merged.conflicts.map((path) => this.#here(path)), state };
      }
      state = merged.state;
    }
    return { ok: true as const, state };
  }

  async changes(from: StateId, to: StateId): Promise<readonly FileChange[]> {
    const changes = await this.#options.snapshots.changes(from, to);
    return changes.map((change) => ({ ...change, path: this.#here(change.path) }));
  }

  diff(from: StateId, to: StateId): Promise<string> {
    return this.#options.snapshots.diff(from, to);
  }

  fileAt(state: StateId, path: string): Promise<Buffer | undefined> {
    return this.#options.snapshots.fileAt(state, posix.join(this.#options.note.prefix, path));
  }

  results(): Promise<StepResults> {
    const { snapshots, note } = this.#options;
    return Promise.resolve(new StepResults(snapshots, note.prefix));
  }

  /** A path as seen from where steps work, which may be a folder of the repository. */
  #here(path: string): string {
    const { prefix } = this.#options.note;
    return prefix === '' ? path : posix.relative(prefix, path);
  }

  async finish(state: StateId, message: string): Promise<Finished> {
    if (this.#note.finished) return this.#leave(this.#note.finished);
    const changedFiles = (await this.changes(this.initial, state)).map((change) => change.path);
    await this.#bring(this.#main, state);
    if (this.kind === 'empty' || this.kind === 'checkout') return this.#leave({ tags: [], changedFiles });
    const { directory, snapshots } = this.#options;
    if (!gitFolder(directory)) {
      // A step has removed the repository that it worked in, and left its files: it begins anew, with them.
      await snapshots.restore(directory, this.initial);
      await snapshots.restore(directory, state);
    }
    const stands = await snapshots.gitOf(state);
    const head = stands ? stands.head : this.base;
    const commit = await this.#commitRest(head, message);
    const branch = commit === undefined || commit === this.base ? undefined : this.branch;
    const tags = this.kind === 'clone' ? (stands?.newTags ?? []) : [];
    if (branch !== undefined)
      await git(['update-ref', `refs/heads/${branch}`, String(commit)], { cwd: directory });
    if (this.kind === 'clone') await this.#fetchBack(branch, tags);
    return this.#leave({
      ...(branch !== undefined && { branch, commit: String(commit) }),
      tags,
      changedFiles,
    });
  }

  async keep(state: StateId): Promise<string> {
    await this.#removeCopies();
    if (this.kind === 'checkout') return this.root;
    await this.#bring(this.#main, state);
    await this.#options.snapshots.publish(this.#options.directory);
    return this.root;
  }

  async discard(): Promise<void> {
    await this.#removeDirectories(this.kind === 'checkout');
  }

  async forget(): Promise<void> {
    const { project, run, top, snapshots, noteFile } = this.#options;
    for (const name of await readdir(dirname(noteFile)).catch(() => [])) {
      const own = /^workspace\.(.+)\.json$/.exec(name)?.[1];
      if (own === undefined) continue;
      if (top !== undefined) await unpin(top, `${run}.${own}`);
      await removeTree(statesFolder(project, `${run}.${own}`));
      await rm(join(dirname(noteFile), name), { force: true });
    }
    if (this.kind === 'clone' && top !== undefined) await unpin(top, run);
    await snapshots.remove();
  }

  /** Brings a directory to a state, unless it is there. */
  async #bring(tracked: Tracked, state: StateId): Promise<void> {
    await withFiles(tracked.path, () => mkdir(tracked.path, { recursive: true }));
    const look = lookAt(tracked.path);
    if (tracked.state === state && look && look.text === tracked.seen) return;
    if (tracked === this.#main) await this.#exclusively(() => this.#bringTo(tracked, state, look));
    else await this.#bringTo(tracked, state, look);
    await this.#isAt(tracked, state);
  }

  async #isAt(tracked: Tracked, state: StateId): Promise<void> {
    if (tracked.state === state) return;
    tracked.state = state;
    if (this.kind === 'checkout' && tracked === this.#main)
      await this.#remember({ ...this.#note, at: state });
  }

  async #bringTo(tracked: Tracked, state: StateId, look: Look | undefined): Promise<void> {
    const { snapshots } = this.#options;
    const own = this.kind === 'checkout' && tracked === this.#main;
    if (look) await settle(look);
    const there =
      state === EMPTY_STATE && !own
        ? await isEmpty(tracked.path)
        : (tracked.state === state || (own && tracked.state === undefined)) &&
          (await snapshots.holds(tracked.path, state, { loosely: own }));
    if (there) {
      tracked.seen = look?.text;
      return;
    }
    tracked.seen = undefined;
    if (!own) {
      await snapshots.restore(tracked.path, state);
      return;
    }
    // In place, only what steps have made may be added to what is there.
    const { state: from } = tracked;
    if (
      from !== undefined &&
      (await snapshots.cameFrom(state, from)) &&
      (await snapshots.holds(tracked.path, from, { loosely: true }))
    ) {
      await snapshots.restore(tracked.path, state, from);
      return;
    }
    if (this.#note.asked !== state) {
      await this.#remember({ ...this.#note, asked: state });
      throw new UserError(
        `${tracked.path} is not as it was when the step began, and with \`workspace: checkout\` only you may change it back`,
        {
          hint: 'bring it to what the step should begin with, then `wf resume`: it goes on from whatever is there; `workspace: clone` needs no such care',
        },
      );
    }
    // The person was asked and has resumed: as it is now is how the step begins.
    const { asked: _, ...rest } = this.#note;
    await this.#remember(rest);
  }

  async #copy(name: string): Promise<Tracked> {
    const known = this.#copies.get(name);
    if (known) return known;
    const { directory, top } = this.#options;
    const path = join(this.#copiesFolder, name);
    await rm(path, { recursive: true, force: true });
    await withFiles(path, () => mkdir(dirname(path), { recursive: true }));
    await this.#exclusively(async () => {
      if (this.kind !== 'checkout') return copyFiles(directory, path, []);
      // The checkout's own repository stays out of reach: the copy gets one that shares its objects.
      await copyFiles(directory, path, [join(this.#options.project, '.wf'), join(directory, '.git')]);
      const clone = `${path}.clone`;
      await git(['clone', '-q', '--shared', '--no-checkout', '--', top ?? directory, clone], {
        cwd: directory,
      });
      await rename(join(clone, '.git'), join(path, '.git'));
      await rmdir(clone);
    });
    const tracked = new Tracked(path, undefined);
    this.#copies.set(name, tracked);
    return tracked;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** What was staged or committed in a copy becomes known to the main directory's repository. */
  async #lend(copy: string): Promise<void> {
    const [from, to] = [gitFolder(copy), gitFolder(this.#options.directory)];
    if (!from || !to) return;
    const objects = join(from.shared, 'objects');
    const names = (await readdir(objects)).filter((name) => name !== 'info');
    const paths = names.map((name) => join(objects, name));
    await execute('cp', ['-a', '-n', '--', ...paths, `${join(to.shared, 'objects')}/`]);
  }

  /** What no step has committed becomes one commit on top. */
  async #commitRest(head: string | undefined, message: string): Promise<string | undefined> {
    const { directory, run } = this.#options;
    const own = gitFolder(directory)?.own ?? join(directory, '.git');
    const index = join(own, 'wf-index');
    const env = { GIT_INDEX_FILE: index };
    // What a step has staged is to be committed, also where git would ignore it.
    if (existsSync(join(own, 'index'))) await copyIndex(join(own, 'index'), index);
    else if (head !== undefined) await git(['read-tree', head], { cwd: directory, env });
    await git(['add', '--all', '--ignore-errors'], { cwd: directory, env, accept: [0, 1] });
    const tree = await gitText(['write-tree'], { cwd: directory, env });
    await rm(index, { force: true });
    if (head !== undefined && tree === (await gitText(['rev-parse', `${head}^{tree}`], { cwd: directory })))
      return head;
    // The time of the run, not of the clock: after a crash the very same commit is made again.
    const date = `${Math.floor(runTime(run) / 1000)} +0000`;
    const parent = head === undefined ? [] : ['-p', head];
    return gitText(['commit-tree', ...parent, '-m', message, tree], {
      cwd: directory,
      env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    });
  }

  async #fetchBack(branch: string | undefined, tags: readonly string[]): Promise<void> {
    const { directory, top = directory } = this.#options;
    const refs = [
      ...(branch === undefined ? [] : [`+refs/heads/${branch}:refs/heads/${branch}`]),
      ...tags.map((tag) => `refs/tags/${tag}:refs/tags/${tag}`),
    ];
    if (refs.length === 0) return;
    const options = [
      '-q',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-recurse-submodules',
      '--no-prune',
      '--atomic',
    ];
    try {
      await git(['fetch', ...options, directory, ...refs], { cwd: top });
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      throw new UserError(`what the run made cannot be brought into ${top}: ${error.message}`, {
        hint: `it is all in ${directory}; move what stands in the way, then \`wf resume\``,
        cause: error,
      });
    }
  }

  /** A good end: after a crash in the middle of it, what it came to is still known. */
  async #leave(finished: Finished): Promise<Finished> {
    const { kind, directory } = this.#options;
    if (!this.#note.finished) await this.#remember({ ...this.#note, finished });
    // What another repository's clone holds has no other place, nor has what was left in an empty directory.
    const stays =
      kind === 'checkout' ||
      (kind === 'git' && finished.branch !== undefined) ||
      (kind === 'empty' && existsSync(directory) && !(await isEmpty(directory)));
    await this.#removeDirectories(stays);
    return finished;
  }

  async #remember(note: Note): Promise<void> {
    await writeNote(this.#options.noteFile, note);
    this.#note = note;
  }

  get #copiesFolder(): string {
    return join(this.#options.project, '.wf', 'work', `${this.#options.run}.copies`);
  }

  async #removeCopies(): Promise<void> {
    this.#copies.clear();
    await removeTree(this.#copiesFolder);
  }

  async #removeDirectories(stays: boolean): Promise<void> {
    await this.#removeCopies();
    if (!stays) await removeTree(this.#options.directory);
  }
}

/** Where the states of a run are kept, or of a step's own workspace, whose name begins with the run's. */
export function statesFolder(project: string, run: string): string {
  return join(project, '.wf', 'work', `${run}.states`);
}

/** Copies a directory with all that is in it, but for some paths. */
async function copyFiles(from: string, to: string, except: readonly string[]): Promise<void> {
  const copy = async (paths: readonly string[], target: string) => {
    const clones = process.platform === 'linux' ? ['--reflink=auto'] : [];
    if (paths.length > 0) await execute('cp', ['-a', ...clones, '--', ...paths, target]);
  };
  try {
    if (except.length === 0) return await copy([from], to);
    await mkdir(to);
    const whole: string[] = [];
    for (const name of await readdir(from)) {
      const path = join(from, name);
      if (except.includes(path)) continue;
      if (except.some((other) => other.startsWith(path + sep))) await copyFiles(path, join(to, name), except);
      else whole.push(path);
    }
    await copy(whole, to);
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    throw new UserError(`${from} cannot be copied: ${stderr.trim().split('\n')[0] ?? message}`, {
      hint: 'steps that run at the same time each work in a copy; free some space or make the file readable, then `wf resume`',
      cause: error,
    });
  }
}

/** Keeps what a clone shares from being collected in the repository it came from. */
export async function pin(top: string, run: string, base: string, others: readonly string[]): Promise<void> {
  // One commit that descends from all of them does what a ref for each would.
  const parents = [...new Set([base, ...others])].slice(0, 10_000).flatMap((commit) => ['-p', commit]);
  const all = await gitText(['commit-tree', '-m', `kept for run ${run}`, ...parents, `${base}^{tree}`], {
    cwd: top,
    env: { GIT_AUTHOR_DATE: '1700000000 +0000', GIT_COMMITTER_DATE: '1700000000 +0000' },
  });
  const refs = [`update refs/wf/${run}/base ${base}`, `update refs/wf/${run}/shared ${all}`];
  await git(['update-ref', '--stdin'], { cwd: top, input: `${refs.join('\n')}\n` });
}

/** Lets go what {@link pin} kept. */
export async function unpin(top: string, run: string): Promise<void> {
  const refs = [`delete refs/wf/${run}/base`, `delete refs/wf/${run}/shared`];
  await git(['update-ref', '--stdin'], { cwd: top, input: `${refs.join('\n')}\n`, accept: [0, 1, 128] });
}

/** Half a note is never seen. */
export async function writeNote(file: string, note: Note): Promise<void> {
  await withFiles(file, async () => {
    await writeFile(`${file}.new`, JSON.stringify(note), { flush: true });
    await rename(`${file}.new`, file);
  });
}

async function isEmpty(directory: string): Promise<boolean> {
  return (await readdir(directory)).length === 0;
}

/** When a run was created, from its ULID; the name of a step's own workspace begins with it. */
function runTime(run: string): number {
  try {
    return timeOfId(run);
  } catch {
    return 1_700_000_000_000;
  }
}
