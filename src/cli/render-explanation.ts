import { showDuration } from '../formula/duration.ts';
import type { ExplainedValue, Explanation, Origin } from '../plan/explain.ts';
import type { OutlineLine, OutlineOptions } from './outline.ts';
import { layOut, line } from './outline.ts';

/** Columns that a key takes at most, before its value moves on. */
const WIDEST_KEY = 24;

/** Columns for values in a file or pipe. */
const WIDEST_VALUE = 88;

/** Columns for places at a terminal, as long as values leave them. */
const WIDEST_PLACE = 48;

/** Values and where they came from, a line each: the formula's own, then those of each step. */
export function renderExplanation({ formula, values, steps }: Explanation, options: OutlineOptions): string {
  const sections = [
    ...(values.length > 0 ? [{ title: formula, at: undefined, values }] : []),
    ...steps.map(({ step, at, values: own }) => ({ title: step, at, values: own })),
  ];
  const all = sections.flatMap((section) => section.values);
  const keys = Math.min(WIDEST_KEY, Math.max(0, ...all.map(({ key }) => key.length)));
  const places = Math.min(WIDEST_PLACE, Math.max(0, ...all.map(({ from }) => originText(from).length)));
  const most = options.width === undefined ? WIDEST_VALUE : Math.max(16, options.width - keys - places - 6);
  const texts = Math.max(0, ...all.map((value) => textOf(value, most).length));
  const lines = sections.flatMap(({ title, at, values: own }, index): OutlineLine[] => [
    ...(index > 0 ? [line(0)] : []),
    line(0, [title, 'strong'], [at ? `  ${at.file}:${at.line}` : '', 'faint']),
    ...own.map((value) =>
      line(
        1,
        [value.key.padEnd(keys), 'name'],
        ['  ', 'plain'],
        [textOf(value, most).padEnd(texts), 'code'],
        ['  ', 'plain'],
        [originText(value.from), 'faint'],
      ),
    ),
  ]);
  return layOut(lines, options);
}

function textOf({ key, value }: ExplainedValue, most: number): string {
  const text =
    key === 'timeout' && typeof value === 'number'
      ? showDuration(value)
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
  const [first = '', ...rest] = text.trim().split('\n');
  if (rest.length === 0 && first.length <= most) return first;
  return `${first.slice(0, most - 1)}…`;
}

function originText(from: Origin): string {
  switch (from.kind) {
    case 'default':
      return 'default';
    case 'formula':
      return place(from.at);
    case 'wf.yaml':
      return place(from.at);
    case 'follows':
      return from.at ? `${from.why} (${place(from.at)})` : from.why;
    case 'molecule':
    case 'used formula':
    case 'extended formula':
    case 'aspect':
    case 'profile':
      return `${place(from.at)}  ${from.kind} ${from.name}`;
  }
}

function place({
  file,
  line: row,
  column,
}: {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}): string {
  return `${file}:${row}:${column}`;
}
