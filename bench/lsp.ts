/**
 * How long an editor waits after a keystroke in a formula of 500 lines: from the change that is sent to the diagnostics
 * that come back, beside a check of the same file in a process that is warm. `node bench/lsp.ts [rounds]`
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { checkProject } from '../src/plan/check-project.ts';
import { memoryLoader } from '../test/support/memory-loader.ts';
import { interleave, print } from './support.ts';

const rounds = Number(process.argv[2] ?? 30);

const steps = Array.from(
  { length: 99 },
  (_, n) => `  - id: s${n}
    run: echo "{{inputs.word}} ${n === 0 ? '' : `{{steps.s${n - 1}.outputs.stdout}}`}" > out${n}.txt
    timeout: 5m
    env: {LEVEL: '{{inputs.word}}'}
    verify: [{check: outputs.exit_code == 0}]
`,
);
const formula = `formula: long\ninputs:\n  word: {type: string, default: hello}\nsteps:\n${steps.join('')}`;
const path = 'formulas/long.yaml';

const root = mkdtempSync(join(tmpdir(), 'wf-bench-'));
mkdirSync(join(root, 'formulas'));
writeFileSync(join(root, path), formula);
const server = spawn(process.execPath, [fileURLToPath(new URL('../bin/run.js', import.meta.url)), 'lsp'], {
  cwd: root,
  stdio: ['pipe', 'pipe', 'inherit'],
});
const connection = createMessageConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
const uri = pathToFileURL(join(root, path)).href;
let version = 1;
let told: (() => void) | undefined;
connection.onNotification('textDocument/publishDiagnostics', (shown: { readonly version?: number }) => {
  if (shown.version === version) told?.();
});
connection.listen();
try {
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
  await connection.sendNotification('initialized', {});
  const answered = () => new Promise<void>((resolve) => (told = resolve));
  const first = answered();
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'yaml', version, text: formula },
  });
  await first;
  const measured = await interleave(
    [
      {
        name: 'keystroke to diagnostics',
        run: async () => {
          version += 1;
          const answer = answered();
          await connection.sendNotification('textDocument/didChange', {
            textDocument: { uri, version },
            contentChanges: [{ text: formula.replace('hello', `hello${version}`) }],
          });
          await answer;
        },
      },
      {
        name: 'completion of a path',
        run: async () => {
          const line = formula.split('\n').findIndex((text) => text.includes('steps.s50.'));
          const character = (formula.split('\n')[line] ?? '').indexOf('steps.s50.') + 'steps.s50.'.length;
          const items = await connection.sendRequest<unknown[]>('textDocument/completion', {
            textDocument: { uri },
            position: { line, character },
          });
          if (items.length === 0) throw new Error('nothing was offered');
        },
      },
      {
        name: 'check, warm',
        run: async () => {
          const { ok } = await checkProject(memoryLoader({ [path]: formula }));
          if (!ok) throw new Error('the formula has mistakes');
        },
      },
    ],
    { rounds, warmUp: 10 },
  );
  const check = measured.at(-1)?.median ?? Number.NaN;
  print({
    bench: `The language server, in a formula of ${formula.split('\n').length} lines`,
    rows: measured.map(({ name, median, least, most }) => ({
      what: name,
      ms: median,
      least,
      most,
      '× check': median / check,
    })),
    aims: [
      { what: 'keystroke to diagnostics', is: measured[0]?.median ?? Number.NaN, atMost: 50, unit: ' ms' },
    ],
  });
} finally {
  server.kill();
  rmSync(root, { recursive: true, force: true });
}
