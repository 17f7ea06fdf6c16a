import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toDot } from '../../src/cli/graph/dot.ts';
import { foldSteps } from '../../src/cli/graph/fold.ts';
import { toMermaid } from '../../src/cli/graph/mermaid.ts';
import { planGraph } from '../../src/cli/graph/plan-graph.ts';
import { toSvg } from '../../src/cli/graph/svg.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import { memoryLoader } from '../support/memory-loader.ts';
import { proof } from '../support/proof.ts';

async function plan() {
  const { plan: compiled } = await compileFormula(
    memoryLoader({
      'formulas/a.yaml': `formula: a
inputs: {names: {type: array, items: {type: string}}, go: {type: string, enum: ['"]-->x', 'b\\\\']}}
steps:
  - {id: list, run: ls, retry: {attempts: 3}, verify: [{run: test -f x}, {check: outputs.exit_code == 0}]}
  - {id: each, needs: [], for_each: inputs.names, parallel: 4, run: 'echo {{item}}', repeat: {until: outputs.exit_code == 0, max: 5}}
  - {id: ask, when: "inputs.go == '\\"]-->x'", approve: {ask: Well?}, timeout: 24h}
  - {id: sub, uses: formula/b}
  - {id: tick, wait: {for: 5m}}
finally:
  - {id: one, run: ls, once: true}
  - {id: two, run: ls}
`,
      'formulas/b.yaml':
        'formula: b\nsteps: [{id: x, run: ls}, {id: y, needs: [], run: ls}]\nfinally: [{id: z, run: ls}]\n',
    }),
    'a',
  );
  if (!compiled) throw new Error('it does not compile');
  return compiled;
}

it('is drawn for Graphviz', async () => {
  const dot = toDot(planGraph(await plan(), { unfold: true }));
  expect(dot).toMatchInlineSnapshot(`
    "digraph "a" {
      rankdir=TB; compound=true; fontname="sans-serif";
      node [fontname="sans-serif", fontsize=11]; edge [color="#6b7280"];
      n1 [label="list\\n3 attempts\\n2 checks", shape=box, style=rounded];
      n2 [label="each\\nfor each of inputs.names, 4 at once\\nat most 5 times", shape=box, style=rounded, peripheries=2];
      n3 [label="ask\\nwhen inputs.go == '\\"]-->x'\\nwithin 1d", shape=hexagon, style=filled, fillcolor="#fff3d6"];
      subgraph cluster_n4 {
        label="sub\\nformula/b"; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";
        n5 [label="x", shape=box, style=rounded];
        n6 [label="y", shape=box, style=rounded];
        subgraph cluster_n8 {
          label="finally"; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";
          n7 [label="z", shape=box, style=rounded];
        }
      }
      n9 [label="tick", shape=box, style="rounded,dashed"];
      subgraph cluster_n12 {
        label="finally"; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";
        n10 [label="one\\nonce", shape=box, style=rounded];
        n11 [label="two", shape=box, style=rounded];
      }
      n5 -> n7;
      n6 -> n7;
      n1 -> n3;
      n2 -> n3;
      n3 -> n5;
      n3 -> n6;
      n7 -> n9;
      n10 -> n11;
      n9 -> n10;
      subgraph cluster_legend {
        label="legend"; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";
        legend0 [label="command", shape=box, style=rounded];
        legend1 [label="asks people", shape=hexagon, style=filled, fillcolor="#fff3d6"];
        legend2 [label="waits", shape=box, style="rounded,dashed"];
        legend3 [label="several times, or several steps", shape=box, style=rounded, peripheries=2];
      }
    }"
  `);
  const drawn = spawnSync('dot', ['-Tsvg'], { input: dot, encoding: 'utf8' });
  // Where Graphviz is there, it has the last word.
  if (drawn.error === undefined)
    expect({ status: drawn.status, stderr: drawn.stderr }).toEqual({ status: 0, stderr: '' });
});

it('is drawn for Mermaid, in which no text of a formula is markup', async () => {
  expect(toMermaid(planGraph(await plan(), { unfold: true }))).toMatchInlineSnapshot(`
    "flowchart TB
      n1("list<br/>3 attempts<br/>2 checks")
      n2[["each<br/>for each of inputs.names, 4 at once<br/>at most 5 times"]]
      n3{{"ask<br/>when inputs.go #61;#61; #39;#34;#93;--#62;x#39;<br/>within 1d"}}:::approve
      subgraph n4_frame ["sub<br/>formula/b"]
        n5("x")
        n6("y")
        subgraph n8_frame ["finally"]
          n7("z")
        end
      end
      n9(["tick"]):::wait
      subgraph n12_frame ["finally"]
        n10("one<br/>once")
        n11("two")
      end
      n5 --> n7
      n6 --> n7
      n1 --> n3
      n2 --> n3
      n3 --> n5
      n3 --> n6
      n7 --> n9
      n10 --> n11
      n9 --> n10
      subgraph legend
        legend0("command")
        legend1{{"asks people"}}:::approve
        legend2(["waits"]):::wait
        legend3[["several times, or several steps"]]
      end
      classDef agent fill:#e7f7ee,stroke:#2f855a,color:#1f2937
      classDef approve fill:#fff3d6,stroke:#b7791f,color:#1f2937
      classDef wait stroke-dasharray:4
      classDef group fill:#eef2ff,stroke:#6366f1,color:#1f2937"
  `);
});

