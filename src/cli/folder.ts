/** The folder that a command works in: where it was started, unless `--cwd` says another. */
export function folderOf(flags: { readonly cwd?: string | undefined }): string {
  return flags.cwd ?? process.cwd();
}
