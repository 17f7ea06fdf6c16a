import { Args, Flags } from '@oclif/core';
import type { TestReport } from '../testing/run-tests.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

/** What `wf test --json` prints. */
type Report = Omit<TestReport, 'sources'>;

export default class Test extends WfCommand {
  static override summary = 'Run the tests of formulas and molecules.';
  static override description =
    'Tests stand beside what they are about, formulas/<name>.test.yaml. Each is a run on the real interpreter, with stubs in the place of actions and a clock that moves by itself; checks under `verify` run for real.';
  static override examples = [
    '<%= config.bin %> test',
    '<%= config.bin %> test formulas/hello.yaml --filter greets',
    '<%= config.bin %> test --format junit',
  ];
  static override strict = false;
  static override args = {
    paths: Args.string({
      description: 'Files of tests, or formulas and molecules; without any, the whole project.',
    }),
  };
  static override flags = {
    filter: Flags.string({
      description: 'Only tests with this text in their name.',
      char: 't',
      helpValue: '<text>',
    }),
    coverage: Flags.boolean({
      description: 'Tell which ways no test has gone, and which checks under `verify` none of them needs.',
    }),
    update: Flags.boolean({ description: 'Write what was `rendered` into the tests that expect otherwise.' }),
    format: Flags.option({
      description: 'How the results are told: `junit` as XML for CI.',
      options: ['text', 'json', 'junit'] as const,
      default: 'text' as const,
      helpValue: 'text|json|junit',
    })(),
  };

  async run(): Promise<Report> {
    const { argv, flags } = await this.parse(Test);
    const { openProject, projectPaths } = await import('../workspace/project-loader.ts');
    const { driveTests } = await import('../cli/drive-tests.ts');
    const { renderJunit, renderTests } = await import('../cli/render-tests.ts');

    const cwd = folderOf(flags);
    const project = openProject(cwd);
    const { report: whole, stopped } = await driveTests(project, {
      paths: argv.length === 0 ? undefined : projectPaths(project, argv as string[], cwd),
      filter: flags.filter,
      update: flags.update,
      coverage: flags.coverage,
      progress: !flags.quiet && !this.jsonEnabled(),
    });
    const { sources: _, ...report } = whole;
    if (stopped) process.exitCode = exitCodes.cancelled;
    else if (!report.ok) process.exitCode = exitCodes.failed;
    if (this.jsonEnabled()) return report;
    const text =
      flags.format === 'json'
        ? JSON.stringify(report, null, 2)
        : flags.format === 'junit'
          ? renderJunit(whole)
          : renderTests(whole, this.style, flags.quiet);
    if (text !== '') this.log(text);
    return report;
  }
}
