import type { Graph, GraphMember, GraphNode } from './plan-graph.ts';
import { legendOf, MEANINGS } from './plan-graph.ts';

const SHAPES = {
  run: 'shape=box, style=rounded',
  agent: 'shape=box, style="rounded,filled", fillcolor="#e7f7ee"',
  approve: 'shape=hexagon, style=filled, fillcolor="#fff3d6"',
  wait: 'shape=box, style="rounded,dashed"',
  group: 'shape=box, style=filled, fillcolor="#eef2ff"',
} as const;

const FRAME = 'labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";';

/** A picture in the language of Graphviz. */
export function toDot(graph: Graph): string {
  const legend = legendOf(graph);
  return [
    `digraph "${escaped(graph.title)}" {`,
    '  rankdir=TB; compound=true; fontname="sans-serif";',
    '  node [fontname="sans-serif", fontsize=11]; edge [color="#6b7280"];',
    ...graph.members.flatMap((member) => draw(member, '  ')),
    ...graph.edges.map(([from, to]) => `  ${from} -> ${to};`),
    ...(legend.length > 0
      ? [
          '  subgraph cluster_legend {',
          `    label="legend"; ${FRAME}`,
          ...legend.map((kind, index) =>
            [
              `    legend${index}`,
              node(kind === 'several' ? 'run' : kind, kind === 'several', [MEANINGS[kind]]),
            ].join(' '),
          ),
          '  }',
        ]
      : []),
    '}',
  ].join('\n');
}

function draw(member: GraphMember, indent: string): readonly string[] {
  if (member.kind === 'step')
    return [`${indent}${member.name} ${node(member.shape, member.isSeveral, member.lines)}`];
  return [
    `${indent}subgraph cluster_${member.name} {`,
    `${indent}  label=${label(member.lines)}; ${FRAME}`,
    ...member.members.flatMap((inner) => draw(inner, `${indent}  `)),
    `${indent}}`,
  ];
}

function node(shape: GraphNode['shape'], isSeveral: boolean, lines: readonly string[]): string {
  return `[label=${label(lines)}, ${SHAPES[shape]}${isSeveral ? ', peripheries=2' : ''}];`;
}

function label(lines: readonly string[]): string {
  return `"${lines.map(escaped).join('\\n')}"`;
}

function escaped(text: string): string {
  return text.replace(/[\u0000-\u001f]+/g, ' ').replace(/[\\"]/g, '\\$&');
}
