import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BashParser } from '../formula/bash/load-parser.ts';
import type { Answer, Test } from '../formula/test-file.ts';
import type { RunEvent } from '../journal/event.ts';
import { foldRun, hasEnded } from '../journal/run-state.ts';
import type { RunState } from '../journal/run-state.ts';
import type { NewSignal } from '../journal/signal.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import { stepsByPath } from '../plan/steps-by-path.ts';
import { completeInputs } from '../runner/bind-inputs.ts';
import { Detached } from '../runner/engine.ts';
import { MemoryWorld } from '../runner/engines/memory-engine.ts';
import { Interpreter } from '../runner/interpreter.ts';
import { git } from '../workspace/git.ts';
import { openRunWorkspace } from '../workspace/open-run-workspace.ts';
import type { RunWorkspace } from '../workspace/run-workspace.ts';
import { BareWorkspace } from './bare-workspace.ts';
import { CountedWork } from './counted-work.ts';
import type { Execute } from './stubbed-world.ts';
import { StubbedWorld } from './stubbed-world.ts';

/** What came of the run of a test. */
export interface TestRun {
  readonly state: RunState;
  readonly events: readonly RunEvent[];
  /** Nothing could move it on but an answer or an event that the test does not have. */
  readonly waiting: boolean;
  /** Commands as they were started and questions as they were asked the last time, by step. */
  readonly rendered: ReadonlyMap<string, string>;
  /** Steps whose action was reached and has no stub. */
  readonly unstubbed: ReadonlySet<string>;
}

export interface TestContext {
  readonly plan: Plan;
  readonly bash: BashParser | undefined;
  readonly execute: Execute;
  /** The caller's environment, of which real commands get what every command gets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An empty folder for this test alone. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const RUN = '01JGFJJZ000000000000000000';

/** Longer than anything that a formula can wait for. */
const FOREVER = 100 * 365 * 24 * 3_600_000;

/** Runs the plan of a test on the interpreter, in its stubbed world, on a clock that moves when nothing else does. */
export async function runTest(test: Test, context: TestContext): Promise<TestRun> {
  const { plan, folder } = context;
  const inputs = completeInputs(
    plan.inputs,
    Object.fromEntries(test.inputs.map(({ name, value }) => [name.value, value])),
  );
  if (!inputs.ok) throw new Error(inputs.message);
  let wake = (): void => undefined;
  const change = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 2);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const memory = new MemoryWorld();
  const work = new CountedWork(() => wake());
  const answers = new Answers(test, plan, memory);
  const engine = memory.open(RUN, {
    onEvents: (events) => {
      for (const event of events) answers.hear(event);
      wake();
    },
    whenIdle: () => {
      wake();
      return 'stay';
    },
  });
  const workspace = await workspaceOf(test, plan, folder, context.signal);
  const world = new StubbedWorld({
    test,
    steps: stepsByPath(plan),
    workspace,
    folder,
    env: {
      ...Object.fromEntries(
        ['PATH', 'HOME', 'LANG', 'TMPDIR'].flatMap((name) =>
          context.env[name] === undefined ? [] : [[name, context.env[name]]],
        ),
      ),
      ...test.env,
    },
    clock: memory.clock,
    work,
    execute: context.execute,
    bash: context.bash,
  });
  const counted = work.over(engine);
  let ended = false;
  const done = (async () => {
    await counted.record('run', {
      type: 'run.started',
      formula: plan.formula,
      plan: plan.plan,
      inputs: inputs.value,
    });
    await new Interpreter(plan, inputs.value, counted, world).run();
    await counted.saved();
  })()
    .catch((error: unknown) => {
      if (!(error instanceof Detached)) throw error;
    })
    .finally(() => {
      ended = true;
      wake();
    });
  // Looked at below; until then nobody is to be bothered by it.
  done.catch(() => undefined);
  let waiting = false;
  while (!ended) {
    const { turns } = work;
    await memory.settled();
    if (context.signal.aborted) engine.detach();
    // What has ended meanwhile may have begun something.
    if (work.turns !== turns) continue;
    if (ended || work.busy || engine.events.length === 0) await change();
    else if (!memory.clock.step(memory.clock.now() + FOREVER)) {
      waiting = true;
      engine.detach();
      break;
    }
  }
  await done;
  await engine.close();
  const { events } = engine;
  const header = {
    run: RUN,
    formula: plan.formula,
    plan: plan.plan,
    inputs: inputs.value,
    createdAt: events[0]?.at ?? '',
  };
  const state = foldRun(header, events, plan);
  const rendered = new Map(world.rendered);
  for (const event of events)
    if (event.type === 'approval.asked') rendered.set(String(event.step), event.ask);
  return { state, events, waiting: waiting && !hasEnded(state.status), rendered, unstubbed: world.unstubbed };
}

