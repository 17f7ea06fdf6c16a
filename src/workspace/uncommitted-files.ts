import { gitText } from './git.ts';

/** Files of a repository that are changed, new or gone and not committed; what git ignores does not count. */
export async function uncommittedFiles(directory: string): Promise<readonly string[]> {
  const status = await gitText(['status', '--porcelain', '-z', '--no-renames', '--untracked-files=all'], {
    cwd: directory,
  });
  return status
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => entry.slice(3));
}
