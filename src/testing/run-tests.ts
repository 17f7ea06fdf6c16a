import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { LineIndex } from '../diagnostics/line-index.ts';
import { toDiagnostics } from '../diagnostics/to-diagnostics.ts';
import { checkFile } from '../checks/check-file.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { loadBashParser } from '../formula/bash/load-parser.ts';
import type { Molecule } from '../formula/formula.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import { resolveFormula } from '../formula/resolve.ts';
import type { Test, TestFile } from '../formula/test-file.ts';
import { isTestFile, stepIdOf, subjectOf } from '../formula/test-file.ts';
import { compileFormula } from '../plan/compile.ts';
import type { RunEvent } from '../journal/event.ts';
import type { Plan } from '../plan/plan.ts';
import { FifoPool } from '../workspace/fifo-pool.ts';
import { runProcess } from '../workspace/run-process.ts';
import { Watchdog } from '../workspace/watchdog.ts';
import type { Branch, Coverage } from './coverage.ts';
import { checksOf, coverageOf, withoutCheck } from './coverage.ts';
import type { Mismatch } from './judge.ts';
import { judge } from './judge.ts';
import { runTest } from './run-test.ts';
import type { Execute } from './stubbed-world.ts';

/** What came of one test. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  /** Where it begins; lines count from 1. */
  readonly line: number;
  readonly ok: boolean;
  readonly mismatches: readonly TestMismatch[];
  /** Why it could not be run, or came to nothing. */
  readonly problem?: string;
  /** Milliseconds. */
  readonly took: number;
}

export type TestMismatch = Omit<Mismatch, 'span'> & { readonly line: number };

export interface TestReport {
  readonly ok: boolean;
  readonly tests: readonly TestResult[];
  /** With `coverage`: which ways of each formula or molecule its tests have gone. */
  readonly coverage?: readonly Coverage[];
  /** Of files of tests and of what they are about: what does not check is not run. */
  readonly diagnostics: readonly Diagnostic[];
  /** The texts that the diagnostics point into, by path. */
  readonly sources: ReadonlyMap<string, string>;
}

export interface TestOptions {
  /** Files of tests, or what they are about; without, all of the project. */
  readonly paths?: readonly string[];
  /** Only tests whose name holds this text. */
  readonly filter?: string;
  /** Find out which ways tests have gone, and which checks none of them needs. */
  readonly coverage?: boolean;
  readonly signal: AbortSignal;
  /** The caller's environment, where real commands find programs. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of each test as it ends. */
  readonly onResult?: (result: TestResult) => void;
  /** Given the spans of snapshots that differ and what they should be, by file; they then count as met. */
  readonly update?: (file: string, text: string, mismatches: readonly Mismatch[]) => Promise<void>;
}

/** Runs the tests of a project, one after the other. Throws nothing for a test that fails, nor for a file that does not check. */
export async function runTests(loader: Loader, options: TestOptions): Promise<TestReport> {
  const project = await Project.open(loader);
  const wanted = testFilesOf(project.paths, options.paths);
  const folder = await mkdtemp(join(tmpdir(), 'wf-test-'));
  const machine = new Machine(folder);
  const results: TestResult[] = [];
  const diagnostics: Diagnostic[] = [];
  const coverage: Coverage[] = [];
  try {
    for (const path of wanted) {
      if (options.signal.aborted) break;
      const told = await runFile(project, loader, path, { ...options, machine, folder });
      results.push(...told.results);
      diagnostics.push(...told.diagnostics);
      if (told.coverage) coverage.push(told.coverage);
    }
  } finally {
    await machine.close();
    await rm(folder, { recursive: true, force: true });
  }
  const failed = diagnostics.some(({ severity }) => severity === 'error') || results.some(({ ok }) => !ok);
  return {
    ok: !failed && !options.signal.aborted,
    tests: results,
    ...(options.coverage && { coverage }),
    diagnostics,
    sources: project.sources,
  };
}

/** A file of tests, or what it is about, stands for the file of tests. */
function testFilesOf(all: readonly string[], paths: readonly string[] | undefined): readonly string[] {
  const tests = all.filter(isTestFile);
  if (!paths) return tests;
  const stems = new Set(paths.map((path) => path.replace(/\.yaml$/, '')));
  return tests.filter(
    (test) => paths.includes(test) || stems.has(test.replace(/(\.[^/.]+)?\.test\.yaml$/, '')),
  );
}

