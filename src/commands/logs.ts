import { Args } from '@oclif/core';
import type { RunLog } from '../runner/run-logs.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Logs extends WfCommand {
  static override summary =
    'The output of a run’s commands and the conversations of its agents: of all, or of one step.';
  static override examples = ['<%= config.bin %> logs latest', '<%= config.bin %> logs 01JZ3M fix[2]'];
  static override args = {
    run: Args.string({ description: 'Id of the run, the end of it, or `latest`.', default: 'latest' }),
    step: Args.string({ description: 'A step, with its item or without; a group stands for all in it.' }),
  };

  async run(): Promise<{ readonly logs: readonly (RunLog & { readonly text: string })[] }> {
    const { args, flags } = await this.parse(Logs);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { openRun } = await import('../cli/find-run.ts');
    const { chooseLogs, readLogs, renderLogs } = await import('../cli/render-logs.ts');
    const { runFolder, runLogs } = await import('../runner/run-logs.ts');

    const { root } = openProject(folderOf(flags));
    const { journal, run } = await openRun(root, args.run);
    try {
      const all = runLogs(runFolder(root, run), journal.readRecord(run));
      const logs = await readLogs(chooseLogs(all, args.step, run));
      this.log(renderLogs(logs, this.style));
      return { logs };
    } finally {
      journal.close();
    }
  }
}
