import { showDuration } from '../formula/duration.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';

/** A step as a picture of a plan shows it. */
interface GraphNode {
  readonly kind: 'step';
  readonly name: string;
  readonly shape: 'run' | 'approve' | 'wait';
  /** Its id, then what is particular about it, a line each. */
  readonly lines: readonly string[];
}

/** Steps that stand in a frame of their own: a used formula, or what runs at the end. */
interface GraphCluster {
  readonly kind: 'cluster';
  readonly name: string;
  readonly lines: readonly string[];
  readonly members: readonly GraphMember[];
}

type GraphMember = GraphNode | GraphCluster;

interface Graph {
  readonly members: readonly GraphMember[];
  /** From what has to end to what waits for it, by name. */
  readonly edges: readonly (readonly [from: string, to: string])[];
}

/** Characters of an expression that a picture has room for. */
const MOST_CHARACTERS = 40;

/** A plan as a picture in the language of Graphviz. */
export function planDot(plan: Plan): string {
  const { members, edges } = graphOf(plan);
  const label = (lines: readonly string[]) => `"${lines.map(dotText).join('\\n')}"`;
  const shapes = {
    run: 'shape=box, style=rounded',
    approve: 'shape=hexagon, style=filled, fillcolor="#fff3d6"',
    wait: 'shape=box, style="rounded,dashed"',
  } as const;
  const draw = (member: GraphMember, indent: string): readonly string[] =>
    member.kind === 'step'
      ? [`${indent}${member.name} [label=${label(member.lines)}, ${shapes[member.shape]}];`]
      : [
          `${indent}subgraph cluster_${member.name} {`,
          `${indent}  label=${label(member.lines)}; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";`,
          ...member.members.flatMap((inner) => draw(inner, `${indent}  `)),
          `${indent}}`,
        ];
  return [
    `digraph "${dotText(plan.formula)}" {`,
    '  rankdir=TB; compound=true; fontname="sans-serif";',
    '  node [fontname="sans-serif", fontsize=11]; edge [color="#6b7280"];',
    ...members.flatMap((member) => draw(member, '  ')),
    ...edges.map(([from, to]) => `  ${from} -> ${to};`),
    '}',
  ].join('\n');
}

/** A plan as a picture in the language of Mermaid, which pull requests and wikis draw. */
export function planMermaid(plan: Plan): string {
  const { members, edges } = graphOf(plan);
  const label = (lines: readonly string[]) => `"${lines.map(mermaidText).join('<br/>')}"`;
  const draw = (member: GraphMember, indent: string): readonly string[] => {
    if (member.kind === 'cluster') {
      return [
        `${indent}subgraph ${member.name}_frame [${label(member.lines)}]`,
        ...member.members.flatMap((inner) => draw(inner, `${indent}  `)),
        `${indent}end`,
      ];
    }
    const text = label(member.lines);
    switch (member.shape) {
      case 'run':
        return [`${indent}${member.name}(${text})`];
      case 'approve':
        return [`${indent}${member.name}{{${text}}}:::approve`];
      case 'wait':
        return [`${indent}${member.name}([${text}]):::wait`];
    }
  };
  return [
    'flowchart TB',
    ...members.flatMap((member) => draw(member, '  ')),
    ...edges.map(([from, to]) => `  ${from} --> ${to}`),
    '  classDef approve fill:#fff3d6,stroke:#b7791f,color:#1f2937',
    '  classDef wait stroke-dasharray:4',
  ].join('\n');
}

function graphOf(plan: Plan): Graph {
  const edges: (readonly [string, string])[] = [];
  let count = 0;
  // Numbers, since ids of steps and groups could be put together in the same way.
  const newName = (): string => `n${++count}`;
  const list = (steps: readonly PlanStep[]): Ends => {
    const drawn = new Map(steps.map((step) => [step.id, drawStep(step)]));
    for (const { id, needs } of steps) {
      for (const need of needs) {
        for (const from of drawn.get(need)?.last ?? [])
          for (const to of drawn.get(id)?.first ?? []) edges.push([from, to]);
      }
    }
    const needed = new Set(steps.flatMap(({ needs }) => needs));
    const of = (side: 'first' | 'last', which: (step: PlanStep) => boolean) =>
      steps.filter(which).flatMap(({ id }) => drawn.get(id)?.[side] ?? []);
    return {
      members: steps.flatMap(({ id }) => drawn.get(id)?.members ?? []),
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
  const drawStep = (step: PlanStep): Ends => {
    const name = newName();
    const { action } = step;
    if (action.kind !== 'group') {
      const node: GraphNode = { kind: 'step', name, shape: action.kind, lines: linesOf(step) };
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
  return { members: [...main.members, ...end.members], edges };
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
    ...(action.kind === 'group' ? [`formula/${action.formula}`] : []),
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

function dotText(text: string): string {
  return text.replace(/[\u0000-\u001f]+/g, ' ').replace(/[\\"]/g, '\\$&');
}

/** Nothing but letters, digits and a few signs stands for itself. */
function mermaidText(text: string): string {
  return text.replace(/[^\p{L}\p{N} ,.…_/-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`);
}
