/** What a step may change, in words. */
export function changesText(check: {
  readonly only?: readonly string[];
  readonly never?: readonly string[];
  readonly maxFiles?: number;
  readonly maxLines?: number;
  readonly implied?: true;
}): string {
  if (check.implied) return 'changes no files, as `effects` says';
  const { only, never, maxFiles, maxLines } = check;
  return [
    ...(only ? [`changes only ${only.join(', ')}`] : []),
    ...(never ? [`never changes ${never.join(', ')}`] : []),
    ...(maxFiles === undefined ? [] : [`changes at most ${maxFiles} files`]),
    ...(maxLines === undefined ? [] : [`changes at most ${maxLines} lines`]),
  ].join('; ');
}
