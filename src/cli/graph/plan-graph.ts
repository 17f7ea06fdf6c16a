import { formulaName, usesOf } from '../../formula/names.ts';
import { showDuration } from '../../formula/duration.ts';
import type { Plan, PlanStep } from '../../plan/plan.ts';
import type { Fold } from './fold.ts';
import { foldSteps } from './fold.ts';

/** What a picture of a plan tells apart: four kinds of actions, and a used formula that is not drawn from inside. */
export type Shape = 'run' | 'agent' | 'approve' | 'wait' | 'group';

/** What the shapes of a picture mean, for its legend. */
export const MEANINGS: Readonly<Record<Shape | 'several', string>> = {
  run: 'command',
  agent: 'agent',
  approve: 'asks people',
  wait: 'waits',
  group: 'formula inside',
  several: 'several times, or several steps',
};

/** A step, or some that are folded into one, as a picture of a plan shows it. */
export interface GraphNode {
  readonly kind: 'step';
  readonly name: string;
  readonly shape: Shape;
  /** It stands for more than one: items of a loop, or steps that are alike. */
  readonly isSeveral: boolean;
  /** What it is called, then what is particular about it, a line each. */
  readonly lines: readonly string[];
}

/** Steps that stand in a frame of their own: a used formula, or what runs at the end. */
export interface GraphCluster {
  readonly kind: 'cluster';
  readonly name: string;
  readonly lines: readonly string[];
  readonly members: readonly GraphMember[];
}

export type GraphMember = GraphNode | GraphCluster;

export interface Graph {
  readonly title: string;
  readonly members: readonly GraphMember[];
  /** From what has to end to what waits for it, by name. */
  readonly edges: readonly (readonly [from: string, to: string])[];
}

/** All nodes of a picture, those in frames included. */
export function nodesOf(members: readonly GraphMember[]): readonly GraphNode[] {
  return members.flatMap((member) => (member.kind === 'step' ? [member] : nodesOf(member.members)));
}

/** The kinds of nodes there are, in the order of the legend; one kind alone needs none. */
export function legendOf({ members }: Graph): readonly (keyof typeof MEANINGS)[] {
  const nodes = nodesOf(members);
  const kinds = (Object.keys(MEANINGS) as (keyof typeof MEANINGS)[]).filter((kind) =>
    nodes.some((node) => (kind === 'several' ? node.isSeveral : node.shape === kind)),
  );
  return kinds.length > 1 ? kinds : [];
}

/** Characters of an expression that a picture has room for. */
const MOST_CHARACTERS = 40;

/**
 * A plan as a picture. Used formulas are one node each unless `unfold` draws them from inside; in lists of many steps, those
 * that are alike are put together.
 */
