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
      /^a\nsha256:[0-9a-f]{64}\n\ninputs {5}a {2}string\nworkspace {2}empty\n\n {2}hi\n {4}│ echo hi\n$/,
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
