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
      n1 [label="list\\n3 attempts\\n2 checks", shape=box, style=rounded];
      n2 [label="each\\nfor each of inputs.names, 4 at once\\nat most 5 times", shape=box, style=rounded];
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
      n1("list<br/>3 attempts<br/>2 checks")
      n2("each<br/>for each of inputs.names, 4 at once<br/>at most 5 times")
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
      classDef approve fill:#fff3d6,stroke:#b7791f,color:#1f2937
      classDef wait stroke-dasharray:4"
  `);
});
