/** A step as far as order goes: its id, and the ids of what has to have ended before. Complete: nothing follows from place. */
export interface GraphStep {
  readonly id: string;
  readonly needs: readonly string[];
}

/** Steps in the order they are listed. */
export type StepGraph = readonly GraphStep[];

/** What is put beside a step, each list ordered in itself. */
export interface Beside {
  readonly before?: StepGraph;
  readonly after?: StepGraph;
}

/**
 * Puts steps around some that are there, by id. What comes before a step waits for what that waited for, and it waits for
 * them; what comes after waits for it, and whatever waited for it waits for them too. So nothing can start earlier than
 * it could.
 */
export function insertAround(graph: StepGraph, beside: ReadonlyMap<string, Beside>): StepGraph {
  const ends = new Map(
    [...beside].flatMap(([id, { after = [] }]) => (after.length > 0 ? [[id, endsOf(after)] as const] : [])),
  );
  return graph.flatMap((step): StepGraph => {
    const waits = union(step.needs.flatMap((need) => ends.get(need) ?? [need]));
    const { before = [], after = [] } = beside.get(step.id) ?? {};
    return [
      ...before.map((one) => (isEntry(one, before) ? { ...one, needs: waits } : one)),
      { ...step, needs: before.length === 0 ? waits : endsOf(before) },
      ...after.map((one) => (isEntry(one, after) ? { ...one, needs: [step.id] } : one)),
    ];
  });
}

/** Takes steps out: what waited for one of them waits for what that waited for. */
export function removeSteps(graph: StepGraph, ids: ReadonlySet<string>): StepGraph {
  return [...ids].reduce((rest, id) => {
    const removed = rest.find((step) => step.id === id);
    if (!removed) return rest;
    return rest.flatMap((step) =>
      step === removed
        ? []
        : [{ ...step, needs: union(step.needs.flatMap((need) => (need === id ? removed.needs : [need]))) }],
    );
  }, graph);
}

/**
 * What is wrong with a graph, in words for developers: a rewrite that gives another than one of steps with ids of their
 * own, whose needs are there and form no circle, is our mistake.
 */
export function graphProblem(graph: StepGraph): string | undefined {
  const position = new Map(graph.map((step, index) => [step.id, index]));
  if (position.size < graph.length) {
    const twice = graph.find((step, index) => position.get(step.id) !== index);
    return `the id "${twice?.id}" stands there twice`;
  }
  const state = new Map<string, 'open' | 'done'>();
  for (const root of graph) {
    // An explicit stack: a chain of 10,000 steps must not overflow ours.
    const stack = [{ id: root.id, left: [...root.needs] }];
    if (state.has(root.id)) continue;
    state.set(root.id, 'open');
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const need = top.left.pop();
      if (need === undefined) {
        state.set(top.id, 'done');
        stack.pop();
        continue;
      }
      const at = position.get(need);
      if (at === undefined) return `"${top.id}" needs "${need}", which is not there`;
      if (state.get(need) === 'open') return `"${top.id}" and "${need}" wait for each other`;
      if (state.has(need)) continue;
      state.set(need, 'open');
      stack.push({ id: need, left: [...(graph[at]?.needs ?? [])] });
    }
  }
  return undefined;
}

/** Those that nothing else in the list waits for. */
function endsOf(graph: StepGraph): readonly string[] {
  const needed = new Set(graph.flatMap(({ needs }) => needs));
  return graph.flatMap(({ id }) => (needed.has(id) ? [] : [id]));
}

function isEntry(step: GraphStep, list: StepGraph): boolean {
  return !list.some((other) => step.needs.includes(other.id));
}

function union(ids: readonly string[]): readonly string[] {
  return [...new Set(ids)];
}
