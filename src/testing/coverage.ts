import type { RunEvent } from '../journal/event.ts';
import type { Plan, PlanSource, PlanStep } from '../plan/plan.ts';
import { stepsByPath } from '../plan/steps-by-path.ts';

/** One way that a formula can go. */
export interface Branch {
  /** Path of the step; absent: of the formula as a whole. */
  readonly step?: string;
  /** What happens there: completes "step … ". */
  readonly what: string;
  readonly source: PlanSource;
}

/** Which ways of a formula its tests have gone. */
export interface Coverage {
  /** The formula or molecule, as its file. */
  readonly file: string;
  readonly branches: number;
  readonly taken: number;
  /** Ways that no test has gone. */
  readonly missing: readonly Branch[];
  /** Checks under `verify` without which every test would pass as well. */
  readonly idle: readonly Branch[];
}

interface Watched extends Branch {
  readonly happened: (events: readonly RunEvent[]) => boolean;
}

/** The ways that the runs of tests have gone, and those that they have not. */
export function coverageOf(
  file: string,
  plan: Plan,
  runs: readonly (readonly RunEvent[])[],
  idle: readonly Branch[],
): Coverage {
  const branches = branchesOf(plan);
  const missing = branches.filter(({ happened }) => !runs.some(happened));
  // The formula that a molecule is tested in is in no file.
  const placed = (branch: Branch): Branch =>
    file.startsWith('molecules/') ? { ...branch, source: { file, line: 1, column: 1 } } : branch;
  return {
    file,
    branches: branches.length,
    taken: branches.length - missing.length,
    missing: missing.map(({ happened: _, ...branch }) => placed(branch)),
    idle: idle.map(placed),
  };
}

function branchesOf(plan: Plan): readonly Watched[] {
  const steps = [...stepsByPath(plan)].flatMap(([path, step]) => branchesOfStep(path, step));
  if (!plan.finally) return steps;
  const { source } = plan.finally[0] as PlanStep;
  const failed = (events: readonly RunEvent[]) =>
    events.some(({ type }) => type === 'run.failed' || type === 'run.handed_off' || type === 'run.cancelled');
  return [...steps, { what: 'fails, and `finally` runs after that', source, happened: failed }];
}

function branchesOfStep(path: string, step: PlanStep): readonly Watched[] {
  const { source, action } = step;
  const of =
    (type: RunEvent['type'], more: (event: RunEvent) => boolean = () => true) =>
    (events: readonly RunEvent[]) =>
      events.some((event) => event.type === type && 'step' in event && event.step === path && more(event));
  const failed = (kind: string) =>
    of('step.failed', (event) => 'error' in event && event.error.kind === kind);
  const branch = (what: string, happened: Watched['happened']): Watched => ({
    step: path,
    what,
    source,
    happened,
  });
  const checks = (step.verify ?? []).map((_, index) =>
    branch(
      `fails its check ${index + 1}`,
      of('check.failed', (event) => 'check' in event && event.check === index),
    ),
  );
  return [
    branch('runs', of('step.started')),
    ...(step.when === undefined
      ? []
      : [
          branch(
            'is skipped by `when`',
            of('step.skipped', (event) => 'reason' in event && event.reason === 'when'),
          ),
        ]),
    ...(step.retry
      ? [
          branch(
            'is tried again',
            of('attempt.started', (event) => 'attempt' in event && (event.attempt ?? 0) > 1),
          ),
          branch('has no attempt left', of('step.failed')),
        ]
      : []),
    ...(step.repeat
      ? [
          branch(
            'goes round more than once',
            of('attempt.started', (event) => 'iteration' in event && (event.iteration ?? 0) > 1),
          ),
          branch(
            'ends because of `until`',
            step.repeat.or === 'keep' ? roundsBelow(path, step.repeat.max) : of('step.succeeded'),
          ),
          branch(
            'reaches `max`',
            step.repeat.or === 'keep'
              ? of('attempt.started', (event) => 'iteration' in event && event.iteration === step.repeat?.max)
              : failed('exhausted'),
          ),
        ]
      : []),
    ...(step.join === undefined ? [] : [branch('has too few successes for `join`', of('step.failed'))]),
    ...(step.onFailure === undefined
      ? []
      : [branch(`fails, with \`on_failure: ${step.onFailure}\``, of('step.failed'))]),
    ...checks,
    ...(action.kind === 'approve'
      ? [branch('is approved', of('step.succeeded')), branch('is refused', of('approval.refused'))]
      : []),
    ...(action.kind === 'wait' && 'event' in action && action.pass !== undefined
      ? [
          branch(
            'gets an event that does not `pass`',
            of('step.failed', (event) => 'error' in event && event.error.kind !== 'timeout'),
          ),
        ]
      : []),
    ...(step.timeout !== undefined && action.kind !== 'group'
      ? [
          branch(
            'runs out of time',
            of('attempt.failed', (event) => 'error' in event && event.error.kind === 'timeout'),
          ),
        ]
      : []),
  ];
}

/** A loop that ended well, and not because there were no more rounds. */
function roundsBelow(path: string, max: number): Watched['happened'] {
  return (events) => {
    const rounds = new Map<number | undefined, number>();
    for (const event of events) {
      if (event.type === 'attempt.started' && event.step === path)
        rounds.set(event.item, Math.max(rounds.get(event.item) ?? 0, event.iteration ?? 0));
    }
    return (
      [...rounds.values()].some((round) => round < max) &&
      events.some((event) => event.type === 'step.succeeded' && event.step === path)
    );
  };
}

/** The plan without one check of one step, for finding out whether any test needs it. */
export function withoutCheck(plan: Plan, path: string, index: number): Plan {
  const [first = '', ...rest] = path.split('.');
  const change = (steps: readonly PlanStep[], id: string, further: readonly string[]): readonly PlanStep[] =>
    steps.map((step) => {
      if (step.id !== id) return step;
      const [next, ...more] = further;
      if (next === undefined) {
        const verify = (step.verify ?? []).filter((_, at) => at !== index);
        const { verify: _, ...others } = step;
        return verify.length > 0 ? { ...others, verify } : others;
      }
      if (step.action.kind !== 'group') return step;
      const { steps: inner, finally: last } = step.action;
      return {
        ...step,
        action: {
          ...step.action,
          steps: change(inner, next, more),
          ...(last && { finally: change(last, next, more) }),
        },
      };
    });
  return {
    ...plan,
    steps: change(plan.steps, first, rest),
    ...(plan.finally && { finally: change(plan.finally, first, rest) }),
  };
}

/** Every check of a plan, by step and position. */
export function checksOf(
  plan: Plan,
): readonly (Branch & { readonly step: string; readonly index: number })[] {
  return [...stepsByPath(plan)].flatMap(([step, { verify = [], source }]) =>
    verify.flatMap((check, index) =>
      check.kind === 'changes' && check.implied
        ? []
        : [{ step, index, what: `check ${index + 1} (\`${check.kind}\`)`, source }],
    ),
  );
}
