import { Args, Flags } from '@oclif/core';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { FormulaDifference } from '../plan/compare/compare-projects.ts';
import type { Plan as CompiledPlan } from '../plan/plan.ts';
import { folderOf } from '../cli/folder.ts';
import { UsageError } from '../cli/usage-error.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

/** What `wf plan --diff --json` prints. */
interface Differences {
  /** The commit that was compared with. */
  readonly since: string;
  readonly formulas: readonly FormulaDifference[];
}

interface Refused {
  readonly ok: false;
  readonly diagnostics: readonly Diagnostic[];
}

export default class Plan extends WfCommand {
  static override summary = 'Compile a formula and show what would run.';
  static override description =
    'The plan holds everything that changes behaviour and nothing that does not. --json prints its bytes: the same for the same commit and profile, whatever the folder or machine.';
  static override examples = [
    '<%= config.bin %> plan release-notes',
    '<%= config.bin %> plan release-notes --json',
    '<%= config.bin %> plan release-notes --graph svg > release-notes.svg',
    '<%= config.bin %> plan --diff main',
  ];
  static override args = {
    formula: Args.string({ description: 'Name of the formula; with --diff, without one: all of them.' }),
  };
  static override flags = {
    diff: Flags.string({
      description: 'Show what the formulas do otherwise than at this commit, branch or tag.',
      helpValue: '<revision>',
    }),
    graph: Flags.option({
      description:
        'Draw it: as a picture (`svg`), in the language of Mermaid or of Graphviz (`dot`). Used formulas are one node each, and of many steps those that are alike.',
      options: ['svg', 'mermaid', 'dot'] as const,
      helpValue: 'svg|mermaid|dot',
      exclusive: ['diff', 'json'],
    })(),
    unfold: Flags.boolean({ description: 'With --graph: draw every step, inside of used formulas too.' }),
    format: Flags.option({
      description: 'With --diff: `markdown` for a comment on a pull request.',
      options: ['text', 'markdown'] as const,
      default: 'text' as const,
      helpValue: 'text|markdown',
    })(),
  };

  async run(): Promise<CompiledPlan | Differences | Refused> {
    const { args, flags } = await this.parse(Plan);
    if (flags.diff !== undefined) return this.#diff(flags.diff, args.formula, flags);
    if (args.formula === undefined)
      throw new UsageError('which formula?', 'name one: `wf plan <formula>`; `wf list` shows what there is');
    if (flags.format !== 'text') throw new UsageError('--format goes with --diff');
    if (flags.unfold && flags.graph === undefined) throw new UsageError('--unfold goes with --graph');
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
    if (flags.graph !== undefined) {
      const { planGraph } = await import('../cli/graph/plan-graph.ts');
      const graph = planGraph(compiled.plan, { unfold: flags.unfold });
      switch (flags.graph) {
        case 'svg':
          this.log((await import('../cli/graph/svg.ts')).toSvg(graph));
          break;
        case 'dot':
          this.log((await import('../cli/graph/dot.ts')).toDot(graph));
          break;
        case 'mermaid':
          this.log((await import('../cli/graph/mermaid.ts')).toMermaid(graph));
      }
    } else if (!this.jsonEnabled()) {
      const { loadBashParser } = await import('../formula/bash/load-parser.ts');
      const { widthOf } = await import('../cli/outline.ts');
      const options = { style: this.style, width: widthOf(process.stdout), bash: await loadBashParser() };
      this.log(renderPlan(compiled.plan, options));
    }
    return compiled.plan;
  }

  async #diff(
    revision: string,
    formula: string | undefined,
    flags: Parameters<typeof folderOf>[0] & {
      readonly profile: string | undefined;
      readonly format: 'text' | 'markdown';
    },
  ): Promise<Differences> {
    const { openProject } = await import('../workspace/project-loader.ts');
    const { projectRevision } = await import('../workspace/project-revision.ts');
    const { compareProjects } = await import('../plan/compare/compare-projects.ts');

    const project = openProject(folderOf(flags));
    const before = projectRevision(project, revision);
    const formulas = await compareProjects(before, project, {
      ...(formula !== undefined && { formula }),
      ...(flags.profile !== undefined && { profile: flags.profile }),
    });
    if (formulas.some(({ status }) => status === 'broken')) process.exitCode = exitCodes.failed;
    if (!this.jsonEnabled()) {
      const { loadBashParser } = await import('../formula/bash/load-parser.ts');
      const bash = await loadBashParser();
      if (flags.format === 'markdown') {
        const { differencesMarkdown } = await import('../cli/changes-markdown.ts');
        this.log(differencesMarkdown(formulas, revision, bash).trimEnd());
      } else {
        const { renderDifferences } = await import('../cli/render-changes.ts');
        const { widthOf } = await import('../cli/outline.ts');
        this.log(
          renderDifferences(formulas, revision, { style: this.style, width: widthOf(process.stdout), bash }),
        );
      }
    }
    return { since: before.commit, formulas };
  }
}
