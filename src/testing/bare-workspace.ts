import { EMPTY_STATE } from '../workspace/snapshots.ts';
import type { RunWorkspace, StepDirectory } from '../workspace/run-workspace.ts';

/**
 * The workspace of a test in which no file matters: one folder for all steps, whose state is always the empty one. A
 * test that has files works in a real workspace.
 */
export class BareWorkspace implements RunWorkspace {
  readonly kind = 'empty';
  readonly root: string;
  readonly base = undefined;
  readonly branch = undefined;
  readonly initial = EMPTY_STATE;

  constructor(folder: string) {
    this.root = folder;
  }

  enter(): Promise<StepDirectory> {
    return Promise.resolve({
      path: this.root,
      snapshot: () => Promise.resolve(EMPTY_STATE),
      restore: () => Promise.resolve(),
      leave: () => Promise.resolve(),
    });
  }

  merge() {
    return Promise.resolve({ ok: true as const, state: EMPTY_STATE });
  }

  results() {
    return Promise.resolve(undefined);
  }

  changes() {
    return Promise.resolve([]);
  }

  diff() {
    return Promise.resolve('');
  }

  fileAt() {
    return Promise.resolve(undefined);
  }

  finish() {
    return Promise.resolve({ tags: [], changedFiles: [] });
  }

  keep() {
    return Promise.resolve(this.root);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }
}
