import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decodeTime } from 'ulid';
import type { StateId } from '../journal/event.ts';
import { UserError } from '../support/user-error.ts';
import { fingerprint } from './fingerprint.ts';
import { git, gitText } from './git.ts';
import type { FileChange, RunWorkspace, StepDirectory } from './run-workspace.ts';
import type { Snapshots } from './snapshots.ts';

const execute = promisify(execFile);

export interface DirectoryOptions {
  readonly kind: RunWorkspace['kind'];
  readonly project: string;
  readonly run: string;
  readonly formula: string;
  /** The repository's top level; for `empty`, the directory itself. */
  readonly directory: string;
  /** Where in it the project is, with a slash at its end, or empty. */
  readonly prefix: string;
  readonly base: string | undefined;
  readonly branch: string | undefined;
  readonly initial: StateId;
  readonly snapshots: Snapshots;
  /** The state that the directory is in; undefined: unknown. */
  readonly known: StateId | undefined;
  /** File that remembers the workspace. */
  readonly note: string;
}

/** A directory, and what it was last seen as. */
class Tracked {
  readonly path: string;
  state: StateId | undefined;
  #seen: string | undefined;

  constructor(path: string, state: StateId | undefined) {
    this.path = path;
    this.state = state;
    this.look();
  }

  look(): void {
    this.#seen = fingerprint(this.path);
  }

