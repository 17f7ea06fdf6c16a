import { basename, relative } from 'node:path';
import { watch } from 'chokidar';
import { gitAtOnce } from './git.ts';

/** How long it has to be quiet before a change is told: a save is often several events, and a checkout thousands. */
const QUIET_MILLISECONDS = 50;

/**
 * Tells of changes below a folder until the signal: each time the paths that changed, relative to it, all of a burst
 * together, and not before the one before was dealt with. Folders that git ignores, of packages and of tools are left out.
 * The first thing it tells is nothing, once it listens: what changes from then on is not missed.
 */
export async function* watchFiles(root: string, signal: AbortSignal): AsyncGenerator<readonly string[]> {
  const ignored = new Set(ignoredFolders(root));
  const watcher = watch(root, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path) =>
      path !== root &&
      (['node_modules', '.git', '.wf'].includes(basename(path)) || ignored.has(relative(root, path))),
  });
  const changed = new Set<string>();
  let wake: () => void = () => undefined;
  watcher.on('all', (_, path) => {
    changed.add(relative(root, path));
    wake();
  });
  // What cannot be watched is seen when something else changes.
  watcher.on('error', () => wake());
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort);
  try {
    await new Promise<void>((resolve) => {
      watcher.once('ready', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    if (!signal.aborted) yield [];
    while (!signal.aborted) {
      if (changed.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      for (let before = -1; before !== changed.size && !signal.aborted;) {
        before = changed.size;
        await new Promise((resolve) => setTimeout(resolve, QUIET_MILLISECONDS));
      }
      if (changed.size === 0) continue;
      const paths = [...changed].sort();
      changed.clear();
      if (!signal.aborted) yield paths;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await watcher.close();
  }
}

/** Folders that git ignores, as of now. */
function ignoredFolders(root: string): readonly string[] {
  const args = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory'];
  const listed = gitAtOnce(args, root)?.toString('utf8') ?? '';
  return listed.split('\0').flatMap((path) => (path.endsWith('/') ? [path.slice(0, -1)] : []));
}
