import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../support/ids.ts';
import { makeUnversionedFolder } from '../support/unversioned-folder.ts';
import type { CheckStore } from '../plan/check-memory.ts';
import type { ProjectFolder } from './project-loader.ts';

/**
 * The memory of checks in `.wf/cache`, of which each process writes a whole one: the last stays. None for sources,
 * which change without a new version.
 */
export function checkStore(project: ProjectFolder, profile = ''): CheckStore | undefined {
  const build = process.env['WF_BUILD'];
  if (build === undefined) return undefined;
  const home = join(project.root, '.wf');
  const file = join(home, 'cache', 'check.json');
  return {
    version: `${build} ${profile}`,
    fewest: 100,
    load: () => readFile(file, 'utf8').catch(() => undefined),
    save: async (text) => {
      const fresh = `${file}.${newId()}`;
      try {
        makeUnversionedFolder(home);
        await mkdir(join(home, 'cache'), { recursive: true });
        await writeFile(fresh, text);
        await rename(fresh, file);
      } catch {
        await rm(fresh, { force: true }).catch(() => undefined);
      }
    },
  };
}

/** The memory of one process, for checks one after the other. */
export function storeInProcess(): CheckStore {
  let kept: string | undefined;
  return {
    version: '',
    fewest: 0,
    load: () => Promise.resolve(kept),
    save: (text) => {
      kept = text;
      return Promise.resolve();
    },
  };
}
