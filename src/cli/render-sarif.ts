import { createHash } from 'node:crypto';
import type { Log, PhysicalLocation, ReportingDescriptor, Result } from 'sarif';
import type { Diagnostic, Range } from '../diagnostics/diagnostic.ts';

export interface SarifContext {
  readonly version: string;
  /** Where the project is in its repository: empty, or with a slash at its end. */
  readonly prefix: string;
  /** The texts that the diagnostics point into, by path. */
  readonly sources: ReadonlyMap<string, string>;
  /** The page of a rule, in Markdown. */
  readonly pageOf: (rule: string) => string | undefined;
}

/**
 * Diagnostics as a SARIF 2.1.0 log (OASIS standard), which code-scanning services keep and compare. A result keeps its
 * fingerprint when lines above it come and go.
 */
export function toSarif(diagnostics: readonly Diagnostic[], context: SarifContext): Log {
  const ids = [...new Set(diagnostics.map(({ rule }) => rule))].sort();
  const rules = ids.map((id) => descriptor(id, context.pageOf(id)));
  const prints = new Fingerprints(context.sources);
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'wf', semanticVersion: context.version, rules } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: 'The root of the repository.' } } },
        results: diagnostics.map((diagnostic) => ({
          ...resultOf(diagnostic, context.prefix),
          ruleIndex: ids.indexOf(diagnostic.rule),
          partialFingerprints: { 'ruleAndLine/v1': prints.of(diagnostic) },
        })),
      },
    ],
  };
}

function descriptor(id: string, page: string | undefined): ReportingDescriptor {
  // A page is a title, one sentence about what holds, then why, then examples.
  const [, summary = id] = page?.split('\n\n') ?? [];
  const text = summary.replaceAll('\n', ' ');
  return {
    id,
    shortDescription: { text },
    ...(page !== undefined && { help: { text: page, markdown: page } }),
  };
}

function resultOf(
  { rule, severity, message, help, file, range, related = [] }: Diagnostic,
  prefix: string,
): Result {
  return {
    ruleId: rule,
    level: severity,
    message: { text: help === undefined ? message : `${message}\nhelp: ${help}` },
    locations: [{ physicalLocation: place(prefix + file, range) }],
    ...(related.length > 0 && {
      relatedLocations: related.map((one, id) => ({
        id,
        message: { text: one.message },
        physicalLocation: place(prefix + one.file, one.range),
      })),
    }),
  };
}

function place(path: string, { start, end }: Range): PhysicalLocation {
  return {
    artifactLocation: { uri: path.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'SRCROOT' },
    region: {
      startLine: start.line,
      startColumn: start.column,
      endLine: end.line,
      // The column after the last character, as ours.
      endColumn: end.column,
    },
  };
}

/** The rule, and the text of the line it was found in; the same again in one file is counted. */
class Fingerprints {
  readonly #sources: ReadonlyMap<string, string>;
  readonly #lines = new Map<string, readonly string[]>();
  readonly #met = new Map<string, number>();

  constructor(sources: ReadonlyMap<string, string>) {
    this.#sources = sources;
  }

  of({ rule, file, range }: Diagnostic): string {
    let lines = this.#lines.get(file);
    if (!lines) this.#lines.set(file, (lines = (this.#sources.get(file) ?? '').split('\n')));
    const what = JSON.stringify([rule, file, lines[range.start.line - 1]?.trim() ?? '']);
    const times = (this.#met.get(what) ?? 0) + 1;
    this.#met.set(what, times);
    return createHash('sha256').update(`${what} ${times}`).digest('hex').slice(0, 32);
  }
}
