import type { CodeAction, Diagnostic } from 'vscode-languageserver/node';
import { CodeActionKind, DiagnosticSeverity } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';

/**
 * Puts the name that was probably meant in the place of a misspelt one. Only where exactly that name is marked: a
 * diagnostic may mark more than the name, or suggest more than a name.
 */
export function quickFixes(document: TextDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const message = typeof diagnostic.message === 'string' ? diagnostic.message : diagnostic.message.value;
    if (diagnostic.source !== 'wf') return [];
    const actions: CodeAction[] = [];
    if (diagnostic.severity === DiagnosticSeverity.Warning) actions.push(letStand(document, diagnostic));
    const meant = /\ndid you mean "([\w./-]+)"\?$/.exec(message)?.[1];
    const written = document.getText(diagnostic.range);
    if (meant === undefined || !/^[\w./-]+$/.test(written) || !message.includes(`"${written}"`))
      return actions;
    return [
      ...actions,
      {
        title: `Write "${meant}"`,
        kind: CodeActionKind.QuickFix,
        isPreferred: true,
        diagnostics: [diagnostic],
        edit: { changes: { [document.uri]: [{ range: diagnostic.range, newText: meant }] } },
      },
    ];
  });
}

/** A comment above the line that lets a warning stand; its reason is for its author to write. */
function letStand(document: TextDocument, diagnostic: Diagnostic): CodeAction {
  const { line } = diagnostic.range.start;
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
