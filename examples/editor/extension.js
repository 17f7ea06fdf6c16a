// All that there is to it: `wf lsp` does the work, and is started in each folder that is open.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/**
 * How the language server of a folder is started.
 *
 * @param {string} folder absolute path
 * @param {readonly string[]} configured the setting `formulary.command`
 */
function serverOf(folder, configured = []) {
  const own = join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'wf.cmd' : 'wf');
  const [command, ...args] = configured.length > 0 ? configured : [existsSync(own) ? own : 'wf'];
  return { command, args: [...args, 'lsp', '--stdio'], options: { cwd: folder } };
}

const clients = [];

async function activate() {
  const { workspace, RelativePattern } = require('vscode');
  const { LanguageClient } = require('vscode-languageclient/node');
  for (const folder of workspace.workspaceFolders ?? []) {
    const configured = workspace.getConfiguration('formulary', folder).get('command');
    const files = ['wf.yaml', 'formulas/**/*.yaml', 'molecules/**/*.yaml'];
    const client = new LanguageClient('formulary', 'Formulary', serverOf(folder.uri.fsPath, configured), {
      documentSelector: files.map((pattern) => ({
        scheme: 'file',
        language: 'yaml',
        pattern: new RelativePattern(folder, pattern),
      })),
      workspaceFolder: folder,
    });
    clients.push(client);
    await client.start();
  }
}

const deactivate = () => Promise.all(clients.map((client) => client.stop()));

module.exports = { activate, deactivate, serverOf };
