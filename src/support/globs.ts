import picomatch from 'picomatch';

/** Whether a path matches one of some globs; names that begin with a dot count as any other. */
export function globMatcher(globs: readonly string[]): (path: string) => boolean {
  const matches = picomatch([...globs], { dot: true });
  return (path) => matches(path);
}
