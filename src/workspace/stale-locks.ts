import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Takes away the lock files that git left in a repository when it was killed, as all is when a machine loses power. Only
 * for a repository of our own, and only when nobody else can be at work in it.
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
