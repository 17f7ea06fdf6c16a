import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

const formula = (index: number, step = 'two') =>
  `formula: f${index}\ndescription: Does nothing.\nsteps: [{id: one, run: ':'}, {id: two, needs: [one], run: ':'}, {id: three, needs: [${step}], run: ':'}]\n`;

const many = Object.fromEntries(
  Array.from({ length: 100 }, (_, index) => [`formulas/f${index}.yaml`, formula(index)]),
);

/** As a build, which a check of another build does not believe. */
const built = (build: string) => ({ env: { WF_BUILD: build } });

it('remembers in .wf/cache what need not be checked again', async () => {
  const project = testProject(many);
  const first = await project.wf('check', built('a'));
  expect(first.stdout).toBe('100 files checked, nothing to report\n');
  const file = join(project.root, '.wf/cache/check.json');
  const kept = readFileSync(file, 'utf8');
  expect(readFileSync(join(project.root, '.wf/.gitignore'), 'utf8')).toBe('*\n');
  project.write({ 'formulas/f7.yaml': formula(7, 'tow') });
  const second = await project.wf('check --json', built('a'));
  expect(JSON.parse(second.stdout)).toMatchObject({
    ok: false,
    files: 100,
    diagnostics: [{ rule: 'unknown-need', file: 'formulas/f7.yaml' }],
  });
  expect(readFileSync(file, 'utf8')).not.toBe(kept);
  writeFileSync(file, kept.replaceAll('f7.yaml', 'f8.yaml'));
  expect(JSON.parse((await project.wf('check --json', built('b'))).stdout)).toMatchObject({ ok: false });
});

it('does without where it cannot be kept, and in a small project', async () => {
  const project = testProject(many);
  writeFileSync(join(project.root, '.wf'), 'in the way');
  const { stdout, stderr } = await project.wf('check', built('a'));
  expect({ stdout, stderr }).toEqual({ stdout: '100 files checked, nothing to report\n', stderr: '' });
  const small = testProject({ 'formulas/f1.yaml': formula(1) });
  mkdirSync(join(small.root, 'sub'));
  await small.wf('check', built('a'));
  expect(existsSync(join(small.root, '.wf'))).toBe(false);
});
