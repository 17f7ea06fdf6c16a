import { Ajv } from 'ajv';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderGithub } from '../../src/cli/render-github.ts';
import { toSarif } from '../../src/cli/render-sarif.ts';
import { readRulePage } from '../../src/cli/rule-page.ts';
import { checkProject } from '../../src/plan/check-project.ts';
import { memoryLoader, splitFiles } from '../support/memory-loader.ts';
import { testProject } from '../support/project.ts';

const root = join(import.meta.dirname, '../..');
const BAD = {
  'formulas/a.yaml': `formula: a
steps:
  - {id: build, run: make}
  - {id: publish, run: make publish, needs: [biuld]}
`,
};

/** The official schema, which is written in draft 4. */
function sarifSchema(): object {
  const home = dirname(createRequire(import.meta.url).resolve('@microsoft/jest-sarif/package.json'));
  const text = readFileSync(join(home, 'lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8');
  const { $schema: _, id: __, ...schema } = JSON.parse(text) as Record<string, unknown>;
  return schema;
}

async function sarifOf(text: string) {
  const { diagnostics, sources } = await checkProject(memoryLoader(splitFiles(text)));
  const pageOf = (rule: string) => readRulePage(root, rule);
  return toSarif(diagnostics, { version: '1.2.3', prefix: 'sub dir/', sources, pageOf });
}

describe('wf check --changed', () => {
  const bad = (name: string, uses = '') =>
    `formula: ${name}\ninputs: {unused: {type: string}}\nsteps: [{id: s, ${uses === '' ? 'run: ls' : `uses: ${uses}`}}]\n`;
  const files = {
    'wf.yaml': 'env: [CI]\n',
    'formulas/alone.yaml': bad('alone'),
    'formulas/user.yaml': bad('user', 'fix-it'),
    'formulas/outer.yaml': bad('outer', 'formula/user'),
    'formulas/shape.yaml':
      'formula: shape\ninputs: {x: {$ref: ../schemas/one.json}, unused: {type: string}}\nsteps: [{id: s, run: "echo {{inputs.x}}"}]\n',
    'formulas/script.yaml':
      'formula: script\ninputs: {unused: {type: string}}\nsteps: [{id: s, run: ./scripts/go.sh}]\n',
    // Names a molecule by chance.
    'formulas/talks.yaml':
      'formula: talks\ndescription: Unlike fix-it this does nothing.\ninputs: {unused: {type: string}}\nsteps: [{id: s, run: ls}]\n',
    'molecules/fix-it.yaml': 'molecule: fix-it\nrun: ls\n',
    'schemas/one.json': '{"$ref": "two.json"}',
    'schemas/two.json': '{"type": "string"}',
    'scripts/go.sh': 'ls\n',
  };

  it.each([
    ['nothing', {}, []],
    ['a formula, committed or not', { 'formulas/alone.yaml': `# new\n${bad('alone')}` }, ['alone']],
    [
      'a molecule, and who uses it',
      { 'molecules/fix-it.yaml': 'molecule: fix-it\nrun: pwd\n' },
      ['outer', 'user'],
    ],
    ['a schema behind another', { 'schemas/two.json': '{"type": "string", "minLength": 1}' }, ['shape']],
    ['a script', { 'scripts/go.sh': 'pwd\n' }, ['script']],
    ['a new file', { 'formulas/fresh.yaml': bad('fresh') }, ['fresh']],
    [
      'wf.yaml, which is for all',
      { 'wf.yaml': 'env: [CI, X]\n' },
      ['alone', 'outer', 'script', 'shape', 'talks', 'user'],
    ],
  ])('tells what %s has a word in', async (_, change, expected) => {
    const project = testProject(files).commit();
    project.write(change);
    const { stdout } = await project.wf('check --changed HEAD --json');
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly { file: string; rule: string }[] };
    expect([...new Set(diagnostics.map(({ file }) => file))]).toEqual(
      expected.map((name) => `formulas/${name}.yaml`),
    );
  });

  it('counts from where the branches parted, and sees what is gone', async () => {
    const project = testProject(files).commit();
    project.git('checkout', '-q', '-b', 'mine');
    project.git('rm', '-q', 'molecules/fix-it.yaml');
    project.git('commit', '-q', '-m', 'mine');
    project.git('checkout', '-q', 'main');
    writeFileSync(join(project.root, 'formulas/alone.yaml'), `# theirs\n${bad('alone')}`);
    project.git('commit', '-q', '-am', 'theirs');
    project.git('checkout', '-q', 'mine');
    const { stdout } = await project.wf('check --changed main --json');
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly { file: string; rule: string }[] };
    expect(diagnostics.map(({ file, rule }) => `${file} ${rule}`)).toContain(
      'formulas/user.yaml unknown-uses',
    );
    expect(diagnostics.map(({ file }) => file)).not.toContain('formulas/alone.yaml');
    expect((await project.wf('check --changed nope')).exitCode).toBe(3);
    // A git that fails says nothing, and that is not that nothing changed.
    const tools = join(project.root, '.wf', 'tools');
    mkdirSync(tools, { recursive: true });
    writeFileSync(
      join(tools, 'git'),
      '#!/bin/sh\ncase " $* " in *" diff "*) exit 128;; esac\nPATH="${PATH#*:}" exec git "$@"\n',
    );
    chmodSync(join(tools, 'git'), 0o755);
    const failed = await project.wf('check --changed main', {
      env: { PATH: `${tools}:${process.env['PATH'] ?? ''}` },
    });
    expect(failed).toMatchObject({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringContaining('git cannot tell') as string,
    });
  });

  it('says of how many files, and when nothing says where the branches parted', async () => {
    const project = testProject(files).commit();
    project.write({ 'formulas/alone.yaml': '# changed\nformula: alone\nsteps: [{id: s, run: ls}]\n' });
    expect((await project.wf('check --changed HEAD')).stdout).toBe(
      '1 of 8 files checked, nothing to report\n',
    );
    project.git('commit', '-q', '-am', 'change');
    // Another root: as a clone without history has it.
    project.git('checkout', '-q', '--orphan', 'other');
    project.git('commit', '-q', '-m', 'other');
    const told = await project.wf('check --changed main');
    expect(told.stderr).toContain('nothing here says where this and main parted');
  });

  it('says so when nothing differs', async () => {
    const project = testProject(files).commit();
    expect((await project.wf('check --changed HEAD')).stdout).toBe(
      'nothing differs from HEAD that a formula depends on\n',
    );
  });
});

