import { renderDiagnostics } from '../diagnostics/code-frame.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { TextStyle } from './text-style.ts';

/** Diagnostics with their lines, and a last line that counts; `quiet` leaves out that line when nothing was found. */
export function renderCheckReport(
  report: { readonly files: number; readonly diagnostics: readonly Diagnostic[]; readonly ignored?: number },
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
  {
    diagnostics,
    files,
    ignored = 0,
  }: { readonly files: number; readonly diagnostics: readonly Diagnostic[]; readonly ignored?: number },
  style: TextStyle,
  quiet = false,
): string {
  const looked = `${count(files, 'file')}${ignored > 0 ? `, ${ignored} ignored` : ''}`;
  if (diagnostics.length > 0) return `${tally(diagnostics, style)} in ${looked}`;
  if (quiet) return '';
  return files === 0
    ? 'nothing to check: there are no formulas here (`wf init` makes the first)'
    : style.good(
        `${count(files, 'file')} checked, nothing to report${ignored > 0 ? `, ${ignored} ignored` : ''}`,
      );
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
