// What npm runs after `npm ci` in a checkout. Plain JavaScript that an old Node can still run: when the package `node`
// was not set up, this is where it shows.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 && !(major === 22 && minor >= 18)) {
  console.error(
    `wf cannot be built with Node ${process.versions.node}, and the install script of the package "node", which brings` +
      ' Node 24, did not run: allow install scripts, then `npm rebuild node && npm run build`',
  );
  process.exit(3);
}
const { build } = await import('./build.ts');
await build();
