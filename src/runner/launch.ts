import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Rendered } from './render-command.ts';

/** The longest argument that Linux takes is 128 KiB; what is longer goes through a file. */
const LONGEST_ARGUMENT = 100_000;

/** Interpreters that go by the ending of a file's name. Node finds out by itself whether it is a module. */
const ENDINGS: Readonly<Record<string, string>> = {
  node: '.js',
  bun: '.ts',
  deno: '.ts',
  tsx: '.ts',
  pwsh: '.ps1',
};

/**
 * The argv that starts a rendered command. Values of a bash script go into files that the script reads before its first
 * line, unexported: neither size nor content of a value matters, and none of them is ever parsed as code.
 * `file` gives a path for a new scratch file.
 */
export function launch(command: Rendered, file: (name: string) => string): readonly [string, ...string[]] {
  switch (command.kind) {
    case 'argv':
      return command.argv as [string, ...string[]];
    case 'program': {
      const path = file(`script${ENDINGS[basename(command.program)] ?? ''}`);
      writeFileSync(path, command.script);
      return [command.program, ...command.args, path];
    }
    case 'bash': {
      const reads = command.values.map(({ name, value }, index) => {
        const path = file(`value${index}`);
        const list = typeof value !== 'string';
        // A lone surrogate becomes U+FFFD here, as everywhere in UTF-8.
        writeFileSync(path, list ? value.map((word) => `${word}\0`).join('') : value);
        const from = `<${quoted(path)}`;
        return list ? `mapfile -d '' -t ${name} ${from}; ` : `IFS= read -r -d '' ${name} ${from} || :; `;
      });
      // On the line of the script's first, so that line numbers in messages are the author's.
      const script = `${reads.join('')}set -euo pipefail; ${command.script}`;
      const bash = ['bash', '--norc', '--noprofile'] as const;
      if (Buffer.byteLength(script) < LONGEST_ARGUMENT) return [...bash, '-c', script];
      const path = file('script');
      writeFileSync(path, script);
      return [...bash, path];
    }
  }
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