/** Random lists of steps, each waiting for some above it. */
const lists = fc.array(
  fc.record({
    needs: fc.array(fc.nat(200), { maxLength: 3 }),
    kind: fc.constantFrom('run', 'run', 'run', 'when', 'ask'),
  }),
  { minLength: 1, maxLength: 90 },
);

async function listed(steps: readonly { readonly needs: readonly number[]; readonly kind: string }[]) {
  const lines = steps.map(({ needs, kind }, at) => {
    const above = at === 0 ? [] : [...new Set(needs.map((need) => `s${need % at}`))];
    const what =
      kind === 'ask' ? 'approve: {ask: Go?}' : `run: ls${kind === 'when' ? ", when: run.branch != ''" : ''}`;
    return `  - {id: s${at}, needs: [${above.join(', ')}], ${what}}`;
  });
  const { plan: compiled } = await compileFormula(
    memoryLoader({ 'formulas/a.yaml': `formula: a\nsteps:\n${lines.join('\n')}\n` }),
    'a',
  );
  if (!compiled) throw new Error('it does not compile');
  return compiled;
}

describe('a list of many steps', () => {
  it('is folded, and loses nothing: each step is in one place, and order is as it was', async () => {
    await fc.assert(
      fc.asyncProperty(lists, async (sketch) => {
        const { steps } = await listed(sketch);
        const folds = foldSteps(steps);
        expect(folds.flatMap((fold) => fold.steps.map(({ id }) => id)).sort()).toEqual(
          steps.map(({ id }) => id).sort(),
        );
        const place = new Map(folds.flatMap((fold) => fold.steps.map(({ id }) => [id, fold.id] as const)));
        const before = ancestors(folds);
        for (const { id, needs } of steps) {
          for (const need of needs) {
            const [from, to] = [place.get(need) ?? '', place.get(id) ?? ''];
            expect(from === to || before.get(to)?.has(from)).toBe(true);
          }
        }
        for (const { id } of folds) expect(before.get(id)?.has(id)).toBe(false);
      }),
      proof({ few: 60, many: 2000 }),
    );
  });

  it('is small when its steps are alike', async () => {
    const row = Array.from({ length: 60 }, (_, at) => ({ needs: at === 0 ? [] : [at - 1], kind: 'run' }));
    const sides = Array.from({ length: 40 }, () => ({ needs: [59], kind: 'run' }));
    const folds = foldSteps((await listed([...row, ...sides])).steps);
    expect(folds.map(({ how, steps }) => [how, steps.length])).toEqual([
      ['in a row', 60],
      ['side by side', 40],
    ]);
  });
});

function ancestors(folds: readonly { readonly id: string; readonly needs: readonly string[] }[]) {
  const needs = new Map(folds.map((fold) => [fold.id, fold.needs]));
  return new Map(
    folds.map(({ id }) => {
      const seen = new Set<string>();
      const left = [...(needs.get(id) ?? [])];
      for (let need = left.pop(); need !== undefined; need = left.pop()) {
        if (seen.has(need)) continue;
        seen.add(need);
        left.push(...(needs.get(need) ?? []));
      }
      return [id, seen] as const;
    }),
  );
}

describe('as SVG', () => {
  it('is whole in itself, the same each time, and no text of a formula is markup', async () => {
    const svg = toSvg(planGraph(await plan()));
    expect(toSvg(planGraph(await plan()))).toBe(svg);
    expect(svg).toContain('&quot;]--&gt;x');
    expect(svg).not.toMatch(/href|<script|url\((?!#)/);
    // Every tag that is opened is closed again.
    const open: string[] = [];
    for (const [, close, name = '', self] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
      if (close) expect(open.pop()).toBe(name);
      else if (!self) open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('shows used formulas as one node, or with --unfold from inside', async () => {
    const compiled = await plan();
    const names = (svg: string) => [...svg.matchAll(/class="name"[^>]*>([^<]*)/g)].map(([, name]) => name);
    expect(names(toSvg(planGraph(compiled)))).toEqual(
      expect.arrayContaining(['list', 'each', 'ask', 'sub', 'tick', 'one', 'two', 'formula inside']),
    );
    expect(toSvg(planGraph(compiled))).toContain('3 steps inside');
    expect(names(toSvg(planGraph(compiled, { unfold: true })))).toEqual(
      expect.arrayContaining(['x', 'y', 'z']),
    );
  });

  it('keeps its nodes apart and inside of the picture', async () => {
    const sketch = Array.from({ length: 30 }, (_, at) => ({
      needs: at < 3 ? [] : [at - 3, at >> 1],
      kind: 'when',
    }));
    const svg = toSvg(planGraph(await listed(sketch)));
    const [, width, height] = (/viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []).map(Number);
    const boxes = [
      ...svg.matchAll(
        /<rect class="node[^>]*x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"/g,
      ),
    ].map((match) => match.slice(1).map(Number) as [number, number, number, number]);
    expect(boxes).toHaveLength(30);
    for (const [x, y, w, h] of boxes) {
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(x + w).toBeLessThanOrEqual(width ?? 0);
      expect(y + h).toBeLessThanOrEqual(height ?? 0);
    }
    const overlaps = boxes.filter(([x, y, w, h], at) =>
      boxes.some(([a, b, c, d], other) => other > at && x < a + c && a < x + w && y < b + d && b < y + h),
    );
    expect(overlaps).toEqual([]);
  });
});
