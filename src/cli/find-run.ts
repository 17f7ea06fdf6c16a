import type { Journal, RunSummary } from '../journal/journal.ts';
import { findJournal } from '../journal/journal.ts';
import { UserError } from '../support/user-error.ts';

/** The word that means the newest run. */
const LATEST = 'latest';

/** The end of an id has to be this long to stand for it: ids of one day begin alike and end at random. */
const SHORTEST = 4;

/**
 * Opens the journal of a project for a run that is there: its id, the end of its id, or `latest`. Throws a
 * {@link UserError} when there is none, or several. The caller closes the journal.
 */
export async function openRun(
  project: string,
  name: string,
): Promise<{ readonly journal: Journal; readonly run: string }> {
  const journal = await findJournal(project);
  if (!journal)
    throw new UserError('nothing has run in this project yet', { hint: '`wf run <formula>` runs something' });
  try {
    return { journal, run: idOf(journal.listRuns(), name) };
  } catch (error) {
    journal.close();
    throw error;
  }
}

function idOf(runs: readonly RunSummary[], name: string): string {
  const [newest] = runs;
  if (newest && name === LATEST) return newest.run;
  const wanted = name.toUpperCase();
  if (runs.some(({ run }) => run === wanted)) return wanted;
  const ending = wanted.length < SHORTEST ? [] : runs.filter(({ run }) => run.endsWith(wanted));
  const [only, second] = ending;
  if (only && !second) return only.run;
  if (second) {
    throw new UserError(`${ending.length} runs end with ${name}`, {
      hint: `write more of one: ${ending.map(({ run }) => run).join(', ')}`,
    });
  }
  throw new UserError(`there is no run ${name}`, { hint: '`wf runs` lists them; `latest` is the newest' });
}
