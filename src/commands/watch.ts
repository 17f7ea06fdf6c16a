import { Args, Flags } from '@oclif/core';
import type { RunState } from '../journal/run-state.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Watch extends WfCommand {
  static override summary = 'Follow a run that another process drives, to its end.';
  static override examples = ['<%= config.bin %> watch latest', '<%= config.bin %> watch latest --events'];
  static override args = {
    run: Args.string({ description: 'Id of the run, the end of it, or `latest`.', default: 'latest' }),
  };
  static override flags = {
    events: Flags.boolean({
      description: 'Print the events, from the first, one JSON document a line.',
      exclusive: ['json'],
    }),
  };

  async run(): Promise<RunState> {
    const { args, flags } = await this.parse(Watch);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { followRun } = await import('../cli/drive-run.ts');
    const { openRun } = await import('../cli/find-run.ts');

    const { root } = openProject(folderOf(flags));
    const { journal, run } = await openRun(root, args.run);
    try {
      return await followRun(this, flags, journal, run);
    } finally {
      journal.close();
    }
  }
}
