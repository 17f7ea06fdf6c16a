import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { cp, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { StateId } from '../journal/event.ts';
import { UserError } from '../support/user-error.ts';
import { withFiles } from './file-problem.ts';
import { git, GitError, gitProblem, gitText } from './git.ts';
import type { GitFolder, GitState, Refs } from './git-state.ts';
import {
  branchOf,
  copyIndex,
  digestOfIndex,
  gitFolder,
  headCommit,
  readGitState,
  readRefs,
  refsOf,
  writeGitFiles,
} from './git-state.ts';
import type { FileChange } from './run-workspace.ts';

const execute = promisify(execFile);

/** The state of an empty directory. */
export const EMPTY_STATE: StateId = 'empty';

/** A state is on disk before the record names it, also when the machine loses power. */
const STORE_SETTINGS = [
  'core.bare=false',
  'core.fsync=loose-object,pack,pack-metadata',
  'core.fsyncMethod=batch',
].flatMap((setting) => ['-c', setting]);

/** Of commits that we make: no time in them, so that what is alike has one name. */
const DATES = { GIT_AUTHOR_DATE: '1700000000 +0000', GIT_COMMITTER_DATE: '1700000000 +0000' };

export interface SnapshotOptions {
  /** Where the states are kept, made on first use. */
  readonly store: string;
  /** Of the refs that hold the states. */
  readonly prefix: string;
  /** The repository that steps work in. */
  readonly repository?: {
    /** Its directory. */
    readonly directory: string;
    /** Folder of objects that nobody takes away: read from there. Absent: what the repository has is kept as well. */
    readonly objects?: string;
    /** Of its objects' names. Absent: it is asked. */
    readonly format?: string;
    /** Makes its `.git` anew when a step has removed it. */
    readonly remake?: () => Promise<void>;
  };
}

/** A file as git knows it. */
export interface TrackedFile {
  /** `100644`, `100755`, `120000` for a link, `160000` for a repository inside. */
  readonly mode: string;
  /** The name of its content. */
  readonly object: string;
}

/** What is known of a state once it was made or read. */
interface Known {
  readonly tree: string;
  readonly git: GitState | undefined;
}

/**
 * The states of a run's directories, kept as commits in a repository of their own, so that steps neither see nor can
 * change them and files come back byte for byte, whatever `.gitattributes` says. A state's parents are the states it
 * came from; that is how merging finds what both sides began with. What git ignores is no part of a state, nor what is
 * inside of a repository within the repository.
 */
export class Snapshots {
  readonly #store: string;
  readonly #prefix: string;
  readonly #repository: SnapshotOptions['repository'];
  #made: Promise<void> | undefined;
  #start: Refs | undefined;
  readonly #known = new Map<StateId, Known>();
  /** What an index of ours looked like from outside when it held a tree. */
  readonly #trees = new Map<string, { readonly look: string; readonly tree: string }>();
  /** Digests of indexes of steps, by their bytes. */
  readonly #staged = new Map<string, string>();
  /** Commits of steps that the store has as well. */
  readonly #commits = new Set<string>();

  constructor({ store, prefix, repository }: SnapshotOptions) {
    this.#store = store;
    this.#prefix = prefix;
    this.#repository = repository;
  }

  /**
   * The state of a directory, which came from `before`: that very state when nothing changed, else a new one, recorded
   * under `name`.
   */
  async take(directory: string, name: string, before: StateId | undefined): Promise<StateId> {
    await this.#make();
    const [tree, state] = [await this.#treeOf(directory), await this.#gitStateOf(directory)];
    if (before !== undefined && alike({ tree, git: state }, await this.#read(before))) return before;
    return this.#commit({ tree, git: state }, before === undefined ? [] : [before], name);
  }

  /** Whether a directory is in a state; with `loosely`, in files and HEAD at least, whatever else is in its repository. */
  async holds(
    directory: string,
    state: StateId,
    { loosely = false }: { readonly loosely?: boolean } = {},
  ): Promise<boolean> {
    await this.#make();
    const tree = await this.#treeOf(directory);
    const [now, then] = [{ tree, git: await this.#gitStateOf(directory) }, await this.#read(state)];
    if (!loosely || !now.git || !then.git) return alike(now, then);
    const start = await this.#refsAtStart();
    return now.tree === then.tree && headCommit(now.git, start) === headCommit(then.git, start);
  }

  /**
   * Brings a directory to a state: files, HEAD, branches, index. What git ignores stays. With `from`, a state that it is
   * in, only what differs between the two is done, and refs that somebody else moved stay as they are.
   */
  async restore(directory: string, state: StateId, from?: StateId): Promise<void> {
    await this.#make();
    const commit = await this.#commitOf(state);
    // A copy has the files already, and writing each again would take longer than reading it.
    if (from !== undefined || !existsSync(this.#index(directory))) await this.#add(directory);
    const files = () => this.#git(directory, ['read-tree', '--reset', '-u', commit]);
    if (from !== undefined) await files();
    else {
      const clean = () => this.#git(directory, ['clean', '-f', '-d', '-q']);
      // On a disk that is full, what nobody has recorded goes first.
      await files().catch(async (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        await clean();
        await files();
      });
      await clean();
    }
    const { tree, git: saved } = await this.#read(state);
    this.#remember(directory, tree);
    if (saved)
      await this.#restoreGit(directory, saved, from === undefined ? undefined : (await this.#read(from)).git);
  }

  /** Both changes on top of what they have in common. Conflicts name files and leave the first side's lines. */
  async merge(
    name: string,
    first: StateId,
    second: StateId,
  ): Promise<{ readonly state: StateId; readonly conflicts: readonly string[] }> {
    await this.#make();
    const [one, two] = [await this.#commitOf(first), await this.#commitOf(second)];
    const merged = await this.#mergeTrees(one, two);
    if (merged.conflicts.length > 0) return { state: first, conflicts: merged.conflicts };
    const state = await this.#mergeGit(first, second);
    if ('conflicts' in state) return { state: first, conflicts: state.conflicts };
    const both = { tree: merged.tree, git: state.git };
    return { state: await this.#commit(both, [first, second], name), conflicts: [] };
  }

  /** Whether a state came, by whatever way, from another. */
  async cameFrom(state: StateId, earlier: StateId): Promise<boolean> {
    const range = [await this.#commitOf(earlier), await this.#commitOf(state)];
    return (
      (await this.#git(undefined, ['merge-base', '--is-ancestor', ...range], { accept: [0, 1] })).exitCode ===
      0
    );
  }

  async changes(from: StateId, to: StateId): Promise<readonly FileChange[]> {
    if (from === to) return [];
    await this.#make();
    const range = [await this.#commitOf(from), await this.#commitOf(to)];
    const options = ['-r', '--no-renames', '-z', '--no-ext-diff', '--no-textconv'];
    const answer = await this.#text(undefined, ['diff-tree', '--raw', '--numstat', ...options, ...range]);
    const fields = answer.split('\0');
    const statuses = new Map<string, FileChange['status']>();
    const changes: FileChange[] = [];
    for (let at = 0; at < fields.length; at++) {
      const field = fields[at] as string;
      if (field.startsWith(':')) {
        const letter = field.at(-1);
        at += 1;
        statuses.set(
          fields[at] as string,
          letter === 'A' ? 'added' : letter === 'D' ? 'deleted' : 'modified',
        );
        continue;
      }
      const [added, removed, ...path] = field.split('\t');
      if (added === undefined || removed === undefined) continue;
      const name = path.join('\t');
      changes.push({
        path: name,
        status: statuses.get(name) ?? 'modified',
        added: count(added),
        removed: count(removed),
      });
    }
    return changes;
  }

  /** All files of a state, by path. */
  async files(state: StateId): Promise<ReadonlyMap<string, TrackedFile>> {
    await this.#make();
    const listed = await this.#text(undefined, ['ls-tree', '-r', '-z', await this.#commitOf(state)]);
    return new Map(
      listed.split('\0').flatMap((line) => {
        const [, mode = '', object = '', path] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
        return path === undefined ? [] : [[path, { mode, object }]];
      }),
    );
  }

  /** What differs between two states, file by file. Undefined when more does: HEAD, branches, what is staged. */
  async delta(
    from: StateId,
    to: StateId,
  ): Promise<
    | readonly { readonly path: string; readonly before?: TrackedFile; readonly after?: TrackedFile }[]
    | undefined
  > {
    await this.#make();
    const [{ git: one }, { git: other }] = [await this.#read(from), await this.#read(to)];
    if (one && other ? !sameGit(one, other) : one !== other) return undefined;
    const range = [await this.#commitOf(from), await this.#commitOf(to)];
    const answer = await this.#text(undefined, [
      'diff-tree',
      '-r',
      '--raw',
      '--no-renames',
      '-z',
      '--no-abbrev',
      ...range,
    ]);
    const fields = answer.split('\0');
    const changes = [];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [, mode = '', mode2 = '', object = '', object2 = ''] =
        /^:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) /.exec(fields[at] as string) ?? [];
      changes.push({
        path: fields[at + 1] as string,
        ...(/[1-9]/.test(mode) && { before: { mode, object } }),
        ...(/[1-9]/.test(mode2) && { after: { mode: mode2, object: object2 } }),
      });
    }
    return changes;
  }

  /** The content of a file that some state has. */
  async content(object: string): Promise<Buffer> {
    return (await this.#git(undefined, ['cat-file', 'blob', object])).stdout;
  }

  /** Files of a directory that git ignores, but for what is ours and what is inside of a repository within. */
  async ignored(directory: string): Promise<readonly string[]> {
    await this.#make();
    const how = ['--others', '--ignored', '--exclude-standard', '-z'];
    const listed = await this.#text(directory, ['ls-files', ...how]);
    return listed
      .split('\0')
      .filter((path) => path !== '' && !path.endsWith('/') && !/(?:^|\/)\.wf\//.test(path));
  }

  async diff(from: StateId, to: StateId): Promise<string> {
    if (from === to) return '';
    await this.#make();
    const range = [await this.#commitOf(from), await this.#commitOf(to)];
    const options = ['-r', '-p', '--no-color', '--no-renames', '--no-ext-diff', '--no-textconv'];
    return (await this.#git(undefined, ['diff-tree', ...options, ...range])).stdout.toString('utf8');
  }

  async fileAt(state: StateId, path: string): Promise<Buffer | undefined> {
    await this.#make();
    const place = `${await this.#commitOf(state)}:${path}`;
    const answer = await this.#git(undefined, ['cat-file', 'blob', place], { accept: [0, 128] });
    return answer.exitCode === 0 ? answer.stdout : undefined;
  }

  /** Where git stands in a state; undefined for a directory that is no repository. */
  async gitOf(
    state: StateId,
  ): Promise<{ readonly head: string | undefined; readonly newTags: readonly string[] } | undefined> {
    if (state === EMPTY_STATE) return undefined;
    const { git: saved } = await this.#read(state);
    if (!saved) return undefined;
    const start = await this.#refsAtStart();
    const newTags = Object.entries(saved.refs)
      .filter(([ref, to]) => ref.startsWith('refs/tags/') && to !== null && !(ref in start))
      .map(([ref]) => ref.slice('refs/tags/'.length));
    return { head: headCommit(saved, start), newTags };
  }

  /** Writes the states as refs into the repository that steps worked in, for people to look at. */
  async publish(directory: string): Promise<void> {
    if (!existsSync(this.#store) || !gitFolder(directory)) return;
    const refs = `+${this.#prefix}/*:${this.#prefix}/*`;
    await git(['fetch', '-q', '--no-tags', '--no-write-fetch-head', this.#store, refs], { cwd: directory });
  }

  async remove(): Promise<void> {
    await rm(this.#store, { recursive: true, force: true });
    this.#made = undefined;
    this.#start = undefined;
    this.#known.clear();
    this.#trees.clear();
    this.#commits.clear();
  }

  #make(): Promise<void> {
    return (this.#made ??= withFiles(this.#store, async () => {
      if (existsSync(join(this.#store, 'ready'))) return;
      await rm(this.#store, { recursive: true, force: true });
      await mkdir(dirname(this.#store), { recursive: true });
      const { objects, directory } = this.#repository ?? {};
      const format = this.#repository?.format ?? (await formatOf(directory));
      await git(['init', '-q', '--bare', '--template=', `--object-format=${format}`, this.#store], {
        cwd: dirname(this.#store),
      });
      await mkdir(join(this.#store, 'info'), { recursive: true });
      // Highest in precedence of all attributes: bytes go in and come out as they are.
      await writeFile(
        join(this.#store, 'info', 'attributes'),
        '* -text -filter -ident -eol -working-tree-encoding\n',
      );
      await mkdir(join(this.#store, 'indexes'));
      await mkdir(join(this.#store, 'kept'));
      const folder = directory === undefined ? undefined : gitFolder(directory);
      if (objects !== undefined) {
        await writeFile(join(this.#store, 'objects', 'info', 'alternates'), `${objects}\n`);
      }
      if (folder && directory !== undefined) {
        // Hard links: the steps' git may collect its own, and costs nothing to keep.
        if (objects === undefined)
          await execute('cp', ['-al', join(folder.shared, 'objects', '.'), join(this.#store, 'objects')]);
        for (const name of ['info/exclude', 'shallow']) {
          await cp(join(folder.shared, name), join(this.#store, name)).catch(() => undefined);
        }
        await this.#seed(directory, folder);
        await writeFile(join(this.#store, 'refs-at-start.json'), JSON.stringify(await readRefs(folder)));
      }
      await writeFile(join(this.#store, 'ready'), '');
    }));
  }

  /**
   * Begins our index with what is tracked, which is part of a state although it may be ignored. Where no attribute makes
   * files differ from what is stored, the index of the steps is right as it is, and no file has to be read.
   */
  async #seed(directory: string, { own, shared }: GitFolder): Promise<void> {
    const index = join(own, 'index');
    if (!existsSync(index)) return;
    const ours = this.#index(directory);
    await copyIndex(index, ours);
    const attributes =
      (await readFile(index)).includes('.gitattributes') || existsSync(join(shared, 'info', 'attributes'));
    if (!attributes && this.#repository?.remake) return;
    // The same entries, with nothing remembered of the files.
    const listed = await git(['ls-files', '--stage', '-z'], { cwd: directory });
    await rm(ours);
    await this.#git(directory, ['update-index', '-z', '--index-info'], { input: listed.stdout });
  }

  /** The tree of what is in a directory. */
  async #treeOf(directory: string): Promise<string> {
    await this.#add(directory);
    const known = this.#trees.get(directory);
    if (known && known.look === lookOf(this.#index(directory))) return known.tree;
    const tree = await this.#text(directory, ['write-tree']);
    this.#remember(directory, tree);
    return tree;
  }

  #remember(directory: string, tree: string): void {
    this.#trees.set(directory, { look: lookOf(this.#index(directory)), tree });
  }

  async #add(directory: string): Promise<void> {
    const { exitCode, stderr } = await this.#git(directory, ['add', '--all', '--ignore-errors'], {
      accept: [0, 1, 128],
    });
    // A repository inside that has no commit yet is nothing that could be kept; git says so and goes on.
    const problems = stderr
      .split('\n')
      .filter(
        (line) => /^(error|fatal): /.test(line) && !line.includes('does not have a commit checked out'),
      );
    const unreadable = problems.find((line) => line.includes('Permission denied'));
    if (unreadable !== undefined) {
      const [, what = unreadable] = /open\("(.*)"\)/.exec(unreadable) ?? [];
      throw new UserError(`${join(directory, what)} cannot be read: permission denied`, {
        hint: 'make it readable, or have git ignore it; then `wf resume`',
      });
    }
    if (problems.length > 0 || exitCode === 128)
      throw gitProblem(['add'], exitCode, problems.join('\n') || stderr);
  }

  async #commitOf(state: StateId): Promise<string> {
    if (state !== EMPTY_STATE) return state;
    await this.#make();
    return this.#commit({ tree: await this.#emptyTree(), git: undefined }, [], 'empty');
  }

  #emptyTree(): Promise<string> {
    return this.#text(undefined, ['mktree'], { input: '' });
  }

  async #commit(known: Known, parents: readonly StateId[], name: string): Promise<string> {
    const commits = await Promise.all(parents.map((parent) => this.#commitOf(parent)));
    const args = commits.flatMap((parent) => ['-p', parent]);
    const commit = await this.#text(undefined, ['commit-tree', ...args, known.tree], {
      input: JSON.stringify(known.git ?? null),
      env: DATES,
    });
    this.#known.set(commit, known);
    // As git writes it, without the process.
    const ref = join(this.#store, this.#prefix, refName(name));
    await withFiles(ref, async () => {
      await mkdir(dirname(ref), { recursive: true });
      // Several steps that begin from nothing write the same ref at the same time; and whatever lies under refs/ is a ref
      // to a git that reads them all just then, also one that is empty yet.
      const fresh = join(this.#store, `ref-${randomUUID()}`);
      await writeFile(fresh, `${commit}\n`);
      await rename(fresh, ref);
    });
    return commit;
  }

  async #read(state: StateId): Promise<Known> {
    const known = this.#known.get(state);
    if (known) return known;
    const read =
      state === EMPTY_STATE
        ? { tree: await this.#emptyTree(), git: undefined }
        : await this.#readCommit(state);
    this.#known.set(state, read);
    return read;
  }

  async #readCommit(commit: string): Promise<Known> {
    await this.#make();
    const text = await this.#text(undefined, ['cat-file', 'commit', commit]);
    const tree = /^tree ([0-9a-f]+)/.exec(text)?.[1] ?? '';
    const message = text.slice(text.indexOf('\n\n') + 2);
    return { tree, git: (JSON.parse(message) as GitState | null) ?? undefined };
  }

  async #mergeTrees(
    one: string,
    two: string,
  ): Promise<{ readonly tree: string; readonly conflicts: readonly string[] }> {
    const options = ['--write-tree', '--name-only', '--no-messages', '-z', '--allow-unrelated-histories'];
    try {
      const answer = await this.#git(undefined, ['merge-tree', ...options, one, two], { accept: [0, 1] });
      const [tree = '', ...files] = answer.stdout
        .toString('utf8')
        .split('\0')
        .filter((field) => field !== '');
      return { tree, conflicts: answer.exitCode === 0 ? [] : [...new Set(files)] };
    } catch (error) {
      if (error instanceof GitError && /usage|unknown option|not a valid/i.test(error.stderr)) {
        throw new UserError('this git cannot merge the work of steps that run at the same time', {
          hint: 'install git 2.38 or newer',
          cause: error,
        });
      }
      throw error;
    }
  }

  /** HEAD, branches and index of two states: whatever only one side moved is taken from it; two moved HEADs are merged. */
  async #mergeGit(
    one: StateId,
    two: StateId,
  ): Promise<{ readonly git: GitState | undefined } | { readonly conflicts: readonly string[] }> {
    const [{ git: a }, { git: b }] = [await this.#read(one), await this.#read(two)];
    if (!a || !b || sameGit(a, b)) return { git: a ?? b };
    const range = [await this.#commitOf(one), await this.#commitOf(two)];
    const found = await this.#git(undefined, ['merge-base', ...range], { accept: [0, 1] });
    const base = found.stdout.toString('utf8').trim().split('\n')[0] ?? '';
    const before = base === '' ? undefined : (await this.#read(base)).git;
    if (before && sameGit(before, a)) return { git: b };
    if (before && sameGit(before, b)) return { git: a };
    const start = await this.#refsAtStart();
    const refs: Record<string, string | null> = { ...a.refs };
    for (const [ref, commit] of Object.entries(b.refs)) {
      if (before?.refs[ref] !== commit && ref !== branchOf(b)) refs[ref] = commit;
    }
    const files = before && JSON.stringify(a.files) === JSON.stringify(before.files) ? b.files : a.files;
    const [ours, theirs] = [headCommit(a, start), headCommit(b, start)];
    if (ours === undefined || theirs === undefined || ours === theirs) return { git: { ...a, refs, files } };
    const merged = await this.#mergeTrees(ours, theirs);
    if (merged.conflicts.length > 0) return { conflicts: merged.conflicts };
    const message = ['-m', 'Merge the work of steps that ran at the same time'];
    const commit = await this.#text(
      undefined,
      ['commit-tree', '-p', ours, '-p', theirs, ...message, merged.tree],
      { env: DATES },
    );
    await this.#git(undefined, ['update-ref', `refs/steps/${commit}`, commit]);
    const branch = branchOf(a);
    if (branch !== undefined) refs[branch] = commit;
    const head = branch === undefined ? `${commit}\n` : a.head;
    return { git: { head, refs, files, index: undefined, staged: '' } };
  }

  async #gitStateOf(directory: string): Promise<GitState | undefined> {
    const folder = gitFolder(directory);
    if (!folder) return undefined;
    const state = await readGitState(folder, await this.#refsAtStart());
    await this.#keepCommits(directory, state);
    const index = join(folder.own, 'index');
    if (!existsSync(index)) return { ...state, index: undefined, staged: 'none' };
    const name = createHash('sha256')
      .update(await readFile(index))
      .digest('hex');
    let staged = this.#staged.get(name);
    if (staged === undefined) {
      staged = await digestOfIndex(directory);
      this.#staged.set(name, staged);
    }
    const kept = join(this.#store, 'kept', name);
    if (!existsSync(kept)) {
      await withFiles(kept, async () => {
        await copyIndex(index, `${kept}.new`);
        const file = await open(`${kept}.new`, 'r');
        await file.sync();
        await file.close();
        await rename(`${kept}.new`, kept);
      });
    }
    return { ...state, index: name, staged };
  }

  /** Steps may rewrite and collect what they committed; a state that names it has to be restorable all the same. */
  async #keepCommits(directory: string, state: Pick<GitState, 'head' | 'refs'>): Promise<void> {
    const wanted = new Map<string, string>();
    for (const [ref, commit] of Object.entries(state.refs)) if (commit !== null) wanted.set(commit, ref);
    if (branchOf(state) === undefined) wanted.set(state.head.trim(), 'HEAD');
    const start = new Set(Object.values(await this.#refsAtStart()));
    const missing = [...wanted].filter(([commit]) => !start.has(commit) && !this.#commits.has(commit));
    if (missing.length === 0) return;
    const specs = missing.map(([commit, ref]) => `+${ref}:refs/steps/${commit}`);
    await this.#git(undefined, ['fetch', '-q', '--no-tags', '--no-write-fetch-head', directory, ...specs]);
    for (const [commit] of missing) this.#commits.add(commit);
  }

  async #restoreGit(directory: string, saved: GitState, from: GitState | undefined): Promise<void> {
    if (!gitFolder(directory)) await this.#repository?.remake?.();
    const folder = gitFolder(directory);
    if (!folder) return;
    const start = await this.#refsAtStart();
    const [now, wanted] = [from ? refsOf(from, start) : await readRefs(folder), refsOf(saved, start)];
    const gone = Object.keys(now).filter((ref) => !(ref in wanted));
    const moved = Object.entries(wanted).filter(([ref, commit]) => now[ref] !== commit);
    const head = headCommit(saved, start);
    await this.#lend(directory, [
      ...moved.map(([, commit]) => commit),
      ...(head === undefined ? [] : [head]),
    ]);
    const changes = [
      ...gone.map((ref) => `delete ${ref}`),
      ...moved.map(([ref, commit]) => `update ${ref} ${commit}`),
    ];
    if (changes.length > 0)
      await git(['update-ref', '--no-deref', '--stdin'], {
        cwd: directory,
        input: `${changes.join('\n')}\n`,
      });
    // Where only the difference is wanted the repository is somebody's own, and so is its configuration.
    await writeGitFiles(folder, from ? { head: saved.head, files: {} } : saved);
    const index = join(folder.own, 'index');
    await rm(`${index}.lock`, { force: true });
    if (saved.index !== undefined) await copyIndex(join(this.#store, 'kept', saved.index), index);
    else if (saved.staged === 'none') await rm(index, { force: true });
    else if (head !== undefined) await git(['read-tree', 'HEAD'], { cwd: directory });
  }

  /** Brings commits to a repository of steps that does not have them, or has them no more. */
  async #lend(directory: string, commits: readonly string[]): Promise<void> {
    const start = new Set(Object.values(await this.#refsAtStart()));
    const wanted = [...new Set(commits)].filter((commit) => !start.has(commit));
    if (wanted.length === 0) return;
    const asked = await git(['cat-file', '--batch-check'], {
      cwd: directory,
      input: `${wanted.join('\n')}\n`,
    });
    const lines = asked.stdout.toString('utf8').split('\n');
    const missing = lines.filter((line) => line.endsWith(' missing')).map((line) => line.split(' ')[0] ?? '');
    if (missing.length === 0) return;
    const specs = missing.map((commit) => `refs/steps/${commit}`);
    await git(['fetch', '-q', '--no-tags', '--no-write-fetch-head', this.#store, ...specs], {
      cwd: directory,
    });
  }

  async #refsAtStart(): Promise<Refs> {
    if (this.#start) return this.#start;
    const text = await readFile(join(this.#store, 'refs-at-start.json'), 'utf8').catch(() => '{}');
    return (this.#start = JSON.parse(text) as Refs);
  }

  #index(directory: string): string {
    return join(this.#store, 'indexes', createHash('sha256').update(directory).digest('hex').slice(0, 32));
  }

  #git(
    directory: string | undefined,
    args: readonly string[],
    options: {
      readonly input?: string | Buffer;
      readonly env?: Readonly<Record<string, string>>;
      readonly accept?: readonly number[];
    } = {},
  ) {
    const place: Record<string, string> =
      directory === undefined ? {} : { GIT_WORK_TREE: directory, GIT_INDEX_FILE: this.#index(directory) };
    return git([...STORE_SETTINGS, ...args], {
      cwd: directory ?? this.#store,
      ...options,
      env: { GIT_DIR: this.#store, ...place, ...options.env },
    });
  }

  async #text(
    directory: string | undefined,
    args: readonly string[],
    options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    return (await this.#git(directory, args, options)).stdout.toString('utf8').replace(/\n$/, '');
  }
}

function alike(one: Known, two: Known): boolean {
  if (one.tree !== two.tree) return false;
  return one.git && two.git ? sameGit(one.git, two.git) : one.git === two.git;
}

/** The index is a cache as well: it is written anew without meaning anything by it. */
function sameGit(one: GitState, two: GitState): boolean {
  const meant = ({ index: _, ...rest }: GitState) => JSON.stringify(rest);
  return meant(one) === meant(two);
}

async function formatOf(directory: string | undefined): Promise<string> {
  return directory === undefined
    ? 'sha1'
    : gitText(['rev-parse', '--show-object-format'], { cwd: directory });
}

function lookOf(path: string): string {
  try {
    const { mtimeNs, size, ino } = statSync(path, { bigint: true });
    return `${mtimeNs} ${size} ${ino}`;
  } catch {
    return '';
  }
}

function count(text: string): number | undefined {
  return text === '-' ? undefined : Number(text);
}

/** What a state is called: the step that left it, with its item and iteration; a later attempt takes the name over. */
function refName(name: string): string {
  const step = name.replace(/(:again|@\d+(~\d+)?)/g, '');
  return step.replace(/[^a-zA-Z0-9_]+/g, '-').replace(/^-+|-+$/g, '') || 'state';
}
