import { UserError } from '../support/user-error.ts';
import { gitAtOnce } from './git.ts';
import type { ProjectFolder } from './project-loader.ts';
import { resolveRevision } from './project-revision.ts';

/** What differs from a revision, and what may lie between that and a formula. Paths are relative to the project. */
export interface ChangedFiles {
  /** Where the histories parted. Absent: nothing here says so, and the revision itself was compared with. */
  readonly parted?: string;
  /** Committed since, staged, changed, new or gone. */
  readonly changed: ReadonlySet<string>;
  /** Files in which something is looked up from others: schemas. */
  readonly others: readonly string[];
}

/**
 * Files of a project that differ from where its history and that of a revision parted: what somebody else has committed to
 * the revision since does not count. Throws a {@link UserError} without a repository or such a revision.
 */
export function changedFiles(project: ProjectFolder, revision: string): ChangedFiles {
  const { root } = project;
  const commit = resolveRevision(root, revision);
  const parted = gitAtOnce(['merge-base', commit, 'HEAD'], root)?.toString('utf8').trim();
  const names = (args: readonly string[]) => {
    const output = gitAtOnce(args, root);
    // Nothing said is not the same as nothing changed.
    if (!output)
      throw new UserError(`git cannot tell what differs from ${revision}: \`git ${args[0] ?? ''}\` failed`);
    return output
      .toString('utf8')
      .split('\0')
      .filter((name) => name !== '');
  };
  const differing = names(['diff', '--name-only', '-z', '--no-renames', '--relative', parted ?? commit]);
  const fresh = names(['ls-files', '--others', '--exclude-standard', '-z']);
  return {
    ...(parted !== undefined && { parted }),
    changed: new Set([...differing, ...fresh]),
    others: names([
      'ls-files',
      '--cached',
      '--others',
      '--exclude-standard',
      '-z',
      '--',
      '*.json',
      '*.yaml',
      '*.yml',
    ]),
  };
}
