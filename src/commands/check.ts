import { Args, Flags } from '@oclif/core';
import type { CheckReport } from '../plan/check-project.ts';
import type { ProjectFolder } from '../workspace/project-loader.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

/** What `wf check --json` prints. */
type Report = Omit<CheckReport, 'sources'>;

type Format = 'text' | 'json' | 'github' | 'sarif';

export default class Check extends WfCommand {
  static override summary = 'Check formulas and molecules without running them.';
  static override description =
    'Tells every mistake of the project, or of some of its files, each at the smallest thing to edit. Errors end with exit code 1, warnings alone with 0.';
  static override examples = [
    '<%= config.bin %> check',
    '<%= config.bin %> check formulas/release.yaml',
    '<%= config.bin %> check --format github',
    '<%= config.bin %> check --changed main',
  ];
  static override strict = false;
  static override args = {
    paths: Args.string({ description: 'Files or folders; without any, the whole project.' }),
  };
  static override flags = {
    format: Flags.option({
      description:
        'How the diagnostics are told: `github` as annotations of a workflow, `sarif` for code scanning.',
      options: ['text', 'json', 'github', 'sarif'] as const,
      default: 'text' as const,
      helpValue: 'text|json|github|sarif',
    })(),
    changed: Flags.string({
      description: 'Only what differs from this commit, branch or tag, and whatever depends on that.',
      helpValue: '<revision>',
    }),
    strict: Flags.boolean({ description: 'Warnings end with exit code 1 as well.' }),
  };

  async run(): Promise<Report> {
    const { argv, flags } = await this.parse(Check);
    const { checkProject } = await import('../plan/check-project.ts');
    const { openProject, projectPaths } = await import('../workspace/project-loader.ts');
    const { checkInThreads } = await import('../workspace/check-threads.ts');
    const { checkStore } = await import('../workspace/check-store.ts');

    const cwd = folderOf(flags);
    const project = openProject(cwd);
    const paths = argv.length === 0 ? undefined : projectPaths(project, argv as string[], cwd);
    const store = checkStore(project, flags.profile);
    const { sources, ...report } = await checkProject(project, {
      ...(paths && { paths }),
      ...(flags.changed !== undefined && { changed: await changedSince(project, flags.changed) }),
      ...(store && { store }),
      inParts: (rest) => checkInThreads(project.root, rest),
      ...(flags.profile !== undefined && { profile: flags.profile }),
    });
    if (!this.jsonEnabled()) {
      const text =
        flags.changed !== undefined && report.files === 0 && flags.format === 'text'
          ? `nothing differs from ${flags.changed} that a formula depends on`
          : await this.#told(report, sources, project.root, flags);
      if (text !== '') this.log(text);
    }
    const clean = flags.strict ? report.diagnostics.length === 0 : report.ok;
    if (!clean) process.exitCode = exitCodes.failed;
    return report;
  }

  async #told(
    report: Report,
    sources: CheckReport['sources'],
    root: string,
    { format, quiet }: { readonly format: Format; readonly quiet: boolean },
  ): Promise<string> {
    switch (format) {
      case 'text': {
        const { renderCheckReport } = await import('../cli/render-check.ts');
        return renderCheckReport(report, sources, this.style, quiet);
      }
      case 'json':
        return JSON.stringify(report, null, 2);
      case 'github': {
        const { renderTally } = await import('../cli/render-check.ts');
        const { renderGithub } = await import('../cli/render-github.ts');
        const { placeInRepository } = await import('../workspace/git.ts');
        const annotations = renderGithub(report.diagnostics, placeInRepository(root));
        return [annotations, renderTally(report, this.style, quiet)].filter((text) => text !== '').join('\n');
      }
      case 'sarif': {
        const { toSarif } = await import('../cli/render-sarif.ts');
        const { readRulePage } = await import('../cli/rule-page.ts');
        const { placeInRepository } = await import('../workspace/git.ts');
        const log = toSarif(report.diagnostics, {
          version: this.config.version,
          prefix: placeInRepository(root),
          sources,
          pageOf: (rule) => readRulePage(this.config.root, rule),
        });
        return JSON.stringify(log, null, 2);
      }
    }
  }
}

async function changedSince(project: ProjectFolder, revision: string) {
  const { changedFiles } = await import('../workspace/changed-files.ts');
  return changedFiles(project, revision);
}
