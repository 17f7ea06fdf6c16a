import { describe, expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

const release = `formula: release
workspace: {from: clone}
inputs:
  version: {type: string, examples: [1.2.0-rc]}
  channels: {type: array, items: {type: string}, default: [npm, docker hub, s3, gcs, apt]}
  draft: {type: boolean, default: false}
steps:
  - id: build
    title: Build the package
    run: |
      npm run build -- --version {{inputs.version}}
      cat {{inputs.version}}.log   # of {{inputs.version}}
    env: {NOTES: '{{file "NOTES.md"}}'}
    outputs: {size: {type: integer}}
    verify: [{run: 'test -f {{inputs.version}}.tgz'}, {changes: {only: [dist/**]}}]
  - {id: push, for_each: inputs.channels, parallel: 2, run: [publish, '{{item}}', '{{steps.build.outputs.size}}']}
  - {id: tell, when: inputs.draft, run: echo draft}
  - {id: ask, when: steps.build.outputs.size > 10, approve: {ask: 'Publish {{steps.build.outputs.size}} bytes of {{inputs.version}}?'}}
finally:
  - {id: report, run: 'echo {{run.status}} {{inputs.version}}'}
outputs: {version: inputs.version}
`;

function project() {
  return testProject({ 'formulas/release.yaml': release, 'NOTES.md': 'Better.\nFaster.\n' }).commit();
}

describe('wf run --dry-run', () => {
  it('shows every command with its values, and what is not known yet', async () => {
    const result = await project().wf('run release --dry-run -i draft=false');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatchInlineSnapshot(`
      "release  dry run: nothing is started

      inputs     version   "1.2.0-rc"  example
                 channels  ["npm","docker hub","s3","gcs","apt"]  default
                 draft     false
      workspace  clone

        build  Build the package
          │ npm run build -- --version 1.2.0-rc
          │ cat 1.2.0-rc.log   # of 1.2.0-rc
          env NOTES=
            Better.
            Faster.
          verify test -f 1.2.0-rc.tgz
          verify changes only dist/**
        push
          for each of inputs.channels = 5 items, 2 at once
          [0] "npm"
            │ publish npm ‹steps.build.outputs.size›
          [1] "docker hub"
            │ publish 'docker hub' ‹steps.build.outputs.size›
          [2] "s3"
            │ publish s3 ‹steps.build.outputs.size›
          [3] "gcs"
            │ publish gcs ‹steps.build.outputs.size›
          [4] "apt"
            │ publish apt ‹steps.build.outputs.size›
        tell  would be skipped: inputs.draft is false
        ask  may be skipped
          when steps.build.outputs.size > 10  (not known yet)
          ask somebody: Publish ‹steps.build.outputs.size› bytes of 1.2.0-rc?

      finally
        report
          │ echo ‹run.status› 1.2.0-rc

      outputs
        version  "1.2.0-rc"

      not known before the run
        steps.build.outputs.size
        run.status
      "
    `);
  });

  it('starts nothing and leaves nothing behind', async () => {
    const here = project();
    await here.wf('run release --dry-run');
    expect(here.git('status', '--porcelain', '--ignored')).toBe('');
    expect(here.git('for-each-ref', 'refs/wf')).toBe('');
  });

  it('needs no repository', async () => {
    const result = await testProject({ 'formulas/release.yaml': release }).wf('run release --dry-run -q');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('NOTES=‹file "NOTES.md"›');
  });

  it('reads files as a clone would have them: as they were committed', async () => {
    const here = project();
    here.write({ 'NOTES.md': 'not committed' });
    expect((await here.wf('run release --dry-run')).stdout).toContain('Better.');
    here.git('commit', '-qam', 'second');
    expect((await here.wf('run release --dry-run')).stdout).toContain('not committed');
    expect((await here.wf('run release --dry-run --revision HEAD~1')).stdout).toContain('Better.');
  });

  it('reads files of a checkout as they are, and of another repository not at all', async () => {
    const here = project();
    const from = (where: string) => release.replace('{from: clone}', where);
    here.write({ 'formulas/release.yaml': from('checkout'), 'NOTES.md': 'not committed' });
    expect((await here.wf('run release --dry-run')).stdout).toContain('env NOTES=not committed');
    here.write({ 'formulas/release.yaml': from('{from: {git: ../other}}') });
    expect((await here.wf('run release --dry-run')).stdout).toContain('env NOTES=‹file "NOTES.md"›');
  });

  it('gives the whole as JSON', async () => {
    const { stdout } = await project().wf('run release --dry-run --json -i version=2');
    expect(JSON.parse(stdout)).toMatchObject({
      formula: 'release',
      inputs: { version: '2', draft: false },
      inputsFrom: { version: 'given', channels: 'default', draft: 'default' },
      steps: [
        {
          id: 'build',
          would: 'run',
          instances: [
            {
              action: {
                kind: 'run',
                command: {
                  is: 'known',
                  text: 'npm run build -- --version 2\ncat 2.log   # of 2\n',
                  rendered: { kind: 'bash', values: [{ name: '__wf_0', value: '2' }, {}, {}] },
                },
              },
            },
          ],
        },
        { id: 'push', instances: { length: 5 } },
        { id: 'tell', would: 'skip', instances: [] },
        { id: 'ask', would: 'open' },
      ],
      missing: ['steps.build.outputs.size', 'run.status'],
      failures: [],
    });
  });

  it('names an input without value, default and example, and one that does not fit', async () => {
    const here = testProject('inputs: {n: {type: integer}}\nsteps: [{id: a, run: "echo {{inputs.n}}"}]\n');
    expect(await here.wf('run a --dry-run')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('input "n" of formula "a" has no value and no default') as string,
    });
    expect(await here.wf('run a --dry-run -i n=x')).toMatchObject({ exitCode: 2 });
    expect(await here.wf('run --dry-run')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('needs the name of a formula') as string,
    });
  });

  it('ends with 1 when something would fail for certain', async () => {
    const here = testProject('steps: [{id: a, run: "echo {{file \'nowhere\'}}"}]\n');
    const { exitCode, stdout } = await here.wf('run a --dry-run');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('would fail: {{file}} cannot read "nowhere": there is no such file');
  });
});

