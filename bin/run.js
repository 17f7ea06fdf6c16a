#!/usr/bin/env node
// Plain JavaScript that an old Node can still parse: it has to be able to say that it is too old.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `wf needs Node 22.13 or newer, and this is ${process.versions.node}` +
      ' (in a checkout of wf, `npm rebuild node` brings the right one)',
  );
  process.exit(3);
}
const { start } = await import('../dist/cli/start.js');
await start(import.meta.url);
