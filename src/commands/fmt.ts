import { Args, Flags } from '@oclif/core';
import type { FormattedFile } from '../cli/format-files.ts';
import { folderOf } from '../cli/folder.ts';
import { exitCodes, WfCommand } from '../cli/wf-command.ts';

/** What `wf fmt --json` prints. */
interface Report {
  readonly ok: boolean;
  readonly files: readonly FormattedFile[];
}

export default class Fmt extends WfCommand {
  static override summary = 'Bring files into their canonical layout.';
  static override description =
    'Comments and blank lines stay, scalars keep their style, texts of several lines keep their lines, and nothing changes what a file means. What does not parse is left alone. `-` reads standard input and writes standard output.';
  static override examples = [
    '<%= config.bin %> fmt',
    '<%= config.bin %> fmt formulas/release.yaml',
    '<%= config.bin %> fmt --check',
  ];
  static override strict = false;
  static override args = {
    paths: Args.string({ description: 'Files or folders; without any, the whole project.' }),
  };
  static override flags = {
    check: Flags.boolean({ description: 'Change nothing; exit code 1 when a file is laid out otherwise.' }),
  };

  async run(): Promise<Report> {
    const { argv, flags } = await this.parse(Fmt);
    if (argv.length === 1 && argv[0] === '-') return this.#throughPipe();
    const { openProject, projectPaths } = await import('../workspace/project-loader.ts');
    const { formatFiles } = await import('../cli/format-files.ts');

    const cwd = folderOf(flags);
    const project = openProject(cwd);
    const paths = argv.length === 0 ? await project.list() : projectPaths(project, argv as string[], cwd);
    const files = await formatFiles(
      project.root,
      paths.filter((path) => path.endsWith('.yaml')),
      { check: flags.check },
    );
    const changed = files.filter(({ did }) => did === 'changed');
    const left = files.filter(({ did }) => did === 'left');
    const ok = left.length === 0 && (!flags.check || changed.length === 0);
    if (!ok) process.exitCode = exitCodes.failed;
    if (this.jsonEnabled()) return { ok, files };
    for (const { file } of changed) this.log(flags.check ? `${file} is laid out otherwise` : file);
    for (const { file, why } of left)
      process.stderr.write(`${this.errorStyle.error('left')}  ${file}: ${why ?? ''}\n`);
    if (!flags.quiet) this.log(this.#tally(files.length, changed.length, flags.check));
    return { ok, files };
  }

  #tally(files: number, changed: number, check: boolean): string {
    const noun = (count: number) => `${count} file${count === 1 ? '' : 's'}`;
    if (changed === 0) return this.style.good(`${noun(files)} looked at, nothing to change`);
    return check
      ? `${noun(changed)} of ${files} would change: wf fmt`
      : `${noun(changed)} of ${files} changed`;
  }

  async #throughPipe(): Promise<Report> {
    const { text } = await import('node:stream/consumers');
    const { formatYaml } = await import('../source/format-yaml.ts');
    const source = await text(process.stdin);
    const formatted = formatYaml(source);
    if (!formatted.ok) {
      process.exitCode = exitCodes.failed;
      process.stderr.write(`${this.errorStyle.error('left')}  ${formatted.why}\n`);
    }
    // An editor puts in the place of its text whatever comes out.
    if (!this.jsonEnabled()) process.stdout.write(formatted.ok ? formatted.text : source);
    return { ok: formatted.ok, files: [] };
  }
}
