import type { CodeAction, Diagnostic } from 'vscode-languageserver/node';
import { CodeActionKind, DiagnosticSeverity, TextEdit } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { mayBeIgnored } from '../checks/ignores.ts';
import { scalarAt } from './scalar-at.ts';

/**
 * What an editor can do about diagnostics: write the text that would mend one, which the server sent with it, and let one
 * stand that can be.
 */
export function quickFixes(document: TextDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    if (diagnostic.source !== 'wf') return [];
    const mended = mend(document, diagnostic);
    return [...(mended ? [mended] : []), ...(canStand(diagnostic) ? [letStand(document, diagnostic)] : [])];
  });
}

function mend(document: TextDocument, diagnostic: Diagnostic): CodeAction | undefined {
  // What comes back from an editor may be anything.
  const edit: unknown = diagnostic.data;
  if (!TextEdit.is(edit)) return undefined;
  return {
    title: `Write "${edit.newText}"`,
    kind: CodeActionKind.QuickFix,
    isPreferred: true,
    diagnostics: [diagnostic],
    edit: { changes: { [document.uri]: [edit] } },
  };
}

/** Whether a comment can let it stand; what is told of such comments themselves is mended where they are. */
function canStand({ code, severity }: Diagnostic): boolean {
  const rule = String(code);
  return (
    rule !== 'unused-ignore' &&
    mayBeIgnored({ rule, severity: severity === DiagnosticSeverity.Warning ? 'warning' : 'error' })
  );
}

/** A comment above the line that lets a finding stand; its reason is for its author to write. */
function letStand(document: TextDocument, diagnostic: Diagnostic): CodeAction {
  const line = lineOutside(document, diagnostic);
  const start = { line, character: 0 };
  const [indent = ''] =
    /^[ \t]*/.exec(document.getText({ start, end: { line: line + 1, character: 0 } })) ?? [];
  const rule = String(diagnostic.code);
  return {
    title: `Let it stand: # wf-ignore: ${rule} <reason>`,
    kind: CodeActionKind.QuickFix,
    diagnostics: [diagnostic],
    edit: {
      changes: {
        [document.uri]: [
          { range: { start, end: start }, newText: `${indent}# wf-ignore: ${rule} <reason>\n` },
        ],
      },
    },
  };
}

/** The line that a diagnostic is on; of one inside of a text of several lines, where it would be a part of it, the first. */
function lineOutside(document: TextDocument, { range }: Diagnostic): number {
  const offset = document.offsetAt(range.start);
  const span = scalarAt(document.getText(), offset)?.scalar.span;
  return span && offset < span.end ? document.positionAt(span.start).line : range.start.line;
}
