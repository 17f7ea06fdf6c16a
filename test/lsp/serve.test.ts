import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkProject } from '../../src/plan/check-project.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';
import { proof } from '../support/proof.ts';
import { editor } from './editor.ts';

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
  expect(await definitionOf('name')).toMatchObject({ uri: uriOf('molecules/greet.yaml') });
  expect(await definitionOf('with')).toBeNull();

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

it('completes, explains, finds and renames, also in files that are not open', async () => {
  const project = testProject({ 'molecules/greet.yaml': molecule('name'), 'formulas/hello.yaml': formula });
  const { connection, uriOf, open } = await editor(project.root);
  await open('formulas/hello.yaml', formula);
  const textDocument = { uri: uriOf('formulas/hello.yaml') };
  const at = (part: string) => {
    const [before = ''] = formula.split(part.replace('|', ''));
    const lines = (before + part.slice(0, part.indexOf('|'))).split('\n');
    return { textDocument, position: { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 } };
  };
  const completed = await connection.sendRequest<{ label: string; textEdit: object }[]>(
    'textDocument/completion',
    at('gre|et'),
  );
  expect(completed).toMatchObject([
    {
      label: 'greet',
      documentation: 'Greets.',
      textEdit: {
        newText: 'greet',
        range: { start: { line: 4, character: 20 }, end: { line: 4, character: 23 } },
      },
    },
  ]);
  expect(await connection.sendRequest('textDocument/hover', at('gre|et'))).toMatchObject({
    contents: { kind: 'markdown', value: 'Greets.\n\n- `name` string' },
  });
  expect(await connection.sendRequest('textDocument/hover', at('descr|iption'))).toMatchObject({
    contents: { value: expect.stringContaining('What it is for') as string },
  });
  const references = await connection.sendRequest('textDocument/references', {
    ...at('na|me: you'),
    context: { includeDeclaration: true },
  });
  expect(references).toMatchObject([
    { uri: uriOf('formulas/hello.yaml') },
    { uri: uriOf('molecules/greet.yaml') },
    { uri: uriOf('molecules/greet.yaml') },
  ]);
  expect(await connection.sendRequest('textDocument/prepareRename', at('na|me: you'))).toMatchObject({
    placeholder: 'name',
  });
  const renamed = await connection.sendRequest<{ changes: Record<string, { newText: string }[]> }>(
    'textDocument/rename',
    {
      ...at('na|me: you'),
      newName: 'whom',
    },
  );
  expect(
    Object.entries(renamed.changes).map(([uri, edits]) => [uri, edits.map(({ newText }) => newText)]),
  ).toEqual([
    [uriOf('formulas/hello.yaml'), ['whom']],
    [uriOf('molecules/greet.yaml'), ['whom', 'whom']],
  ]);
  await expect(
    connection.sendRequest('textDocument/rename', { ...at('[o|ne]'), newName: 'two' }),
  ).rejects.toThrow('there is a step "two" already');
});

it('looks again when files that are not open have changed', async () => {
  const project = testProject({ 'molecules/greet.yaml': molecule('name'), 'formulas/hello.yaml': formula });
  const { connection, open, sees } = await editor(project.root);
  await open('formulas/hello.yaml', formula);
  await sees('formulas/hello.yaml', []);
  rmSync(join(project.root, 'molecules/greet.yaml'));
  await connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [] });
  await sees('formulas/hello.yaml', ['unknown-uses']);
});

it('offers to let a warning stand', async () => {
  const text = "formula: hello\nsteps:\n  - {id: one, run: ls, when: 'true'}\n";
  const { connection, uriOf, open, sees } = await editor(testProject({ 'formulas/hello.yaml': text }).root);
  await open('formulas/hello.yaml', text);
  const { diagnostics } = await sees('formulas/hello.yaml', ['key-without-effect']);
  const actions = await connection.sendRequest('textDocument/codeAction', {
    textDocument: { uri: uriOf('formulas/hello.yaml') },
    range: diagnostics[0]?.range,
    context: { diagnostics },
  });
  expect(actions).toMatchObject([
    {
      title: 'Let it stand: # wf-ignore: key-without-effect <reason>',
      edit: {
        changes: {
          [uriOf('formulas/hello.yaml')]: [
            {
              newText: '  # wf-ignore: key-without-effect <reason>\n',
              range: { start: { line: 2, character: 0 } },
            },
          ],
        },
      },
    },
  ]);
});

