import type { Signal } from '../journal/signal.ts';
import { openProject } from '../workspace/project-loader.ts';
import { folderOf } from './folder.ts';
import { openRun } from './find-run.ts';
import { answer } from './send-signal.ts';
import type { TextStyle } from './text-style.ts';

/** What `wf approve` and `wf reject` have in common: all but the word. */
export async function answerRun(
  command: { log(text: string): void; readonly style: TextStyle },
  flags: { readonly cwd: string | undefined; readonly quiet: boolean },
  said: {
    readonly kind: 'approve' | 'reject';
    readonly run: string;
    readonly step: string;
    readonly comment: string | undefined;
  },
): Promise<Signal> {
  const { root } = openProject(folderOf(flags));
  const { journal, run } = await openRun(root, said.run);
  try {
    const signal = await answer(journal, root, run, said);
    const word = said.kind === 'approve' ? 'approved' : 'rejected';
    const driven = journal.leaseHolder(run)?.alive === true;
    const next = driven ? '' : `\n${command.style.help(`wf resume ${run} carries the run on`)}`;
    if (!flags.quiet)
      command.log(`${word} ${said.step}${signal.by === undefined ? '' : ` as ${signal.by}`}${next}`);
    return signal;
  } finally {
    journal.close();
  }
}
