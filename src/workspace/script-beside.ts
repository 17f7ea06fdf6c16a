import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The file of a program of ours that runs apart, by the address of a module in this folder: beside it among the sources,
 * beside or above the chunk in a build.
 */
export function scriptBeside(module: string, name: string): string {
  const here = fileURLToPath(module);
  if (here.endsWith('.ts')) return join(dirname(here), `${name}.ts`);
  const candidates = [dirname(here), dirname(dirname(here))].flatMap((folder) => [
    join(folder, `${name}.js`),
    join(folder, 'workspace', `${name}.js`),
  ]);
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error(`this build of wf lacks ${name}.js`);
  return found;
}