it('writes no comment into a script, and offers none where nothing could be run', async () => {
  const text =
    'formula: hello\nsteps:\n  - id: one\n    run: |\n      ls\n      eval {{run.id}}\n      ./not-there.sh\n';
  const { connection, uriOf, open, shows } = await editor(testProject({ 'formulas/hello.yaml': text }).root);
  await open('formulas/hello.yaml', text);
  const { diagnostics } = await shows('formulas/hello.yaml', (messages) => messages.length > 0);
  const actionsFor = (rule: string, line: number) =>
    connection.sendRequest('textDocument/codeAction', {
      textDocument: { uri: uriOf('formulas/hello.yaml') },
      range: { start: { line, character: 0 }, end: { line, character: 0 } },
      context: {
        diagnostics: [
          {
            source: 'wf',
            code: rule,
            severity: 1,
            message: '',
            range: { start: { line, character: 8 }, end: { line, character: 9 } },
          },
        ],
      },
    });
  expect(diagnostics.map(({ code }) => code)).toContain('value-as-code');
  expect(await actionsFor('value-as-code', 5)).toEqual([]);
  expect(await actionsFor('missing-script', 6)).toMatchObject([
    {
      edit: {
        changes: {
          [uriOf('formulas/hello.yaml')]: [
            { newText: '    # wf-ignore: missing-script <reason>\n', range: { start: { line: 3 } } },
          ],
        },
      },
    },
  ]);
});

it('goes on after an address that is of no file here', async () => {
  const { connection, open, sees } = await editor(testProject({ 'wf.yaml': '{}\n' }).root);
  for (const uri of ['file://elsewhere/formulas/x.yaml', 'file:///a%2Fb.yaml', 'untitled:x', 'file:', '']) {
    await connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'yaml', version: 1, text: formula },
    });
    const at = { textDocument: { uri }, position: { line: 900, character: 900 } };
    expect(await connection.sendRequest('textDocument/hover', at)).toBeNull();
    expect(await connection.sendRequest('textDocument/completion', at)).toEqual([]);
  }
  await open('formulas/hello.yaml', formula);
  await sees('formulas/hello.yaml', ['unknown-uses']);
});

it('answers each question at the end of each prefix of a formula', async () => {
  const { connection, uriOf, open, type } = await editor(
    testProject({ 'molecules/greet.yaml': molecule('name') }).root,
  );
  await open('formulas/hello.yaml', '');
  const textDocument = { uri: uriOf('formulas/hello.yaml') };
  for (let end = 1; end <= formula.length; end += 1) {
    const text = formula.slice(0, end);
    await type('formulas/hello.yaml', end + 1, text);
    const lines = text.split('\n');
    const at = { textDocument, position: { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 } };
    const options = { tabSize: 2, insertSpaces: true };
    await Promise.all([
      connection.sendRequest('textDocument/completion', at),
      connection.sendRequest('textDocument/hover', at),
      connection.sendRequest('textDocument/definition', at),
      connection.sendRequest('textDocument/references', { ...at, context: { includeDeclaration: true } }),
      connection.sendRequest('textDocument/prepareRename', at),
      connection.sendRequest('textDocument/documentSymbol', { textDocument }),
      connection.sendRequest('textDocument/formatting', { textDocument, options }),
    ]);
  }
}, 60_000);

it('shows what `wf check` says, whatever is typed', async () => {
  const { connection, uriOf, open } = await editor(
    testProject({ 'molecules/greet.yaml': molecule('name') }).root,
  );
  await open('formulas/hello.yaml', formula);
  let version = 1;
  let text = formula;
  const shownOf = (wanted: number) =>
    new Promise<readonly string[]>((resolve) => {
      const listener = connection.onNotification(
        'textDocument/publishDiagnostics',
        (shown: {
          uri: string;
          version?: number;
          diagnostics: { code: string; range: { start: object } }[];
        }) => {
          if (shown.uri !== uriOf('formulas/hello.yaml') || shown.version !== wanted) return;
          listener.dispose();
          resolve(shown.diagnostics.map(({ code, range }) => `${code} ${JSON.stringify(range.start)}`));
        },
      );
    });
  const edit = fc.record({
    from: fc.nat(formula.length),
    length: fc.nat(12),
    typed: fc.constantFrom(
      '',
      ' ',
      ':',
      '{{',
      '}}',
      '[',
      '"',
      '\n',
      '  - ',
      'id: two',
      'needs: [one]',
      'é',
      'steps.',
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      for (const { from, length, typed } of edits) {
        // Back to a whole text now and then, so that what is typed does not drown.
        if (text.length < 60) text = formula;
        const at = Math.min(from, text.length);
        text = text.slice(0, at) + typed + text.slice(at + length);
      }
      version += 1;
      const shown = shownOf(version);
      await connection.sendNotification('textDocument/didChange', {
        textDocument: { uri: uriOf('formulas/hello.yaml'), version },
        contentChanges: [{ text }],
      });
      const { diagnostics } = await checkProject(
        memoryLoader({ 'molecules/greet.yaml': molecule('name'), 'formulas/hello.yaml': text }),
        { paths: ['formulas/hello.yaml'] },
      );
      const told = diagnostics
        .filter(({ file }) => file === 'formulas/hello.yaml')
        .map(
          ({ rule, range: { start } }) =>
            `${rule} ${JSON.stringify({ line: start.line - 1, character: start.column - 1 })}`,
        );
      expect(await shown).toEqual(told);
    }),
    { ...proof({ few: 60, many: 3_000 }), endOnFailure: true },
  );
}, 600_000);
