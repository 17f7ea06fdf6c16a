import type { Loader } from '../formula/loader.ts';

const utf8 = new TextEncoder();

/** The files of a project as an editor shows them: a text that is open stands for its file, saved or not. */
export function overlay(files: Loader, open: ReadonlyMap<string, string>): Loader {
  return {
    list: async () => [...new Set([...(await files.list()), ...[...open.keys()].filter(isListed)])].sort(),
    read: (path) => {
      const text = open.get(path);
      return text === undefined ? files.read(path) : Promise.resolve(utf8.encode(text));
    },
    exists: (path) => (open.has(path) ? Promise.resolve(true) : files.exists(path)),
  };
}

/** Whether a file belongs to a project by its place; of other YAML an editor shows nothing is known. */
export function isListed(path: string): boolean {
  return path === 'wf.yaml' || path === 'wf.lock' || /^(?:formulas|molecules)\/.+\.ya?ml$/.test(path);
}
