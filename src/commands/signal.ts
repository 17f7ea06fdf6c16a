import { Args, Flags } from '@oclif/core';
import type { Signal as SentSignal } from '../journal/signal.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Signal extends WfCommand {
  static override summary = 'Tell a run that something happened.';
  static override description =
    'A step that waits for the event gets its data. Events count from the run’s start, so one that comes early is found later.';
  static override examples = [
    `<%= config.bin %> signal latest ci.finished --data '{"sha": "3f2a", "ok": true}'`,
  ];
  static override args = {
    run: Args.string({ description: 'Id of the run, the end of it, or `latest`.', required: true }),
    event: Args.string({ description: 'Name of the event.', required: true }),
  };
  static override flags = {
    data: Flags.string({
      description: 'What `event` is in `match` and `pass`, as JSON; @file reads a file.',
      helpValue: '<json>',
      default: '{}',
    }),
  };

  async run(): Promise<SentSignal> {
    const { args, flags } = await this.parse(Signal);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { openRun } = await import('../cli/find-run.ts');
    const { parseData } = await import('../cli/parse-data.ts');
    const { signalEvent } = await import('../cli/send-signal.ts');

    const cwd = folderOf(flags);
    const data = parseData(flags.data, cwd);
    const { root } = openProject(cwd);
    const { journal, run } = await openRun(root, args.run);
    try {
      const sent = await signalEvent(journal, root, run, args.event, data);
      const driven = journal.leaseHolder(run)?.alive === true;
      if (!flags.quiet)
        this.log(
          driven
            ? `told run ${run}`
            : `told run ${run}\n${this.style.help(`wf resume ${run} carries it on`)}`,
        );
      return sent;
    } finally {
      journal.close();
    }
  }
}
