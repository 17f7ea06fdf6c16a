import { Args, Flags } from '@oclif/core';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { RunState } from '../journal/run-state.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

export default class Resume extends WfCommand {
  static override summary = 'Carry on a run after a crash, an answer, or a repaired world.';
  static override description =
    'Goes on from what is recorded, with the plan the run began with, whatever the files say by now. Nothing that has ended is run again.';
  static override examples = [
    '<%= config.bin %> resume latest',
    '<%= config.bin %> resume 01JZ3M --again publish',
    '<%= config.bin %> resume latest --with-new-plan',
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
    'with-new-plan': Flags.boolean({
      description: 'Go on with the plan that the formula compiles to now: shows what differs, and asks.',
    }),
    yes: Flags.boolean({ char: 'y', description: 'Agree to the new plan.', dependsOn: ['with-new-plan'] }),
    events: Flags.boolean({
      description: 'Print the events as they come, one JSON document a line.',
      exclusive: ['json'],
    }),
  };

  async run(): Promise<RunState | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }> {
    const { args, flags } = await this.parse(Resume);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { identityOf } = await import('../workspace/identity.ts');
    const { adoptPlan } = await import('../cli/adopt-plan.ts');
    const { compileOrTell } = await import('../cli/compile-or-tell.ts');
    const { decide } = await import('../cli/send-signal.ts');
    const { driveRun } = await import('../cli/drive-run.ts');
    const { openRun } = await import('../cli/find-run.ts');
    const { resumeRun } = await import('../runner/run.ts');

    const project = openProject(folderOf(flags));
    const { root } = project;
    const { journal, run } = await openRun(root, args.run);
    let plan = journal.readPlan(run);
    try {
      if (flags['with-new-plan']) {
        const compiled = await compileOrTell(project, plan.formula, {
          profile: flags.profile ?? plan.profile,
          quiet: flags.quiet,
          style: this.errorStyle,
          json: this.jsonEnabled(),
        });
        if (!compiled.ok) {
          process.exitCode = exitCodes.failed;
          return compiled;
        }
        plan = await adoptPlan(journal, run, compiled.plan, { yes: flags.yes, by: await identityOf(root) });
      }
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
