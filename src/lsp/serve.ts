import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  CodeActionKind,
  createConnection,
  DiagnosticSeverity,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import type { Diagnostic as EditorDiagnostic, Range as EditorRange } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Diagnostic, Range } from '../diagnostics/diagnostic.ts';
import type { Loader } from '../formula/loader.ts';
import { checkProject } from '../plan/check-project.ts';
import { formatYaml } from '../source/format-yaml.ts';
import { definitionAt } from './definition.ts';
import { isListed, overlay } from './overlay.ts';
import { quickFixes } from './quick-fixes.ts';
import { symbolsOf } from './symbols.ts';

/** What the server is given: the project it is for. */
export interface Served extends Loader {
  /** Absolute path, links resolved. */
  readonly root: string;
}

/**
 * Speaks the Language Server Protocol over standard input and output. It never returns: the process ends when the editor
 * says so, closes the stream, or is gone.
 */
export function serve(project: Served, profile: string | undefined): Promise<never> {
  const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
  const documents = new TextDocuments(TextDocument);

  connection.onInitialize(() => ({
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      documentFormattingProvider: true,
      documentSymbolProvider: true,
      definitionProvider: true,
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    },
    serverInfo: { name: 'wf' },
  }));

  /** Open files of the project, by path. */
  const open = () =>
    new Map(
      documents.all().flatMap((document) => {
        const path = pathOf(project.root, document.uri);
        return path === undefined ? [] : [[path, document] as const];
      }),
    );

  const checkOpen = async () => {
    const shown = open();
    if (shown.size === 0) return;
    const versions = new Map([...shown].map(([path, { version }]) => [path, version]));
    const texts = new Map([...shown].map(([path, document]) => [path, document.getText()]));
    const { diagnostics } = await checkProject(overlay(project, texts), {
      paths: [...shown.keys()],
      ...(profile !== undefined && { profile }),
    });
    for (const [path, { uri, version }] of shown) {
      // It was typed on in the meantime, or closed: the next round tells.
      if (version !== versions.get(path) || !documents.get(uri)) continue;
      await connection.sendDiagnostics({
        uri,
        version,
        diagnostics: diagnostics
          .filter(({ file }) => file === path)
          .map((diagnostic) => toEditor(project.root, diagnostic)),
      });
    }
  };

  // One check at a time; what is typed meanwhile is checked once, by the round after it. All open files are looked at
  // each time, since any of them may depend on the one that changed.
  let running = false;
  let isDue = false;
  const check = () => {
    isDue = true;
    if (running) return;
    running = true;
    void (async () => {
      while (isDue) {
        isDue = false;
        await checkOpen().catch((error: unknown) => {
          connection.console.error(error instanceof Error ? error.message : String(error));
        });
      }
      running = false;
    })();
  };
  documents.onDidChangeContent(check);
  documents.onDidSave(check);
  documents.onDidClose(({ document }) => {
    void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
    check();
  });

  connection.onDocumentFormatting(({ textDocument }) => {
    const document = documents.get(textDocument.uri);
    if (!document || pathOf(project.root, document.uri) === undefined) return [];
    const text = document.getText();
    const formatted = formatYaml(text);
    if (!formatted.ok || formatted.text === text) return [];
    const range = { start: document.positionAt(0), end: document.positionAt(text.length) };
    return [{ range, newText: formatted.text }];
  });

  const ours = (uri: string) => (pathOf(project.root, uri) === undefined ? undefined : documents.get(uri));
  connection.onDocumentSymbol(({ textDocument }) => {
    const document = ours(textDocument.uri);
    return document ? symbolsOf(document) : [];
  });
  connection.onDefinition(async ({ textDocument, position }) => {
    const document = ours(textDocument.uri);
    const found = document && definitionAt(document.getText(), document.offsetAt(position));
    if (!found) return null;
    if (found.kind === 'here') {
      const { start, end } = found.span;
      return {
        uri: document.uri,
        range: { start: document.positionAt(start), end: document.positionAt(end) },
      };
    }
    if (!open().has(found.path) && !(await project.exists(found.path))) return null;
    const top = { line: 0, character: 0 };
    return { uri: pathToFileURL(join(project.root, found.path)).href, range: { start: top, end: top } };
  });
  connection.onCodeAction(({ textDocument, context }) => {
    const document = ours(textDocument.uri);
    return document ? quickFixes(document, context.diagnostics) : [];
  });

  documents.listen(connection);
  connection.listen();
  return new Promise<never>(() => undefined);
}

/** Where a document stands in the project; undefined for what is no part of it. */
function pathOf(root: string, uri: string): string | undefined {
  if (!uri.startsWith('file:')) return undefined;
  const file = fileURLToPath(uri);
  const path = relative(root, join(realFolder(dirname(file)), basename(file)))
    .split(sep)
    .join('/');
  return isListed(path) ? path : undefined;
}

/** A folder without links; one that is not there yet, as it is called. */
function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function toEditor(root: string, { rule, severity, message, help, ...place }: Diagnostic): EditorDiagnostic {
  return {
    source: 'wf',
    code: rule,
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    message: help === undefined ? message : `${message}\n${help}`,
    range: toEditorRange(place.range),
    ...(place.related && {
      relatedInformation: place.related.map((related) => ({
        message: related.message,
        location: {
          uri: pathToFileURL(join(root, related.file)).href,
          range: toEditorRange(related.range),
        },
      })),
    }),
  };
}

/** The protocol counts lines and columns from 0. */
function toEditorRange({ start, end }: Range): EditorRange {
  return {
    start: { line: start.line - 1, character: start.column - 1 },
    end: { line: end.line - 1, character: end.column - 1 },
  };
}
