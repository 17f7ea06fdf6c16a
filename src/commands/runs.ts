import { Flags } from '@oclif/core';
import type { RunState } from '../journal/run-state.ts';
import type { Leftovers } from '../workspace/leftovers.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Runs extends WfCommand {
  static override summary = 'What ran and what is running, newest first.';
  static override examples = [
    '<%= config.bin %> runs',
    '<%= config.bin %> runs --limit 100 --json',
    '<%= config.bin %> runs --prune',
  ];
  static override flags = {
    prune: Flags.boolean({
      description:
        'Remove what ended runs have left behind: workspaces, refs, scratch files. Records and logs stay, and for a week what failed or was handed off.',
    }),
    limit: Flags.integer({ char: 'n', description: 'How many.', default: 20, min: 1, helpValue: '<n>' }),
  };

  async run(): Promise<{ readonly runs: readonly RunState[] } | Leftovers> {
    const { flags } = await this.parse(Runs);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { findJournal } = await import('../journal/journal.ts');
    const { renderRuns } = await import('../cli/render-run.ts');

    const { root } = openProject(folderOf(flags));
    const journal = await findJournal(root);
    try {
      if (flags.prune) {
        const { pruneRuns, renderLeftovers } = await import('../cli/prune-runs.ts');
        const leftovers = await pruneRuns(root, journal, Date.now());
        this.log(renderLeftovers(leftovers));
        return leftovers;
      }
      const runs = (journal?.listRuns({ limit: flags.limit }) ?? []).map(({ run }) => ({
        state: (journal as NonNullable<typeof journal>).readState(run),
        driven: journal?.leaseHolder(run)?.alive === true,
      }));
      this.log(renderRuns(runs, this.style, Date.now()));
      return { runs: runs.map(({ state }) => state) };
    } finally {
      journal?.close();
    }
  }
}
