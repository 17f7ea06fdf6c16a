import { Args, Flags } from '@oclif/core';
import type { CheckStore } from '../plan/check-memory.ts';
import type { CheckReport } from '../plan/check-project.ts';
import type { ProjectFolder } from '../workspace/project-loader.ts';
import { folderOf } from '../cli/folder.ts';
import { UsageError } from '../cli/usage-error.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

/** What `wf check --json` prints. */
type Report = Omit<CheckReport, 'sources'>;

type Format = 'text' | 'json' | 'github' | 'sarif';

/** The flags of `wf check`, as far as a check looks at them. */
interface CheckFlags {
  readonly cwd: string | undefined;
  readonly profile: string | undefined;
  readonly quiet: boolean;
  readonly format: Format;
  readonly changed: string | undefined;
}

export default class Check extends WfCommand {
  static override summary = 'Check formulas and molecules without running them.';
  static override description =
    'Tells every mistake of the project, or of some of its files, each at the smallest thing to edit. Errors end with exit code 1, warnings alone with 0.';
  static override examples = [
    '<%= config.bin %> check',
    '<%= config.bin %> check formulas/release.yaml',
    '<%= config.bin %> check --format github',
    '<%= config.bin %> check --changed main',
    '<%= config.bin %> check --watch',
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
    watch: Flags.boolean({
      description: 'Check again whenever a file changes, until Ctrl-C. With --json a line for each check.',
    }),
  };

  async run(): Promise<Report> {
    const { argv, flags } = await this.parse(Check);
    if (flags.watch) return this.#watch(argv as string[], flags);
    const report = await this.#check(argv as string[], flags);
    const { sources: _, ...printed } = report;
    if (!this.jsonEnabled()) {
      const text = await this.#text(report, flags);
      if (text !== '') this.log(text);
    }
    const clean = flags.strict ? report.diagnostics.length === 0 : report.ok;
    if (!clean) process.exitCode = exitCodes.failed;
    return printed;
  }

  async #check(argv: readonly string[], flags: CheckFlags, kept?: CheckStore): Promise<CheckReport> {
    const { checkProject } = await import('../plan/check-project.ts');
    const { openProject, projectPaths } = await import('../workspace/project-loader.ts');
    const { checkInThreads } = await import('../workspace/check-threads.ts');
    const { checkStore } = await import('../workspace/check-store.ts');

    const cwd = folderOf(flags);
    const project = openProject(cwd);
    const paths = argv.length === 0 ? undefined : projectPaths(project, argv, cwd);
    const store = kept ?? checkStore(project, flags.profile);
    return checkProject(project, {
      ...(paths && { paths }),
      ...(flags.changed !== undefined && { changed: await this.#changedSince(project, flags.changed) }),
      ...(store && { store }),
      inParts: (rest) => checkInThreads(project.root, rest),
      ...(flags.profile !== undefined && { profile: flags.profile }),
    });
  }

  /** Checks again whenever something has changed, until it is stopped. */
  async #watch(argv: readonly string[], flags: CheckFlags): Promise<never> {
    if (flags.format === 'github' || flags.format === 'sarif')
      throw new UsageError(`--watch goes with text and JSON, and not with --format ${flags.format}`);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { watchFiles } = await import('../workspace/watch-files.ts');
    const { storeInProcess } = await import('../workspace/check-store.ts');
    const { failureOf, renderFailure } = await import('../cli/failure.ts');

    const isJson = this.jsonEnabled() || flags.format === 'json';
    const store = storeInProcess();
    const stopped = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
    const { root } = openProject(folderOf(flags));
    for await (const paths of watchFiles(root, stopped.signal)) {
      let text: string;
      try {
        const report = await this.#check(argv, flags, store);
        const { sources: _, ...printed } = report;
        text = isJson ? JSON.stringify(printed) : await this.#text(report, { ...flags, quiet: false });
      } catch (error) {
        // What is wrong now may be right after the next change.
        const failure = failureOf(error);
        if (failure.exit === exitCodes.internal) throw error;
        text = isJson
          ? JSON.stringify({ error: failure })
          : renderFailure(failure, this.style, this.id).trimEnd();
      }
      if (isJson) process.stdout.write(`${text}\n`);
      else process.stdout.write(`${this.#heading(paths)}${text}\n`);
    }
    // All was printed, and nothing is left to say: with --json a last document would follow.
    process.exit(exitCodes.cancelled);
  }

  async #changedSince(project: ProjectFolder, revision: string) {
    const { changedFiles } = await import('../workspace/changed-files.ts');
    const found = changedFiles(project, revision);
    if (found.parted === undefined)
      process.stderr.write(
        `${this.errorStyle.warning('note')}  nothing here says where this and ${revision} parted (a shallow clone?), so all that differs from ${revision} itself counts\n`,
      );
    return found;
  }

  /** What stands above a check of `--watch`: an empty screen, or in a file what has changed. */
  #heading(changed: readonly string[]): string {
    if (process.stdout.isTTY) return '\u001b[2J\u001b[3J\u001b[H';
    if (changed.length === 0) return '';
    const more = changed.length > 3 ? ` and ${changed.length - 3} more` : '';
    return `\n${changed.slice(0, 3).join(', ')}${more} changed\n`;
  }

  async #text(report: CheckReport, flags: CheckFlags): Promise<string> {
    if (flags.changed !== undefined && report.files === 0 && flags.format === 'text')
      return `nothing differs from ${flags.changed} that a formula depends on`;
    const { root } = (await import('../workspace/project-loader.ts')).openProject(folderOf(flags));
    const { sources, ...printed } = report;
    return this.#told(printed, sources, root, flags);
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