interface FileContext extends TestOptions {
  readonly machine: Machine;
  readonly folder: string;
}

async function runFile(
  project: Project,
  loader: Loader,
  path: string,
  context: FileContext,
): Promise<{
  readonly results: readonly TestResult[];
  readonly diagnostics: readonly Diagnostic[];
  readonly coverage?: Coverage;
}> {
  const { findings } = await checkFile(project, path);
  const file = await project.file(path);
  const diagnostics = toDiagnostics(findings, project.sources);
  const content = file?.content;
  if (content?.kind !== 'test' || diagnostics.some(({ severity }) => severity === 'error'))
    return { results: [], diagnostics };
  const compiled = await compileSubject(project, loader, content);
  if (!compiled.plan) return { results: [], diagnostics: [...diagnostics, ...compiled.diagnostics] };
  const { plan } = compiled;
  const bash = await loadBashParser();
  const lines = new LineIndex(file?.text ?? '');
  const results: TestResult[] = [];
  const snapshots: Mismatch[] = [];
  const proofs = await proofsOf(project, subjectOf(path)?.path ?? path);
  const ran: { readonly test: Test; readonly events: readonly RunEvent[]; readonly ok: boolean }[] = [];
  for (const test of content.tests) {
    if (context.signal.aborted) break;
    if (context.filter !== undefined && !test.name.value.includes(context.filter)) continue;
    const begun = performance.now();
    const { mismatches, problem, events } = await outcomeOf(test, plan, bash, context);
    const unproved = proofs
      .filter(({ test: name }) => name === test.name.value)
      .flatMap((proof) => unprovedBy(proof, test, events));
    const updated = context.update ? mismatches.filter(({ update }) => update !== undefined) : [];
    snapshots.push(...updated);
    const left = [...mismatches.filter((one) => !updated.includes(one)), ...unproved];
    const result: TestResult = {
      file: path,
      name: test.name.value,
      line: lines.position(test.name.span.start).line,
      ok: left.length === 0 && problem === undefined,
      mismatches: left.map(({ span, ...one }) => ({ ...one, line: lines.position(span.start).line })),
      ...(problem !== undefined && { problem }),
      took: Math.round(performance.now() - begun),
    };
    context.onResult?.(result);
    results.push(result);
    ran.push({ test, events, ok: result.ok });
  }
  if (snapshots.length > 0) await context.update?.(path, file?.text ?? '', snapshots);
  if (!context.coverage || context.signal.aborted) return { results, diagnostics };
  const passed = ran.filter(({ ok }) => ok);
  const idle: Branch[] = [];
  for (const { index, ...check } of checksOf(plan)) {
    const concerned = passed.filter(({ events }) =>
      events.some((event) => isOfCheck(event, check.step, index)),
    );
    const other = withoutCheck(plan, check.step, index);
    const needed = async () => {
      for (const { test } of concerned) {
        const { mismatches, problem } = await outcomeOf(test, other, bash, context);
        if (mismatches.length > 0 || problem !== undefined) return true;
      }
      return false;
    };
    // Of a check that no test reaches nothing is known; that is told by itself.
    if (concerned.length > 0 && !(await needed())) idle.push(check);
  }
  const subject = subjectOf(path)?.path ?? path;
  return {
    results,
    diagnostics,
    coverage: coverageOf(
      subject,
      plan,
      ran.map(({ events }) => events),
      idle,
    ),
  };
}

/** A check that says in which test it has to fail. */
interface Proof {
  readonly test: string;
  /** Its step, as events name it. */
  readonly step: string;
  /** Its place among the step's checks. */
  readonly index: number;
}

/** What `fails_on` asks of the tests of a formula or molecule; that of what it uses is asked of tests there. */
async function proofsOf(project: Project, path: string): Promise<readonly Proof[]> {
  const content = (await project.closure(path))?.content;
  if (content?.kind === 'molecule') {
    const step = stepIdOf(content.name.value);
    return content.body.verify.flatMap(({ failsOn }, index) =>
      failsOn ? [{ test: failsOn.value, step, index }] : [],
    );
  }
  if (content?.kind !== 'formula') return [];
  const { value } = resolveFormula(content, project.library);
  return [...value.steps, ...value.finally].flatMap(({ step, body }) =>
    body.verify.flatMap(({ value: { failsOn, span } }, index) =>
      failsOn && span.file === path ? [{ test: failsOn.value, step: step.id.value, index }] : [],
    ),
  );
}

