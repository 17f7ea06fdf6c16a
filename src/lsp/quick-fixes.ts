import type { CodeAction, Diagnostic } from 'vscode-languageserver/node';
import { CodeActionKind } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';

/**
 * Puts the name that was probably meant in the place of a misspelt one. Only where exactly that name is marked: a
 * diagnostic may mark more than the name, or suggest more than a name.
 */
export function quickFixes(document: TextDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const message = typeof diagnostic.message === 'string' ? diagnostic.message : diagnostic.message.value;
    const meant = /\ndid you mean "([\w./-]+)"\?$/.exec(message)?.[1];
    const written = document.getText(diagnostic.range);
    if (diagnostic.source !== 'wf' || meant === undefined) return [];
    if (!/^[\w./-]+$/.test(written) || !message.includes(`"${written}"`)) return [];
    return [
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
