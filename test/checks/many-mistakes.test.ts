import { describe, expect, it } from 'vitest';
import { checkProject } from '../../src/plan/check-project.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';

/** Each mistake in a line: its place, its rule and what it says. */
async function told(files: Files | string): Promise<string[]> {
  const { diagnostics } = await checkProject(
    memoryLoader(typeof files === 'string' ? { 'formulas/a.yaml': files } : files),
  );
  return diagnostics.map(
    ({ file, range, rule, message }) => `${file}:${range.start.line}:${range.start.column} ${rule}: ${message}`,
  );
}

describe('one mistake does not hide the next', () => {
  it('a step that YAML misreads, one that the schema refuses, and one that needs nothing there is', async () => {
    expect(
      await told(`
formula: a
steps:
  - {id: braces, run: {{run.id}}}
  - id: colon
    run: echo note: this
  - {id: twice, run: ls, run: pwd}
  - {id: typo, run: ls, tmeout: 5m}
  - {id: nothing, run: ls, needs: [nope]}
  - {id: reads, run: 'echo "{{steps.reads_not.outputs.stdout}}"'}
  - {id: until, run: ls, repeat: {until: outputs.done, max: 3}}
`),
    ).toMatchInlineSnapshot(`
      [
        "formulas/a.yaml:4:23 yaml-eaten-braces: a value that begins with "{{" is read as a map by YAML, not as text",
        "formulas/a.yaml:6:10 yaml-eaten-colon: YAML reads ": " inside this value as the end of a key",
        "formulas/a.yaml:7:26 duplicate-key: the key "run" is here twice",
        "formulas/a.yaml:8:25 unknown-key: "tmeout" is not a key of step "typo"",
        "formulas/a.yaml:9:36 unknown-need: step "nothing" needs "nope", but no step has that id",
        "formulas/a.yaml:10:37 unknown-reference: no step "reads_not" can be read here; there are braces, colon, twice, typo, nothing, reads, until",
        "formulas/a.yaml:11:50 unknown-reference: property "done" is not in {stdout: string, stderr: string, exit_code: int}",
      ]
    `);
  });

  it('what would only follow from a broken step is not told', async () => {
    expect(
      await told(`
formula: a
steps:
  - {id: list, run: ls, outptus: {files: {type: array}}}
  - {id: loop, run: ls, for_eech: [a, b]}
  - {id: later, run: ls, need: [list]}
  - id: reads
    when: steps.list.outputs.files.size() > 0 && steps.loop.outputs[0].exit_code == 0
    run: echo "{{steps.later.outputs.stdout}}"
  - {id: uses, uses: cut, with: {file: x}}
# A formula that uses a broken one is checked against what is left of it.
`),
    ).toMatchInlineSnapshot(`
      [
        "formulas/a.yaml:4:25 unknown-key: "outptus" is not a key of step "list"",
        "formulas/a.yaml:5:25 unknown-key: "for_eech" is not a key of step "loop"",
        "formulas/a.yaml:6:26 unknown-key: "need" is not a key of step "later"",
        "formulas/a.yaml:10:22 unknown-uses: there is no molecule "cut"",
      ]
    `);
  });

  it('a mistake outside of the steps makes the rest of the file a guess', async () => {
    expect(
      await told(`
formula: a
inherits: base
steps:
  - {id: s, run: ls, needs: [from_base]}
`),
    ).toMatchInlineSnapshot(`
      [
        "formulas/a.yaml:3:1 unknown-key: "inherits" is not a key of the formula",
      ]
    `);
  });

  it('an alias makes every step that holds it as broken as the first', async () => {
    expect(
      await told(`
formula: a
steps:
  - {id: one, run: ls, retry: &retry {attemps: 3}}
  - {id: two, run: ls, retry: *retry}
  - {id: three, run: ls, needs: [nope]}
`),
    ).toMatchInlineSnapshot(`
      [
        "formulas/a.yaml:4:39 unknown-key: "attemps" is not a key of "retry" of step "one"",
        "formulas/a.yaml:6:34 unknown-need: step "three" needs "nope", but no step has that id",
      ]
    `);
  });

  it('a broken wf.yaml says nothing of groups', async () => {
    expect(
      await told({
        'formulas/a.yaml': "formula: a\nsteps:\n  - {id: ask, approve: {ask: 'Go?', by: [team]}}\n",
        'wf.yaml': 'poeple: {team: [ann@example.com]}\n',
      }),
    ).toMatchInlineSnapshot(`
      [
        "wf.yaml:1:1 unknown-key: "poeple" is not a key of wf.yaml",
      ]
    `);
  });

  it('a broken formula can still be used', async () => {
    expect(
      await told({
        'formulas/a.yaml':
          "formula: a\nsteps:\n  - {id: s, uses: formula/b, with: {nmae: x}}\n  - {id: t, run: 'echo {{steps.s.outputs.out}} {{steps.s.outputs.nope}}'}\n",
        'formulas/b.yaml':
          "formula: b\ninputs: {name: {type: string, default: ''}}\nsteps:\n  - {id: s, runn: 'echo {{inputs.name}}'}\noutputs: {out: steps.s.outputs.stdout}\n",
      }),
    ).toMatchInlineSnapshot(`
      [
        "formulas/a.yaml:3:37 unknown-argument: formula "b" has no input "nmae"",
        "formulas/a.yaml:4:66 unknown-reference: property "nope" is not in {out: any}",
        "formulas/b.yaml:4:13 unknown-key: "runn" is not a key of step "s"",
      ]
    `);
  });
});
