import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { gitAtOnce } from './git.ts';

/**
 * Takes away the lock files that git left in a repository when it was killed, as all is when a machine loses power. Only
 * for what is our own, and only when nobody else can be at work in it.
 */
export async function removeStaleLocks(repository: string): Promise<void> {
  const entries = await readdir(repository, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(repository, entry.name);
    if (entry.isDirectory()) {
      if (entry.name !== 'objects') await removeStaleLocks(path);
    } else if (entry.name.endsWith('.lock')) {
      await rm(path, { force: true });
    }
  }
}

/**
 * Takes away the locks of the refs that only one run writes, in the repository that it came from: what keeps objects for
 * its clone, and its branch. Others may be at work there, on refs of their own.
 */
export async function removeStaleRefLocks(project: string, run: string, formula: string): Promise<void> {
  const folder = gitAtOnce(['rev-parse', '--git-common-dir'], project)?.toString('utf8').trimEnd();
  if (folder === undefined) return;
  const refs = resolve(project, folder, 'refs');
  for (const name of await readdir(join(refs, 'wf')).catch(() => []))
    if (name.startsWith(run)) await removeStaleLocks(join(refs, 'wf', name));
  await rm(join(refs, 'heads', 'wf', formula, `${run}.lock`), { force: true });
}
