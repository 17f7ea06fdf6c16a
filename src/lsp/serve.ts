import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  CodeActionKind,
  createConnection,
  DiagnosticSeverity,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  LSPErrorCodes,
  MarkupKind,
  ProposedFeatures,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import type {
  Diagnostic as EditorDiagnostic,
  InitializeResult,
  Location,
  Position,
  Range as EditorRange,
  TextEdit,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Diagnostic, Range, Span } from '../diagnostics/diagnostic.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { checkProject } from '../plan/check-project.ts';
import { formatYaml } from '../source/format-yaml.ts';
import { complete } from './complete.ts';
import { hoverAt } from './hover.ts';
import { definitionOf, fileNamedAt, occurrenceAt, placesOf, whyNot } from './names.ts';
import { isListed, overlay } from './overlay.ts';
import { quickFixes } from './quick-fixes.ts';
import { symbolsOf } from './symbols.ts';

/** What the server is given: the project it is for. */
export interface Served extends Loader {
  /** Absolute path, links resolved. */
  readonly root: string;
}

/** What the server can do. */
const initialized: InitializeResult = {
  capabilities: {
    textDocumentSync: TextDocumentSyncKind.Incremental,
    documentFormattingProvider: true,
    documentSymbolProvider: true,
    definitionProvider: true,
    referencesProvider: true,
    renameProvider: { prepareProvider: true },
    hoverProvider: true,
    completionProvider: { triggerCharacters: ['.', '{', ' ', '/'] },
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  },
  serverInfo: { name: 'wf' },
};

/**
 * Speaks the Language Server Protocol over standard input and output. It never returns: the process ends when the editor
 * says so, closes the stream, or is gone.
 */
export function serve(project: Served, profile: string | undefined): Promise<never> {
  const connection = createConnection(ProposedFeatures.all, process.stdin, process.stdout);
  const documents = new TextDocuments(TextDocument);

  let watches = false;
  connection.onInitialize(({ capabilities: { workspace } }) => {
    watches = workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
    return initialized;
  });
  // What is not open changes as well: a branch is checked out, `wf lock` is run.
  connection.onInitialized(() => {
    if (!watches) return;
    void connection.client.register(DidChangeWatchedFilesNotification.type, {
      watchers: [{ globPattern: '**/{wf.yaml,wf.lock}' }, { globPattern: '**/*.{yaml,yml,json}' }],
    });
  });
  connection.onDidChangeWatchedFiles(() => check());

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
  /** A file that is open, with the project as the editor shows it. */
  const shownAt = (uri: string, position: Position) => {
    const document = ours(uri);
    const path = document && pathOf(project.root, uri);
    if (!document || path === undefined) return undefined;
    const texts = new Map([...open()].map(([name, one]) => [name, one.getText()]));
    const withText = (text: string) => overlay(project, new Map([...texts, [path, text]]));
    return { document, path, text: document.getText(), offset: document.offsetAt(position), withText };
  };
  const rangeIn = (document: TextDocument, start: number, end: number) => ({
    start: document.positionAt(start),
    end: document.positionAt(end),
  });
  /** A place in a file, open or not. */
  const locationOf = async ({ file, start, end }: Span): Promise<Location> => {
    const uri = pathToFileURL(join(project.root, file)).href;
    const shown = open().get(file);
    const bytes = shown ? undefined : await project.read(file);
    const document = shown ?? TextDocument.create(uri, 'yaml', 0, Buffer.from(bytes ?? []).toString('utf8'));
    return { uri: document.uri, range: rangeIn(document, start, end) };
  };

  connection.onCompletion(async ({ textDocument, position }) => {
    const at = shownAt(textDocument.uri, position);
    if (!at) return [];
    const { items, replaces } = await complete(at.path, at.text, at.offset, at.withText);
    const range = rangeIn(at.document, at.offset - replaces, at.offset);
    return items.map(({ insertText, label, ...item }) => ({
      ...item,
      label,
      textEdit: { range, newText: insertText ?? label },
    }));
  });
  connection.onHover(async ({ textDocument, position }) => {
    const at = shownAt(textDocument.uri, position);
    const found = at && (await hoverAt(at.withText(at.text), at.path, at.text, at.offset));
    if (!found) return null;
    return {
      contents: { kind: MarkupKind.Markdown, value: found.markdown },
      range: rangeIn(at.document, found.start, found.end),
    };
  });

  /** What has a name at a place, and the project that it is in. */
  const namedAt = async (uri: string, position: Position) => {
    const at = shownAt(uri, position);
    if (!at) return undefined;
    const opened = await Project.open(at.withText(at.text));
    const occurrence = await occurrenceAt(opened, at.path, at.offset);
    return { ...at, project: opened, occurrence };
  };
  connection.onDefinition(async ({ textDocument, position }) => {
    const at = await namedAt(textDocument.uri, position);
    if (!at) return null;
    const file = fileNamedAt(at.project, at.path, at.text, at.offset);
    if (file !== undefined) return locationOf({ file, start: 0, end: 0 });
    const found = at.occurrence && (await definitionOf(at.project, at.occurrence.of));
    return found ? locationOf(found) : null;
  });
  connection.onReferences(async ({ textDocument, position, context }, token) => {
    const at = await namedAt(textDocument.uri, position);
    if (!at?.occurrence) return [];
    const all = await placesOf(at.project, at.occurrence.of, () => token.isCancellationRequested);
    return Promise.all(
      all
        .filter((one) => context.includeDeclaration || !one.isDefinition)
        .map(({ span }) => locationOf(span)),
    );
  });
  connection.onPrepareRename(async ({ textDocument, position }) => {
    const at = await namedAt(textDocument.uri, position);
    const found = at?.occurrence;
    if (!found) return null;
    return { range: rangeIn(at.document, found.span.start, found.span.end), placeholder: found.of.name };
  });
  connection.onRenameRequest(async ({ textDocument, position, newName }, token) => {
    const at = await namedAt(textDocument.uri, position);
    if (!at?.occurrence) return null;
    const problem = await whyNot(at.project, at.occurrence.of, newName);
    if (problem !== undefined) return new ResponseError(ErrorCodes.InvalidRequest, problem);
    const all = await placesOf(at.project, at.occurrence.of, () => token.isCancellationRequested);
    // Half of a rename is worse than none.
    if (token.isCancellationRequested)
      return new ResponseError(LSPErrorCodes.RequestCancelled, 'the rename was cancelled');
    const changes: Record<string, TextEdit[]> = {};
    for (const { uri, range } of await Promise.all(all.map(({ span }) => locationOf(span))))
      (changes[uri] ??= []).push({ range, newText: newName });
    return { changes };
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
  const file = fileOf(uri);
  if (file === undefined) return undefined;
  const path = relative(root, join(realFolder(dirname(file)), basename(file)))
    .split(sep)
    .join('/');
  return isListed(path) ? path : undefined;
}

/** The file that an address is of; undefined for one that is of none here: another scheme, another machine. */
function fileOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

/** A folder without links; one that is not there yet, as it is called. */
function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function toEditor(
  root: string,
  { rule, severity, message, help, fix, ...place }: Diagnostic,
): EditorDiagnostic {
  return {
    source: 'wf',
    code: rule,
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    message: help === undefined ? message : `${message}\n${help}`,
    range: toEditorRange(place.range),
    ...(fix && { data: { range: toEditorRange(fix.range), newText: fix.text } satisfies TextEdit }),
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
