import { Args } from '@oclif/core';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Plan as CompiledPlan } from '../plan/plan.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

export default class Plan extends WfCommand {
  static override summary = 'Compile a formula and show what would run.';
  static override description =
    'The plan holds everything that changes behaviour and nothing that does not. --json prints its bytes: the same for the same commit and profile, whatever the folder or machine.';
  static override examples = [
    '<%= config.bin %> plan release-notes',
    '<%= config.bin %> plan release-notes --json',
  ];
  static override args = {
    formula: Args.string({ description: 'Name of the formula.', required: true }),
  };

  async run(): Promise<CompiledPlan | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }> {
    const { args, flags } = await this.parse(Plan);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { compileOrTell } = await import('../cli/compile-or-tell.ts');
    const { renderPlan } = await import('../cli/render-plan.ts');

    const compiled = await compileOrTell(openProject(folderOf(flags)), args.formula, {
      profile: flags.profile,
      quiet: flags.quiet,
      style: this.errorStyle,
      json: this.jsonEnabled(),
    });
    if (!compiled.ok) {
      process.exitCode = exitCodes.failed;
      return compiled;
    }
    if (!this.jsonEnabled()) {
      const { loadBashParser } = await import('../formula/bash/load-parser.ts');
      const { widthOf } = await import('../cli/outline.ts');
      const options = { style: this.style, width: widthOf(process.stdout), bash: await loadBashParser() };
      this.log(renderPlan(compiled.plan, options));
    }
    return compiled.plan;
  }
}
