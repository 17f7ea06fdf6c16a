import type { Plan } from '../plan/plan.ts';
import { uncommittedFiles } from '../workspace/uncommitted-files.ts';
import { count } from './render-check.ts';

/** What a run in a clone will not see, for whoever may expect it to; undefined: nothing. */
export async function uncommittedNotice(
  plan: Plan,
  project: string,
  revision: string | undefined,
): Promise<string | undefined> {
  if (plan.workspace.from !== 'clone' || revision !== undefined) return undefined;
  // Whether there is a repository at all is for the run to say.
  const files = await uncommittedFiles(project).catch(() => []);
  if (files.length === 0) return undefined;
  const shown = files.slice(0, 3).join(', ');
  return `${count(files.length, 'file')} not committed, which the run does not see: ${shown}${files.length > 3 ? ', …' : ''}`;
}