/** Empty when the check has failed in the test, as it has to. */
function unprovedBy({ step, index }: Proof, test: Test, events: readonly RunEvent[]): readonly Mismatch[] {
  const own = events.filter((event) => isOfCheck(event, step, index));
  if (own.some(({ type }) => type === 'check.failed')) return [];
  return [
    {
      what: `check ${index + 1} of step "${step}"`,
      expected: 'fails here, as its `fails_on` says',
      actual: own.length === 0 ? 'is not reached' : 'passes',
      span: test.name.span,
    },
  ];
}

function isOfCheck(event: RunEvent, step: string, index: number): boolean {
  return (
    (event.type === 'check.passed' || event.type === 'check.failed') &&
    event.step === step &&
    event.check === index
  );
}

interface Outcome {
  readonly mismatches: readonly Mismatch[];
  readonly problem?: string;
  readonly events: readonly RunEvent[];
}

async function outcomeOf(
  test: Test,
  plan: Plan,
  bash: BashParser,
  { machine, folder, signal, env }: FileContext,
): Promise<Outcome> {
  const own = await mkdtemp(join(folder, 't'));
  try {
    const run = await runTest(test, { plan, bash, execute: machine.execute, env, folder: own, signal });
    const mismatches = judge(test.expect, run);
    const { events } = run;
    if (run.unstubbed.size === 0) return { mismatches, events };
    const steps = [...run.unstubbed].map((step) => `"${step}"`).join(', ');
    const problem = `nothing stands for the action of ${steps}: give it a stub, \`${[...run.unstubbed][0] ?? ''}: {}\`, or \`real\` to run it`;
    return { mismatches, problem, events };
  } catch (error) {
    return { mismatches: [], problem: (error as Error).message, events: [] };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** The plan of what a file of tests is about; a molecule is the one step of a formula with its inputs and outputs. */
async function compileSubject(project: Project, loader: Loader, { subject, file }: TestFile) {
  if (subject.kind === 'formula') return compileFormula(loader, subject.name);
  const molecule = (await project.file(`molecules/${subject.name}.yaml`))?.content;
  if (molecule?.kind !== 'molecule') throw new Error(`${file} is about a molecule that is not there`);
  const name = `test-of-${subject.name}`;
  const text = JSON.stringify(formulaAround(molecule, name));
  const path = `formulas/${name}.yaml`;
  return compileFormula(
    {
      ...loader,
      list: async () => [...(await loader.list()), path].sort(),
      read: (asked) =>
        asked === path ? Promise.resolve(new TextEncoder().encode(text)) : loader.read(asked),
    },
    name,
    { isFree: true },
  );
}

function formulaAround(molecule: Molecule, name: string): object {
  const id = stepIdOf(molecule.name.value);
  const inputs = Object.fromEntries(molecule.inputs.map((input) => [input.name.value, input.schema]));
  const outputs = (molecule.body.outputs?.declarations ?? []).map((output) => output.name.value);
  return {
    formula: name,
    workspace: 'clone',
    ...(molecule.inputs.length > 0 && { inputs }),
    steps: [
      {
        id,
        uses: molecule.name.value,
        ...(molecule.inputs.length > 0 && {
          with: Object.fromEntries(Object.keys(inputs).map((input) => [input, `{{inputs.${input}}}`])),
        }),
      },
    ],
    ...(outputs.length > 0 && {
      outputs: Object.fromEntries(outputs.map((output) => [output, `steps.${id}.outputs.${output}`])),
    }),
  };
}

/** Where real processes of all tests run: made when the first one starts. */
class Machine {
  readonly #folder: string;
  #fifos: FifoPool | undefined;
  #watchdog: Watchdog | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  readonly execute: Execute = (argv, { cwd, env, signal, timeout }) => {
    if (!this.#watchdog) {
      this.#watchdog = new Watchdog(this.#folder, 'test');
      this.#watchdog.start();
    }
    this.#fifos ??= new FifoPool(join(this.#folder, 'pipes'));
    return runProcess(
      { argv, cwd, env, signal, timeout, secrets: [] },
      { fifos: this.#fifos, registry: this.#watchdog },
    );
  };

  async close(): Promise<void> {
    await this.#fifos?.close();
    await this.#watchdog?.close();
  }
}
