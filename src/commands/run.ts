import { Args, Flags } from '@oclif/core';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { RunState } from '../journal/run-state.ts';
import type { dryRunAll, DryRunReport } from '../cli/dry-run-project.ts';
import type { Compiled } from '../cli/compile-or-tell.ts';
import { UsageError } from '../cli/usage-error.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';
import type { ProjectFolder } from '../workspace/project-loader.ts';

export default class Run extends WfCommand {
  static override summary = 'Compile a formula and run it.';
  static override description =
    'The run works in a clone of the repository and leaves its changes on a branch. It ends with 0 when it succeeded, 1 when it failed or was handed off, 4 when it waits for somebody and nobody is attached, 130 when it was cancelled.';
  static override examples = [
    '<%= config.bin %> run release-notes',
    '<%= config.bin %> run release-notes -i since=v1.2.0 -i tag=true',
    '<%= config.bin %> run release-notes --dry-run',
    '<%= config.bin %> run --dry-run --all',
    '<%= config.bin %> run --plan release-notes.plan.json',
  ];
  static override args = {
    formula: Args.string({ description: 'Name of the formula. With --plan the plan has it.' }),
  };
  static override flags = {
    input: Flags.string({
      char: 'i',
      description: 'An input. Arrays and objects are JSON; @file reads a file.',
      helpValue: '<name=value>',
      multiple: true,
      multipleNonGreedy: true,
      default: [],
    }),
    inputs: Flags.string({
      description: 'Inputs from a JSON or YAML file; - is standard input.',
      helpValue: '<file>',
    }),
    plan: Flags.string({
      description:
        'Run this plan, as `wf plan --json` printed it, and compile nothing; - is standard input. It has to be as it was compiled.',
      helpValue: '<file>',
      exclusive: ['all'],
    }),
    revision: Flags.string({
      description: 'Commit, branch or tag that the workspace begins at. Default: what is checked out.',
      helpValue: '<rev>',
    }),
    'allow-dirty': Flags.boolean({
      description: 'With `workspace: checkout`: begin although files are not committed.',
    }),
    'no-cache': Flags.boolean({
      description: 'Run steps with `cache` although a result of them is kept; what they come to replaces it.',
    }),
    detach: Flags.boolean({
      description: 'Leave the run to a process of its own, and print its id.',
      exclusive: ['events'],
    }),
    'dry-run': Flags.boolean({
      description:
        'Start nothing: show each command as it would be started, and what cannot be known before. An input without value and default takes the first of its `examples`.',
    }),
    all: Flags.boolean({
      description: 'With --dry-run: every formula, from defaults and `examples`.',
    }),
    events: Flags.boolean({
      description: 'Print the events as they come, one JSON document a line.',
      exclusive: ['json'],
    }),
  };

