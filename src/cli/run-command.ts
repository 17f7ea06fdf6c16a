import { pathToFileURL } from 'node:url';
// Imported here and not lazily: what is CommonJS loses its names when a bundle imports it with `import()`.
import { Config, flush } from '@oclif/core';

/** A command, and the package it is in. */
export interface CommandPlace {
  readonly root: string;
  readonly name: string;
  readonly version: string;
  readonly id: string;
  /** Absolute path of its file. */
  readonly file: string;
}

/** A command as oclif itself runs it. */
interface CommandClass {
  id: string;
  new (argv: string[], config: object): { _run(): Promise<unknown> };
}

/** Runs one command, without finding and loading plugins first: none of ours has a word in what a command does. */
export async function runCommand(
  { root, name, version, id, file }: CommandPlace,
  argv: readonly string[],
): Promise<void> {
  const { default: Command } = (await import(pathToFileURL(file).href)) as { readonly default: CommandClass };
  const runHook = () => Promise.resolve({ successes: [], failures: [] });
  // What loading would find out, as far as a command asks for it.
  const config = Object.assign(new Config({ root }), { bin: 'wf', name, version, root, runHook });
  Command.id = id;
  await new Command([...argv], config)._run();
  await flush();
}
