import type { CodeAction, Diagnostic } from 'vscode-languageserver/node';
import { CodeActionKind, DiagnosticSeverity } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { mayBeIgnored } from '../checks/ignores.ts';
import { scalarAt } from './scalar-at.ts';

/**
 * Puts the name that was probably meant in the place of a misspelt one. Only where exactly that name is marked: a
 * diagnostic may mark more than the name, or suggest more than a name.
 */
export function quickFixes(document: TextDocument, diagnostics: readonly Diagnostic[]): CodeAction[] {
  return diagnostics.flatMap((diagnostic) => {
    const message = typeof diagnostic.message === 'string' ? diagnostic.message : diagnostic.message.value;
    if (diagnostic.source !== 'wf') return [];
    const actions: CodeAction[] = [];
    if (canStand(diagnostic)) actions.push(letStand(document, diagnostic));
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
