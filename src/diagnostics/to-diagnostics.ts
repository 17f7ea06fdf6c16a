import type { Diagnostic, Finding, Position, Range, Span } from './diagnostic.ts';
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
    return {
      rule: finding.rule,
      severity: finding.severity,
      message: finding.message,
      ...(finding.help === undefined ? {} : { help: finding.help }),
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