  async run(): Promise<
    | RunState
    | DryRunReport
    | Awaited<ReturnType<typeof dryRunAll>>
    | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
  > {
    const { args, flags } = await this.parse(Run);
    if (flags.all) return this.#dryRunAll(args.formula, flags);
    if (flags['dry-run'] && (flags.events || flags.detach))
      throw new UsageError(
        `--dry-run starts nothing, so there is nothing for --${flags.events ? 'events' : 'detach'}`,
      );
    const { openProject } = await import('../workspace/project-loader.ts');
    const { readInputs } = await import('../cli/input-flags.ts');
    const { driveRun } = await import('../cli/drive-run.ts');
    const { startRun } = await import('../runner/run.ts');
    const { uncommittedNotice } = await import('../cli/uncommitted-notice.ts');

    const cwd = folderOf(flags);
    const project = openProject(cwd);
    const planned = await this.#plan(args.formula, flags, project, cwd);
    if (!planned.ok) {
      process.exitCode = exitCodes.failed;
      return planned;
    }
    const { plan } = planned;
    if (flags['dry-run']) {
      const { readGivenInputs } = await import('../cli/input-flags.ts');
      const { dryRunFormula } = await import('../cli/dry-run-project.ts');
      const { renderDryRun } = await import('../cli/render-dry-run.ts');
      const given = { flags: flags.input, file: flags.inputs, cwd };
      const values = readGivenInputs(plan.formula, plan.inputs, given);
      const report = await dryRunFormula(project, plan, values, flags.revision);
      this.log(renderDryRun(report, report.inputsFrom, await this.#outline()));
      if (report.failures.length > 0) process.exitCode = exitCodes.failed;
      return report;
    }
    const inputs = readInputs(plan.formula, plan.inputs, { flags: flags.input, file: flags.inputs, cwd });
    const request = {
      project: project.root,
      plan,
      inputs,
      ...(flags.revision !== undefined && { revision: flags.revision }),
      allowDirty: flags['allow-dirty'],
      noCache: flags['no-cache'],
    };
    const notice = await uncommittedNotice(plan, project.root, flags.revision);
    if (notice !== undefined && !flags.quiet && !this.jsonEnabled()) {
      process.stderr.write(`${this.errorStyle.faint(notice)}\n`);
    }
    if (flags.detach) {
      const { detachRun } = await import('../cli/detach-run.ts');
      return detachRun(this, request);
    }
    return driveRun(this, flags, { project: project.root, plan }, (host, by) =>
      startRun({ ...request, ...(by !== undefined && { by }) }, host),
    );
  }

  /** The plan of a file, or what a formula compiles to. */
  async #plan(
    formula: string | undefined,
    flags: {
      readonly plan: string | undefined;
      readonly inputs: string | undefined;
      readonly profile: string | undefined;
      readonly quiet: boolean;
    },
    project: ProjectFolder,
    cwd: string,
  ): Promise<Compiled> {
    const { profile, quiet } = flags;
    if (flags.plan !== undefined) {
      if (flags.plan === '-' && flags.inputs === '-')
        throw new UsageError('--plan and --inputs cannot both be standard input');
      const { planFromFile } = await import('../cli/plan-file.ts');
      return { ok: true, plan: planFromFile(flags.plan, { cwd, formula, profile }), diagnostics: [] };
    }
    if (formula === undefined)
      throw new UsageError(
        'wf run needs the name of a formula, or --plan <file>',
        '`wf list` shows which formulas there are',
      );
    const { compileOrTell } = await import('../cli/compile-or-tell.ts');
    const options = { profile, quiet, style: this.errorStyle, json: this.jsonEnabled() };
    return compileOrTell(project, formula, options);
  }

  async #dryRunAll(
    formula: string | undefined,
    flags: {
      readonly cwd: string | undefined;
      readonly profile: string | undefined;
      readonly 'dry-run': boolean;
      readonly input: readonly string[];
      readonly inputs: string | undefined;
    },
  ) {
    if (!flags['dry-run']) throw new UsageError('--all goes with --dry-run: only looking is for all at once');
    if (formula !== undefined) throw new UsageError(`--all means every formula, and not "${formula}"`);
    if (flags.input.length > 0 || flags.inputs !== undefined)
      throw new UsageError('--all takes the inputs of each formula from their defaults and `examples`');
    const { openProject } = await import('../workspace/project-loader.ts');
    const { dryRunAll } = await import('../cli/dry-run-project.ts');
    const project = openProject(folderOf(flags));
    let first = true;
    const all = await dryRunAll(project, flags.profile, await this.#outline(), (text, ok) => {
      if (this.jsonEnabled()) return;
      if (!ok) process.stderr.write(`${text}\n`);
      else this.log(first ? text : `\n${text}`);
      if (ok) first = false;
    });
    if (!all.ok) process.exitCode = exitCodes.failed;
    return all;
  }

  async #outline() {
    const { widthOf } = await import('../cli/outline.ts');
    return { style: this.style, width: widthOf(process.stdout) };
  }
}
