import { Args, Flags } from '@oclif/core';
import type { InitReport } from '../cli/init-project.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Init extends WfCommand {
  static override summary = 'Make a project that runs at once.';
  static override description =
    'Writes a formula `hello`, the molecule it uses, wf.yaml, a .gitignore, and schemas for completion in editors. A file that is there is never touched.';
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init my-formulas',
    '<%= config.bin %> init --ci github',
  ];
  static override args = {
    dir: Args.string({ description: 'The folder; it is made when there is none. Default: this one.' }),
  };

  static override flags = {
    ci: Flags.option({
      description: 'Also a file for CI; in a project that is there already, that alone.',
      options: ['github', 'gitlab'] as const,
      helpValue: 'github|gitlab',
    })(),
  };

  async run(): Promise<InitReport> {
    const { args, flags } = await this.parse(Init);
    const { resolve } = await import('node:path');
    const { initProject, renderInit } = await import('../cli/init-project.ts');

    const folder = resolve(folderOf(flags), args.dir ?? '.');
    const report = initProject(folder, { ci: flags.ci, version: this.config.version });
    if (!flags.quiet) this.log(renderInit(report, args.dir, this.style));
    return report;
  }
}
