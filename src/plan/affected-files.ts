import type { Loader } from '../formula/loader.ts';

/**
 * Files of a project that a change of some files may have a word in: those files themselves, and whatever names one of
 * them, directly or through others. Names are looked for as text, so that there may be too many among them and never
 * too few; a change of `wf.yaml` or `wf.lock` is one for all. `others` are further files that may lie in between, such as schemas.
 */
export async function affectedFiles(
  loader: Loader,
  changed: ReadonlySet<string>,
  others: readonly string[],
): Promise<readonly string[]> {
  const paths = await loader.list();
  if (changed.has('wf.yaml') || changed.has('wf.lock')) return paths;
  const texts = new Map<string, string>();
  for (const path of new Set([...paths, ...others])) {
    const bytes = await loader.read(path).catch(() => undefined);
    if (bytes) texts.set(path, Buffer.from(bytes).toString('latin1'));
  }
  const affected = new Set(changed);
  for (let stems = [...changed].map(stemOf); stems.length > 0;) {
    const found = [...texts].flatMap(([path, text]) =>
      !affected.has(path) && stems.some((stem) => text.includes(stem) || path.includes(stem)) ? [path] : [],
    );
    for (const path of found) affected.add(path);
    stems = found.map(stemOf);
  }
  // What its policy names is woven into all.
  return affected.has('wf.yaml') ? paths : paths.filter((path) => affected.has(path));
}

/** What others call a file: `fix-file` for molecules/fix-file.yaml and for its tests. */
function stemOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return Buffer.from(name.replace(/\..*$/, '') || name).toString('latin1');
}
