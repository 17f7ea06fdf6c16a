import type { Finding } from '../diagnostics/diagnostic.ts';
import type { Order, StepRead } from './order.ts';
import { orderSteps } from './order.ts';
import type { ResolvedFormula, ResolvedStep } from './resolve.ts';
import { referencesOf, textsOf } from './texts.ts';

/** The order of a formula's steps, with what is wrong about it. */
export function orderOf(resolved: Pick<ResolvedFormula, 'steps' | 'finally'>): {
  readonly order: Order;
  readonly findings: readonly Finding[];
} {
  return orderSteps(
    resolved.steps.map(({ step }) => step),
    readsOf(resolved.steps),
    resolved.finally.map(({ step }) => step),
  );
}

/** Ids each step waits for, by position: all that follows from place, `needs` and what it reads. */
export function needsOf(
  resolved: Pick<ResolvedFormula, 'steps' | 'finally'>,
): readonly (readonly string[])[] {
  const { order } = orderOf(resolved);
  return order.needs.map((needs) => needs.map((index) => resolved.steps[index]?.step.id.value ?? ''));
}

function readsOf(steps: readonly ResolvedStep[]): readonly StepRead[] {
  const index = new Map(steps.map(({ step }, position) => [step.id.value, position]));
  return steps.flatMap((step, position) =>
    [...textsOf(step)]
      .filter((text) => text.owner === 'step' || !step.molecule)
      .flatMap(referencesOf)
      .flatMap((reference) => {
        if (reference.path[0] !== 'steps') return [];
        const name = String(reference.path[1]);
        const target = index.get(step.woven ? (step.woven.beside.get(name) ?? '') : name);
        return target === undefined ? [] : [{ step: position, target, span: reference.span }];
      }),
  );
}
