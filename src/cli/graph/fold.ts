import type { PlanStep } from '../../plan/plan.ts';

/** One or several steps of a list that a picture shows as one thing. */
export interface Fold {
  /** Of the first of them. */
  readonly id: string;
  /** Ids of folds that come before. */
  readonly needs: readonly string[];
  readonly how: 'alone' | 'in a row' | 'side by side';
  readonly steps: readonly PlanStep[];
}

/** Steps of a list that a picture can hold one by one. */
const MOST_STEPS = 40;

const FEWEST_IN_A_ROW = 3;
const FEWEST_SIDE_BY_SIDE = 4;

/**
 * Puts together what is alike in a list that is too long to be read as a picture: plain commands that wait for the same and
 * that the same waits for, and then those that only follow one another.
 */
export function foldSteps(steps: readonly PlanStep[]): readonly Fold[] {
  const alone = steps.map((step): Fold => ({ id: step.id, needs: step.needs, how: 'alone', steps: [step] }));
  return steps.length <= MOST_STEPS ? alone : foldRows(foldSides(alone));
}

function foldSides(folds: readonly Fold[]): readonly Fold[] {
  const after = dependents(folds);
  const alike = new Map<string, Fold[]>();
  for (const fold of folds) {
    if (!isPlain(fold)) continue;
    const key = JSON.stringify([[...fold.needs].sort(), [...(after.get(fold.id) ?? [])].sort()]);
    alike.set(key, [...(alike.get(key) ?? []), fold]);
  }
  return together(
    folds,
    [...alike.values()].filter(({ length }) => length >= FEWEST_SIDE_BY_SIDE),
    'side by side',
  );
}

function foldRows(folds: readonly Fold[]): readonly Fold[] {
  const after = dependents(folds);
  const byId = new Map(folds.map((fold) => [fold.id, fold]));
  /** The one that a plain fold alone follows, when nothing else does. */
  const before = (fold: Fold): Fold | undefined => {
    const [need, ...more] = fold.needs;
    const found = need === undefined || more.length > 0 ? undefined : byId.get(need);
    return found && isPlain(found) && after.get(found.id)?.length === 1 ? found : undefined;
  };
  const rows = new Map<string, Fold[]>();
  for (const fold of folds) {
    if (!isPlain(fold)) continue;
    const row = rows.get(before(fold)?.id ?? '') ?? [];
    row.push(fold);
    rows.set(fold.id, row);
  }
  return together(
    folds,
    [...new Set(rows.values())].filter(({ length }) => length >= FEWEST_IN_A_ROW),
    'in a row',
  );
}

function together(
  folds: readonly Fold[],
  groups: readonly (readonly Fold[])[],
  how: Fold['how'],
): readonly Fold[] {
  const leader = new Map(groups.flatMap((group) => group.map(({ id }) => [id, group[0]?.id ?? id] as const)));
  const groupOf = new Map(groups.map((group) => [group[0]?.id, group]));
  const renamed = (ids: readonly string[], self: string) =>
    [...new Set(ids.map((id) => leader.get(id) ?? id))].filter((id) => id !== self);
  return folds.flatMap((fold): Fold[] => {
    if ((leader.get(fold.id) ?? fold.id) !== fold.id) return [];
    const group = groupOf.get(fold.id);
    const needs = renamed(fold.needs, fold.id);
    if (!group) return [{ ...fold, needs }];
    return [{ id: fold.id, needs, how, steps: group.flatMap(({ steps }) => steps) }];
  });
}

function dependents(folds: readonly Fold[]): ReadonlyMap<string, readonly string[]> {
  const after = new Map<string, string[]>(folds.map(({ id }) => [id, []]));
  for (const { id, needs } of folds) for (const need of needs) after.get(need)?.push(id);
  return after;
}

/** Commands about which a picture would say nothing but their ids. */
function isPlain({ how, steps }: Fold): boolean {
  if (how !== 'alone') return false;
  return steps.every(
    ({ action, when, forEach, repeat, once }) =>
      action.kind === 'run' && when === undefined && forEach === undefined && !repeat && !once,
  );
}
