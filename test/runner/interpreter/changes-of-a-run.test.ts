import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

describe('`run`', () => {
  const project = () =>
    testProject({
      'formulas/a.yaml': `
formula: a
steps:
  - {id: before, run: 'echo "{{size run.changed_files}} {{run.status}}"'}
  - {id: change, run: 'echo new > file.txt; echo made > made.txt'}
  - {id: after, when: "run.diff.contains('+new')", run: 'echo "{{join run.changed_files ","}} {{run.formula}} {{run.branch}} {{run.base}} {{run.id}}"'}
outputs: {files: run.changed_files}
`,
      'file.txt': 'old\n',
    }).commit();

  it('knows what was changed so far, its branch, its base and its id', async () => {
    const at = project();
    const run = await at.run();
    const id = run.state.run;
    expect(run.output('before')).toBe('0 running');
    expect(run.output('after')).toBe(
      `file.txt,made.txt a wf/a/${id} ${at.git('rev-parse', 'HEAD').trim()} ${id}`,
    );
    expect(run.outputs).toEqual({ files: ['file.txt', 'made.txt'] });
    expect(run.state.changedFiles).toEqual(['file.txt', 'made.txt']);
    expect(run.file('file.txt')).toBe('new\n');
    expect(at.git('show', 'HEAD:file.txt')).toBe('old\n');
  });

  it('is the same on the local engine', async () => {
    const at = project();
    const run = await at.runLocally();
    expect(run.outputs).toEqual({ files: ['file.txt', 'made.txt'] });
    expect(run.file('made.txt')).toBe('made\n');
  });
});

describe('steps that run at the same time', () => {
  it('each work in a copy, and what needs both sees both', async () => {
    const run = await testProject(`
steps:
  - {id: base, run: echo base > base}
  - {id: a, needs: [base], run: 'echo a > a; ls | tr "\\n" " "'}
  - {id: b, needs: [base], run: 'echo b > b; ls | tr "\\n" " "'}
  - {id: both, needs: [a, b], run: 'ls | tr "\\n" " "'}
`).run();
    expect(['a', 'b', 'both'].map((id) => run.output(id))).toEqual(['a base ', 'b base ', 'a b base ']);
  });

  it('that changed the same lines conflict where they come together', async () => {
    const run = await testProject(`
steps:
  - {id: a, needs: [], run: echo a > same}
  - {id: b, needs: [], run: echo b > same}
  - {id: both, needs: [a, b], run: cat same}
`).run();
    expect(run.state.error).toMatchObject({
      kind: 'conflict',
      message: '"a" and "b", which ran at the same time, changed the same lines of same',
      step: 'both',
    });
  });
});
