import type { Loader } from '../../src/formula/loader.ts';

/** The files of a project by path. */
export type Files = Readonly<Record<string, string>>;

/** A {@link Loader} over texts, for what is plain computation up to the plan. */
export function memoryLoader(files: Files): Loader {
  return {
    list: () =>
      Promise.resolve(
        Object.keys(files)
          .filter((path) => /^(wf\.lock|wf\.ya?ml|(formulas|molecules)\/.+\.ya?ml)$/.test(path))
          .sort(),
      ),
    read: (path) => {
      const text = files[path];
      return Promise.resolve(text === undefined ? undefined : new TextEncoder().encode(text));
    },
    exists: (path) => Promise.resolve(path in files),
  };
}

/**
 * Splits a fixture into files. Each begins with a line `# file: <path>`; what stands before the first such line is
 * `formulas/a.yaml`.
 */
export function splitFiles(text: string): Files {
  const files: Record<string, string> = {};
  let path = 'formulas/a.yaml';
  for (const line of text.split(/(?<=\n)/)) {
    const marker = /^# file: (\S+)\s*$/.exec(line);
    if (marker) {
      path = String(marker[1]);
      files[path] = '';
    } else {
      files[path] = (files[path] ?? '') + line;
    }
  }
  return files;
}
