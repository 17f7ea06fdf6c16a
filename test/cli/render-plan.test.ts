import { describe, expect, it } from 'vitest';
import { renderPlan } from '../../src/cli/render-plan.ts';
import { textStyle } from '../../src/cli/text-style.ts';
import { loadBashParser } from '../../src/formula/bash/load-parser.ts';
import type { TestProject } from '../support/project.ts';
import { testProject } from '../support/project.ts';

const style = textStyle(process.stdout, ['--no-color']);
const bash = await loadBashParser();

async function planText(project: TestProject | string, width?: number): Promise<string> {
  const plan = await (typeof project === 'string' ? testProject(project) : project).compile();
  return renderPlan({ ...plan, plan: 'sha256:…' }, { style, width, bash });
}

/** Steps alone, without what stands above them. */
async function stepsText(text: string, width?: number): Promise<string> {
  return (await planText(text, width)).replace(/^[^]*?\n\n[^]*?\n\n/, '');
}

const everything = {
  'wf.yaml': 'people: {maintainers: [ann@example.com]}\n',
  'formulas/a.yaml': `
formula: a
description: |
  Make the linter pass
  without changing behaviour.
inputs:
  paths: {type: array, items: {type: string}, default: [src]}
  level: {enum: [low, high]}
  note: {type: string}
workspace:
  from: clone
  prepare: {run: npm ci, files: [package-lock.json]}
  services: [{id: db, run: 'serve --level {{inputs.level}}', ready: {port: 5432}}]
budget: {minutes: 30}
concurrency: {group: 'lint-{{inputs.level}}', then: queue}
steps:
  - id: lint
    title: Look for problems
    tags: [slow, files]
    run: |
      npx eslint {{args inputs.paths}} --format json \\
        | jq '{files: map(.filePath |= ltrimstr(env.PWD + "/"))}' > "$WF_OUTPUT"
      echo "for {{inputs.level}}" '{{inputs.note}}' <<E
      "{{inputs.note}}"
      E
    exit: [0, 1]
    env: {LEVEL: '{{inputs.level}}'}
    secrets: {TOKEN: NPM_TOKEN}
    outputs: {files: {type: array, items: {type: string}}}
  - id: fix
    for_each: steps.lint.outputs.files
    parallel: 4
    join: {quorum: 2}
    uses: fix-file
    with: {path: '{{item}}'}
    retry: {attempts: 3, on: [verify], feedback: true}
    timeout: 5m
    on_failure: continue
  - {id: alone, needs: [], run: [date, '+{{inputs.level}}'], repeat: {until: outputs.exit_code == 0, max: 3}}
  - {id: publish, needs: [fix, alone], uses: formula/publish, with: {tag: '{{inputs.note}}'}}
  - {id: review, when: size(steps.fix.outputs) > 10, approve: {ask: 'Land {{size steps.fix.outputs}} files?', show: [run.diff], by: [maintainers]}, timeout: 24h}
  - {id: count, run: {program: python3, script: "print(1)\\nprint(2)\\n"}, verify: [{run: 'test -f a', from: base, files: [a, b]}]}
  - {id: green, wait: {event: ci.finished, match: event.id == run.id, pass: event.ok == true}, timeout: 1h}
finally:
  - {id: report, run: 'echo "{{run.status}}"'}
outputs:
  fixed: size(steps.fix.outputs)
`,
  'formulas/publish.yaml': `
formula: publish
inputs: {tag: {type: string}}
steps:
  - {id: build, run: 'build {{inputs.tag}}'}
  - {id: push, once: true, run: 'push {{inputs.tag}}'}
finally:
  - {id: clean, run: rm -rf tmp}
`,
  'molecules/fix-file.yaml': `
molecule: fix-file
inputs: {path: {type: string}}
run: eslint --fix {{inputs.path}}
verify:
  - run: npx eslint {{inputs.path}}
  - changes: {only: ['{{inputs.path}}'], max_lines: 40}
`,
};

