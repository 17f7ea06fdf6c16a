import { Args, Flags } from '@oclif/core';
import type { CheckReport } from '../plan/check-project.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

/** What `wf check --json` prints. */
type Report = Omit<CheckReport, 'sources'>;

export default class Check extends WfCommand {
  static override summary = 'Check formulas and molecules without running them.';
  static override description =
    'Tells every mistake of the project, or of some of its files, each at the smallest thing to edit. Errors end with exit code 1, warnings alone with 0.';
  static override examples = ['<%= config.bin %> check', '<%= config.bin %> check formulas/release.yaml'];
  static override strict = false;
  static override args = {
    paths: Args.string({ description: 'Files or folders; without any, the whole project.' }),
  };
  static override flags = {
    strict: Flags.boolean({ description: 'Warnings end with exit code 1 as well.' }),
  };

  async run(): Promise<Report> {
    const { argv, flags } = await this.parse(Check);
    const { checkProject } = await import('../plan/check-project.ts');
    const { openProject, projectPaths } = await import('../workspace/project-loader.ts');
    const { checkInThreads } = await import('../workspace/check-threads.ts');
    const { checkStore } = await import('../workspace/check-store.ts');
    const { renderCheckReport } = await import('../cli/render-check.ts');

    const cwd = folderOf(flags);
    const project = openProject(cwd);
    const paths = argv.length === 0 ? undefined : projectPaths(project, argv as string[], cwd);
    const store = await checkStore(project, flags.profile);
    const { sources, ...report } = await checkProject(project, {
      ...(paths && { paths }),
      ...(store && { store }),
      inParts: (rest) => checkInThreads(project.root, rest),
      ...(flags.profile !== undefined && { profile: flags.profile }),
    });
    const text = renderCheckReport(report, sources, this.style, flags.quiet);
    if (text !== '') this.log(text);
    const clean = flags.strict ? report.diagnostics.length === 0 : report.ok;
    if (!clean) process.exitCode = exitCodes.failed;
    return report;
  }
}