/** Says what a test has people say, when they are asked, and tells its events when they happen. */
class Answers {
  readonly #test: Test;
  readonly #steps: ReadonlyMap<string, PlanStep>;
  readonly #memory: MemoryWorld;
  readonly #given = new Map<string, number>();

  constructor(test: Test, plan: Plan, memory: MemoryWorld) {
    this.#test = test;
    this.#steps = stepsByPath(plan);
    this.#memory = memory;
  }

  hear(event: RunEvent): void {
    if (event.type === 'run.started') {
      for (const { event: name, data, after } of this.#test.events)
        this.#later(after, { kind: 'event', event: name, data, verified: true });
    }
    if (event.type !== 'approval.asked') return;
    const step = String(event.step);
    const instance = event.item === undefined ? step : `${step}[${event.item}]`;
    const { answers } = this.#test;
    const found =
      answers.find(({ name }) => name.value === instance) ?? answers.find(({ name }) => name.value === step);
    if (!found) return;
    const given = this.#given.get(found.name.value) ?? 0;
    this.#given.set(found.name.value, given + 1);
    const answer = found.value[Math.min(given, found.value.length - 1)];
    if (answer) for (const by of this.#people(answer, step)) this.#say(answer, instance, by);
  }

  /** Who says it: whom the test names, or as many as are needed. */
  #people({ by, decision }: Answer, step: string): readonly string[] {
    if (by !== undefined) return [by];
    const action = this.#steps.get(step)?.action;
    if (action?.kind !== 'approve') return [];
    const members = action.by ? [...new Set(Object.values(action.by).flat())] : [];
    const needed = decision === 'reject' ? 1 : action.count;
    return Array.from({ length: needed }, (_, index) => members[index] ?? `person${index + 1}@example.com`);
  }

  #say({ decision, comment, after }: Answer, step: string, by: string): void {
    this.#later(after, {
      kind: decision,
      step,
      by,
      verified: true,
      ...(comment !== undefined && { comment }),
    });
  }

  #later(milliseconds: number, signal: NewSignal): void {
    const { clock } = this.#memory;
    clock.at(clock.now() + milliseconds, () => {
      // Nobody listens to a run that has ended.
      try {
        this.#memory.send(RUN, signal);
      } catch {
        return;
      }
    });
  }
}

/** A real one where files matter, as the formula asks for it, in a repository of the test's files. */
async function workspaceOf(
  test: Test,
  plan: Plan,
  folder: string,
  signal: AbortSignal,
): Promise<RunWorkspace> {
  const writes = test.stubs.some(
    ({ value }) => value !== 'real' && value.some((one) => Object.keys(one.writes).length > 0),
  );
  const bare = join(folder, 'work');
  mkdirSync(bare, { recursive: true });
  if (Object.keys(test.files).length === 0 && !writes) return new BareWorkspace(bare);
  const project = join(folder, 'project');
  mkdirSync(project, { recursive: true });
  for (const [path, text] of Object.entries(test.files)) {
    const file = join(project, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  await git(['init', '-q', '-b', 'main'], { cwd: project });
  await git(['add', '-A'], { cwd: project });
  await git(['commit', '-q', '--allow-empty', '-m', 'files of the test'], { cwd: project });
  const { from } = plan.workspace;
  return openRunWorkspace({
    project,
    run: RUN,
    formula: plan.formula,
    // Files of a test are there wherever the formula works.
    from: from === 'checkout' ? 'checkout' : 'clone',
    allowDirty: false,
    resume: false,
    signal,
  });
}
