import type { Journal, RunSummary } from '../journal/journal.ts';
import { hasEnded } from '../journal/run-state.ts';
import type { Leftovers } from '../workspace/leftovers.ts';
import { pruneLeftovers } from '../workspace/leftovers.ts';
import { count } from './render-check.ts';

/** Somebody may still be looking at what a run left that did not end well. */
const KEPT_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

/** Collects what ended runs have left behind. A run that may be carried on or taken over keeps everything. */
export function pruneRuns(project: string, journal: Journal | undefined, now: number): Promise<Leftovers> {
  const needed = new Set(
    (journal?.listRuns() ?? [])
      .filter((run) => isNeeded(run, now) || journal?.leaseHolder(run.run)?.alive === true)
      .map(({ run }) => run),
  );
  return pruneLeftovers(project, (run) => needed.has(run), now);
}

function isNeeded({ status, endedAt }: RunSummary, now: number): boolean {
  if (!hasEnded(status)) return true;
  if (status !== 'failed' && status !== 'handed_off') return false;
  return endedAt !== undefined && now - Date.parse(endedAt) < KEPT_MILLISECONDS;
}

/** What was removed, in a line for each run. */
export function renderLeftovers({ runs, prepared }: Leftovers): string {
  const lines = [
    ...runs.map(({ run, removed }) => `${run}  ${count(removed.length, 'thing')} removed`),
    ...(prepared.length > 0
      ? [`${count(prepared.length, 'folder')} of \`prepare\` and \`cache\` that nobody used for long`]
      : []),
  ];
  return lines.length === 0 ? 'nothing is left over' : lines.join('\n');
}
