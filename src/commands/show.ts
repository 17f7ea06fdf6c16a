import { Args } from '@oclif/core';
import type { RunState } from '../journal/run-state.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Show extends WfCommand {
  static override summary = 'What a run did and where it stands.';
  static override examples = ['<%= config.bin %> show latest', '<%= config.bin %> show 01JZ3M --json'];
  static override args = {
    run: Args.string({ description: 'Id of the run, the end of it, or `latest`.', default: 'latest' }),
  };

  async run(): Promise<RunState> {
    const { args, flags } = await this.parse(Show);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { openRun } = await import('../cli/find-run.ts');
    const { renderRun } = await import('../cli/render-run.ts');

    const { root } = openProject(folderOf(flags));
    const { journal, run } = await openRun(root, args.run);
    try {
      const state = journal.readState(run);
      this.log(
        renderRun(state, {
          plan: journal.readPlan(run),
          holder: journal.leaseHolder(run),
          style: this.style,
          now: Date.now(),
          width: process.stdout.columns ?? 120,
        }),
      );
      return state;
    } finally {
      journal.close();
    }
  }
}
