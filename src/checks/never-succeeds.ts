import { constantOutcome } from '../formula/constant.ts';
import type { Expression } from '../formula/expression.ts';
import type { Wait } from '../formula/formula.ts';
import type { ResolvedStep } from '../formula/resolve.ts';
import type { Check, CheckFinding, Subject } from './check.ts';
import { writtenHere } from './check.ts';

export const neverSucceeds: Check = {
  rule: 'never-succeeds',
  summary: 'Every step can succeed.',

  *run(subject) {
    for (const step of subject.steps) {
      yield* ofAction(step, subject);
      yield* ofChecks(step, subject);
      yield* ofLoops(step);
    }
  },
};

function* ofAction(step: ResolvedStep, subject: Subject): Generator<CheckFinding> {
  const { action, timeout } = step.body;
  if (!action || !writtenHere(subject, step.molecule ? 'molecule' : 'step', step)) return;
  if (action.kind === 'wait') {
    yield* ofWait(action.wait, step);
    if (action.wait.kind === 'for' && timeout && timeout.value < action.wait.for) {
      yield failing(
        timeout.span,
        step,
        'its `timeout` is shorter than the wait',
        'raise `timeout`, or remove it',
      );
    }
  }
  if (action.kind === 'approve' && action.by && subject.settings && subject.settings !== 'broken') {
    const { people, profiles } = subject.settings;
    // A profile may bring other members.
    if ([...profiles.values()].some((profile) => profile.people.size > 0)) return;
    const members = new Set(action.by.flatMap((group) => people.get(group.value)?.value ?? []));
    const isCounted = action.by.every((group) => people.has(group.value));
    // A team has as many members as it has.
    if (
      isCounted &&
      ![...members].some((member) => member.startsWith('team:')) &&
      members.size < action.count
    ) {
      yield failing(
        action.span,
        step,
        `${action.count} people have to say yes, and ${members.size === 1 ? 'only one is' : `only ${members.size} are`} asked`,
        'lower `count`, or ask more people',
      );
    }
  }
}

function* ofChecks(step: ResolvedStep, subject: Subject): Generator<CheckFinding> {
  for (const { owner, value } of step.body.verify) {
    if (!writtenHere(subject, owner, step)) continue;
    if (value.kind === 'check') yield* always(value.check, step, 'this check is always false');
    if (value.kind === 'wait') yield* ofWait(value.wait, step);
  }
}

function* ofWait(wait: Wait, step: ResolvedStep): Generator<CheckFinding> {
  if (wait.kind !== 'event') return;
  if (wait.match) yield* always(wait.match, step, '`match` is always false, so no event is the right one');
  if (wait.pass) yield* always(wait.pass, step, '`pass` is always false');
}

function* ofLoops({ step, ...resolved }: ResolvedStep): Generator<CheckFinding> {
  const { repeat, forEach, join } = step;
  if (repeat?.or === 'fail') {
    yield* always(
      repeat.until,
      { step, ...resolved },
      '`until` is always false, and reaching `max` fails the step',
      'say when it is done, or `or: keep` to run it `max` times',
    );
  }
  if (forEach?.kind === 'list' && join?.kind === 'quorum' && typeof join.quorum === 'number') {
    const { length } = forEach.items;
    if (join.quorum > length) {
      yield failing(
        join.span,
        { step, ...resolved },
        `${join.quorum} successes are asked for, and there ${length === 1 ? 'is one item' : `are ${length} items`}`,
        'lower `quorum`, or lengthen the list',
      );
    }
  }
}

function* always(
  { tree, span }: Expression,
  step: ResolvedStep,
  why: string,
  help = 'say what has to hold',
): Generator<CheckFinding> {
  if (constantOutcome(tree) === false) yield failing(span, step, why, help);
}

function failing(
  span: CheckFinding['span'],
  { step }: ResolvedStep,
  why: string,
  help: string,
): CheckFinding {
  return { span, message: `step "${step.id.value}" can never succeed: ${why}`, help };
}
