#!/usr/bin/env node
// wf as its sources are, without a build: for tests and for those who work on it. Needs a Node that strips types.
import { fileURLToPath } from 'node:url';
import { startFrom } from '../src/cli/start.ts';

await startFrom({
  root: fileURLToPath(new URL('..', import.meta.url)),
  commands: 'src/commands',
  ending: '.ts',
});
