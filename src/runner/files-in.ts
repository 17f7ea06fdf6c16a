import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';
import { RenderError } from '../formula/render-template.ts';
import type { RenderWorld } from '../formula/render-template.ts';

/** `{{file path}}` puts at most this many bytes into a text. */
export const MOST_BYTES = 256 * 1024;

/** The files that templates of a step may read: those of the directory it works in, links that leave it not followed. */
export function filesIn(directory: string): RenderWorld {
  return {
    readFile(path) {
      const refuse = (why: string) => new RenderError(`{{file}} cannot read "${path}": ${why}`);
      if (isAbsolute(path)) throw refuse('the path is not relative to the workspace');
      let real: string;
      try {
        real = realpathSync(join(directory, path));
      } catch {
        throw refuse('there is no such file');
      }
      const root = realpathSync(directory);
      if (!real.startsWith(root + sep)) throw refuse('it is outside of the workspace');
      const stat = lstatSync(real);
      if (!stat.isFile()) throw refuse('it is not a file');
      if (stat.size > MOST_BYTES)
        throw refuse(`it has ${stat.size} bytes, and at most ${MOST_BYTES} fit into a text`);
      return readFileSync(real, 'utf8');
    },
  };
}

/** Where there are none. */
export const noFiles: RenderWorld = {
  readFile: (path) => {
    throw new RenderError(`{{file}} cannot read "${path}": there is no such file`);
  },
};
