import type { Diagnostic } from '../diagnostics/diagnostic.ts';

/**
 * Diagnostics as workflow commands of GitHub Actions, one a line, which show up beside the lines of a pull request.
 *
 * @param prefix where the project is in its repository: empty, or with a slash at its end
 */
export function renderGithub(diagnostics: readonly Diagnostic[], prefix: string): string {
  return diagnostics.map((diagnostic) => annotation(diagnostic, prefix)).join('\n');
}

function annotation(
  { severity, rule, message, help, file, range, related }: Diagnostic,
  prefix: string,
): string {
  const { start, end } = range;
  const properties = {
    file: prefix + file,
    line: start.line,
    endLine: end.line,
    // A place of several lines has no columns there. The last column is within the place, not after it.
    ...(start.line === end.line && { col: start.column, endColumn: Math.max(start.column, end.column - 1) }),
    title: rule,
  };
  const text = [
    message,
    ...(help === undefined ? [] : [`help: ${help}`]),
    ...(related ?? []).map((one) => `${prefix}${one.file}:${one.range.start.line}: ${one.message}`),
  ].join('\n');
  const listed = Object.entries(properties).map(
    ([name, value]) => `${name}=${escapeProperty(String(value))}`,
  );
  return `::${severity} ${listed.join(',')}::${escapeData(text)}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
