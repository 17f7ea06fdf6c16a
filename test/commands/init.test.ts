import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/source/parse-yaml.ts';
import { toJson } from '../../src/source/source-document.ts';
import { testProject } from '../support/project.ts';

/** Checks a new project and runs its formula. */
async function expectToRun(project: ReturnType<typeof testProject>, cwd: string): Promise<void> {
  expect(await project.wf('check --strict', { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
  const ran = await project.wf(['run', 'hello', '--json', '-i', "name=Ada $(id) 'O'"], { cwd });
  expect(ran.stderr).toBe('');
  expect(ran.exitCode).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({
    status: 'succeeded',
    outputs: { greeting: "Hello, Ada $(id) 'O'! Your name has 13 letters." },
    steps: { remark: { status: 'succeeded' } },
  });
}

describe('wf init', () => {
  it('makes a project that checks clean and runs, where there is no git', async () => {
    const project = testProject({});
    const made = await project.wf('init');
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.stdout.replaceAll(project.root, '<root>')).toMatchInlineSnapshot(`
      "a project in <root>
        made  formulas/hello.yaml                     a formula, to begin reading with
        made  formulas/hello.test.yaml                its tests
        made  molecules/greet.yaml                    the molecule it uses
        made  wf.yaml                                 what all formulas share
        made  .gitignore                              keeps what runs leave out of git
        made  .vscode/settings.json                   completion and checks while typing (with the YAML extension)
        made  .vscode/formulary/project.schema.json   the schema of wf.yaml
        made  .vscode/formulary/formula.schema.json   the schema of a formula
        made  .vscode/formulary/molecule.schema.json  the schema of a molecule
        made  .vscode/formulary/test.schema.json      the schema of tests

      next
        wf check
        wf test
        wf run hello --dry-run
        wf run hello -i name=Ada
      "
    `);
    await expectToRun(project, project.root);
    const dry = await project.wf('run --dry-run --all');
    expect(dry).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('does so in a repository without a commit, and in a folder of one with some', async () => {
    const project = testProject({});
    project.git('init', '-q');
    await project.wf('init one');
    await expectToRun(project, join(project.root, 'one'));
    project.git('add', '-A');
    project.git('commit', '-qm', 'first');
    // What the run left is none of git's business.
    expect(project.git('ls-files')).not.toContain('.wf/');
    expect(project.git('status', '--porcelain')).toBe('');
    await project.wf('init two/three');
    await expectToRun(project, join(project.root, 'two/three'));
  });

  it('never overwrites a file, and says what it left alone', async () => {
    const own = {
      '.gitignore': 'node_modules\n',
      '.vscode/settings.json': '{"editor.tabSize": 2}\n',
      'wf.yaml': 'env: [HOME]\n',
    };
    const project = testProject(own);
    const { stdout } = await project.wf('init');
    for (const [path, text] of Object.entries(own))
      expect(readFileSync(join(project.root, path), 'utf8')).toBe(text);
    expect(stdout).toMatch(/kept {2}\.gitignore +add the line \.wf\/ to it/);
    expect(stdout).toMatch(/kept {2}\.vscode\/settings\.json +add to it: "yaml\.schemas": \{/);
    expect(stdout).toMatch(/kept {2}wf\.yaml +it was there/);
    expect(stdout).toMatch(/made {2}formulas\/hello\.yaml/);
    const again = await project.wf('init --json');
    const { files } = JSON.parse(again.stdout) as { files: readonly { did: string }[] };
    expect(files.map(({ did }) => did)).toEqual(files.map(() => 'kept'));
    expect((await project.wf('init')).stdout).toContain('nothing to do');
  });

  it('says what is in the way', async () => {
    const project = testProject({ 'a-file': '' });
    expect(await project.wf('init a-file')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('something else of that name is in the way') as string,
    });
    mkdirSync(join(project.root, 'wf.yaml'));
    expect(await project.wf('init')).toMatchObject({ exitCode: 3 });
  });

  it('gives editors schemas that hold for its files and ask for nothing from elsewhere', async () => {
    const project = testProject({});
    await project.wf('init -q');
    const folder = join(project.root, '.vscode/formulary');
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), 'utf8');
      const references = [...text.matchAll(/"\$ref": "([^"]*)"/g)].map((match) => match[1] ?? '');
      expect(references.filter((reference) => !reference.startsWith('#/'))).toEqual([]);
    }
    const yaml = ['wf.yaml', 'formulas/hello.yaml', 'formulas/hello.test.yaml', 'molecules/greet.yaml'];
    for (const path of yaml) {
      const file = join(project.root, path);
      const text = readFileSync(file, 'utf8');
      const [, named = ''] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text) ?? [];
      const schema = JSON.parse(readFileSync(join(dirname(file), named), 'utf8')) as object;
      const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
      const { root } = parseYaml(path, text);
      const value = toJson(root as NonNullable<typeof root>);
      expect([path, validate(value), validate.errors]).toEqual([path, true, null]);
      expect([path, validate({ ...(value as object), unknown: 1 })]).toEqual([path, false]);
    }
    const settings = JSON.parse(readFileSync(join(project.root, '.vscode/settings.json'), 'utf8')) as {
      'yaml.schemas': Record<string, readonly string[]>;
    };
    for (const path of Object.keys(settings['yaml.schemas']))
      expect(existsSync(join(project.root, path))).toBe(true);
  });
});
