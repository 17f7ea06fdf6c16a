import { Args } from '@oclif/core';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Explanation } from '../plan/explain.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

interface Refused {
  readonly ok: false;
  readonly diagnostics: readonly Diagnostic[];
}

export default class Explain extends WfCommand {
  static override summary = 'Where each value of a formula or of one step came from.';
  static override description =
    'Shows every effective value with the place it was written: in the formula, in a molecule, in a formula it extends or uses, in an aspect, in wf.yaml or a profile. What nobody wrote is told too: defaults, and what follows from something else.';
  static override examples = [
    '<%= config.bin %> explain release-notes',
    '<%= config.bin %> explain release-notes.write',
  ];
  static override args = {
    what: Args.string({
      description:
        'Name of the formula, or of a step in it: `release.publish`, `release.build.test` inside of a used one.',
      required: true,
    }),
  };

  async run(): Promise<Explanation | Refused> {
    const { args, flags } = await this.parse(Explain);
    const { explainFormula, explainedStep } = await import('../plan/explain.ts');
    const { openProject } = await import('../workspace/project-loader.ts');

    const [formula = '', ...path] = args.what.split('.');
    const found = await explainFormula(openProject(folderOf(flags)), formula, flags.profile);
    if (!found.ok) {
      const { renderCheckReport } = await import('../cli/render-check.ts');
      const { diagnostics, sources } = found;
      if (!this.jsonEnabled())
        process.stderr.write(
          `${renderCheckReport({ files: sources.size, diagnostics }, sources, this.errorStyle)}\n`,
        );
      process.exitCode = exitCodes.failed;
      return { ok: false, diagnostics };
    }
    const explanation =
      path.length === 0 ? found.explanation : explainedStep(found.explanation, path.join('.'));
    if (!this.jsonEnabled()) {
      const { renderExplanation } = await import('../cli/render-explanation.ts');
      const { widthOf } = await import('../cli/outline.ts');
      this.log(renderExplanation(explanation, { style: this.style, width: widthOf(process.stdout) }));
    }
    return explanation;
  }
}
