import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StateId } from '../journal/event.ts';
import { UserError } from '../support/user-error.ts';
import { git, GitError } from './git.ts';
import type { FileChange } from './run-workspace.ts';

/** The state of an empty directory. */
export const EMPTY_STATE: StateId = 'empty';

/** What a step's own git looked like: HEAD, branches and index belong to the steps. */
interface GitState {
  /** Content of `.git/HEAD`. */
  readonly head: string;
  /** Ref → commit or tag object, those packed included. */
  readonly refs: Readonly<Record<string, string>>;
  /** Blob that holds `.git/index`. */
  readonly index: string | undefined;
}

/**
 * The states of a run's directories, kept as commits in a repository of their own, so that steps neither see nor can
 * change them and files come back byte for byte, whatever `.gitattributes` says. A state's parents are the states it
 * came from; that is how merging finds what both sides began with. What git ignores is no part of a state.
 */
export class Snapshots {
  readonly #store: string;
  readonly #prefix: string;
  #made: Promise<void> | undefined;
  readonly #alternate: string | undefined;

  /**
   * `store`: where the repository is, made on first use. `alternate`: objects of the repository that steps work in.
   * `prefix`: of the refs that hold the states.
   */
  constructor(store: string, alternate: string | undefined, prefix: string) {
    this.#store = store;
    this.#alternate = alternate;
    this.#prefix = prefix;
  }

  /** Records what is in a directory. `parents`: where it came from. The same content and parents give the same state. */
  async take(directory: string, name: string, parents: readonly StateId[]): Promise<StateId> {
    await this.#make();
    await this.#git(directory, ['add', '--all']);
    const tree = await this.#text(directory, ['write-tree']);
    const state = await this.#gitState(directory);
    return this.#commit(tree, state, parents, name);
  }

  /** Brings a directory to a state: files, HEAD, branches, index. What git ignores stays. */
  async restore(directory: string, state: StateId): Promise<void> {
    await this.#make();
    await mkdir(directory, { recursive: true });
    await this.#git(directory, ['add', '--all']);
    const commit = await this.#commitOf(state);
    await this.#git(directory, ['read-tree', '--reset', '-u', commit]);
    const saved = await this.#savedGitState(commit);
    if (saved) await this.#restoreGit(directory, saved);
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
    const state = await this.#mergeGit(one, two);
    if ('conflicts' in state) return { state: first, conflicts: state.conflicts };
    return { state: await this.#commit(merged.tree, state.state, [first, second], name), conflicts: [] };
  }

  /** Whether two states are alike in everything but where they came from. */
  async same(one: StateId, two: StateId): Promise<boolean> {
    if (one === two) return true;
    const describe = async (state: StateId) => {
      const commit = await this.#commitOf(state);
      const saved = await this.#savedGitState(commit);
      // The index is a cache as well: it is written anew without meaning anything by it.
      return `${await this.#text(undefined, ['rev-parse', `${commit}^{tree}`])} ${JSON.stringify({ head: saved?.head, refs: saved?.refs })}`;
    };
    return (await describe(one)) === (await describe(two));
  }

  async changes(from: StateId, to: StateId): Promise<readonly FileChange[]> {
    if (from === to) return [];
    await this.#make();
    const range = [await this.#commitOf(from), await this.#commitOf(to)];
    const options = ['--no-renames', '-z', '--no-ext-diff', '--no-textconv'];
    const [status, numbers] = await Promise.all([
      this.#text(undefined, ['diff', '--name-status', ...options, ...range]),
      this.#text(undefined, ['diff', '--numstat', ...options, ...range]),
    ]);
    const counts = new Map(
      numbers
        .split('\0')
        .filter((line) => line !== '')
        .map((line) => {
          const [added = '-', removed = '-', ...path] = line.split('\t');
          return [path.join('\t'), { added: count(added), removed: count(removed) }];
        }),
    );
    const fields = status.split('\0');
    const changes: FileChange[] = [];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const path = fields[at + 1] as string;
      const letter = fields[at];
      changes.push({
        path,
        status: letter === 'A' ? 'added' : letter === 'D' ? 'deleted' : 'modified',
        added: counts.get(path)?.added,
        removed: counts.get(path)?.removed,
      });
    }
    return changes;
  }

  async diff(from: StateId, to: StateId): Promise<string> {
    if (from === to) return '';
    await this.#make();
    const range = [await this.#commitOf(from), await this.#commitOf(to)];
    return (
      await this.#git(undefined, [
        'diff',
        '--no-color',
        '--no-renames',
        '--no-ext-diff',
        '--no-textconv',
        ...range,
      ])
    ).stdout.toString('utf8');
  }

