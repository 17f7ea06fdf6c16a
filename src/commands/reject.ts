import { Args, Flags } from '@oclif/core';
import type { Signal } from '../journal/signal.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Reject extends WfCommand {
  static override summary = 'Say no to what a run asks; the step that asks fails.';
  static override description =
    'Who you are is what git calls your e-mail address; it is recorded as unverified. A run that nobody drives goes on with `wf resume`.';
  static override examples = [
    '<%= config.bin %> reject latest land',
    '<%= config.bin %> reject 01JZ3M deploy[2] --comment "not before the weekend"',
  ];
  static override args = {
    run: Args.string({ description: 'Id of the run, the end of it, or `latest`.', required: true }),
    step: Args.string({
      description: 'The step that asks, with its item: land, deploy[2], release.land.',
      required: true,
    }),
  };
  static override flags = {
    comment: Flags.string({
      char: 'm',
      description: 'A word to go with it, kept in the record.',
      helpValue: '<text>',
    }),
  };

  async run(): Promise<Signal> {
    const { args, flags } = await this.parse(Reject);
    const { answerRun } = await import('../cli/answer-run.ts');
    return answerRun(this, flags, { kind: 'reject', run: args.run, step: args.step, comment: flags.comment });
  }
}
