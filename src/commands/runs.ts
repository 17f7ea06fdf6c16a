import { Flags } from '@oclif/core';
import type { RunState } from '../journal/run-state.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Runs extends WfCommand {
  static override summary = 'What ran and what is running, newest first.';
  static override examples = ['<%= config.bin %> runs', '<%= config.bin %> runs --limit 100 --json'];
  static override flags = {
    limit: Flags.integer({ char: 'n', description: 'How many.', default: 20, min: 1, helpValue: '<n>' }),
  };

  async run(): Promise<{ readonly runs: readonly RunState[] }> {
    const { flags } = await this.parse(Runs);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { findJournal } = await import('../journal/journal.ts');
    const { renderRuns } = await import('../cli/render-run.ts');

    const { root } = openProject(flags.cwd ?? process.cwd());
    const journal = await findJournal(root);
    try {
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
