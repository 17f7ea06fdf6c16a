import type { StateId } from '../journal/event.ts';
import type { StepResults } from './step-results.ts';

/**
 * Where one run works. Its history is a commit graph: every step starts from the merge of the states of what it waited
 * for and leaves a state of its own, kept as `refs/wf/<run>/<step>` in a repository beside the directory that steps do
 * not see, and shown in the clone when that is kept. Whoever carries a run on asks for states again that were merged or
 * compared before, so they are kept until the end is on record.
 *
 * Life cycle: `openRunWorkspace` creates it, or finds it again when a run is carried on; then any number of `enter` and
 * `leave`; at the end exactly one of `finish`,
 * `keep`, and after a `finish` that is on record, `forget`. Everything may be called again after a crash with the same
 * arguments and gives the same answer.
 */
export interface RunWorkspace {
  readonly kind: 'clone' | 'checkout' | 'empty' | 'git';
  /** Absolute path of the main directory. */
  readonly root: string;
  /** The commit it began from; undefined for `empty` and for a repository without commits. */
  readonly base: string | undefined;
  /** `wf/<formula>/<run>`; undefined for `empty`. */
  readonly branch: string | undefined;
  /** The state before the first step. */
  readonly initial: StateId;

  /**
   * A directory that holds `state`, for one step at a time. Without `copy` it is the main directory (brought to `state`
   * when it is not there already: files, HEAD and index; what git ignores stays). With `copy`, a copy of its own under
   * that name, ignored files included, for steps and items that may overlap.
   * In `checkout`, throws `UserError` when the directory would have to be changed back.
   */
  enter(
    state: StateId,
    options?: { readonly copy?: string; readonly signal?: AbortSignal },
  ): Promise<StepDirectory>;

  /** Nobody will enter this copy again: removes it. */
  release(copy: string): Promise<void>;

  /** The one state that holds the changes of all, merged in this order. Recorded under `name`. */
  merge(
    name: string,
    states: readonly StateId[],
  ): Promise<
    | { readonly ok: true; readonly state: StateId }
    | { readonly ok: false; readonly files: readonly string[]; readonly state: StateId }
  >;

  /** What differs between two states, renames as removal and addition. Paths are relative to {@link root}. */
  changes(from: StateId, to: StateId): Promise<readonly FileChange[]>;

  /** Unified diff between two states. */
  diff(from: StateId, to: StateId): Promise<string>;

  /** Content of a file in a state (`from: base` checks, `{{file}}`); undefined when it is not there. */
  fileAt(state: StateId, path: string): Promise<Buffer | undefined>;

  /** What its files say about results that may be kept. Undefined: none can be. */
  results(): Promise<StepResults | undefined>;

  /**
   * A good end: what is uncommitted in `state` becomes one commit on the run's branch, and the branch (with tags the
   * steps made) is fetched back into the repository the run came from. No change at all: no branch. Removes the clone, but
   * not the states.
   */
  finish(
    state: StateId,
    message: string,
  ): Promise<{
    readonly branch?: string;
    readonly commit?: string;
    readonly tags: readonly string[];
    readonly changedFiles: readonly string[];
  }>;

  /** The good end is on record: removes the states, also those of the workspaces that steps had of their own. */
  forget(): Promise<void>;

  /** The end of a workspace of one step alone: removes it with all that is in it, but not its states. */
  discard(): Promise<void>;

  /** A bad end: brings the main directory to `state`, removes copies, keeps the rest. Returns where it is. */
  keep(state: StateId): Promise<string>;
}

export interface StepDirectory {
  /** Absolute path. */
  readonly path: string;
  /** The state of the directory now, recorded under `name`; the very id it was entered with when nothing changed. */
  snapshot(name: string): Promise<StateId>;
  /** Back to `state`: files, HEAD, index and branches. */
  restore(state: StateId): Promise<void>;
  /** Done with it for now. A copy stays for the next attempt, until it is released. */
  leave(): Promise<void>;
}

export interface FileChange {
  readonly path: string;
  readonly status: 'added' | 'modified' | 'deleted';
  /** Lines added and removed; undefined for binary files. */
  readonly added: number | undefined;
  readonly removed: number | undefined;
}
