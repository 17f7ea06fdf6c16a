import type { Mismatch } from './judge.ts';

/** The text of a file of tests with its snapshots as they should be; everything else stays as it is, to the letter. */
export function updateSnapshots(text: string, mismatches: readonly Mismatch[]): string {
  const edits = mismatches
    .flatMap(({ span, update }) => (update === undefined ? [] : [{ ...span, update }]))
    .sort((a, b) => b.start - a.start);
  let updated = text;
  for (const { start, end, update } of edits) {
    const lineStart = updated.lastIndexOf('\n', start - 1) + 1;
    const before = updated.slice(lineStart, start);
    const written = yamlText(update.replace(/\s+$/, ''), before);
    // A block scalar's span ends with its last line end, which stays.
    const tail = updated.slice(start, end).endsWith('\n') ? '\n' : '';
    updated = updated.slice(0, start) + written + tail + updated.slice(end);
  }
  return updated;
}

/** A text as a YAML scalar behind `before`, the beginning of its line: as a block where it has several lines and may. */
function yamlText(text: string, before: string): string {
  const [, indent] = /^( *)[\w."'[\]-]+: +$/.exec(before) ?? [];
  if (!/[\n\u0000-\u0008\u000b-\u001f\u007f\u0085\u2028\u2029\ufeff]/.test(text))
    return `'${text.replaceAll("'", "''")}'`;
  const fitsBlock =
    indent !== undefined &&
    /^[^\s\u0000-\u001f][^\u0000-\u0008\u000b-\u001f\u007f\u0085\u2028\u2029\ufeff]*$/.test(text);
  if (!fitsBlock) return JSON.stringify(text);
  const lines = text.split('\n').map((line) => (line === '' ? '' : `${indent}  ${line}`));
  return `|-\n${lines.join('\n')}`;
}
