import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

const files = {
  'wf.yaml': 'env: [CI]\npeople: {team: [b@example.com, a@example.com]}\n',
  'formulas/a.yaml': `formula: a
description: Größe of İstanbul
inputs: {name: {type: string, default: you}, names: {type: array, items: {type: string}, default: [i, I, ı]}}
steps:
  - {id: hi, run: 'echo {{inputs.name}}'}
  - {id: each, for_each: inputs.names, uses: say, with: {word: '{{item}}'}}
  - {id: ask, approve: {ask: 'All right, {{inputs.name}}?', by: [team]}, timeout: 24h}
  - {id: sub, uses: formula/b}
`,
  'formulas/b.yaml': 'formula: b\nsteps: [{id: one, run: date}]\n',
  'molecules/say.yaml': 'molecule: say\ninputs: {word: {type: string}}\nrun: echo {{inputs.word}}\n',
};

describe('wf plan', () => {
  it('prints the same bytes in another folder, home, language and time zone', async () => {
    const first = await testProject(files).wf('plan a --json');
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(first.stdout)).toMatchObject({ formula: 'a', schema: 1, steps: { length: 4 } });
    const there = testProject(files).commit();
    const other = {
      HOME: there.root,
      LANG: 'tr_TR.UTF-8',
      LC_ALL: 'tr_TR.UTF-8',
      TZ: 'Asia/Kathmandu',
      NO_COLOR: '',
      FORCE_COLOR: '1',
    };
    expect(await there.wf('plan a --json', { env: other })).toEqual(first);
  });

  it('shows text on stdout, with what is doubtful on stderr', async () => {
    const project = testProject('inputs: {a: {type: string}}\nsteps: [{id: hi, run: echo hi}]\n');
    const { stdout, stderr, exitCode } = await project.wf('plan a');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^a\nsha256:[0-9a-f]{64}\n\ninputs {5}a {2}string\nworkspace {2}empty\nat most {4}1 attempt\n {11}no limit of minutes: hi {2}it has no `timeout`, and no `budget` covers it\n\n {2}hi\n {4}│ echo hi\n$/,
    );
    expect(stderr).toContain('unused-input');
    expect(await project.wf('plan a -q')).toEqual({ stdout, stderr: '', exitCode: 0 });
  });

  it('has no plan for what does not compile', async () => {
    const project = testProject('steps: [{id: hi, run: "echo {{inputs.a}}"}]\n');
    expect(await project.wf('plan a')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('unknown-reference') as string,
    });
    const { exitCode, stdout } = await project.wf('plan a --json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, diagnostics: [{ rule: 'unknown-reference' }] });
    expect(await project.wf('plan b')).toMatchObject({ exitCode: 3 });
  });
});

