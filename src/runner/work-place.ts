import type { StateId } from '../journal/event.ts';
import type { RunWorkspace } from '../workspace/run-workspace.ts';

/** What a step uses of a workspace: the run's, or one of its own. */
export type WorkPlace = Pick<
  RunWorkspace,
  'initial' | 'base' | 'branch' | 'enter' | 'release' | 'merge' | 'changes' | 'diff' | 'fileAt' | 'results'
>;

/**
 * The workspace of one step alone. That it was made is on record; a process that only reads the record again does not
 * open it, one that has to work in it finds it again.
 */
export class OwnWorkspace implements WorkPlace {
  readonly initial: StateId;
  readonly base: string | undefined;
  readonly branch: string | undefined;
  readonly #open: () => Promise<RunWorkspace>;
  #opened: Promise<RunWorkspace> | undefined;

  constructor(
    made: { readonly state: StateId; readonly base?: string; readonly branch?: string },
    open: () => Promise<RunWorkspace>,
    opened: RunWorkspace | undefined,
  ) {
    this.initial = made.state;
    this.base = made.base;
    this.branch = made.branch;
    this.#open = open;
    this.#opened = opened && Promise.resolve(opened);
  }

  async enter(...args: Parameters<RunWorkspace['enter']>) {
    return (await this.#workspace()).enter(...args);
  }

  async release(...args: Parameters<RunWorkspace['release']>) {
    await (await this.#opened)?.release(...args);
  }

  async merge(...args: Parameters<RunWorkspace['merge']>) {
    return (await this.#workspace()).merge(...args);
  }

  async changes(...args: Parameters<RunWorkspace['changes']>) {
    return (await this.#workspace()).changes(...args);
  }

  async diff(...args: Parameters<RunWorkspace['diff']>) {
    return (await this.#workspace()).diff(...args);
  }

  async fileAt(...args: Parameters<RunWorkspace['fileAt']>) {
    return (await this.#workspace()).fileAt(...args);
  }

  async results() {
    return (await this.#workspace()).results();
  }

  /** Removes it, if this process has it open. */
  async discard(): Promise<void> {
    await (await this.#opened)?.discard();
  }

  #workspace(): Promise<RunWorkspace> {
    this.#opened ??= this.#open();
    return this.#opened;
  }
}