  async fileAt(state: StateId, path: string): Promise<Buffer | undefined> {
    await this.#make();
    const answer = await this.#git(
      undefined,
      ['cat-file', 'blob', `${await this.#commitOf(state)}:${path}`],
      { accept: [0, 128] },
    );
    return answer.exitCode === 0 ? answer.stdout : undefined;
  }

  /** The commit that HEAD of a state is at; undefined for a directory that is no repository. */
  async headOf(state: StateId): Promise<string | undefined> {
    if (state === EMPTY_STATE) return undefined;
    const saved = await this.#savedGitState(state);
    return saved && headCommit(saved);
  }

  async remove(): Promise<void> {
    await rm(this.#store, { recursive: true, force: true });
  }

  #make(): Promise<void> {
    return (this.#made ??= (async () => {
      if (existsSync(join(this.#store, 'ready'))) return;
      await rm(this.#store, { recursive: true, force: true });
      await mkdir(dirname(this.#store), { recursive: true });
      await git(['init', '-q', '--bare', this.#store], { cwd: dirname(this.#store) });
      // Highest in precedence of all attributes: bytes go in and come out as they are.
      await writeFile(
        join(this.#store, 'info', 'attributes'),
        '* -text -filter -ident -eol -working-tree-encoding\n',
      );
      if (this.#alternate !== undefined) {
        await mkdir(join(this.#store, 'objects', 'info'), { recursive: true });
        await writeFile(join(this.#store, 'objects', 'info', 'alternates'), `${this.#alternate}\n`);
      }
      await mkdir(join(this.#store, 'indexes'));
      await writeFile(join(this.#store, 'ready'), '');
    })());
  }

  async #commitOf(state: StateId): Promise<string> {
    if (state !== EMPTY_STATE) return state;
    const tree = await this.#text(undefined, ['mktree'], { input: '' });
    return this.#commit(tree, undefined, [], 'empty');
  }

  async #commit(
    tree: string,
    state: GitState | undefined,
    parents: readonly StateId[],
    name: string,
  ): Promise<string> {
    const commits = await Promise.all(
      parents.filter((parent) => parent !== EMPTY_STATE).map((parent) => this.#commitOf(parent)),
    );
    const root = parents.includes(EMPTY_STATE) ? [await this.#commitOf(EMPTY_STATE)] : [];
    const all = [...root, ...commits].flatMap((parent) => ['-p', parent]);
    const commit = await this.#text(undefined, ['commit-tree', ...all, tree], {
      input: JSON.stringify(state ?? null),
      // No time in it: what is alike has one name.
      env: { GIT_AUTHOR_DATE: '1700000000 +0000', GIT_COMMITTER_DATE: '1700000000 +0000' },
    });
    await this.#git(undefined, ['update-ref', `${this.#prefix}/${refName(name)}`, commit]);
    return commit;
  }

  async #mergeTrees(
    one: string,
    two: string,
  ): Promise<{ readonly tree: string; readonly conflicts: readonly string[] }> {
    try {
      const answer = await this.#git(
        undefined,
        [
          'merge-tree',
          '--write-tree',
          '--name-only',
          '--no-messages',
          '-z',
          '--allow-unrelated-histories',
          one,
          two,
        ],
        {
          accept: [0, 1],
        },
      );
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
    one: string,
    two: string,
  ): Promise<{ readonly state: GitState | undefined } | { readonly conflicts: readonly string[] }> {
    const [a, b] = [await this.#savedGitState(one), await this.#savedGitState(two)];
    if (!a || !b || JSON.stringify(a) === JSON.stringify(b)) return { state: a ?? b };
    const base = (await this.#git(undefined, ['merge-base', one, two], { accept: [0, 1] })).stdout
      .toString('utf8')
      .trim();
    const before = base === '' ? undefined : await this.#savedGitState(base);
    const same = (x: GitState | undefined, y: GitState) => JSON.stringify(x) === JSON.stringify(y);
    if (same(before, a)) return { state: b };
    if (same(before, b)) return { state: a };
    const refs: Record<string, string> = { ...a.refs };
    for (const [ref, commit] of Object.entries(b.refs)) {
      if (before?.refs[ref] !== commit && ref !== branchOf(b)) refs[ref] = commit;
    }
    const [ours, theirs] = [headCommit(a), headCommit(b)];
    if (ours === undefined || theirs === undefined || ours === theirs) return { state: { ...a, refs } };
    const merged = await this.#mergeTrees(ours, theirs);
    if (merged.conflicts.length > 0) return { conflicts: merged.conflicts };
    const commit = await this.#text(
      undefined,
      [
        'commit-tree',
        '-p',
        ours,
        '-p',
        theirs,
        '-m',
        'Merge the work of steps that ran at the same time',
        merged.tree,
      ],
      {
        env: { GIT_AUTHOR_DATE: '1700000000 +0000', GIT_COMMITTER_DATE: '1700000000 +0000' },
      },
    );
    const branch = branchOf(a);
    if (branch !== undefined) refs[branch] = commit;
    return { state: { head: branch === undefined ? `${commit}\n` : a.head, refs, index: undefined } };
  }

  async #gitState(directory: string): Promise<GitState | undefined> {
    const folder = join(directory, '.git');
    if (!existsSync(join(folder, 'HEAD'))) return undefined;
    const index = existsSync(join(folder, 'index'))
      ? await this.#text(undefined, ['hash-object', '-w', join(folder, 'index')])
      : undefined;
    return { head: await readFile(join(folder, 'HEAD'), 'utf8'), refs: await readRefs(folder), index };
  }

  async #savedGitState(commit: string): Promise<GitState | undefined> {
    const message = await this.#text(undefined, ['show', '-s', '--format=%B', commit]);
    try {
      return (JSON.parse(message) as GitState | null) ?? undefined;
    } catch {
      return undefined;
    }
  }

  async #restoreGit(directory: string, saved: GitState): Promise<void> {
    const folder = join(directory, '.git');
    const current = await readRefs(folder);
    const changes = [
      ...Object.keys(current)
        .filter((ref) => !(ref in saved.refs))
        .map((ref) => `delete ${ref}`),
      ...Object.entries(saved.refs)
        .filter(([ref, commit]) => current[ref] !== commit)
        .map(([ref, commit]) => `update ${ref} ${commit}`),
    ];
    // A merge commit of ours may not be among the objects of the steps' repository yet.
    const head = headCommit(saved);
    if (head !== undefined) await this.#lend(directory, head);
    if (changes.length > 0)
      await git(['update-ref', '--no-deref', '--stdin'], {
        cwd: directory,
        input: `${changes.join('\n')}\n`,
      });
    await writeFile(join(folder, 'HEAD'), saved.head);
    await Promise.all(
      [
        'MERGE_HEAD',
        'CHERRY_PICK_HEAD',
        'REVERT_HEAD',
        'MERGE_MSG',
        'rebase-merge',
        'rebase-apply',
        'index.lock',
      ].map((name) => rm(join(folder, name), { recursive: true, force: true })),
    );
    if (saved.index !== undefined)
      await writeFile(
        join(folder, 'index'),
        (await this.#git(undefined, ['cat-file', 'blob', saved.index])).stdout,
      );
    else if (head !== undefined) await git(['read-tree', 'HEAD'], { cwd: directory });
  }

  async #lend(directory: string, commit: string): Promise<void> {
    const known = await git(['cat-file', '-e', `${commit}^{commit}`], {
      cwd: directory,
      accept: [0, 1, 128],
    });
    if (known.exitCode === 0) return;
    await git(
      [
        'fetch',
        '-q',
        '--no-tags',
        '--no-write-fetch-head',
        '--upload-pack=git -c uploadpack.allowAnySHA1InWant=true upload-pack',
        this.#store,
        commit,
      ],
      { cwd: directory },
    );
  }

  #index(directory: string): string {
    return join(this.#store, 'indexes', refName(directory).slice(-150));
  }

  #git(
    directory: string | undefined,
    args: readonly string[],
    options: {
      readonly input?: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly accept?: readonly number[];
    } = {},
  ) {
    const place: Record<string, string> =
      directory === undefined ? {} : { GIT_WORK_TREE: directory, GIT_INDEX_FILE: this.#index(directory) };
    return git(['-c', 'core.bare=false', '-c', 'core.excludesFile=/dev/null', ...args], {
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

/** All refs of a repository, loose and packed, read from its files: no process for what is asked after every step. */
async function readRefs(folder: string): Promise<Readonly<Record<string, string>>> {
  const refs: Record<string, string> = {};
  const packed = await readFile(join(folder, 'packed-refs'), 'utf8').catch(() => '');
  for (const line of packed.split('\n')) {
    const match = /^([0-9a-f]{40,64}) (refs\/\S+)$/.exec(line);
    if (match) refs[String(match[2])] = String(match[1]);
  }
  const loose = await readdir(join(folder, 'refs'), { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of loose) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = (await readFile(path, 'utf8')).trim();
    if (/^[0-9a-f]{40,64}$/.test(text)) refs[path.slice(folder.length + 1)] = text;
  }
  return Object.fromEntries(Object.entries(refs).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function branchOf(state: GitState): string | undefined {
  return /^ref: (\S+)/.exec(state.head)?.[1];
}

function headCommit(state: GitState): string | undefined {
  const branch = branchOf(state);
  return branch === undefined ? state.head.trim() : state.refs[branch];
}

function count(text: string): number | undefined {
  return text === '-' ? undefined : Number(text);
}

/** A key as part of a ref's name. */
function refName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]+/g, '-').replace(/^-+|-+$/g, '') || 'state';
}
