import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import { ancestorsOf, has } from './ancestors.ts';
import type { Step } from './formula.ts';

/** One step read by another: `steps.<id>` stands in a template or expression of `step`. */
export interface StepRead {
  readonly step: number;
  readonly target: number;
  readonly span: Span;
}

/** What every step waits for, by its position in the list: what stands above, what it says, what it reads. */
export interface Order {
  /** Indexes of the steps that must have ended, transitively reduced, ascending. */
  readonly needs: readonly (readonly number[])[];
  /** Whether `before` has always ended when `step` starts. */
  isBefore(before: number, step: number): boolean;
}

/**
 * Finds the order of a list of steps. Without `needs` a step waits for every step above it; with it, for those alone;
 * what a step reads is added. A cycle is reported with each of its hops, and the edges that close it are left out.
 *
 * @param last the steps of `finally`, for messages
 */
export function orderSteps(
  steps: readonly Step[],
  reads: readonly StepRead[],
  last: readonly Step[] = [],
): { readonly order: Order; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const index = new Map(steps.map((step, position) => [step.id.value, position]));
  const edges = steps.map(() => new Map<number, Edge>());

  // A step without `needs` waits for the nearest such step above and for all between: the rest follows.
  let nearest = -1;
  steps.forEach((step, position) => {
    if (step.needs) {
      for (const need of step.needs) {
        const target = index.get(need.value);
        if (target === undefined) {
          findings.push({
            rule: 'unknown-need',
            severity: 'error',
            ...(last.some(({ id }) => id.value === need.value)
              ? {
                  message: `step "${step.id.value}" needs "${need.value}", which runs in \`finally\`, after all steps`,
                  help: `move "${need.value}" to \`steps\`, or take it out of \`needs\``,
                }
              : {
                  message: `step "${step.id.value}" needs "${need.value}", but no step has that id`,
                  ...misspelling(need.value, index.keys()),
                }),
            span: need.span,
          });
        } else {
          edges[position]?.set(target, { kind: 'need', span: need.span });
        }
      }
      return;
    }
    for (let above = Math.max(nearest, 0); above < position; above++)
      edges[position]?.set(above, { kind: 'above' });
    nearest = position;
  });

  for (const cycle of cutCycles(edges)) findings.push(cycleFinding(steps, cycle));

  const written = ancestorsOf(targetsOf(edges));
  for (const read of reads) {
    if (edges[read.step]?.has(read.target)) continue;
    if (read.step === read.target || has(written, read.step, read.target)) {
      findings.push(readBeforeFinding(steps, read));
      continue;
    }
    edges[read.step]?.set(read.target, { kind: 'read', span: read.span });
  }
  for (const cycle of cutCycles(edges)) findings.push(cycleFinding(steps, cycle));

  const ancestors = ancestorsOf(targetsOf(edges));
  return {
    findings,
    order: {
      needs: edges.map((targets) => reduce([...targets.keys()], ancestors)),
      isBefore: (before, step) => has(ancestors, before, step),
    },
  };
}

type Edge = { readonly kind: 'need' | 'read'; readonly span: Span } | { readonly kind: 'above' };

interface Hop {
  readonly from: number;
  readonly to: number;
  readonly edge: Edge;
}

/** Removes the edge that closes each cycle found by a depth-first walk, and returns the cycles. */
function cutCycles(edges: readonly Map<number, Edge>[]): readonly (readonly Hop[])[] {
  const cycles: (readonly Hop[])[] = [];
  const state = new Uint8Array(edges.length);
  // An explicit stack: a chain of 10,000 steps must not overflow ours.
  for (let root = 0; root < edges.length; root++) {
    if (state[root] !== 0) continue;
    const stack: { readonly node: number; readonly targets: Iterator<number> }[] = [];
    const push = (node: number) => {
      state[node] = 1;
      stack.push({ node, targets: [...(edges[node]?.keys() ?? [])].values() });
    };
    push(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.targets.next();
      if (next.done === true) {
        state[top.node] = 2;
        stack.pop();
        continue;
      }
      const target = next.value;
      if (state[target] === 0) {
        push(target);
      } else if (state[target] === 1) {
        const path = stack
          .slice(stack.findIndex((frame) => frame.node === target))
          .map((frame) => frame.node);
        const hops = path.map((from, at): Hop => {
          const to = path[at + 1] ?? target;
          return { from, to, edge: edges[from]?.get(to) ?? { kind: 'above' } };
        });
        cycles.push(hops);
        edges[top.node]?.delete(target);
      }
    }
  }
  return cycles;
}

