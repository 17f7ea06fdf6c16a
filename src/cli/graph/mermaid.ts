import type { Graph, GraphMember, GraphNode } from './plan-graph.ts';
import { legendOf, MEANINGS } from './plan-graph.ts';

/** A picture in the language of Mermaid, which pull requests and wikis draw. */
export function toMermaid(graph: Graph): string {
  const legend = legendOf(graph);
  return [
    'flowchart TB',
    ...graph.members.flatMap((member) => draw(member, '  ')),
    ...graph.edges.map(([from, to]) => `  ${from} --> ${to}`),
    ...(legend.length > 0
      ? [
          '  subgraph legend',
          ...legend.map((kind, index) =>
            node(`    legend${index}`, kind === 'several' ? 'run' : kind, kind === 'several', [
              MEANINGS[kind],
            ]),
          ),
          '  end',
        ]
      : []),
    '  classDef agent fill:#e7f7ee,stroke:#2f855a,color:#1f2937',
    '  classDef approve fill:#fff3d6,stroke:#b7791f,color:#1f2937',
    '  classDef wait stroke-dasharray:4',
    '  classDef group fill:#eef2ff,stroke:#6366f1,color:#1f2937',
  ].join('\n');
}

function draw(member: GraphMember, indent: string): readonly string[] {
  if (member.kind === 'step')
    return [node(`${indent}${member.name}`, member.shape, member.isSeveral, member.lines)];
  return [
    `${indent}subgraph ${member.name}_frame [${label(member.lines)}]`,
    ...member.members.flatMap((inner) => draw(inner, `${indent}  `)),
    `${indent}end`,
  ];
}

function node(name: string, shape: GraphNode['shape'], isSeveral: boolean, lines: readonly string[]): string {
  const text = label(lines);
  const marked = shape === 'run' ? '' : `:::${shape}`;
  if (isSeveral) return `${name}[[${text}]]${marked}`;
  switch (shape) {
    case 'run':
      return `${name}(${text})`;
    case 'agent':
      return `${name}(${text})${marked}`;
    case 'approve':
      return `${name}{{${text}}}${marked}`;
    case 'wait':
      return `${name}([${text}])${marked}`;
    case 'group':
      return `${name}[${text}]${marked}`;
  }
}

function label(lines: readonly string[]): string {
  return `"${lines.map(escaped).join('<br/>')}"`;
}

/** Nothing but letters, digits and a few signs stands for itself. */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} ,.…_/-]/gu, (character) => `#${character.codePointAt(0) ?? 0};`);
}
