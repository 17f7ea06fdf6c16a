import { Args } from '@oclif/core';
import type { InitReport } from '../cli/init-project.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Init extends WfCommand {
  static override summary = 'Make a project that runs at once.';
  static override description =
    'Writes a formula `hello`, the molecule it uses, wf.yaml, a .gitignore, and schemas for completion in editors. A file that is there is never touched.';
  static override examples = ['<%= config.bin %> init', '<%= config.bin %> init my-formulas'];
  static override args = {
    dir: Args.string({ description: 'The folder; it is made when there is none. Default: this one.' }),
  };

  async run(): Promise<InitReport> {
    const { args, flags } = await this.parse(Init);
    const { resolve } = await import('node:path');
    const { initProject, renderInit } = await import('../cli/init-project.ts');

    const report = initProject(resolve(folderOf(flags), args.dir ?? '.'));
    if (!flags.quiet) this.log(renderInit(report, args.dir, this.style));
    return report;
  }
}
