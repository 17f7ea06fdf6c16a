import { Args, Flags } from '@oclif/core';
import type { WrittenTest } from '../cli/write-test.ts';
import type { TestReport } from '../testing/run-tests.ts';
import { folderOf } from '../cli/folder.ts';
import { UsageError } from '../cli/usage-error.ts';
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
    '<%= config.bin %> test --stubs-from latest',
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
    'stubs-from': Flags.string({
      description: 'Write a test that goes as this run went, with stubs from its record, and run it.',
      helpValue: '<run>',
    }),
    format: Flags.option({
      description: 'How the results are told: `junit` as XML for CI.',
      options: ['text', 'json', 'junit'] as const,
      default: 'text' as const,
      helpValue: 'text|json|junit',
    })(),
  };

  async run(): Promise<Report | WrittenTest> {
    const { argv, flags } = await this.parse(Test);
    if (flags['stubs-from'] !== undefined) {
      if (argv.length > 0)
        throw new UsageError('--stubs-from writes a test of the run’s formula, and takes no paths');
      return this.#fromRun(flags['stubs-from'], folderOf(flags));
    }
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

  async #fromRun(name: string, cwd: string): Promise<WrittenTest> {
    const { openProject } = await import('../workspace/project-loader.ts');
    const { openRun } = await import('../cli/find-run.ts');
    const { writeTestOfRun } = await import('../cli/write-test.ts');

    const project = openProject(cwd);
    const { journal, run } = await openRun(project.root, name);
    const stop = new AbortController();
    const interrupt = () => stop.abort();
    process.once('SIGINT', interrupt);
    try {
      const recorded = {
        plan: journal.readPlan(run),
        state: journal.readState(run),
        events: journal.readEvents(run),
      };
      const written = await writeTestOfRun(project, recorded, stop.signal);
      if (!written.result.ok) process.exitCode = exitCodes.failed;
      if (!this.jsonEnabled()) {
        const { renderWrittenTest } = await import('../cli/render-tests.ts');
        this.log(renderWrittenTest(written, this.style));
      }
      return written;
    } finally {
      process.off('SIGINT', interrupt);
      journal.close();
    }
  }
}