export function planGraph(plan: Plan, { unfold = false }: { readonly unfold?: boolean } = {}): Graph {
  const edges: (readonly [string, string])[] = [];
  let count = 0;
  // Numbers, since ids of steps and groups could be put together in the same way.
  const newName = (): string => `n${++count}`;
  const list = (steps: readonly PlanStep[]): Ends => {
    const folds = unfold ? steps.map(alone) : foldSteps(steps);
    const drawn = new Map(folds.map((fold) => [fold.id, drawFold(fold)]));
    for (const { id, needs } of folds) {
      for (const need of needs) {
        for (const from of drawn.get(need)?.last ?? [])
          for (const to of drawn.get(id)?.first ?? []) edges.push([from, to]);
      }
    }
    const needed = new Set(folds.flatMap(({ needs }) => needs));
    const of = (side: 'first' | 'last', which: (fold: Fold) => boolean) =>
      folds.filter(which).flatMap(({ id }) => drawn.get(id)?.[side] ?? []);
    return {
      members: folds.flatMap(({ id }) => drawn.get(id)?.members ?? []),
      first: of('first', ({ needs }) => needs.length === 0),
      last: of('last', ({ id }) => !needed.has(id)),
    };
  };
  const atEnd = (steps: readonly PlanStep[] | undefined): Ends => {
    if (!steps) return { members: [], first: [], last: [] };
    const inner = list(steps);
    const cluster: GraphCluster = {
      kind: 'cluster',
      name: newName(),
      lines: ['finally'],
      members: inner.members,
    };
    return { ...inner, members: [cluster] };
  };
  const drawFold = ({ how, steps }: Fold): Ends => {
    const [step] = steps as readonly [PlanStep];
    if (how === 'alone') return drawStep(step);
    const name = newName();
    const node: GraphNode = {
      kind: 'step',
      name,
      shape: 'run',
      isSeveral: true,
      lines: foldLines(how, steps),
    };
    return { members: [node], first: [name], last: [name] };
  };
  const drawStep = (step: PlanStep): Ends => {
    const name = newName();
    const { action } = step;
    if (action.kind !== 'group' || !unfold) {
      const inside = action.kind === 'group' ? [`${countOf(action)} steps inside`] : [];
      const node: GraphNode = {
        kind: 'step',
        name,
        shape: action.kind,
        isSeveral: step.forEach !== undefined,
        lines: [...linesOf(step), ...inside],
      };
      return { members: [node], first: [name], last: [name] };
    }
    const inner = list(action.steps);
    const end = atEnd(action.finally);
    for (const from of inner.last) for (const to of end.first) edges.push([from, to]);
    const members = [...inner.members, ...end.members];
    const cluster: GraphCluster = { kind: 'cluster', name, lines: linesOf(step), members };
    return { members: [cluster], first: inner.first, last: end.last.length > 0 ? end.last : inner.last };
  };
  const main = list(plan.steps);
  const end = atEnd(plan.finally);
  for (const from of main.last) for (const to of end.first) edges.push([from, to]);
  return { title: plan.formula, members: [...main.members, ...end.members], edges };
}

interface Ends {
  readonly members: readonly GraphMember[];
  /** What nothing of it comes before, and what nothing of it waits for: there edges of the whole begin and end. */
  readonly first: readonly string[];
  readonly last: readonly string[];
}

function linesOf({
  id,
  action,
  when,
  forEach,
  parallel,
  retry,
  repeat,
  timeout,
  once,
  verify,
}: PlanStep): readonly string[] {
  const short = (text: string) =>
    text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
  return [
    id,
    ...(action.kind === 'group' ? [usesOf(formulaName(action.formula))] : []),
    ...(action.kind === 'agent' ? [action.model.role] : []),
    ...(when === undefined ? [] : [`when ${short(when)}`]),
    ...(forEach === undefined
      ? []
      : [
          `for each ${typeof forEach === 'string' ? `of ${short(forEach)}` : `of ${forEach.length}`}${parallel === undefined ? '' : `, ${parallel} at once`}`,
        ]),
    ...(repeat ? [`at most ${repeat.max} times`] : []),
    ...(retry ? [`${retry.attempts} attempts`] : []),
    ...(verify ? [`${verify.length} check${verify.length === 1 ? '' : 's'}`] : []),
    ...(once ? ['once'] : []),
    ...(timeout !== undefined && action.kind !== 'run' ? [`within ${showDuration(timeout)}`] : []),
  ];
}

function alone(step: PlanStep): Fold {
  return { id: step.id, needs: step.needs, how: 'alone', steps: [step] };
}

function foldLines(how: Fold['how'], steps: readonly PlanStep[]): readonly string[] {
  const ids = steps.map(({ id }) => id);
  const [first = '', last = ''] = [ids[0], ids.at(-1)];
  const names = how === 'in a row' ? `${first} … ${last}` : ids.slice(0, 3).join(', ');
  const more = how === 'in a row' || ids.length <= 3 ? '' : ` and ${ids.length - 3} more`;
  return [`${ids.length} steps ${how}`, `${names}${more}`];
}

function countOf({ steps, finally: last = [] }: Extract<PlanStep['action'], { kind: 'group' }>): number {
  return [...steps, ...last].reduce(
    (sum, { action }) => sum + 1 + (action.kind === 'group' ? countOf(action) : 0),
    0,
  );
}
