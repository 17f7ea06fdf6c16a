import * as dagre from '@dagrejs/dagre';
import type { Graph, GraphMember, GraphNode } from './plan-graph.ts';
import { legendOf, MEANINGS, nodesOf } from './plan-graph.ts';

/** What is used of the layout; the types of the package itself do not resolve from an ES module. */
interface Dagre {
  readonly Graph: new (options: { readonly compound: boolean }) => DagreGraph;
  layout(graph: DagreGraph): void;
}

interface DagreGraph {
  setGraph(label: Readonly<Record<string, string | number>>): void;
  setDefaultEdgeLabel(label: () => object): void;
  setNode(name: string, label: object): void;
  setParent(name: string, parent: string): void;
  setEdge(from: string, to: string): void;
  node(name: string): Partial<Box>;
  edge(from: string, to: string): { readonly points?: readonly Point[] };
}

const { Graph: Layout, layout } = dagre as unknown as Dagre;

const FONT = 12;
const LINE = 16;
const PAD = 10;
/** How far each of the sheets behind one that stands for several looks out. */
const SHEET = 4;
const MARGIN = 24;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture that is whole in itself: an SVG that is read on light and on dark, without scripts or fonts from elsewhere. */
export function toSvg(graph: Graph): string {
  const placed = placeAll(graph);
  const legend = legendOf(graph);
  const legendWidths = legend.map((kind) => widthOf(MEANINGS[kind]) + 2 * PAD + 16);
  const width =
    Math.max(
      placed.width,
      legendWidths.reduce((sum, one) => sum + one + PAD, 0),
    ) +
    2 * MARGIN;
  const titleHeight = 28;
  const legendHeight = legend.length > 0 ? LINE + 2 * PAD + 16 : 0;
  const height = placed.height + titleHeight + legendHeight + 2 * MARGIN;
  const drawn = [
    ...placed.frames.map(({ box }) => frameSvg(box)),
    ...placed.edges.map((points) => `<path class="edge" d="${path(points)}" marker-end="url(#arrow)"/>`),
    ...placed.frames.map(({ box, lines }) => frameText(box, lines)),
    ...nodesOf(graph.members).map((node) => nodeSvg(node, placed.boxes.get(node.name) as Box)),
  ];
  let left = 0;
  const explained = legend.map((kind, index) => {
    const box = {
      x: left,
      y: placed.height + 16,
      width: legendWidths[index] ?? 0,
      height: LINE + PAD + (kind === 'several' ? 2 * SHEET : 0),
    };
    left += box.width + PAD;
    const shape = kind === 'several' ? 'run' : kind;
    return nodeSvg({ shape, isSeveral: kind === 'several', lines: [MEANINGS[kind]] }, box);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${r(width)} ${r(height)}" width="${r(width)}" height="${r(height)}" role="img" aria-label="${escaped(`plan of ${graph.title}`)}">`,
    STYLE,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
    `<rect class="paper" width="100%" height="100%"/>`,
    `<text class="title" x="${MARGIN}" y="${MARGIN + 8}">${escaped(graph.title)}</text>`,
    `<g transform="translate(${MARGIN} ${MARGIN + titleHeight})">`,
    `<g transform="translate(${r((width - 2 * MARGIN - placed.width) / 2)} 0)">`,
    ...drawn,
    '</g>',
    ...(explained.length > 0 ? [`<g class="legend">`, ...explained, '</g>'] : []),
    '</g>',
    '</svg>',
  ].join('\n');
}

const STYLE = `<style>
text{font:${FONT}px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2937}
.paper{fill:#ffffff}.title{font-size:15px;font-weight:600}.name{font-weight:600}.more{fill:#4b5563}.label{fill:#4b5563;paint-order:stroke;stroke:#ffffff;stroke-width:4px}
.node{fill:#ffffff;stroke:#64748b;stroke-width:1.2}.agent{fill:#e7f7ee;stroke:#2f855a}.approve{fill:#fff3d6;stroke:#b7791f}.wait{stroke-dasharray:5 3}.group{fill:#eef2ff;stroke:#6366f1}
.edge{fill:none;stroke:#94a3b8;stroke-width:1.3}.head{fill:#94a3b8}.frame{fill:none;stroke:#9aa4b2;stroke-dasharray:2 3}
@media (prefers-color-scheme: dark){text{fill:#e5e7eb}.paper{fill:#0f172a}.more{fill:#a8b3c4}.label{fill:#a8b3c4;stroke:#0f172a}.node{fill:#1e293b;stroke:#94a3b8}.agent{fill:#14392a;stroke:#4fb286}.approve{fill:#4a3a12;stroke:#d9a441}.group{fill:#272b52;stroke:#818cf8}.edge{stroke:#64748b}.head{fill:#64748b}}
</style>`;

/** Where everything goes. */
function placeAll(graph: Graph) {
  const all = new Layout({ compound: true });
  all.setGraph({ rankdir: 'TB', nodesep: 28, ranksep: 34, edgesep: 12 });
  all.setDefaultEdgeLabel(() => ({}));
  const frames: { readonly name: string; readonly lines: readonly string[] }[] = [];
  const add = (member: GraphMember, parent: string | undefined): void => {
    if (member.kind === 'step') all.setNode(member.name, { ...sizeOf(member) });
    else {
      all.setNode(member.name, {});
      frames.push({ name: member.name, lines: member.lines });
      for (const inner of member.members) add(inner, member.name);
    }
    if (parent !== undefined) all.setParent(member.name, parent);
  };
  for (const member of graph.members) add(member, undefined);
  for (const [from, to] of graph.edges) all.setEdge(from, to);
  layout(all);
  const boxOf = (name: string): Box => {
    const { x = 0, y = 0, width = 0, height = 0 } = all.node(name);
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  const boxes = new Map(nodesOf(graph.members).map(({ name }) => [name, boxOf(name)]));
  const framed = frames.map(({ name, lines }) => ({ box: boxOf(name), lines }));
  const outer = [...boxes.values(), ...framed.map(({ box }) => box)];
  return {
    boxes,
    frames: framed,
    edges: graph.edges.map(([from, to]) => all.edge(from, to).points ?? []),
    width: Math.max(0, ...outer.map(({ x, width }) => x + width)),
    height: Math.max(0, ...outer.map(({ y, height }) => y + height)),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function sizeOf({ lines, shape, isSeveral }: GraphNode): { readonly width: number; readonly height: number } {
  const text = Math.max(...lines.map((line, index) => widthOf(line, index === 0)));
  const extra = (shape === 'approve' ? 20 : 0) + (isSeveral ? 2 * SHEET : 0);
  return {
    width: Math.max(text + 2 * PAD + extra, 60),
    height: lines.length * LINE + PAD + (isSeveral ? 2 * SHEET : 0),
  };
}

/** Room for a text in whatever sans-serif there is: rather too much than too little. */
function widthOf(text: string, isBold = false): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isWide = code >= 0x1100 && !(code >= 0x2000 && code < 0x2e80);
    width += isWide
      ? FONT * 1.05
      : /[ilj.,:;'|!()[\]]/.test(character)
        ? FONT * 0.36
        : /[mwMW@%]/.test(character)
          ? FONT * 0.95
          : FONT * 0.6;
  }
  return width * (isBold ? 1.06 : 1);
}

function nodeSvg(
  { shape, isSeveral, lines }: Pick<GraphNode, 'shape' | 'isSeveral' | 'lines'>,
  box: Box,
): string {
  const sheets = isSeveral ? [2, 1] : [];
  const inner: Box = isSeveral
    ? { ...box, width: box.width - 2 * SHEET, height: box.height - 2 * SHEET }
    : box;
  const outline = (by: number) =>
    shapeSvg(shape, { ...inner, x: inner.x + by * SHEET, y: inner.y + by * SHEET });
  const top = inner.y + (inner.height - lines.length * LINE) / 2;
  const texts = lines.map(
    (line, index) =>
      `<text class="${index === 0 ? 'name' : 'more'}" text-anchor="middle" x="${r(inner.x + inner.width / 2)}" y="${r(top + index * LINE + LINE * 0.72)}">${escaped(line)}</text>`,
  );
  return [...sheets.map(outline), outline(0), ...texts].join('');
}

function shapeSvg(shape: GraphNode['shape'], { x, y, width, height }: Box): string {
  if (shape !== 'approve') {
    const radius = shape === 'group' ? 0 : shape === 'wait' ? height / 2 : 6;
    return `<rect class="node ${shape}" x="${r(x)}" y="${r(y)}" width="${r(width)}" height="${r(height)}" rx="${r(Math.min(radius, 16))}"/>`;
  }
  const cut = 10;
  const corners = [
    [x + cut, y],
    [x + width - cut, y],
    [x + width, y + height / 2],
    [x + width - cut, y + height],
    [x + cut, y + height],
    [x, y + height / 2],
  ];
  return `<polygon class="node approve" points="${corners.map(([a = 0, b = 0]) => `${r(a)},${r(b)}`).join(' ')}"/>`;
}

function frameSvg({ x, y, width, height }: Box): string {
  return `<rect class="frame" x="${r(x)}" y="${r(y)}" width="${r(width)}" height="${r(height)}" rx="8"/>`;
}

/** Over the edges that come in from above. */
function frameText({ x, y }: Box, lines: readonly string[]): string {
  return `<text class="label" x="${r(x + 8)}" y="${r(y + 13)}">${escaped(lines.join(' · '))}</text>`;
}

/** Through the points of a layout, with round corners. */
function path(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const at = ({ x, y }: Point) => `${r(x)} ${r(y)}`;
  const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const last = rest.at(-1) ?? first;
  const bends = rest
    .slice(0, -1)
    .map((point, index) => `Q${at(point)} ${at(middle(point, rest[index + 1] ?? last))}`);
  return `M${at(first)}${bends.join('')}L${at(last)}`;
}

/** Two digits: bytes that are the same on every machine, and short. */
function r(number: number): string {
  return String(Math.round(number * 100) / 100);
}

function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
