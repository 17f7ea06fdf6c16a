import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';

const dev = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

export interface Shown {
  readonly uri: string;
  readonly version?: number;
  readonly diagnostics: readonly {
    readonly code: string;
    readonly message: string;
    readonly range: object;
  }[];
}

/** An editor: a client of the protocol, and `wf lsp` as a process of its own. */
export async function editor(
  root: string,
  server: readonly string[] = [dev, 'lsp', '--stdio'],
  /** What the server may ask for, by section. */
  settings: Readonly<Record<string, object>> = {},
) {
  const child = spawn(process.execPath, server, {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const shown: Shown[] = [];
  let tell: () => void = () => undefined;
  connection.onNotification('textDocument/publishDiagnostics', (message: Shown) => {
    shown.push(message);
    tell();
  });
  connection.listen();
  connection.onRequest('workspace/configuration', ({ items }: { items: { section: string }[] }) =>
    items.map(({ section }) => settings[section] ?? {}),
  );
  connection.onRequest('client/registerCapability', () => null);
  const watches = { didChangeWatchedFiles: { dynamicRegistration: true } };
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: pathToFileURL(root).href,
    capabilities: { workspace: { configuration: true, workspaceFolders: true, ...watches } },
    workspaceFolders: [{ uri: pathToFileURL(root).href, name: 'project' }],
  });
  await connection.sendNotification('initialized', {});
  const uriOf = (path: string) => pathToFileURL(join(root, path)).href;
  return {
    child,
    connection,
    uriOf,
    open: (path: string, text: string) =>
      connection.sendNotification('textDocument/didOpen', {
        textDocument: { uri: uriOf(path), languageId: 'yaml', version: 1, text },
      }),
    type: (path: string, version: number, text: string) =>
      connection.sendNotification('textDocument/didChange', {
        textDocument: { uri: uriOf(path), version },
        contentChanges: [{ text }],
      }),
    /** The next time that what is shown of a file is such. */
    async shows(path: string, such: (messages: readonly string[]) => boolean): Promise<Shown> {
      for (;;) {
        const found = shown.findIndex(
          ({ uri, diagnostics }) => uri === uriOf(path) && such(diagnostics.map(({ message }) => message)),
        );
        if (found >= 0) return shown.splice(0, found + 1).at(-1) as Shown;
        await new Promise<void>((resolve) => (tell = resolve));
      }
    },
    /** The next time that this is shown of a file. */
    async sees(path: string, rules: readonly string[]): Promise<Shown> {
      for (;;) {
        const found = shown.findIndex(
          ({ uri, diagnostics }) =>
            uri === uriOf(path) &&
            JSON.stringify(diagnostics.map(({ code }) => code)) === JSON.stringify(rules),
        );
        if (found >= 0) return shown.splice(0, found + 1).at(-1) as Shown;
        await new Promise<void>((resolve) => (tell = resolve));
      }
    },
  };
}