  /** Whether it is surely as it was when it was last looked at. */
  get untouched(): boolean {
    return this.#seen !== undefined && this.#seen === fingerprint(this.path);
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
  /** Reading the main directory for a copy and changing it exclude each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: DirectoryOptions) {
    this.kind = options.kind;
    this.root = join(options.directory, options.prefix);
    this.base = options.base;
    this.branch = options.branch;
    this.initial = options.initial;
    this.#options = options;
    this.#main = new Tracked(options.directory, options.known);
  }

  async enter(
    state: StateId,
    { copy }: { readonly copy?: string; readonly signal?: AbortSignal } = {},
  ): Promise<StepDirectory> {
    const tracked = copy === undefined ? this.#main : await this.#copy(copy);
    await this.#bring(tracked, state);
    const { snapshots, prefix } = this.#options;
    return {
      path: join(tracked.path, prefix),
      snapshot: async (name) => {
        if (tracked.state !== undefined && tracked.untouched) return tracked.state;
        const before = tracked.state ?? state;
        const taken = await snapshots.take(tracked.path, name, [before]);
        // Another name for the same content would make a difference where there is none.
        const changed = (await snapshots.same(taken, before)) ? before : taken;
        if (copy !== undefined && changed !== before) await this.#lend(tracked.path);
        tracked.state = changed;
        tracked.look();
        return changed;
      },
      restore: async (to) => {
        tracked.state = tracked.untouched ? tracked.state : undefined;
        await this.#bring(tracked, to);
      },
      leave: () => Promise.resolve(),
    };
  }

  async merge(name: string, states: readonly StateId[]) {
    const [first, ...others] = states;
    let state = first ?? this.initial;
    for (const other of others) {
      const merged = await this.#options.snapshots.merge(`${name}-merge`, state, other);
      if (merged.conflicts.length > 0) return { ok: false as const, files: merged.conflicts, state };
      state = merged.state;
    }
    return { ok: true as const, state };
  }

  changes(from: StateId, to: StateId): Promise<readonly FileChange[]> {
    return this.#options.snapshots.changes(from, to);
  }

  diff(from: StateId, to: StateId): Promise<string> {
    return this.#options.snapshots.diff(from, to);
  }

  fileAt(state: StateId, path: string): Promise<Buffer | undefined> {
    return this.#options.snapshots.fileAt(state, path);
  }

  async finish(state: StateId, message: string) {
    const { directory, project } = this.#options;
    const changedFiles = (await this.changes(this.initial, state)).map((change) => change.path);
    if (this.kind === 'empty' || this.kind === 'checkout') {
      await this.#bring(this.#main, state);
      await this.#removeCopies();
      const left = this.kind === 'empty' && existsSync(directory) && (await readdir(directory)).length > 0;
      if (this.kind === 'empty' && !left) await this.#removeAll();
      else await this.#options.snapshots.remove();
      return { tags: [], changedFiles };
    }
    // After a crash between handing over and the record, what was handed over is still there to be said again.
    if (!existsSync(join(directory, '.git'))) return this.#handedOver(changedFiles);
    await this.#bring(this.#main, state);
    const head = await gitText(['rev-parse', 'HEAD'], { cwd: directory });
    const commit = await this.#commitRest(head, message);
    const tags = this.kind === 'clone' ? await this.#newTags() : [];
    const branch = commit === this.base ? undefined : this.branch;
    const top = await gitText(['rev-parse', '--show-toplevel'], { cwd: project }).catch(() => project);
    if (this.kind === 'clone') {
      const refs = [
        ...(branch === undefined ? [] : [`+${commit}:refs/heads/${branch}`]),
        ...tags.map((tag) => `refs/tags/${tag}:refs/tags/${tag}`),
      ];
      if (branch !== undefined) await git(['update-ref', 'refs/wf/handover', commit], { cwd: directory });
      const fetched = refs.map((ref) => ref.replace(`+${commit}:`, '+refs/wf/handover:'));
      if (refs.length > 0)
        await git(['fetch', '-q', '--no-tags', '--no-write-fetch-head', directory, ...fetched], { cwd: top });
    } else if (branch !== undefined) {
      // Another repository has no place here to bring a branch to: the clone is kept.
      await git(['update-ref', `refs/heads/${branch}`, commit], { cwd: directory });
      await this.#removeCopies();
      return { branch, commit, tags, changedFiles };
    }
    await this.#removeAll();
    await git(['update-ref', '-d', `refs/wf/${this.#options.run}/base`], { cwd: top, accept: [0, 1, 128] });
    return { ...(branch !== undefined && { branch, commit }), tags, changedFiles };
  }

  async keep(state: StateId): Promise<string> {
    if (this.kind === 'checkout') {
      await this.#removeCopies();
      return this.root;
    }
    await this.#bring(this.#main, state);
    await this.#removeCopies();
    return this.root;
  }

  async discard(): Promise<void> {
    await this.#removeAll();
  }

  /** Brings a directory to a state, unless it is there. */
  async #bring(tracked: Tracked, state: StateId): Promise<void> {
    if (tracked.state === state && tracked.untouched) return;
    if (tracked.state === state && this.kind === 'checkout') return;
    if (tracked.state === undefined || tracked.state !== state || !tracked.untouched) {
      const work = async () => {
        if (this.kind === 'checkout' && tracked === this.#main) {
          throw new UserError(
            `${tracked.path} would have to be changed back to what it was before, and with \`workspace: checkout\` that is yours to do`,
            {
              hint: 'bring it to the state you want, then `wf resume`; `workspace: clone` needs no such care',
            },
          );
        }
        if (!existsSync(tracked.path)) await mkdir(tracked.path, { recursive: true });
        await this.#options.snapshots.restore(tracked.path, state);
      };
      if (tracked === this.#main) await this.#exclusively(work);
      else await work();
      tracked.state = state;
      tracked.look();
    }
  }

  async #copy(name: string): Promise<Tracked> {
    const known = this.#copies.get(name);
    if (known) return known;
    const path = join(`${join(this.#options.project, '.wf', 'work', this.#options.run)}.copies`, name);
    await rm(path, { recursive: true, force: true });
    await mkdir(join(path, '..'), { recursive: true });
    await this.#exclusively(() =>
      execute('cp', [
        '-a',
        ...(process.platform === 'linux' ? ['--reflink=auto'] : []),
        this.#main.path,
        path,
      ]),
    );
    const tracked = new Tracked(path, undefined);
    this.#copies.set(name, tracked);
    return tracked;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Commits that were made in a copy become known to the main directory's repository. */
  async #lend(copy: string): Promise<void> {
    if (!existsSync(join(copy, '.git', 'objects'))) return;
    // With a dot at its end, which `join` would take away: what is in it, not the folder itself.
    const made = `${join(copy, '.git', 'objects')}/.`;
    await execute('cp', ['-a', '-n', made, join(this.#options.directory, '.git', 'objects')]);
  }

  /** What no step has committed becomes one commit on top. */
  async #commitRest(head: string, message: string): Promise<string> {
    const { directory, run } = this.#options;
    const index = join(directory, '.git', 'wf-index');
    const env = { GIT_INDEX_FILE: index };
    await rm(index, { force: true });
    await git(['read-tree', head], { cwd: directory, env });
    await git(['add', '--all', '--', '.', ':(exclude).wf'], { cwd: directory, env });
    const tree = await gitText(['write-tree'], { cwd: directory, env });
    await rm(index, { force: true });
    if (tree === (await gitText(['rev-parse', `${head}^{tree}`], { cwd: directory }))) return head;
    // The time of the run, not of the clock: after a crash the very same commit is made again.
    const date = `${Math.floor(runTime(run) / 1000)} +0000`;
    return gitText(['commit-tree', '-p', head, '-m', message, tree], {
      cwd: directory,
      env: { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    });
  }

  async #newTags(): Promise<readonly string[]> {
    const { directory, project } = this.#options;
    const list = async (cwd: string) => {
      const text = await gitText(['for-each-ref', '--format=%(refname:strip=2)', 'refs/tags'], { cwd });
      return text.split('\n').filter((tag) => tag !== '');
    };
    const known = new Set(await list(project));
    return (await list(directory)).filter((tag) => !known.has(tag));
  }

  async #handedOver(changedFiles: readonly string[]) {
    const { project } = this.#options;
    const found = await git(['rev-parse', '--verify', '-q', `refs/heads/${this.branch ?? ''}`], {
      cwd: project,
      accept: [0, 1, 128],
    });
    const commit = found.stdout.toString('utf8').trim();
    return {
      ...(commit !== '' && this.branch !== undefined && { branch: this.branch, commit }),
      tags: [],
      changedFiles,
    };
  }

  async #removeCopies(): Promise<void> {
    await rm(`${join(this.#options.project, '.wf', 'work', this.#options.run)}.copies`, {
      recursive: true,
      force: true,
    });
    this.#copies.clear();
  }

  async #removeAll(): Promise<void> {
    await this.#removeCopies();
    await rm(this.#options.directory, { recursive: true, force: true });
    await this.#options.snapshots.remove();
    await rm(this.#options.note, { force: true });
  }
}

/** When a run was created, from its ULID; the name of a step's own workspace begins with it. */
function runTime(run: string): number {
  try {
    return decodeTime(run.slice(0, 26));
  } catch {
    return 1_700_000_000_000;
  }
}
