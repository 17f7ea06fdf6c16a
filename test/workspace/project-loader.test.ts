import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectAt, projectPaths } from '../../src/workspace/project-loader.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'wf-loader-')));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), '');
}

describe('the files of a project', () => {
  it('lie below its folders, at any depth', async () => {
    for (const path of ['wf.yaml', 'formulas/a.yaml', 'formulas/team/x/b.yaml', 'molecules/c.yml', 'd.yaml'])
      write(path);
    write('formulas/notes.md');
    expect(await projectAt(root).list()).toEqual([
      'formulas/a.yaml',
      'formulas/team/x/b.yaml',
      'molecules/c.yml',
      'wf.yaml',
    ]);
  });

  it('are found through a link, once, also when it leads to a folder that it stands in', async () => {
    write('elsewhere/a.yaml');
    write('formulas/b.yaml');
    symlinkSync('../elsewhere', join(root, 'formulas/linked'));
    symlinkSync('.', join(root, 'formulas/self'));
    symlinkSync('..', join(root, 'formulas/up'));
    symlinkSync('nowhere', join(root, 'formulas/gone.yaml'));
    expect(await projectAt(root).list()).toEqual([
      'formulas/b.yaml',
      'formulas/gone.yaml',
      'formulas/linked/a.yaml',
    ]);
  });

  it('are not those of packages and tools', async () => {
    for (const path of ['formulas/a.yaml', 'formulas/node_modules/p/b.yaml', 'formulas/.idea/c.yaml'])
      write(path);
    const project = projectAt(root);
    expect(await project.list()).toEqual(['formulas/a.yaml']);
    expect(projectPaths(project, ['.'], root)).toEqual(['formulas/a.yaml']);
    expect(projectPaths(project, ['formulas'], root)).toEqual(['formulas/a.yaml']);
  });
});
