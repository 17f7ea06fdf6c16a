import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire, enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a command line finds its commands. */
export interface StartOptions {
  /** Folder of the package. */
  readonly root: string;
  /** Folder of the commands in it, one file each. */
  readonly commands: string;
  /** Ending of their files: `.js` of the build, `.ts` of the sources. */
  readonly ending: '.js' | '.ts';
}

/** Commands that plugins bring. */
const FROM_PLUGINS = ['help', 'autocomplete'];

/** As package.json tells oclif. */
const HELP_FLAGS = ['--help', '-h'];

/** What wf takes without a command. */
const ROOT_FLAGS = [...HELP_FLAGS, '--version'];

/** Of package.json, what this needs. */
interface Package {
  readonly name: string;
  readonly version: string;
  readonly oclif: { readonly commands: object };
}

/** Runs the built command line. `url`: of the script in `bin/`, from which the package is found. */
export function start(url: string): Promise<void> {
  return startFrom({ root: fileURLToPath(new URL('..', url)), commands: 'dist/commands', ending: '.js' });
}

/**
 * Runs the command that the arguments name. Only that one is loaded: to find and load plugins costs more than most
 * commands do, so they are left to what needs them, which is help.
 */
export async function startFrom(options: StartOptions): Promise<void> {
  // Parsing our own code again at every start would cost more than most commands do. Where nothing can be written, it
  // is parsed.
  enableCompileCache();
  // Whoever read our output has gone (`wf runs | head -1`): there is nothing left to do.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  const [first, ...rest] = process.argv.slice(2);
  if (rest.length === 0 && (first === '--version' || first === '-v')) {
    const { name, version } = packageOf(options.root);
    process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
    return;
  }
  const ends = rest.indexOf('--');
  const flags = ends < 0 ? rest : rest.slice(0, ends);
  const asksForHelp = HELP_FLAGS.some((flag) => flags.includes(flag));
  if (first === undefined || ROOT_FLAGS.includes(first)) return runOclif(options);
  if (first === 'help') {
    const topic = rest.find((word) => !word.startsWith('-'));
    return topic === undefined || isCommand(topic, options)
      ? runOclif(options)
      : refuse(topic, flags, options);
  }
  if (!isCommand(first, options)) return refuse(first, flags, options);
  if (asksForHelp || FROM_PLUGINS.includes(first)) return runOclif(options);
  const { runCommand } = await import('./run-command.ts');
  const { root } = options;
  return runCommand({ ...packageOf(root), root, id: first, file: fileOf(first, options) }, rest);
}

function isCommand(name: string, options: StartOptions): boolean {
  return FROM_PLUGINS.includes(name) || (/^[a-z]+$/.test(name) && existsSync(fileOf(name, options)));
}

function fileOf(command: string, { root, commands, ending }: StartOptions): string {
  return join(root, commands, `${command}${ending}`);
}

async function runOclif({ root, commands, ending }: StartOptions): Promise<void> {
  // The whole of it, from its package: plugins bring their own commands, and look for it there.
  const { execute } = createRequire(import.meta.url)('@oclif/' + 'core') as typeof import('@oclif/core');
  if (ending === '.js') {
    await execute({ loadOptions: { root }, dir: root });
    return;
  }
  const pjson = packageOf(root);
  const found = { strategy: 'pattern', target: `./${commands}`, globPatterns: [`**/*${ending}`] };
  const sources = { ...pjson, oclif: { ...pjson.oclif, commands: found } };
  await execute({ dir: root, loadOptions: { root, pjson: sources as never, ignoreManifest: true } });
}

/** Tells that there is no such command, and which one may have been meant. */
async function refuse(name: string, flags: readonly string[], options: StartOptions): Promise<void> {
  const { suggest } = await import('../diagnostics/suggest.ts');
  const { failureOf, renderFailure } = await import('./failure.ts');
  const { textStyle } = await import('./text-style.ts');
  const { UsageError } = await import('./usage-error.ts');
  const { root, commands, ending } = options;
  const known = readdirSync(join(root, commands)).flatMap((file) =>
    file.endsWith(ending) ? [file.slice(0, -ending.length)] : [],
  );
  const error = name.startsWith('-')
    ? new UsageError(
        `wf has no flag ${name} of its own`,
        'flags come after the command; `wf help` lists both',
      )
    : new UsageError(
        `wf has no command "${name}"`,
        suggest(name, [...known, ...FROM_PLUGINS]) ?? '`wf help` lists the commands',
      );
  const failure = failureOf(error);
  if (flags.includes('--json')) process.stdout.write(`${JSON.stringify({ error: failure }, null, 2)}\n`);
  else process.stderr.write(renderFailure(failure, textStyle(process.stderr, process.argv), undefined));
  process.exitCode = failure.exit;
}

function packageOf(root: string): Package {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
}
