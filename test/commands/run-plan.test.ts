import { describe, expect, it } from 'vitest';
import type { RunState } from '../../src/journal/run-state.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { testProject } from '../support/project.ts';
import { without } from '../support/without.ts';

const greeting = `inputs: {name: {type: string, default: world}}
steps: [{id: greet, run: 'echo hello {{inputs.name}}'}]
outputs: {text: steps.greet.outputs.stdout}
`;

/** The bytes that `wf plan --json` prints. */
async function planOf(text: string, args = ''): Promise<string> {
  const project = testProject(text);
  project.write({ 'wf.yaml': 'profiles: {ci: {env: [CI]}, dev: {env: [DEV]}}\n' });
  return (await project.wf(`plan a --json ${args}`)).stdout;
}

/** A project without formulas, with a plan in it. */
function withPlan(plan: string) {
  return testProject({ 'wf.yaml': '', 'a.plan.json': plan });
}

/** The plan with something changed, under the name that it had. */
function changed(plan: string, change: (plan: Record<string, unknown> & Plan) => unknown): string {
  const copy = JSON.parse(plan) as Record<string, unknown> & Plan;
  return JSON.stringify(change(copy) ?? copy, null, 2);
}

describe('wf run --plan', () => {
  it('runs a plan where its formula is not, with inputs as usual', async () => {
    const plan = await planOf(greeting);
    const project = withPlan(plan);
    const { stdout, stderr, exitCode } = await project.wf('run --plan a.plan.json -i name=Ann');
    expect(without(stderr)).toBe(`a: run <id>
greet: started
greet | hello Ann
greet: succeeded (<time>)
`);
    expect(without(stdout)).toBe(`a succeeded in <time>  run <id>
  text: hello Ann
`);
    expect(exitCode).toBe(0);
    const json = await project.wf(['run', 'a', '--plan', 'a.plan.json', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      formula: 'a',
      plan: (JSON.parse(plan) as Plan).plan,
      status: 'succeeded',
      outputs: { text: 'hello world' },
    });
    expect(await project.wf('run --plan a.plan.json -i nam=Ann')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('formula "a" has no input "nam"') as string,
    });
  });

  it('reads it from standard input, looks ahead at it, and leaves it to a process of its own', async () => {
    const plan = await planOf(greeting);
    const project = withPlan(plan);
    const piped = await project.wf('run --plan - --json', { input: `\uFEFF${plan}` });
    expect(JSON.parse(piped.stdout)).toMatchObject({ status: 'succeeded' });
    const dry = await project.wf('run --plan a.plan.json --dry-run');
    expect(dry).toMatchObject({ exitCode: 0, stderr: '' });
    expect(dry.stdout).toContain('hello world');
    const detached = await project.wf('run --plan a.plan.json --detach --json');
    const { run } = JSON.parse(detached.stdout) as RunState;
    const watched = await project.wf(['watch', run, '--json']);
    expect(JSON.parse(watched.stdout)).toMatchObject({
      status: 'succeeded',
      outputs: { text: 'hello world' },
    });
  });

  it('keeps to what the plan says of places, which changes nothing', async () => {
    const moved = changed(await planOf(greeting), (plan) => ({
      ...plan,
      compiler: 'wf 9.9.9',
      steps: plan.steps.map((step) => ({ ...step, source: { file: 'elsewhere.yaml', line: 7, column: 1 } })),
    }));
    expect(await withPlan(moved).wf('run --plan a.plan.json --json')).toMatchObject({ exitCode: 0 });
  });

  it('wants a formula or a plan, and what is said of both to agree', async () => {
    const project = withPlan(await planOf(greeting, '--profile ci'));
    const refused = async (args: string) => {
      const { stdout, stderr, exitCode } = await project.wf(`run ${args}`, { input: '' });
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
      return stderr;
    };
    expect(await project.wf('run a --plan a.plan.json --profile ci --json')).toMatchObject({ exitCode: 0 });
    expect(await refused('')).toMatchInlineSnapshot(`
      "error: wf run needs the name of a formula, or --plan <file>
      help: \`wf list\` shows which formulas there are
      "
    `);
    expect(await refused('b --plan a.plan.json')).toMatchInlineSnapshot(`
      "error: a.plan.json is a plan of formula "a", not of "b"
      help: leave out the name: the plan has it
      "
    `);
    expect(await refused('--plan a.plan.json --profile dev')).toMatchInlineSnapshot(`
      "error: a.plan.json was compiled with profile "ci", not with "dev"
      help: leave out --profile, or compile the formula again with it
      "
    `);
    expect(await refused('--plan - --inputs -')).toMatchInlineSnapshot(`
      "error: --plan and --inputs cannot both be standard input
      help: wf run --help shows what it takes
      "
    `);
    expect(await refused('--plan none.json')).toMatchInlineSnapshot(`
      "error: --plan none.json cannot be read: ENOENT
      help: it takes a file that \`wf plan <formula> --json\` was written to; - is standard input
      "
    `);
    expect(await refused('--plan a.plan.json --dry-run --all')).toMatchInlineSnapshot(`
      "error: --all=true cannot also be provided when using --plan
      help: wf run --help shows what it takes
      "
    `);
  });

  it('says what is wrong with what is no plan', async () => {
    const plan = await planOf(greeting);
    const refused = async (text: string) => {
      const { stdout, stderr, exitCode } = await withPlan(text).wf('run --plan a.plan.json');
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 3 });
      return stderr.replace(/sha256:[0-9a-f]{64}/g, 'sha256:<digest>');
    };
    expect(await refused('')).toMatchInlineSnapshot(`
      "error: a.plan.json is empty, but should hold a plan
      help: a plan is what \`wf plan <formula> --json\` prints
      "
    `);
    expect(await refused(plan.slice(0, plan.indexOf('"steps"')))).toMatchInlineSnapshot(`
      "error: a.plan.json is not JSON: Expected double-quoted property name in JSON at position 339 (line 18 column 3)
      help: a plan is what \`wf plan <formula> --json\` prints
      "
    `);
    expect(await refused('["a"]')).toMatchInlineSnapshot(`
      "error: a.plan.json is not a plan: "plan" must be a map, not a list
      help: a plan is what \`wf plan <formula> --json\` prints
      "
    `);
    expect(await refused('{"name": "formulary", "version": "0.1.0"}')).toMatchInlineSnapshot(`
      "error: a.plan.json is not a plan: "plan" lacks "plan", and 8 more
      help: a plan is what \`wf plan <formula> --json\` prints
      "
    `);
    expect(await refused(changed(plan, (one) => ({ ...one, schema: 2, loops: [] })))).toMatchInlineSnapshot(`
      "error: a.plan.json is a plan of version 2, and this wf knows version 1
      help: compile the formula again with this wf, or run the plan with the one that compiled it
      "
    `);
    expect(await refused(changed(plan, (one) => ({ ...one, finaly: [] })))).toMatchInlineSnapshot(`
      "error: a.plan.json is not a plan: "plan" must not have "finaly"; did you mean "finally"?
      help: a plan is what \`wf plan <formula> --json\` prints
      "
    `);
    const deeper = plan.replace('"kind": "run"', '"kind": "run", "shell": "zsh"');
    expect(await refused(deeper)).toMatchInlineSnapshot(`
      "error: a.plan.json is not a plan: "plan.steps[0].action" must not have "shell"
      help: a plan is what \`wf plan <formula> --json\` prints
      "
    `);
    const edited = plan.replace('echo hello', 'echo goodbye');
    expect(edited).not.toBe(plan);
    expect(await refused(edited)).toMatchInlineSnapshot(`
      "error: a.plan.json was changed after it was compiled: it says sha256:<digest>, but what it holds is sha256:<digest>
      help: change formula "a" instead, and compile it again
      "
    `);
  });

  it('tells a formula with mistakes at the other end of a pipe', async () => {
    const mistaken = await planOf('steps: [{id: hi, run: "echo {{inputs.a}}"}]\n');
    const { stderr, exitCode } = await withPlan('').wf('run --plan -', { input: mistaken });
    expect({ stderr, exitCode }).toMatchInlineSnapshot(`
      {
        "exitCode": 3,
        "stderr": "error: standard input holds no plan, but the mistakes for which there was none
      help: \`wf check\` shows them
      ",
      }
    `);
    const json = await withPlan('').wf('run --plan - --json', { input: mistaken });
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { exit: 3, hint: '`wf check` shows them' } });
  });
});