describe('a plan as text', () => {
  it('shows each step with what it does, waits for and has to prove', async () => {
    expect(await planText(testProject(everything))).toMatchInlineSnapshot(`
      "a
      Make the linter pass
      without changing behaviour.
      sha256:…

      inputs     paths  array  default ["src"]
                 level  "low" | "high"
                 note   string
      workspace  clone
                 prepared by npm ci once per content of package-lock.json
                 service db  serve --level {{inputs.level}}  ready when port 5432 answers
      budget     30 minutes
      exclusive  lint-{{inputs.level}} (waits for the one before)
      at most    no limit of minutes: workspace  \`prepare\` has no \`timeout\`
                 no limit of attempts: fix  nothing says how many items \`steps.lint.outputs.files\` has at most; \`maxItems\` in its schema would

        lint  Look for problems  [slow, files]
          │ npx eslint {{args inputs.paths}} --format json \\
          │   | jq '{files: map(.filePath |= ltrimstr(env.PWD + "/"))}' > "$WF_OUTPUT"
          │ echo "for {{inputs.level}}" '{{inputs.note}}' <<E
          │ "{{inputs.note}}"
          │ E
          exit code 0 or 1 is good
          env LEVEL={{inputs.level}}
          secret TOKEN from NPM_TOKEN
        fix
          for each of steps.lint.outputs.files, 4 at once, 2 have to succeed
          with path: {{item}}
          │ eslint --fix {{inputs.path}}
          up to 3 attempts on verify, with feedback
          timeout 5m
          on failure: continue
          verify npx eslint {{inputs.path}}
          verify changes only {{inputs.path}}; changes at most 40 lines
        alone  at once
          │ date +{{inputs.level}}
          repeat until outputs.exit_code == 0, at most 3 times
        publish  after fix, alone
          with tag: {{inputs.note}}
          formula publish
            build
              │ build {{inputs.tag}}
            push
              │ push {{inputs.tag}}
              once: never runs twice
          finally
            clean
              │ rm -rf tmp
        review
          when size(steps.fix.outputs) > 10
          ask somebody of maintainers: Land {{size steps.fix.outputs}} files?
          show run.diff
          timeout 1d
        count
          python3 runs
          │ print(1)
          │ print(2)
          verify test -f a  with a, b as before the step
        green
          wait for event ci.finished where event.id == run.id, which passes if event.ok == true
          timeout 1h

      finally
        report
          │ echo {{run.status}}

      outputs
        fixed  size(steps.fix.outputs)"
    `);
  });

  it('is cut where the terminal ends, and in no file', async () => {
    const long = `echo ${'word '.repeat(40)}end`;
    const formula = `steps: [{id: a, run: '${long}'}]`;
    const cut = await planText(formula, 80);
    expect(cut.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(cut).toContain('…');
    expect(await planText(formula)).toContain(long);
    for (const width of [40, 80, 120]) {
      const lines = (await planText(testProject(everything), width)).split('\n');
      expect(lines.filter((line) => line.length > width)).toEqual([]);
    }
  });

  it('folds a script and a chain of steps that no terminal could hold', async () => {
    const script = Array.from({ length: 40 }, (_, index) => `      echo ${index}`).join('\n');
    const text = await stepsText(`steps:\n  - id: a\n    run: |\n${script}\n`, 80);
    expect(text.split('\n')).toHaveLength(26);
    expect(text).toMatch(/│ echo 23\n {4}│ … 16 more lines$/);

    const steps = Array.from({ length: 200 }, (_, index) => `  - {id: s${index}, run: echo ${index}}`);
    const chain = await stepsText(`steps:\n${steps.join('\n')}\n`, 80);
    expect(chain).toMatch(
      /│ echo 39\n {2}… 140 more steps, each after the one above it \(--json has all\)\n {2}s180\n/,
    );
    expect(await stepsText(`steps:\n${steps.join('\n')}\n`)).toContain('│ echo 100\n');
  });

  it('lets nothing of a text move the cursor', async () => {
    const text = await stepsText('steps: [{id: a, run: "echo \\u001b[31mred \\u202e \\r x"}]');
    expect(text).toBe('  a\n    │ echo ␛[31mred � ␍ x');
  });
});