describe('wf check --format', () => {
  it('github annotates the lines of a pull request, wherever the project is in its repository', async () => {
    const project = testProject({ 'some/place/formulas/a.yaml': BAD['formulas/a.yaml'] });
    project.git('init', '-q');
    const { stdout, exitCode } = await project.wf('check --cwd some/place --format github');
    expect(stdout).toMatchInlineSnapshot(`
      "::error file=some/place/formulas/a.yaml,line=4,endLine=4,col=46,endColumn=50,title=unknown-need::step "publish" needs "biuld", but no step has that id%0Ahelp: did you mean "build"?
      1 error in 1 file
      "
    `);
    expect(exitCode).toBe(1);
  });

  it('github keeps what stands in names and messages from being read as a command', () => {
    const range = { start: { line: 3, column: 1 }, end: { line: 5, column: 2 } };
    const told = renderGithub(
      [
        {
          rule: 'r',
          severity: 'warning',
          message: '100% of\n::error::it',
          file: 'a:b,c.yaml',
          range,
          related: [{ message: 'the first', file: 'd.yaml', range }],
        },
      ],
      'x,y/',
    );
    expect(told).toBe(
      '::warning file=x%2Cy/a%3Ab%2Cc.yaml,line=3,endLine=5,title=r::100%25 of%0A::error::it%0Ax,y/d.yaml:3: the first',
    );
  });

  it('sarif fits the official schema, whatever the rule', async () => {
    const ajv = new Ajv({ strict: false, logger: false, validateFormats: false, unicodeRegExp: false });
    const validate = ajv.compile(sarifSchema());
    expect(validate({ version: '2.1.0', runs: [{}] })).toBe(false);
    const folder = join(root, 'test/checks/err');
    const fixtures = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    for (const name of fixtures) {
      const log = await sarifOf(readFileSync(join(folder, name), 'utf8'));
      expect({ name, fits: validate(log), errors: validate.errors }).toEqual({
        name,
        fits: true,
        errors: null,
      });
      const [run] = log.runs;
      expect(run?.results?.length).toBeGreaterThan(0);
      expect(run?.tool.driver.rules?.every(({ help }) => help?.markdown?.startsWith('# '))).toBe(true);
    }
  });

  it('sarif names a result the same when lines before it come and go', async () => {
    const prints = async (text: string) =>
      (await sarifOf(text)).runs[0]?.results?.map(({ ruleId, locations, partialFingerprints }) => ({
        ruleId,
        uri: locations?.[0]?.physicalLocation?.artifactLocation?.uri,
        print: partialFingerprints?.['ruleAndLine/v1'],
      }));
    const text = `${BAD['formulas/a.yaml']}  - {id: publish2, run: make publish, needs: [biuld]}\n`;
    const before = await prints(text);
    expect(before).toMatchObject([
      { ruleId: 'unknown-need', uri: 'sub%20dir/formulas/a.yaml' },
      { ruleId: 'unknown-need' },
    ]);
    expect(new Set(before?.map(({ print }) => print)).size).toBe(2);
    expect(await prints(text.replace('steps:', '\n# more\nsteps:'))).toEqual(before);
  });

  it('sarif and json are whole documents, also when there is nothing to tell', async () => {
    const project = testProject(BAD);
    const sarif = JSON.parse((await project.wf('check --format sarif')).stdout) as { runs: object[] };
    expect(sarif.runs[0]).toMatchObject({ results: [{ ruleId: 'unknown-need', level: 'error' }] });
    expect((await project.wf('check --format json')).stdout).toBe((await project.wf('check --json')).stdout);
    project.write({ 'formulas/a.yaml': BAD['formulas/a.yaml'].replace('biuld', 'build') });
    const { stdout, exitCode } = await project.wf('check --format sarif');
    expect(JSON.parse(stdout)).toMatchObject({ runs: [{ results: [], tool: { driver: { rules: [] } } }] });
    expect(exitCode).toBe(0);
    expect((await project.wf('check --format xml')).exitCode).toBe(2);
  });
});
