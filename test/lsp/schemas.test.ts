import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { editorSchema } from '../../src/schema/editor-schema.ts';
import { testProject } from '../support/project.ts';
import { editor } from './editor.ts';

/** Where `wf init` puts a schema, and which files it is for. */
const ATTACHED = {
  formula: 'formulas/*.yaml',
  molecule: 'molecules/*.yaml',
  project: 'wf.yaml',
  test: '**/*.test.yaml',
} as const;

/** The language server that editors use for YAML, with our schemas attached as `wf init` does. */
async function yamlEditor(files: Readonly<Record<string, string>>) {
  const kinds = Object.keys(ATTACHED) as (keyof typeof ATTACHED)[];
  const project = testProject({
    ...files,
    ...Object.fromEntries(kinds.map((kind) => [`schemas/${kind}.json`, JSON.stringify(editorSchema(kind))])),
  });
  const home = dirname(createRequire(import.meta.url).resolve('yaml-language-server/package.json'));
  const schemas = Object.fromEntries(
    kinds.map((kind) => [pathToFileURL(join(project.root, `schemas/${kind}.json`)).href, ATTACHED[kind]]),
  );
  const yaml = { schemas, validate: true, completion: true, hover: true, schemaStore: { enable: false } };
  const client = await editor(project.root, [join(home, 'bin/yaml-language-server'), '--stdio'], { yaml });
  await client.connection.sendNotification('workspace/didChangeConfiguration', { settings: { yaml } });
  return client;
}

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

it('the published schemas check and complete files in the language server that editors have for YAML', async () => {
  const good = read('formulas/repo-health.yaml');
  const wrong = 'formula: a\nsteps:\n  - {id: one, run: ls, tiemout: 5m}\n';
  const half = 'formula: b\nsteps:\n  - id: one\n    run: ls\n    on_failure: \n';
  const client = await yamlEditor({
    'formulas/repo-health.yaml': good,
    'formulas/a.yaml': wrong,
    'formulas/b.yaml': half,
  });
  await client.open('formulas/repo-health.yaml', good);
  await client.open('formulas/a.yaml', wrong);
  await client.open('formulas/b.yaml', half);
  const told = await client.shows('formulas/a.yaml', (messages) =>
    messages.some((message) => message.includes('tiemout')),
  );
  expect(told.diagnostics).toHaveLength(1);
  // Once more, now that the schemas have been read.
  await client.type('formulas/repo-health.yaml', 2, `${good}\n`);
  await client.shows('formulas/repo-health.yaml', (messages) => messages.length === 0);
  const labels = async (line: number, character: number) => {
    const answer = await client.connection.sendRequest<{ items: { label: string }[] }>(
      'textDocument/completion',
      {
        textDocument: { uri: client.uriOf('formulas/b.yaml') },
        position: { line, character },
      },
    );
    return answer.items.map(({ label }) => label);
  };
  expect(await labels(4, 16)).toEqual(expect.arrayContaining(['stop', 'continue', 'handoff']));
  const hover = await client.connection.sendRequest<{ contents: { value: string } }>('textDocument/hover', {
    textDocument: { uri: client.uriOf('formulas/b.yaml') },
    position: { line: 4, character: 6 },
  });
  expect(hover.contents.value).toContain('stop');
}, 30_000);
