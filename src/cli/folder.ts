import { statSync } from 'node:fs';
import { UsageError } from './usage-error.ts';

/** The folder that a command works in: where it was started, unless `--cwd` says another. */
export function folderOf(flags: { readonly cwd?: string | undefined }): string {
  if (flags.cwd === undefined) return process.cwd();
  if (!statSync(flags.cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--cwd: there is no folder ${flags.cwd}`);
  return flags.cwd;
}
