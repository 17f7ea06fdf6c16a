import { Args, Flags } from '@oclif/core';
import type { RunState } from '../journal/run-state.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

export default class Cancel extends WfCommand {
  static override summary = 'End a run before its end: what runs is stopped, then `finally`.';
  static override description =
    'A run that another process drives is told, and followed to its end. One that nobody drives is ended here.';
  static override examples = ['<%= config.bin %> cancel latest'];
  static override args = {
    run: Args.string({ description: 'Id of the run, the end of it, or `latest`.', required: true }),
  };
  static override flags = {
    events: Flags.boolean({
      description: 'Print the events as they come, one JSON document a line.',
      exclusive: ['json'],
    }),
  };

  async run(): Promise<RunState> {
    const { args, flags } = await this.parse(Cancel);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { driveRun, followRun } = await import('../cli/drive-run.ts');
    const { openRun } = await import('../cli/find-run.ts');
    const { identityOf } = await import('../workspace/identity.ts');
    const { resumeRun } = await import('../runner/run.ts');

    const { root } = openProject(folderOf(flags));
    const { journal, run } = await openRun(root, args.run);
    const by = await identityOf(root);
    const who = by === undefined ? {} : { by };
    try {
      journal.sendSignal(run, { kind: 'cancel', verified: false, ...who });
      const state =
        journal.leaseHolder(run)?.alive === true
          ? await followRun(this, flags, journal, run)
          : await driveRun(this, flags, { project: root, plan: journal.readPlan(run) }, (host) =>
              resumeRun({ project: root, run, ...who }, host),
            );
      // That it was cancelled is what was asked for here.
      if (state.status === 'cancelled') process.exitCode = exitCodes.ok;
      return state;
    } finally {
      journal.close();
    }
  }
}
