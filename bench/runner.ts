// What the runner costs: `node bench/runner.ts [--quick]`.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Loader } from '../src/formula/loader.ts';
import { compileFormula } from '../src/plan/compile.ts';
import type { Plan } from '../src/plan/plan.ts';
import type { RunHost } from '../src/runner/run.ts';
import { resumeRun, startRun } from '../src/runner/run.ts';
import { interleave, print, summary } from './support.ts';
import type { Row } from './support.ts';

/** The very argv that a bash step becomes. */
const ARGV = ['--norc', '--noprofile', '-c', 'set -euo pipefail; :'] as const;

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'resume') await resumeHere(String(rest[0]), String(rest[1]));
else await measureAll(mode === '--quick');

async function measureAll(quick: boolean): Promise<void> {
  const steps = quick ? 100 : 1_000;
  const rounds = quick ? 2 : 5;
  const recorded = quick ? 500 : 5_000;
  const many = quick ? 1_000 : 10_000;
  const root = mkdtempSync(join(tmpdir(), 'wf-bench-'));
  try {
    const empty = await compile(formulaOf(steps, 'empty'));
    const clone = await compile(formulaOf(steps, 'clone'));
    const [captured, ignored, inEmpty, inClone] = await interleave(
      [
        { name: 'bash, output captured', run: () => spawns(steps, 'pipe') },
        { name: 'bash, output ignored', run: () => spawns(steps, 'ignore') },
        { name: 'run, workspace: empty', run: () => runOnce(root, empty.plan) },
        { name: 'run, workspace: clone', run: () => runOnce(root, clone.plan) },
      ],
      { rounds },
    );
    if (!captured || !ignored || !inEmpty || !inClone) throw new Error('four subjects were measured');
    const perStep = [captured, ignored, inEmpty, inClone].map(({ name, median, least, most }): Row => ({
      what: name,
      steps,
      'ms per step': median / steps,
      least: least / steps,
      most: most / steps,
      '× bash': median / captured.median,
    }));

    const waiting = await waitingRun(root, recorded);
    const resumed: number[] = [];
    const processes: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { milliseconds, whole } = await resumeElsewhere(waiting.project, waiting.run);
      resumed.push(milliseconds);
      processes.push(whole);
    }
    const resume = summary('resume', resumed);
    const whole = summary('resume, process and all', processes);

    const large = await compile(formulaOf(many, 'empty'));
    const largeRun = await runOnce(root, large.plan);
    const growth = largeRun / many / (inEmpty.median / steps);

    print({
      bench: 'What the runner costs',
      rows: [
        ...perStep,
        {
          what: `run of ${many} steps`,
          steps: many,
          'ms per step': largeRun / many,
          '× bash': largeRun / many / (captured.median / steps),
        },
        { what: `compile ${many} steps, ms`, steps: many, 'ms per step': large.milliseconds / many },
        {
          what: `resume after ${recorded} steps, ms`,
          steps: recorded,
          'ms per step': resume.median / recorded,
        },
      ],
      aims: [
        {
          what: 'a step, against a bare bash',
          is: inEmpty.median / captured.median,
          atMost: 1.5,
          unit: ' ×',
        },
        { what: `resume after ${recorded} recorded steps`, is: resume.median, atMost: 500, unit: ' ms' },
        { what: `a step of ${many}, against a step of ${steps}`, is: growth, atMost: 1.5, unit: ' ×' },
        { what: `compile ${many} steps`, is: large.milliseconds, atMost: 10_000, unit: ' ms' },
      ],
      notes: [
        `Each step is \`run: ':'\`; bare is \`bash ${ARGV.slice(0, 3).join(' ')} '${ARGV[3]}'\`, spawned by the same process, one after the other.`,
        'The results of every step are on disk (fsync) before the next begins.',
        `Resume: a new process, from the call to its answer, ${Math.round(resume.median)} ms; with Node's start and all imports ${Math.round(whole.median)} ms.`,
        `Files of the benchmark are in ${root.slice(0, root.lastIndexOf('/'))}.`,
      ],
      details: { captured, ignored, inEmpty, inClone, resume, whole, largeRun, compile: large.milliseconds },
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function spawns(count: number, output: 'pipe' | 'ignore'): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const child = spawn('bash', ARGV, { stdio: ['ignore', output, output] });
    child.stdout?.resume();
    child.stderr?.resume();
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`bash ended with ${String(code)}`);
  }
}

function formulaOf(steps: number, workspace: 'clone' | 'empty', last = ''): string {
  const lines = Array.from({ length: steps }, (_, index) => `  - {id: s${index}, run: ':'}`);
  return `formula: bench\ndescription: Does nothing, often.\nworkspace: ${workspace}\nsteps:\n${lines.join('\n')}\n${last}`;
}

async function compile(text: string): Promise<{ readonly plan: Plan; readonly milliseconds: number }> {
  const path = 'formulas/bench.yaml';
  const loader: Loader = {
    list: () => Promise.resolve([path]),
    read: (asked) => Promise.resolve(asked === path ? new TextEncoder().encode(text) : undefined),
    exists: (asked) => Promise.resolve(asked === path),
  };
  const begun = performance.now();
  const { plan, diagnostics } = await compileFormula(loader, 'bench');
  const milliseconds = performance.now() - begun;
  if (!plan) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return { plan, milliseconds };
}

/** A repository with one commit and no run in it. */
function newProject(root: string): string {
  const project = mkdtempSync(join(root, 'project-'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
      cwd: project,
    });
  mkdirSync(join(project, 'formulas'));
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'Begin');
  return project;
}

function host(): RunHost {
  return { attached: false, cancel: new AbortController().signal, env: process.env };
}

async function runOnce(root: string, plan: Plan): Promise<number> {
  const project = newProject(root);
  const begun = performance.now();
  const state = await startRun({ project, plan, inputs: {} }, host());
  const milliseconds = performance.now() - begun;
  if (state.status !== 'succeeded') throw new Error(`the run ended as ${state.status}`);
  rmSync(project, { recursive: true, force: true });
  return milliseconds;
}

/** A run that has ended so many steps and waits for an event. */
async function waitingRun(
  root: string,
  steps: number,
): Promise<{ readonly project: string; readonly run: string }> {
  const project = newProject(root);
  const { plan } = await compile(formulaOf(steps, 'empty', '  - {id: last, wait: {event: go}}\n'));
  const state = await startRun({ project, plan, inputs: {} }, host());
  if (state.status !== 'waiting') throw new Error(`the run is ${state.status}`);
  return { project, run: state.run };
}

async function resumeElsewhere(
  project: string,
  run: string,
): Promise<{ readonly milliseconds: number; readonly whole: number }> {
  const begun = performance.now();
  const child = spawn(process.execPath, [import.meta.filename, 'resume', project, run], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  await once(child, 'close');
  return { milliseconds: Number(text), whole: performance.now() - begun };
}

async function resumeHere(project: string, run: string): Promise<void> {
  const begun = performance.now();
  const state = await resumeRun({ project, run }, host());
  process.stdout.write(String(performance.now() - begun));
  if (state.status !== 'waiting') throw new Error(`the run is ${state.status}`);
}
