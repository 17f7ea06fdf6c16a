import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { testProject } from '../support/project.ts';

const dev = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

interface Shown {
  readonly uri: string;
  readonly version?: number;
  readonly diagnostics: readonly {
    readonly code: string;
    readonly message: string;
    readonly range: object;
  }[];
}

/** An editor: a client of the protocol, and `wf lsp` as a process of its own. */
async function editor(root: string) {
  const child = spawn(process.execPath, [dev, 'lsp', '--stdio'], {
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
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
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

const molecule = (input: string) =>
  `molecule: greet\ndescription: Greets.\ninputs:\n  ${input}: {type: string}\nrun: echo {{inputs.${input}}}\n`;
const formula = `formula: hello
description: Says hello.
steps:
  - {id: one, run: echo one}
  - {id: two, uses: greet, with: {name: you}, needs: [one]}
`;

it('shows what is wrong as it is typed, also in another file that depends on it, and ends when it is told to', async () => {
  const project = testProject({
    'wf.yaml': '{}\n',
    'molecules/greet.yaml': molecule('name'),
    'formulas/hello.yaml': formula,
  });
  const { child, connection, uriOf, open, type, sees } = await editor(project.root);

  await open('formulas/hello.yaml', formula);
  await sees('formulas/hello.yaml', []);
  await type('formulas/hello.yaml', 2, formula.replace('needs: [one]', 'needs: [onne]'));
  const wrong = await sees('formulas/hello.yaml', ['unknown-need']);
  expect(wrong).toMatchObject({
    version: 2,
    diagnostics: [
      {
        source: 'wf',
        severity: 1,
        message: expect.stringContaining('did you mean "one"?') as string,
        range: { start: { line: 4, character: 54 }, end: { line: 4, character: 58 } },
      },
    ],
  });
  const [misspelt] = wrong.diagnostics;
  const textDocument = { uri: uriOf('formulas/hello.yaml') };
  const fixes = await connection.sendRequest('textDocument/codeAction', {
    textDocument,
    range: misspelt?.range,
    context: { diagnostics: wrong.diagnostics },
  });
  expect(fixes).toMatchObject([
    {
      title: 'Write "one"',
      kind: 'quickfix',
      edit: { changes: { [textDocument.uri]: [{ range: misspelt?.range, newText: 'one' }] } },
    },
  ]);
  const symbols = await connection.sendRequest<
    { readonly name: string; readonly children?: readonly { readonly name: string }[] }[]
  >('textDocument/documentSymbol', { textDocument });
  expect(symbols.map(({ name, children }) => [name, children?.map((child) => child.name)])).toEqual([
    ['formula', undefined],
    ['description', undefined],
    ['steps', ['one', 'two']],
  ]);
  await type('formulas/hello.yaml', 3, formula);
  await sees('formulas/hello.yaml', []);

  const definitionOf = (word: string) =>
    connection.sendRequest('textDocument/definition', {
      textDocument,
      position: { line: 4, character: (formula.split('\n')[4] ?? '').indexOf(word) },
    });
  expect(await definitionOf('one')).toEqual({
    uri: textDocument.uri,
    range: { start: { line: 3, character: 9 }, end: { line: 3, character: 12 } },
  });
  expect(await definitionOf('greet')).toMatchObject({ uri: uriOf('molecules/greet.yaml') });
  expect(await definitionOf('name')).toBeNull();

  // Nothing of this is on disk.
  await open('molecules/greet.yaml', molecule('name'));
  await type('molecules/greet.yaml', 2, molecule('whom'));
  const { diagnostics } = await sees('formulas/hello.yaml', ['missing-argument', 'unknown-argument']);
  expect(diagnostics).toHaveLength(2);

  await type('formulas/hello.yaml', 4, 'formula: hello\nsteps: [{id: one,\n');
  await type('formulas/hello.yaml', 5, formula.replace('  - {id: one', '  -   {id:    one'));
  const edits = await connection.sendRequest('textDocument/formatting', {
    textDocument,
    options: { tabSize: 2, insertSpaces: true },
  });
  expect(edits).toMatchObject([{ newText: formula }]);

  await connection.sendRequest('shutdown');
  const ended = once(child, 'exit');
  await connection.sendNotification('exit');
  expect(await ended).toEqual([0, null]);
});

it('ends with an editor that goes without a word', async () => {
  const { child } = await editor(testProject({ 'formulas/hello.yaml': formula }).root);
  const ended = once(child, 'exit');
  child.stdin.end();
  expect(await ended).toEqual([1, null]);
});
