import { Args, Flags } from '@oclif/core';
import type { RunState } from '../journal/run-state.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Resume extends WfCommand {
  static override summary = 'Carry on a run after a crash, an answer, or a repaired world.';
  static override description =
    'Goes on from what is recorded, with the plan the run began with, whatever the files say by now. Nothing that has ended is run again.';
  static override examples = [
    '<%= config.bin %> resume latest',
    '<%= config.bin %> resume 01JZ3M --again publish',
  ];
  static override args = {
    run: Args.string({ description: 'Id of the run, the end of it, or `latest`.', required: true }),
  };
  static override flags = {
    ran: Flags.string({
      description: 'This `once` step was under way when its process died, and it did happen.',
      helpValue: '<step>',
      exclusive: ['again'],
    }),
    again: Flags.string({
      description: 'This `once` step was under way when its process died; do it again.',
      helpValue: '<step>',
    }),
    events: Flags.boolean({
      description: 'Print the events as they come, one JSON document a line.',
      exclusive: ['json'],
    }),
  };

  async run(): Promise<RunState> {
    const { args, flags } = await this.parse(Resume);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { decide } = await import('../cli/send-signal.ts');
    const { driveRun } = await import('../cli/drive-run.ts');
    const { openRun } = await import('../cli/find-run.ts');
    const { resumeRun } = await import('../runner/run.ts');

    const { root } = openProject(flags.cwd ?? process.cwd());
    const { journal, run } = await openRun(root, args.run);
    const plan = journal.readPlan(run);
    try {
      if (flags.ran !== undefined) await decide(journal, root, run, 'ran', flags.ran);
      if (flags.again !== undefined) await decide(journal, root, run, 'again', flags.again);
    } finally {
      journal.close();
    }
    return driveRun(this, flags, { project: root, plan }, (host, by) =>
      resumeRun({ project: root, run, ...(by !== undefined && { by }) }, host),
    );
  }
}
