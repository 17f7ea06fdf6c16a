import { NotKnown } from '../formula/not-known.ts';
import { RenderError } from '../formula/render-error.ts';
import type { RenderWorld } from '../formula/render-template.ts';
import { gitAtOnce } from '../workspace/git.ts';
import { MOST_BYTES } from './files-in.ts';

/**
 * The files that `{{file …}}` finds in a clone of a project at a revision, without making one. Undefined when there is no
 * such revision, or no repository.
 */
export function filesAt(project: string, revision: string): RenderWorld | undefined {
  const commit = gitAtOnce(['rev-parse', '--verify', '-q', `${revision}^{commit}`], project)
    ?.toString()
    .trim();
  if (commit === undefined) return undefined;
  return {
    readFile(path) {
      const refuse = (why: string) => new RenderError(`{{file}} cannot read "${path}": ${why}`);
      if (path.startsWith('/')) throw refuse('the path is not relative to the workspace');
      if (path.split('/').includes('..')) throw refuse('it is outside of the workspace');
      const listed = gitAtOnce(['ls-tree', '-z', '-l', commit, '--', `./${path}`], project)?.toString() ?? '';
      const [, mode, type, object, size] = /^(\d+) (\w+) (\w+) +(\S+)\t/.exec(listed) ?? [];
      if (object === undefined) throw refuse('there is no such file');
      // A clone would have what the link leads to.
      if (mode === '120000') throw new NotKnown([`file ${path}`]);
      if (type !== 'blob') throw refuse('it is not a file');
      if (Number(size) > MOST_BYTES)
        throw refuse(`it has ${size} bytes, and at most ${MOST_BYTES} fit into a text`);
      return gitAtOnce(['cat-file', 'blob', object], project)?.toString('utf8') ?? '';
    },
  };
}
