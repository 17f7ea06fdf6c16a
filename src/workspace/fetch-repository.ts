import { mkdir, rm } from 'node:fs/promises';
import { UserError } from '../support/user-error.ts';
import { git, GitError, gitText } from './git.ts';
import { repositoryPlace, withoutPassword } from './repository-address.ts';

/** A commit of another repository, fetched into one of our own that has no work tree: nothing of it is ever checked out. */
export interface FetchedCommit {
  /** Where git can be asked for it. */
  readonly directory: string;
  readonly commit: string;
}

export interface FetchOptions {
  /** The project that a relative address is seen from. */
  readonly project: string;
  readonly address: string;
  /** A branch, a tag, or a commit with all its digits. */
  readonly ref: string;
  /** The commit that is wanted, where it is known; `ref` is then where it may be found. */
  readonly commit?: string;
  /** An empty folder of ours, or one that is not there yet. */
  readonly into: string;
  readonly signal: AbortSignal;
}

/** What git refuses to take in: objects that are broken, or that are made to trip up tools. */
const CHECKED = ['-c', 'fetch.fsckObjects=true'];

const QUIET = ['-q', '--no-recurse-submodules', '--no-write-fetch-head'];

/**
 * Fetches one commit, with as little of its history as the other side lets us. Throws a {@link UserError} for a repository
 * that cannot be reached, and for a ref or commit that is not there.
 */
export async function fetchCommit(options: FetchOptions): Promise<FetchedCommit> {
  const { address, ref, commit, into: directory, signal } = options;
  const place = repositoryPlace(address, options.project);
  const shown = withoutPassword(address);
  await mkdir(directory, { recursive: true });
  await git(['init', '-q', '--bare', '.'], { cwd: directory, signal });
  const fetch = (how: readonly string[], refs: readonly string[]) =>
    git([...CHECKED, 'fetch', ...QUIET, ...how, '--', place, ...refs], { cwd: directory, signal });
  const shallow = ['--depth=1', '--no-tags'];
  try {
    await fetch(shallow, [`+${commit ?? ref}:refs/wf/import`]);
  } catch (error) {
    if (!(error instanceof GitError) || signal.aborted) throw error;
    if (commit === undefined && !isCommit(ref)) throw cannotFetch(error, shown, ref);
    // Not every server gives a commit by its name: it may be in the history of a branch or tag.
    try {
      await fetch([], ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']);
    } catch (second) {
      if (!(second instanceof GitError) || signal.aborted) throw second;
      throw cannotFetch(second, shown, ref);
    }
    const wanted = commit ?? ref;
    const { exitCode } = await git(['cat-file', '-e', `${wanted}^{commit}`], {
      cwd: directory,
      signal,
      accept: [0, 1, 128],
    });
    if (exitCode !== 0) throw noSuchCommit(wanted, shown);
    return { directory, commit: wanted };
  }
  const found = await gitText(['rev-parse', '--verify', '-q', 'refs/wf/import^{commit}'], {
    cwd: directory,
    signal,
  }).catch(() => undefined);
  if (found === undefined)
    throw new UserError(`"${ref}" of ${shown} is no commit`, { hint: 'name a branch, a tag or a commit' });
  return { directory, commit: found };
}

/** Removes what was fetched. */
export async function forgetFetched(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}

function isCommit(ref: string): boolean {
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(ref);
}

function cannotFetch(error: GitError, shown: string, ref: string): UserError {
  if (error.stderr.includes("couldn't find remote ref")) {
    const isShort = /^[0-9a-f]{7,39}$/.test(ref);
    return new UserError(`there is no branch or tag "${ref}" in ${shown}`, {
      hint: isShort
        ? 'a commit needs all its digits: `git rev-parse` tells them'
        : `\`git ls-remote ${shown}\` lists what there is`,
      cause: error,
    });
  }
  return new UserError(`${shown} cannot be fetched: ${withoutPassword(error.message)}`, {
    hint: 'check the address, and that git can read it without a password prompt',
    cause: error,
  });
}

function noSuchCommit(commit: string, shown: string): UserError {
  return new UserError(`commit ${commit.slice(0, 12)} is not in ${shown} any more`, {
    hint: 'its history was rewritten, or the commit was on a branch that is gone; `wf lock --update` pins what is there now',
  });
}
