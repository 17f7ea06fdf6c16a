import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { git, gitText } from './git.ts';
import { removeTree } from './remove-tree.ts';
import { endLeftovers } from './watchdog.ts';

const DAY = 24 * 60 * 60 * 1000;

/** What was prepared and not used for so long is prepared again when it is wanted. */
const PREPARED_MILLISECONDS = 30 * DAY;

/** Half of something prepared that is this old is being made by nobody any more. */
const UNFINISHED_MILLISECONDS = DAY;

export interface Leftovers {
  /** What was removed of each run, in the order of their ids: paths, and refs of the repository. */
  readonly runs: readonly { readonly run: string; readonly removed: readonly string[] }[];
  /** Prepared folders, and results of steps, that nobody has used for long. */
  readonly prepared: readonly string[];
}

/**
 * Collects what runs have left behind: clones, copies, states, pipes, scratch files, refs that kept objects for a clone,
 * processes. `isNeeded` says for each run whether it is left alone; a run that is being driven, or may be carried on,
 * has to be. Their records and logs stay. Safe to call at any time, and twice.
 */
export async function pruneLeftovers(
  project: string,
  isNeeded: (run: string) => boolean,
  now = Date.now(),
): Promise<Leftovers> {
  const home = join(project, '.wf');
  const found = new Map<string, string[]>();
  const add = (run: string, what: string) => {
    if (!isNeeded(run)) found.set(run, [...(found.get(run) ?? []), what]);
  };
  for (const name of await list(join(home, 'work'))) add(runOf(name), join(home, 'work', name));
  for (const run of await list(join(home, 'runs'))) {
    for (const name of await list(join(home, 'runs', run))) {
      if (/^(pipes-\d+|scratch|children)$/.test(name)) add(run, join(home, 'runs', run, name));
    }
  }
  const refs = await refsOfRuns(project);
  for (const ref of refs) add(runOf(ref.split('/')[2] ?? ''), ref);
  for (const [run, all] of found) {
    await endLeftovers(join(home, 'runs', run), run);
    for (const path of all) if (!path.startsWith('refs/')) await removeTree(path);
  }
  const gone = [...found.values()].flat().filter((what) => what.startsWith('refs/'));
  if (gone.length > 0) {
    const input = gone.map((ref) => `delete ${ref}\n`).join('');
    await git(['update-ref', '--stdin'], { cwd: project, input });
  }
  const runs = [...found].map(([run, removed]) => ({ run, removed: removed.sort() }));
  return {
    runs: runs.sort((a, b) => (a.run < b.run ? -1 : 1)),
    prepared: [
      ...(await prunePrepared(join(home, 'cache', 'prepare'), now)),
      ...(await prunePrepared(join(home, 'cache', 'steps'), now)),
    ],
  };
}

async function prunePrepared(cache: string, now: number): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await list(cache)) {
    const path = join(cache, name);
    const used = await stat(path).catch(() => undefined);
    if (!used?.isDirectory()) continue;
    if (now - used.mtimeMs < (name.includes('.') ? UNFINISHED_MILLISECONDS : PREPARED_MILLISECONDS)) continue;
    await removeTree(path);
    removed.push(path);
  }
  return removed;
}

async function list(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}

async function refsOfRuns(project: string): Promise<readonly string[]> {
  try {
    const listed = await gitText(['for-each-ref', '--format=%(refname)', 'refs/wf/'], { cwd: project });
    return listed.split('\n').filter((ref) => ref !== '');
  } catch {
    // No repository, or no git: then there is nothing of ours in it.
    return [];
  }
}

/** What a step has of its own is named for its run. */
function runOf(name: string): string {
  return name.split('.')[0] ?? name;
}
