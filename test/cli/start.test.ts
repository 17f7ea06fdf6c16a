import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dev = `${root}bin/dev.js`;

/** The files that a command loads: our own by their places, those of packages by the package's name. */
function loadedBy(
  cwd: string,
  ...args: readonly string[]
): { readonly text: string; readonly files: string[] } {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    process.argv.splice(1, 9, ${JSON.stringify(dev)}, ...${JSON.stringify(args)});
    process.on('exit', () => console.log(JSON.stringify(loaded)));
    await import(${JSON.stringify(pathToFileURL(dev).href)});
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    encoding: 'utf8',
  });
  const [text = '', urls = '[]'] = stdout.trim().split('\n');
  const files = (JSON.parse(urls) as readonly string[])
    .filter((url) => url.startsWith('file:'))
    .map(
      (url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? relative(root, fileURLToPath(url)),
    );
  return { text, files: [...new Set(files)] };
}

describe('starting wf', () => {
  it('loads nothing but itself for the version', () => {
    const { text, files } = loadedBy(root, '--version');
    expect(text).toMatch(/^formulary\/\d+\.\d+\.\d+ \S+ node-v\d+/);
    expect(files).toEqual(['bin/dev.js', 'src/cli/start.ts']);
  });

  it.each([
    ['nothing that no file needs', 'run: npm test', []],
    ['the parser of bash for a value in a script', `run: 'echo "{{inputs.name}}"'`, ['web-tree-sitter']],
    ['the validator for a value of a step that has a schema', 'uses: m\n    with: {name: x}', ['ajv']],
  ])('loads %s to check a file', (_, step, expected) => {
    const project = testProject({
      'formulas/a.yaml': `formula: a\ninputs:\n  name: {type: string, default: world}\nsteps:\n  - id: x\n    ${step}\n  - {id: y, when: inputs.name != 'x', run: ls}\n`,
      'molecules/m.yaml': 'molecule: m\ninputs:\n  name: {type: string, format: hostname}\nrun: ls\n',
    });
    const { text, files } = loadedBy(project.root, 'check', 'formulas/a.yaml');
    expect(text).toBe('1 file checked, nothing to report');
    const heavy = ['ajv', 'gpt-tokenizer', 're2js', 'web-tree-sitter', '@oclif/plugin-help', 'log-update'];
    expect(files.filter((name) => heavy.includes(name))).toEqual(expected);
  });

  it.each([
    ['chek', 'wf has no command "chek"', 'did you mean "check"?'],
    ['help chek', 'wf has no command "chek"', 'did you mean "check"?'],
    ['frobnicate', 'wf has no command "frobnicate"', '`wf help` lists the commands'],
    ['Check', 'wf has no command "Check"', 'did you mean "check"?'],
    ['../cli/start', 'wf has no command "../cli/start"', '`wf help` lists the commands'],
    [
      '--josn check',
      'wf has no flag --josn of its own',
      'flags come after the command; `wf help` lists both',
    ],
    ['check --josn', 'Nonexistent flag: --josn', 'did you mean "--json"?'],
    ['run hello --nonsense', 'Nonexistent flag: --nonsense', 'wf run --help shows what it takes'],
    ['check --cwd nowhere', '--cwd: there is no folder nowhere', 'wf check --help shows what it takes'],
  ])('calls it wrong usage and asks nothing: wf %s', async (args, message, help) => {
    expect(await testProject({}).wf(args)).toEqual({
      stdout: '',
      stderr: `error: ${message}\nhelp: ${help}\n`,
      exitCode: 2,
    });
  });

  it('tells a program as JSON that there is no such command', async () => {
    const { stdout, stderr, exitCode } = await testProject({}).wf('chek --json');
    expect(JSON.parse(stdout)).toEqual({
      error: {
        kind: 'usage',
        message: 'wf has no command "chek"',
        hint: 'did you mean "check"?',
        exit: 2,
      },
    });
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 2 });
  });

  it('shows help without a command, and for one', async () => {
    const project = testProject({});
    expect((await project.wf('')).stdout).toContain('COMMANDS');
    for (const args of ['run --help', 'run -h', 'help run']) {
      const { stdout, exitCode } = await project.wf(args);
      expect(stdout).toContain('Compile a formula and run it.');
      expect(exitCode).toBe(0);
    }
  });

  it.each(['--help', 'run --help', 'list'])('ends quietly when nobody reads on: wf %s | head -1', (args) => {
    const project = testProject({
      'formulas/a.yaml': 'formula: a\nworkspace: empty\nsteps:\n  - {id: x, run: ls}\n',
    });
    const command = `'${process.execPath}' '${dev}' ${args} | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { cwd: project.root, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stdout).toMatch(/\n0\n$/);
  });
});
