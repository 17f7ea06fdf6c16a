import type { Span } from '../diagnostics/diagnostic.ts';
import { importPlace } from './imports.ts';
import type { Name } from './names.ts';
import { fileOfName } from './names.ts';

/** Set for a name of an import in a file that is imported itself. */
export function nestedImport({ from }: Name, { file }: Span): string | undefined {
  return from !== undefined && importPlace(file)
    ? `what is imported cannot import: "${from}" is no part of this import`
    : undefined;
}

/**
 * The file to write, or what to import, so that a name leads to something.
 *
 * @param names all that there are, as `uses` says them
 */
export function whereItWouldBe(name: Name, { file }: Span, names: readonly string[]): string {
  if (importPlace(file)) return 'its owners have to have it themselves';
  if (name.from === undefined) return `it would be in ${fileOfName(name)}`;
  return names.some((one) => one.startsWith(`${name.from}/`))
    ? `at the commit that wf.lock pins, ${name.from} has no ${fileOfName(name)}; a later one may: \`wf lock --update ${name.from}\``
    : `name its repository in wf.yaml: \`imports: {${name.from}: {git: …, ref: …}}\``;
}
