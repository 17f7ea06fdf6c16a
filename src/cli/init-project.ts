import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../support/user-error.ts';
import { initTemplates } from './init-templates.ts';
import type { TextStyle } from './text-style.ts';

/** What `wf init` did, file by file. */
export interface InitReport {
  /** Absolute path. */
  readonly root: string;
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

/** Makes a project in a folder. A file that is there stays as it is. */
export function initProject(folder: string): InitReport {
  const root = resolve(folder);
  const files = initTemplates().map(({ path, text, about, instead }): InitFile => {
    const file = join(root, path);
    if (make(file, text)) return { path, about, did: 'made' };
    const todo = instead?.(readFileSync(file, 'utf8'));
    return { path, about, did: 'kept', ...(todo !== undefined && { todo }) };
  });
  return { root, files };
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
  { root, files }: InitReport,
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
      : `a project in ${style.strong(root)}`,
    ...lines,
    '',
    'next',
    ...next.map((command) => `  ${style.help(command)}`),
  ].join('\n');
}
