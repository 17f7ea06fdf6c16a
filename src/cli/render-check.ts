import { renderDiagnostics } from '../diagnostics/code-frame.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { TextStyle } from './text-style.ts';

/** What a check came to, as far as it is counted. */
interface Counted {
  readonly files: number;
  /** Of how many, where only some were looked at. */
  readonly of?: number;
  readonly diagnostics: readonly Diagnostic[];
  readonly ignored?: number;
}

/** Diagnostics with their lines, and a last line that counts; `quiet` leaves out that line when nothing was found. */
export function renderCheckReport(
  report: Counted,
  sources: ReadonlyMap<string, string>,
  style: TextStyle,
  quiet = false,
): string {
  const { diagnostics } = report;
  const told = diagnostics.length === 0 ? '' : `${renderDiagnostics(diagnostics, sources, { style })}\n`;
  return told + renderTally(report, style, quiet);
}

/** One line that says how much was found in how many files; with `quiet`, only when something was. */
export function renderTally(
  { diagnostics, files, of, ignored = 0 }: Counted,
  style: TextStyle,
  quiet = false,
): string {
  const number = of === undefined ? count(files, 'file') : `${files} of ${count(of, 'file')}`;
  const looked = `${number}${ignored > 0 ? `, ${ignored} ignored` : ''}`;
  if (diagnostics.length > 0) return `${tally(diagnostics, style)} in ${looked}`;
  if (quiet) return '';
  return files === 0
    ? 'nothing to check: there are no formulas here (`wf init` makes the first)'
    : style.good(`${number} checked, nothing to report${ignored > 0 ? `, ${ignored} ignored` : ''}`);
}

/** `2 errors and 1 warning`. */
export function tally(diagnostics: readonly Diagnostic[], style: TextStyle): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  return [
    ...(errors > 0 ? [style.error(count(errors, 'error'))] : []),
    ...(warnings > 0 ? [style.warning(count(warnings, 'warning'))] : []),
  ].join(' and ');
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
