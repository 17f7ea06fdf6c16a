import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../support/user-error.ts';
import { gitAtOnce } from '../workspace/git.ts';
import type { CiService } from './ci-templates.ts';
import { ciTemplate } from './ci-templates.ts';
import type { Template } from './init-templates.ts';
import { initTemplates } from './init-templates.ts';
import type { TextStyle } from './text-style.ts';

/** What `wf init` did, file by file. */
export interface InitReport {
  /** Absolute path. */
  readonly root: string;
  /** A whole project was made, and not only what was asked for beside it. */
  readonly isNew: boolean;
  readonly files: readonly InitFile[];
}

export interface InitFile {
  readonly path: string;
  readonly about: string;
  /** `kept`: it was there, and is as it was. */
  readonly did: 'made' | 'kept';
  /** What is left to do by hand. */
  readonly todo?: string;
}

export interface InitOptions {
  /** Also a file for CI; where there is a project already, that alone. */
  readonly ci?: CiService | undefined;
  /** Of this `wf`. */
  readonly version: string;
}

/** Makes a project in a folder. A file that is there stays as it is. */
export function initProject(folder: string, { ci, version }: InitOptions): InitReport {
  const root = resolve(folder);
  const isProject = ['wf.yaml', 'formulas'].some((name) => existsSync(join(root, name)));
  const templates: readonly Template[] = [
    ...(ci !== undefined && isProject ? [] : initTemplates()),
    ...(ci === undefined ? [] : [ciFile(ci, root, version)]),
  ];
  const files = templates.map(({ path, text, about, instead }): InitFile => {
    const file = join(root, path);
    if (make(file, text)) return { path, about, did: 'made' };
    const todo = instead?.(readFileSync(file, 'utf8'));
    return { path, about, did: 'kept', ...(todo !== undefined && { todo }) };
  });
  return { root, isNew: templates.length > 1, files };
}

/** The branch of the remote that others are merged into, or else the one that is checked out. */
function mainBranch(root: string): string {
  const said = (args: readonly string[]) =>
    gitAtOnce(args, root)
      ?.toString('utf8')
      .trim()
      .replace(/^origin\//, '');
  return (
    said(['symbolic-ref', '--short', 'refs/remotes/origin/HEAD']) ??
    said(['symbolic-ref', '--short', 'HEAD']) ??
    'main'
  );
}

/** The file for CI; one that is there is somebody's own, and is told what to add. */
function ciFile(service: CiService, root: string, version: string): Template {
  const hasLockfile = existsSync(join(root, 'package-lock.json'));
  const { path, text } = ciTemplate(service, { version, hasLockfile, branch: mainBranch(root) });
  return {
    path,
    text,
    about: 'checks, tests and dry-runs every formula, and tells what a change means',
    instead: (there) =>
      there.includes('wf check')
        ? undefined
        : `run in it: wf check, wf fmt --check, wf test, wf run --dry-run --all, wf plan --diff <base> --format markdown`,
  };
}

/** Writes a file unless there is one, also one that appears in this moment. */
function make(file: string, text: string): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(file, { throwIfNoEntry: false })?.isFile()) return false;
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'something else of that name is in the way'
        : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
          ? 'you may not write there'
          : (code ?? String(error));
    throw new UserError(`${file} cannot be made: ${why}`, { cause: error });
  }
}

/** What was made, what was left alone, and what to do next. */
export function renderInit(
  { root, isNew, files }: InitReport,
  folder: string | undefined,
  style: TextStyle,
): string {
  const width = Math.max(...files.map(({ path }) => path.length));
  const made = files.filter(({ did }) => did === 'made');
  const lines = files.map(({ path, about, did, todo }) => {
    const name = path.padEnd(width);
    if (did === 'made') return `  ${style.good('made')}  ${name}  ${style.faint(about)}`;
    return `  ${style.attention('kept')}  ${name}  ${todo ?? style.faint('it was there, and is as it was')}`;
  });
  const next = [
    ...(folder === undefined || folder === '.' ? [] : [`cd ${folder}`]),
    'wf check',
    'wf test',
    'wf run hello --dry-run',
    'wf run hello -i name=Ada',
  ];
  return [
    made.length === 0
      ? `nothing to do in ${root}: every file is there`
      : isNew
        ? `a project in ${style.strong(root)}`
        : `in ${style.strong(root)}`,
    ...lines,
    ...(isNew ? ['', 'next', ...next.map((command) => `  ${style.help(command)}`)] : []),
  ].join('\n');
}