describe('wf run --dry-run --all', () => {
  const files = {
    'formulas/good.yaml':
      'formula: good\nworkspace: empty\ninputs: {who: {type: string, examples: [Ann]}}\nsteps: [{id: a, run: "echo {{inputs.who}}"}]\n',
    'formulas/other.yaml':
      'formula: other\nworkspace: empty\ninputs: {who: {type: string, default: Bob, examples: [Ann]}}\nsteps: [{id: a, run: "echo {{inputs.who}}"}]\n',
  };
  const broken = {
    'formulas/broken.yaml': 'formula: broken\nsteps: [{id: a, run: "echo {{inputs.who}}"}]\n',
    'formulas/lacking.yaml':
      'formula: lacking\ninputs: {one: {type: string}, two: {type: string}}\nsteps: [{id: a, run: "echo {{inputs.one}} {{inputs.two}}"}]\n',
  };

  it('shows every formula from defaults and examples', async () => {
    const result = await testProject(files).wf('run --dry-run --all');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('│ echo Ann');
    expect(result.stdout).toContain('│ echo Bob');
  });

  it('ends with 1 when one of them cannot be shown, and shows the others', async () => {
    const here = testProject({ ...files, ...broken });
    const result = await here.wf('run --dry-run --all');
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain('│ echo Ann');
    expect(result.stdout).toContain('│ echo Bob');
    expect(result.stderr).toContain('formulas/broken.yaml:2:37  error  unknown-reference');
    expect(result.stderr).toContain('lacking: one, two have no default and no examples');
    const { formulas, ok } = JSON.parse((await here.wf('run --dry-run --all --json')).stdout) as {
      ok: boolean;
      formulas: readonly object[];
    };
    expect(ok).toBe(false);
    expect(formulas).toMatchObject([
      { formula: 'broken', ok: false, diagnostics: [{ rule: 'unknown-reference' }] },
      { formula: 'good', ok: true, dryRun: { inputs: { who: 'Ann' } } },
      { formula: 'lacking', ok: false, missingInputs: ['one', 'two'] },
      { formula: 'other', ok: true },
    ]);
  });

  it('means every formula, and only with --dry-run', async () => {
    const here = testProject(files);
    for (const args of [
      'run good --dry-run --all',
      'run --all',
      'run --dry-run --all -i who=x',
      'run good --dry-run --events',
    ])
      expect(await here.wf(args)).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
