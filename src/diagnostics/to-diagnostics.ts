import type { Diagnostic, Finding, Misspelt, Position, Range, Span } from './diagnostic.ts';
import { LineIndex } from './line-index.ts';

/**
 * Findings in the form people and tools read: with lines and columns, sorted by file and then by place, each mistake
 * once. `sources` holds the text of every file a finding points into; in a file it does not hold all is at 1:1.
 */
export function toDiagnostics(
  findings: readonly Finding[],
  sources: ReadonlyMap<string, string>,
): Diagnostic[] {
  const indexes = new Map<string, LineIndex>();
  const rangeOf = (span: Span): Range => {
    let index = indexes.get(span.file);
    if (index === undefined) {
      index = new LineIndex(sources.get(span.file) ?? '');
      indexes.set(span.file, index);
    }
    return index.range(span.start, span.end);
  };

  const diagnostics = findings.map((finding): Diagnostic => {
    const { span } = finding;
    const place = finding.misspelt && placeOfName(sources.get(span.file) ?? '', span, finding.misspelt);
    return {
      rule: finding.rule,
      severity: finding.severity,
      message: finding.message,
      ...(finding.help === undefined ? {} : { help: finding.help }),
      ...(place && finding.misspelt && { fix: { range: rangeOf(place), text: finding.misspelt.meant } }),
      file: span.file,
      range: rangeOf(span),
      ...(finding.related === undefined || finding.related.length === 0
        ? {}
        : {
            related: finding.related.map(({ message, span: place }) => ({
              message,
              file: place.file,
              range: rangeOf(place),
            })),
          }),
    };
  });
  return sortDiagnostics(diagnostics);
}

/**
 * Where a misspelt name stands by itself, so that another one can take its place: alone, in quotes, or at the end of a
 * path. Undefined where it is written in another way (with escapes, over lines), or would have to be.
 */
function placeOfName(
  text: string,
  { file, start, end }: Span,
  { written, meant }: Misspelt,
): Span | undefined {
  // Where a word would be something else than a text, the old one cannot just be replaced.
  if (!/^[\w./-]+$/.test(meant) || /^(?:true|false|null|[\d.]+)$/.test(meant)) return undefined;
  const marked = text.slice(start, end);
  if (marked === written) return { file, start, end };
  if (marked === `"${written}"` || marked === `'${written}'`) return { file, start: start + 1, end: end - 1 };
  return marked.endsWith(`.${written}`) ? { file, start: end - written.length, end } : undefined;
}

/** Diagnostics in the order of files and of places in them, each mistake once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics
    .filter(({ file, range, rule, message }) => {
      const identity = JSON.stringify([file, range, rule, message]);
      return !seen.has(identity) && seen.add(identity);
    })
    .sort(compare);
}

// Rule and message come last, so that the order does not depend on which check ran first.
function compare(a: Diagnostic, b: Diagnostic): number {
  return (
    compareText(a.file, b.file) ||
    comparePositions(a.range.start, b.range.start) ||
    comparePositions(a.range.end, b.range.end) ||
    compareText(a.rule, b.rule) ||
    compareText(a.message, b.message)
  );
}

function comparePositions(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}

// By code units and not by locale: the order must be the same on every machine.
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
