import type { Expression } from './expression.ts';
import type { Template } from './template.ts';

/**
 * A stretch of a text with other names for some of those that its paths begin with: in a plan the same name may mean
 * something else than where the text was written.
 */
export function renameRoots(
  text: Template | Expression,
  names: ReadonlyMap<string | number, string>,
  start = 0,
  end = text.text.length,
): string {
  const places = text.references
    .filter(
      ({ path, rootStart, rootEnd }) => names.has(path[0] ?? '') && rootStart >= start && rootEnd <= end,
    )
    .sort((a, b) => a.rootStart - b.rootStart);
  let renamed = '';
  let last = start;
  for (const { path, rootStart, rootEnd } of places) {
    renamed += `${text.text.slice(last, rootStart)}${names.get(path[0] ?? '') ?? ''}`;
    last = rootEnd;
  }
  return renamed + text.text.slice(last, end);
}
