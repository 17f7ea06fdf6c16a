import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

const UGLY = 'formula:  a\nsteps:\n- { id: s, run: ls }   # here\n';
const NICE = 'formula: a\nsteps:\n  - {id: s, run: ls} # here\n';

it('brings files into their canonical layout, and tells which', async () => {
  const project = testProject({
    'formulas/a.yaml': UGLY,
    'formulas/b.yaml': NICE.replace(': a', ': b'),
    'formulas/broken.yaml': 'formula: [\n',
  });
  chmodSync(join(project.root, 'formulas/a.yaml'), 0o640);
  const checked = await project.wf('fmt --check');
  expect(checked).toMatchObject({
    exitCode: 1,
    stdout: 'formulas/a.yaml is laid out otherwise\n1 file of 3 would change: wf fmt\n',
    stderr: expect.stringMatching(/^left {2}formulas\/broken.yaml: /) as string,
  });
  expect(readFileSync(join(project.root, 'formulas/a.yaml'), 'utf8')).toBe(UGLY);
  const { stdout, exitCode } = await project.wf('fmt');
  expect({ stdout, exitCode }).toEqual({ stdout: 'formulas/a.yaml\n1 file of 3 changed\n', exitCode: 1 });
  expect(readFileSync(join(project.root, 'formulas/a.yaml'), 'utf8')).toBe(NICE);
  expect(statSync(join(project.root, 'formulas/a.yaml')).mode & 0o777).toBe(0o640);
  expect(await project.wf('fmt --check formulas/a.yaml formulas/b.yaml')).toMatchObject({
    exitCode: 0,
    stdout: '2 files looked at, nothing to change\n',
  });
  expect(JSON.parse((await project.wf('fmt formulas/b.yaml --json')).stdout)).toEqual({
    ok: true,
    files: [{ file: 'formulas/b.yaml', did: 'same' }],
  });
});

it('writes behind a link, and through a pipe', async () => {
  const project = testProject({ 'shared/a.yaml': UGLY, 'formulas/b.yaml': NICE });
  symlinkSync('../shared/a.yaml', join(project.root, 'formulas/a.yaml'));
  await project.wf('fmt formulas/a.yaml');
  expect(lstatSync(join(project.root, 'formulas/a.yaml')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(project.root, 'shared/a.yaml'), 'utf8')).toBe(NICE);
  expect(await project.wf('fmt -', { input: UGLY })).toEqual({ stdout: NICE, stderr: '', exitCode: 0 });
  expect(await project.wf('fmt -', { input: 'a: [\n' })).toMatchObject({ stdout: 'a: [\n', exitCode: 1 });
});

it('goes on when a file cannot be read', async () => {
  const project = testProject({ 'formulas/a.yaml': UGLY, 'formulas/z.yaml': UGLY });
  symlinkSync('nowhere', join(project.root, 'formulas/gone.yaml'));
  const { stdout, stderr, exitCode } = await project.wf('fmt');
  expect(stdout).toBe('formulas/a.yaml\nformulas/z.yaml\n2 files of 3 changed\n');
  expect(stderr).toMatch(/^left {2}formulas\/gone\.yaml: it cannot be read: /);
  expect(exitCode).toBe(1);
});
