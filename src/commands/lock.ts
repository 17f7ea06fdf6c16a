import { Args, Flags } from '@oclif/core';
import type { LockReport, LockResult } from '../cli/lock-project.ts';
import { folderOf } from '../cli/folder.ts';
import { UsageError } from '../cli/usage-error.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

export default class Lock extends WfCommand {
  static override summary = 'Fetch what wf.yaml imports, and pin it in wf.lock.';
  static override description =
    'An import that is pinned stays at its commit, whatever its branch or tag does, until --update; its files are kept under .wf/imports, and have to be what their digests say. This is the one command that fetches them: checking and compiling never reach for the network.';
  static override examples = [
    '<%= config.bin %> lock',
    '<%= config.bin %> lock --check',
    '<%= config.bin %> lock --update',
    '<%= config.bin %> lock std --update',
  ];
  static override strict = false;
  static override args = {
    imports: Args.string({ description: 'With --update, the imports to look up anew; without any, all.' }),
  };
  static override flags = {
    update: Flags.boolean({ description: 'Look where the refs lead now.' }),
    check: Flags.boolean({
      description:
        'Fetch what is pinned and not here, and leave wf.lock as it is; exit code 1 when it is not what wf.yaml says.',
    }),
    at: Flags.string({
      description: 'Fetch what wf.lock pins in this commit, branch or tag, for `plan --diff` with it.',
      helpValue: '<revision>',
    }),
  };

  async run(): Promise<LockReport> {
    const { argv, flags } = await this.parse(Lock);
    const names = argv as string[];
    if (names.length > 0 && !flags.update)
      throw new UsageError('imports are named with --update; without it all are looked at');
    const chosen = [flags.update && '--update', flags.check && '--check', flags.at !== undefined && '--at'];
    const [one, other] = chosen.filter((flag) => flag !== false);
    if (one !== undefined && other !== undefined)
      throw new UsageError(`${one} and ${other} exclude each other`);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { projectRevision } = await import('../workspace/project-revision.ts');
    const { lockProject } = await import('../cli/lock-project.ts');
    const project = openProject(folderOf(flags));
    const stopped = new AbortController();
    const stop = () => stopped.abort();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
    try {
      const result = await lockProject({
        root: project.root,
        loader: flags.at === undefined ? project : projectRevision(project, flags.at),
        update: flags.update ? (names.length > 0 ? names : 'all') : [],
        mode: flags.at !== undefined ? 'fetch' : flags.check ? 'check' : 'write',
        signal: stopped.signal,
        onFetch: (name, git, ref) => {
          if (!flags.quiet && !this.jsonEnabled())
            process.stderr.write(`${this.errorStyle.faint('fetching')}  ${name}  ${git} ${ref}\n`);
        },
      });
      if (!result.report.ok) process.exitCode = exitCodes.failed;
      if (!this.jsonEnabled()) await this.#show(result, flags.quiet);
      return result.report;
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
      process.exitCode = exitCodes.cancelled;
      return this.#stopped();
    } finally {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    }
  }

  #stopped(): LockReport {
    if (!this.jsonEnabled()) process.stderr.write('stopped: wf.lock is as it was\n');
    return { ok: false, imports: [], removed: [], diagnostics: [] };
  }

  async #show(result: LockResult, quiet: boolean): Promise<void> {
    const { renderLock } = await import('../cli/render-lock.ts');
    if (!quiet || !result.report.ok) this.log(renderLock(result, this.style));
  }
}