function cycleFinding(steps: readonly Step[], cycle: readonly Hop[]): Finding {
  const id = (position: number) => steps[position]?.id.value ?? '';
  const place = (hop: Hop): Span => ('span' in hop.edge ? hop.edge.span : (steps[hop.from] as Step).id.span);
  // The cycle is told from a place that can be edited: a written need or a read, not an order that follows from layout.
  const start = Math.max(
    0,
    cycle.findIndex((hop) => hop.edge.kind !== 'above'),
  );
  const hops = [...cycle.slice(start), ...cycle.slice(0, start)];
  const first = hops[0] as Hop;
  const says = (hop: Hop) => {
    switch (hop.edge.kind) {
      case 'need':
        return `"${id(hop.from)}" needs "${id(hop.to)}"`;
      case 'read':
        return `"${id(hop.from)}" reads steps.${id(hop.to)}`;
      case 'above':
        return `"${id(hop.from)}" has no \`needs\`, so it waits for every step above it, "${id(hop.to)}" too`;
    }
  };
  const names = [...hops.map((hop) => id(hop.from)), id(first.from)];
  return {
    rule: 'needs-cycle',
    severity: 'error',
    message:
      hops.length === 1
        ? `step "${id(first.from)}" waits for itself`
        : `steps wait for each other in a circle: ${names.join(' → ')}`,
    help: 'leave out one of the `needs`, or give a step that need not wait for all above it a `needs` of its own',
    span: place(first),
    related: hops.length === 1 ? [] : hops.map((hop) => ({ message: says(hop), span: place(hop) })),
  };
}

function readBeforeFinding(steps: readonly Step[], read: StepRead): Finding {
  const reader = steps[read.step] as Step;
  const target = steps[read.target] as Step;
  return {
    rule: 'read-before',
    severity: 'error',
    message:
      read.step === read.target
        ? `step "${reader.id.value}" reads itself, before there is anything to read`
        : `step "${reader.id.value}" reads step "${target.id.value}", which starts only after it`,
    help:
      read.step === read.target
        ? 'in `repeat`, `previous.outputs` is the iteration before; in `verify` and `until`, `outputs` is its own'
        : target.needs
          ? `move what is read to a step before, or take "${reader.id.value}" out of what "${target.id.value}" needs`
          : `put "${target.id.value}" above "${reader.id.value}", or give "${target.id.value}" a \`needs\` of its own`,
    span: read.span,
    related:
      read.step === read.target
        ? []
        : [{ message: `"${target.id.value}" stands here`, span: target.id.span }],
  };
}

function targetsOf(edges: readonly Map<number, Edge>[]): readonly (readonly number[])[] {
  return edges.map((targets) => [...targets.keys()]);
}

/** Leaves out what follows from the others: a target that another target waits for. */
function reduce(targets: readonly number[], ancestors: readonly Uint32Array[]): readonly number[] {
  if (targets.length < 2) return targets;
  const implied = new Uint32Array(ancestors[0]?.length ?? 0);
  for (const target of targets) {
    const set = ancestors[target] as Uint32Array;
    for (let word = 0; word < implied.length; word++) implied[word] = (implied[word] ?? 0) | (set[word] ?? 0);
  }
  return targets
    .filter((target) => (((implied[target >>> 5] ?? 0) >>> (target & 31)) & 1) === 0)
    .sort((a, b) => a - b);
}
