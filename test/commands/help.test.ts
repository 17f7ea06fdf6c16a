import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Config, Help } from '@oclif/core';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pjson = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { readonly oclif: object };
// Of the sources as they are, and of our own commands alone.
const config = await Config.load({
  root,
  ignoreManifest: true,
  pjson: {
    ...pjson,
    oclif: {
      ...pjson.oclif,
      plugins: [],
      commands: { strategy: 'pattern', target: './src/commands', globPatterns: ['**/*.ts'] },
    },
  } as never,
});

/** As `wf <command> --help` prints it to a pipe. */
class HelpText extends Help {
  readonly lines: string[] = [];

  protected override log(...lines: string[]): void {
    this.lines.push(...lines);
  }
}

describe('wf --help', () => {
  for (const command of config.commands) {
    it(`tells what \`wf ${command.id}\` is for and how it is used`, async () => {
      expect(command.summary, 'a summary').toMatch(/^[A-Z].*\.$/);
      expect(command.examples?.length, 'an example').toBeGreaterThan(0);
      const help = new HelpText(config, { maxWidth: 100, stripAnsi: true });
      await help.showCommandHelp(command);
      expect(help.lines.join('\n')).toMatchSnapshot();
    });
  }
});
