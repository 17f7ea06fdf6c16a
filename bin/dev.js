#!/usr/bin/env node
// wf as its sources are, without a build: for tests and for those who work on it. Needs a Node that strips types.
import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { execute } from '@oclif/core';

enableCompileCache();
const root = fileURLToPath(new URL('..', import.meta.url));
const pjson = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const commands = { strategy: 'pattern', target: './src/commands', globPatterns: ['**/*.ts'] };
await execute({
  dir: import.meta.url,
  loadOptions: { root, pjson: { ...pjson, oclif: { ...pjson.oclif, commands } }, ignoreManifest: true },
});