describe('wf plan --diff', () => {
  const before = {
    'wf.yaml': 'people: {team: [ann]}\n',
    'sub/x.json': '{"type": "string"}',
    'formulas/a.yaml': `formula: a
inputs: {name: {$ref: ../sub/x.json}}
steps:
  - {id: ask, approve: {ask: 'Sure?', by: [team]}}
  - id: go
    run: |
      set -x
      echo {{inputs.name}}
`,
    'formulas/gone.yaml': 'formula: gone\nsteps: [{id: s, run: ls}]\n',
    'formulas/same.yaml': 'formula: same\nsteps: [{id: s, run: ls}]\n',
  };

  function changedProject() {
    const project = testProject(before).commit();
    rmSync(join(project.root, 'formulas/gone.yaml'));
    project.write({
      'formulas/a.yaml': before['formulas/a.yaml']
        .replace('  - {id: ask', '  # first\n  - {id: ask')
        .replace('id: go\n', 'id: go\n    needs: []\n    secrets: {TOKEN: T}\n')
        .replace('echo {{', 'echo @all `x` {{'),
      'formulas/fresh.yaml': 'formula: fresh\nsteps: [{id: s, run: ls, secrets: {A: X}}]\n',
      'formulas/same.yaml': '# the same\nformula: same\nsteps:\n  - id: s\n    run: ls\n',
    });
    return project;
  }

  it('says what formulas do otherwise than in a commit, what lets more happen first', async () => {
    const { stdout, stderr, exitCode } = await changedProject().wf('plan --diff HEAD');
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toMatchInlineSnapshot(`
      "a  3 changes, 2 let more happen
        ! step go  secrets.TOKEN  T
          lets more happen: it is given the secret T
        ! step go  order  no longer waits for ask
          lets more happen: the approval ask no longer always comes before it
        ~ step go  run
              set -x
            - echo {{inputs.name}}
            + echo @all \`x\` {{inputs.name}}

      fresh  is new, with 1 step
        ! step s is given the secret X

      gone  is gone
      "
    `);
  });

  it('is a comment for a pull request, in which nothing of a formula is markup', async () => {
    const { stdout } = await changedProject().wf('plan a --diff main --format markdown');
    expect(stdout).toMatchInlineSnapshot(`
      "<!-- wf plan --diff -->

      **1 formula changes** since <code>main</code> · ⚠️ <code>a</code> may do more than before

      #### <code>a</code> 3 changes, 2 let more happen

      | | where | what | |
      | --- | --- | --- | --- |
      | ⚠️ | <code>step go</code> | <code>secrets.TOKEN</code> | <code>T</code><br>**lets more happen**: <code>it is given the secret T</code> |
      | ⚠️ | <code>step go</code> | <code>order</code> | <code>no longer waits for ask</code><br>**lets more happen**: <code>the approval ask no longer always comes before it</code> |
      | <code>&#126;</code> | <code>step go</code> | <code>run</code> |  |

      <details><summary><code>step go&#58; run</code></summary>

      \`\`\`diff
        set -x
      - echo {{inputs.name}}
      + echo @all \`x\` {{inputs.name}}
      \`\`\`

      </details>
      "
    `);
  });

  it('warns of what a new formula brings along, and mentions nobody', async () => {
    const project = changedProject();
    project.write({ 'wf.yaml': "people: {team: [ann, '@org/team']}\n" });
    const { stdout } = await project.wf('plan --diff main --format markdown');
    expect(stdout).toContain('<code>a</code>, <code>fresh</code> may do more than before');
    expect(stdout).toContain('- ⚠️ <code>step s is given the secret X</code>');
    expect(stdout).toContain('**lets more happen**: <code>&#64;org/team may say yes</code>');
    expect(stdout.replace(/<code>.*?<\/code>|```diff[^]*?```/g, '')).not.toMatch(/@|&#64;/);
  });

  it('says that there is no change in behaviour, of a pure reformat too', async () => {
    const project = changedProject();
    expect((await project.wf('plan same --diff HEAD')).stdout).toBe('no change in behaviour since HEAD\n');
    expect(JSON.parse((await project.wf('plan same --diff HEAD --json')).stdout)).toMatchObject({
      since: project.git('rev-parse', 'HEAD').trim(),
      formulas: [{ formula: 'same', status: 'same' }],
    });
  });

  it('tells of a formula that does not compile, now or then', async () => {
    const project = testProject({
      ...before,
      'formulas/same.yaml': 'formula: same\nsteps: [{id: s}]\n',
    }).commit();
    project.write({ 'formulas/same.yaml': before['formulas/same.yaml'] });
    expect(await project.wf('plan same --diff HEAD')).toMatchObject({
      stdout: 'same  compiles now, and did not at HEAD\n',
      exitCode: 0,
    });
    project.write({ 'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls, needs: [t]}]\n' });
    const { stdout, exitCode } = await project.wf('plan a --diff HEAD');
    expect(stdout).toBe(`a  does not compile, so what it means cannot be told
  formulas/a.yaml:2  step "s" needs "t", but no step has that id
`);
    expect(exitCode).toBe(1);
  });

  it('works in a project that is a folder of its repository, and needs a repository and a revision', async () => {
    const project = testProject({ 'x/formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n' }).commit();
    project.write({ 'x/formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: pwd}]\n' });
    expect((await project.wf('plan a --diff HEAD --cwd x')).stdout).toContain('ls → pwd');
    expect(await project.wf('plan a --diff nope --cwd x')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('there is no commit, branch or tag "nope" here') as string,
    });
    const bare = testProject({ 'formulas/a.yaml': 'formula: a\nsteps: [{id: s, run: ls}]\n' });
    expect(await bare.wf('plan a --diff HEAD')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('is in no git repository') as string,
    });
    expect((await bare.wf('plan')).exitCode).toBe(2);
    expect((await bare.wf('plan a --format markdown')).exitCode).toBe(2);
  });
});
