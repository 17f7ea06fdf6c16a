import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Loader } from '../formula/loader.ts';
import type { RunEvent } from '../journal/event.ts';
import { hasEnded } from '../journal/run-state.ts';
import type { RunState } from '../journal/run-state.ts';
import type { Plan } from '../plan/plan.ts';
import { writeYaml } from '../source/write-yaml.ts';
import type { JsonObject } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import type { TestResult } from '../testing/run-tests.ts';
import { runTests } from '../testing/run-tests.ts';
import { testOfRun, withoutExpectations } from '../testing/test-of-run.ts';
import type { ProjectFolder } from '../workspace/project-loader.ts';
import { fileProblem } from '../workspace/file-problem.ts';

/** A run, as it is on record. */
export interface RecordedRun {
  readonly plan: Plan;
  readonly state: RunState;
  readonly events: readonly RunEvent[];
}

/** A test that was written. */
export interface WrittenTest {
  /** From the project's root. */
  readonly file: string;
  /** How it went just now. */
  readonly result: TestResult;
  /** Expectations that do not hold without the files or the environment of the run: `outputs.count`. */
  readonly leftOut: readonly string[];
}

/**
 * Writes a file with one test that goes as a run went, and runs it: what does not hold without the run's files is left
 * out. Throws a {@link UserError} where there is a file already, the formula is an import's, or the run has not ended.
 */
export async function writeTestOfRun(
  project: ProjectFolder,
  { plan, state, events }: RecordedRun,
  signal: AbortSignal,
): Promise<WrittenTest> {
  const { formula, run, status } = state;
  if (!hasEnded(status) && status !== 'waiting')
    throw new UserError(`run ${run} has not ended`, { hint: '`wf watch` waits for it' });
  if (formula.includes('/'))
    throw new UserError(`${formula} is a formula of an import, and has its tests there`, {
      hint: 'a formula that uses it can have tests here',
    });
  const file = `formulas/${formula}.${run.slice(-6).toLowerCase()}.test.yaml`;
  if (!existsSync(join(project.root, 'formulas', `${formula}.yaml`)))
    throw new UserError(`there is no formula "${formula}" any more for run ${run} to be a test of`);
  if (existsSync(join(project.root, file)))
    throw new UserError(`${file} is there already`, {
      hint: 'move it away, or give its test another name in another file',
    });
  let test = testOfRun(plan, state, events);
  const leftOut: string[] = [];
  let result = await tried(project, file, test, signal);
  // What is told of the end may hang on files that no stub has written.
  for (const whats of [
    ['outputs', 'error'],
    ['attempts', 'steps'],
  ]) {
    const wrong = result.mismatches
      .map(({ what }) => what)
      .filter((what) => whats.includes(what.split('.')[0] ?? ''));
    if (wrong.length === 0) continue;
    leftOut.push(...wrong);
    test = withoutExpectations(test, wrong);
    result = await tried(project, file, test, signal);
  }
  const comments = [
    `Written from run ${run} by \`wf test --stubs-from\`: stubs put out what its actions did.`,
    ...(leftOut.length > 0
      ? [`Left out, since it hangs on files or the environment: ${leftOut.join(', ')}.`]
      : []),
  ];
  await writeFile(join(project.root, file), writeYaml({ tests: [test] }, comments), { flag: 'wx' }).catch(
    (error: unknown) => {
      throw fileProblem(error, file);
    },
  );
  return { file, result, leftOut };
}

async function tried(
  project: ProjectFolder,
  file: string,
  test: JsonObject,
  signal: AbortSignal,
): Promise<TestResult> {
  const text = new TextEncoder().encode(writeYaml({ tests: [test] }));
  const loader: Loader = {
    ...project,
    list: async () => [...(await project.list()), file].sort(),
    read: (path) => (path === file ? Promise.resolve(text) : project.read(path)),
  };
  const { tests, diagnostics } = await runTests(loader, { paths: [file], signal, env: process.env });
  const [result] = tests;
  if (result) return result;
  const [first] = diagnostics;
  return {
    file,
    name: String(test['name']),
    line: 1,
    ok: false,
    mismatches: [],
    problem: first ? `${first.file}:${first.range.start.line}: ${first.message}` : 'it was not run',
    took: 0,
  };
}
