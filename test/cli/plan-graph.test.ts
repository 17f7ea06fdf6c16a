import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { planDot, planMermaid } from '../../src/cli/plan-graph.ts';
import { compileFormula } from '../../src/plan/compile.ts';
import { memoryLoader } from '../support/memory-loader.ts';

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
  const dot = planDot(await plan());
  expect(dot).toMatchInlineSnapshot(`
    "digraph "a" {
      rankdir=TB; compound=true; fontname="sans-serif";
      node [fontname="sans-serif", fontsize=11]; edge [color="#6b7280"];
      s_list [label="list\\n3 attempts\\n2 checks", shape=box, style=rounded];
      s_each [label="each\\nfor each of inputs.names, 4 at once\\nat most 5 times", shape=box, style=rounded];
      s_ask [label="ask\\nwhen inputs.go == '\\"]-->x'\\nwithin 1d", shape=hexagon, style=filled, fillcolor="#fff3d6"];
      subgraph cluster_s_sub {
        label="sub\\nformula/b"; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";
        s_sub__x [label="x", shape=box, style=rounded];
        s_sub__y [label="y", shape=box, style=rounded];
        subgraph cluster_sub__finally {
          label="finally"; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";
          s_sub__finally__z [label="z", shape=box, style=rounded];
        }
      }
      s_tick [label="tick", shape=box, style="rounded,dashed"];
      subgraph cluster_finally {
        label="finally"; labeljust=l; color="#9aa4b2"; fontcolor="#4b5563";
        s_finally__one [label="one\\nonce", shape=box, style=rounded];
        s_finally__two [label="two", shape=box, style=rounded];
      }
      s_sub__x -> s_sub__finally__z;
      s_sub__y -> s_sub__finally__z;
      s_list -> s_ask;
      s_each -> s_ask;
      s_ask -> s_sub__x;
      s_ask -> s_sub__y;
      s_sub__finally__z -> s_tick;
      s_finally__one -> s_finally__two;
      s_tick -> s_finally__one;
    }"
  `);
  const drawn = spawnSync('dot', ['-Tsvg'], { input: dot, encoding: 'utf8' });
  // Where Graphviz is there, it has the last word.
  if (drawn.error === undefined)
    expect({ status: drawn.status, stderr: drawn.stderr }).toEqual({ status: 0, stderr: '' });
});

it('is drawn for Mermaid, in which no text of a formula is markup', async () => {
  expect(planMermaid(await plan())).toMatchInlineSnapshot(`
    "flowchart TB
      s_list("list<br/>3 attempts<br/>2 checks")
      s_each("each<br/>for each of inputs.names, 4 at once<br/>at most 5 times")
      s_ask{{"ask<br/>when inputs.go #61;#61; #39;#34;#93;--#62;x#39;<br/>within 1d"}}:::approve
      subgraph s_sub_frame ["sub<br/>formula/b"]
        s_sub__x("x")
        s_sub__y("y")
        subgraph sub__finally_frame ["finally"]
          s_sub__finally__z("z")
        end
      end
      s_tick(["tick"]):::wait
      subgraph finally_frame ["finally"]
        s_finally__one("one<br/>once")
        s_finally__two("two")
      end
      s_sub__x --> s_sub__finally__z
      s_sub__y --> s_sub__finally__z
      s_list --> s_ask
      s_each --> s_ask
      s_ask --> s_sub__x
      s_ask --> s_sub__y
      s_sub__finally__z --> s_tick
      s_finally__one --> s_finally__two
      s_tick --> s_finally__one
      classDef approve fill:#fff3d6,stroke:#b7791f,color:#1f2937
      classDef wait stroke-dasharray:4"
  `);
});
