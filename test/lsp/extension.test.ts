import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { testProject } from '../support/project.ts';
import { editor } from './editor.ts';

const home = new URL('../../examples/editor/', import.meta.url);
const dev = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

interface Extension {
  readonly activate: unknown;
  readonly deactivate: unknown;
  serverOf(
    folder: string,
    configured?: readonly string[],
  ): { command: string; args: string[]; options: { cwd: string } };
}

const extension = createRequire(import.meta.url)(fileURLToPath(new URL('extension.js', home))) as Extension;

it('the extension has what its manifest says', () => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', home), 'utf8')) as Record<string, unknown>;
  expect(manifest).toMatchObject({
    main: './extension.js',
    engines: { vscode: expect.stringMatching(/^\^1\.\d+\.0$/) as string },
    activationEvents: ['workspaceContains:wf.yaml', 'workspaceContains:formulas/*.yaml'],
    contributes: { configuration: { properties: { 'formulary.command': { type: 'array' } } } },
    dependencies: { 'vscode-languageclient': expect.stringMatching(/^\d+\.\d+\.\d+$/) as string },
  });
  expect(extension).toMatchObject({
    activate: expect.any(Function) as unknown,
    deactivate: expect.any(Function) as unknown,
  });
});

it('the extension starts the server of the project that is open, or what it is told to', async () => {
  const text = 'formula: a\nsteps: [{id: s, run: ls, tiemout: 5m}]\n';
  const project = testProject({ 'formulas/a.yaml': text, 'node_modules/.bin/wf': '' });
  expect(extension.serverOf(project.root).command).toBe(`${project.root}/node_modules/.bin/wf`);
  expect(extension.serverOf('/nowhere')).toEqual({
    command: 'wf',
    args: ['lsp', '--stdio'],
    options: { cwd: '/nowhere' },
  });
  const { command, args, options } = extension.serverOf(project.root, [process.execPath, dev]);
  expect([command, options.cwd]).toEqual([process.execPath, project.root]);
  const { open, sees } = await editor(project.root, args);
  await open('formulas/a.yaml', text);
  await sees('formulas/a.yaml', ['unknown-key']);
});
