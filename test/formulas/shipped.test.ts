import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from '../../src/diagnostics/code-frame.ts';
import { Project } from '../../src/formula/project.ts';
import { checkProject } from '../../src/plan/check-project.ts';
import { listProject } from '../../src/plan/list.ts';
import { isJsonObject } from '../../src/support/json.ts';
import { openProject } from '../../src/workspace/project-loader.ts';
import { shippedProject } from '../support/shipped.ts';

const root = openProject(fileURLToPath(new URL('../..', import.meta.url)));

describe('the formulas and molecules that ship with wf', () => {
  it('have nothing wrong with them', async () => {
    const { diagnostics, sources, files } = await checkProject(root);
    expect(renderDiagnostics(diagnostics, sources)).toBe('');
    expect(files).toBeGreaterThan(10);
  });

  it('say what they are for, and of each input what it is, with a value to go by', async () => {
    const { formulas, molecules } = await listProject(root);
    const all = [...formulas, ...molecules];
    expect(all.filter(({ description }) => description === undefined).map(({ file }) => file)).toEqual([]);
    const mute = all.flatMap(({ file, inputs }) =>
      Object.entries(inputs)
        .filter(
          ([, schema]) =>
            !isJsonObject(schema) ||
            typeof schema['description'] !== 'string' ||
            // A schema of its own shows what there is.
            !('default' in schema || 'examples' in schema || '$ref' in schema),
        )
        .map(([name]) => `${file}: ${name}`),
    );
    expect(mute).toEqual([]);
  });

  it('are made of molecules that prove what they did', async () => {
    const project = await Project.open(root);
    const molecules = await Promise.all(
      project.paths.filter((path) => path.startsWith('molecules/')).map((path) => project.file(path)),
    );
    const unproved = molecules.flatMap((file) =>
      file?.content?.kind === 'molecule' && file.content.body.verify.length === 0 ? [file.content.file] : [],
    );
    expect(unproved).toEqual([]);
  });

  it('show what they would do before they do it', async () => {
    const project = shippedProject();
    project.write({ 'package-lock.json': '{"lockfileVersion": 3, "packages": {}}' });
    const { exitCode, stdout } = await project.commit().wf('run --dry-run --all');
    expect(exitCode).toBe(0);
    for (const name of ['dependency-report', 'release-notes', 'repo-health']) {
      expect(stdout).toContain(`${name}  dry run`);
    }
  });
});
