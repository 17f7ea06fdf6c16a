import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

const dev = fileURLToPath(new URL('../../bin/dev.js', import.meta.url));

describe('starting wf', () => {
  it('loads nothing but itself for the version', () => {
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      process.argv.splice(1, 9, ${JSON.stringify(dev)}, '--version');
      await import(${JSON.stringify(`file://${dev}`)});
      console.log(JSON.stringify(loaded.filter((url) => url.startsWith('file:')).map((url) => url.split('/').slice(-2).join('/'))));
    `;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    const [version = '', loaded = ''] = stdout.trim().split('\n');
    expect(version).toMatch(/^formulary\/\d+\.\d+\.\d+ \S+ node-v\d+/);
    expect(JSON.parse(loaded)).toEqual(['bin/dev.js', 'cli/start.ts']);
  });

  it('says which command was meant when there is none of that name', async () => {
    const project = testProject({});
    expect(await project.wf('chek')).toEqual({
      stdout: '',
      stderr: 'error: wf has no command "chek"\nhelp: did you mean "check"?\n',
      exitCode: 2,
    });
    expect((await project.wf('frobnicate')).stderr).toContain('help: `wf help` lists the commands');
  });

  it('shows help without a command, and for one', async () => {
    const project = testProject({});
    expect((await project.wf('')).stdout).toContain('COMMANDS');
    const { stdout, exitCode } = await project.wf('run --help');
    expect(stdout).toContain('Compile a formula and run it.');
    expect(exitCode).toBe(0);
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
