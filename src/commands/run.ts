import { Args, Flags } from '@oclif/core';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { RunState } from '../journal/run-state.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

export default class Run extends WfCommand {
  static override summary = 'Compile a formula and run it.';
  static override description =
    'The run works in a clone of the repository and leaves its changes on a branch. It ends with 0 when it succeeded, 1 when it failed or was handed off, 4 when it waits for somebody and nobody is attached, 130 when it was cancelled.';
  static override examples = [
    '<%= config.bin %> run release-notes',
    '<%= config.bin %> run release-notes -i since=v1.2.0 -i tag=true',
  ];
  static override args = {
    formula: Args.string({ description: 'Name of the formula.', required: true }),
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
    revision: Flags.string({
      description: 'Commit, branch or tag that the workspace begins at. Default: what is checked out.',
      helpValue: '<rev>',
    }),
    'allow-dirty': Flags.boolean({
      description: 'With `workspace: checkout`: begin although files are not committed.',
    }),
    detach: Flags.boolean({
      description: 'Leave the run to a process of its own, and print its id.',
      exclusive: ['events'],
    }),
    events: Flags.boolean({
      description: 'Print the events as they come, one JSON document a line.',
      exclusive: ['json'],
    }),
  };

  async run(): Promise<RunState | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }> {
    const { args, flags } = await this.parse(Run);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { compileOrTell } = await import('../cli/compile-or-tell.ts');
    const { readInputs } = await import('../cli/input-flags.ts');
    const { driveRun } = await import('../cli/drive-run.ts');
    const { startRun } = await import('../runner/run.ts');

    const cwd = flags.cwd ?? process.cwd();
    const project = openProject(cwd);
    const compiled = await compileOrTell(project, args.formula, {
      profile: flags.profile,
      quiet: flags.quiet,
      style: this.errorStyle,
      json: this.jsonEnabled(),
    });
    if (!compiled.ok) {
      process.exitCode = exitCodes.failed;
      return compiled;
    }
    const { plan } = compiled;
    const inputs = readInputs(args.formula, plan.inputs, { flags: flags.input, file: flags.inputs, cwd });
    const request = {
      project: project.root,
      plan,
      inputs,
      ...(flags.revision !== undefined && { revision: flags.revision }),
      allowDirty: flags['allow-dirty'],
    };
    if (flags.detach) {
      const { detachRun } = await import('../cli/detach-run.ts');
      return detachRun(this, request);
    }
    return driveRun(this, flags, { project: project.root, plan }, (host, by) =>
      startRun({ ...request, ...(by !== undefined && { by }) }, host),
    );
  }
}
