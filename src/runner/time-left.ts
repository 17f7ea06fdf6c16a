import { showDuration } from '../formula/duration.ts';
import type { StepError } from '../journal/event.ts';
import type { Attempt } from './attempt.ts';
import { spentMessage } from './ledger.ts';

/** How long what an attempt does next may take, in milliseconds, and what it fails by when that is over. */
export interface TimeLeft {
  /** Infinity: nothing limits it. */
  readonly milliseconds: number;
  readonly over: StepError;
}

/**
 * What is left of an attempt's `timeout` after what it has done so far, and of the budgets around it, whichever is less. The
 * `timeout` of a question or a wait is for the answer.
 */
export function timeLeft({ step, ledger }: Pick<Attempt, 'step' | 'ledger'>): TimeLeft {
  const { kind } = step.action;
  const isForAnswer = kind === 'approve' || kind === 'wait';
  const own = step.timeout === undefined || isForAnswer ? Infinity : Math.max(0, step.timeout - ledger.spent);
  const budget = ledger.nearest();
  return budget && budget.left <= own
    ? { milliseconds: budget.left, over: { kind: 'budget', message: spentMessage(budget) } }
    : {
        milliseconds: own,
        over: { kind: 'timeout', message: `it took longer than ${showDuration(step.timeout ?? 0)}` },
      };
}
