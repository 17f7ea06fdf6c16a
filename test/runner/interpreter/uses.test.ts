import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

/** A project of formula `a`, which works in an empty workspace, and others. */
function using(steps: string, others: Readonly<Record<string, string>>) {
  return testProject({ 'formulas/a.yaml': `formula: a\nworkspace: empty\n${steps}`, ...others });
}

describe('`with`', () => {
  const molecules = {
    'molecules/show.yaml': `
molecule: show
inputs:
  value: {default: absent}
  text: {type: string, default: none}
run: 'echo {{json inputs.value}} {{inputs.text}}'
`,
  };

  it('a string that is one {{…}} passes the value with its type; text around makes it a text', async () => {
    const run = await using(
      `
inputs: {list: {type: array, items: {type: integer}, default: [1, 2]}, n: {type: integer, default: 5}}
steps:
  - {id: list, uses: show, with: {value: '{{inputs.list}}'}}
  - {id: int, uses: show, with: {value: '{{inputs.n}}', text: 'n={{inputs.n}}'}}
  - {id: map, uses: show, with: {value: {a: ['{{inputs.list}}', true], b: 'x{{inputs.n}}'}}}
  - {id: run, uses: show, with: {value: '{{run.formula}}', text: '{{size run.changed_files}} files'}}
`,
      molecules,
    ).run();
    expect(['list', 'int', 'map', 'run'].map((id) => run.output(id))).toEqual([
      '[1,2] none',
      '5 n=5',
      '{"a":[[1,2],true],"b":"x5"} none',
      '"a" 0 files',
    ]);
  });

  it('what is not given has the input’s default; null is present', async () => {
    const run = await using(
      `
inputs: {z: {type: 'null', default: null}}
steps:
  - {id: absent, uses: show}
  - {id: nil, uses: show, with: {value: '{{inputs.z}}'}}
`,
      molecules,
    ).run();
    expect(run.output('absent')).toBe('"absent" none');
    expect(run.output('nil')).toBe('null none');
  });

  it('a value that does not fit fails the step before anything runs, and no retry helps', async () => {
    const run = await using(
      `
steps:
  - {id: data, run: 'echo "[5]"', parse: json}
  - {id: use, uses: show, with: {text: '{{steps.data.outputs.value}}'}, retry: {attempts: 3}}
`,
      molecules,
    ).run();
    expect(run.told).toMatchInlineSnapshot(`
      "data started
      data succeeded {"value":[5]}
      use started
      use failed (error)
      run failed at use (error): input "text" must be text, not a list"
    `);
  });
});

describe('a molecule becomes the step', () => {
  const molecules = {
    'molecules/work.yaml': `
molecule: work
inputs: {n: {type: integer}, dir: {type: string, default: d}}
env: {A: 'molecule {{inputs.n}}', B: molecule}
run: 'mkdir -p {{inputs.dir}}; touch {{inputs.dir}}/f; echo "$A, $B, $WF_ATTEMPT"; exit {{inputs.n}}'
exit: [0, 1]
verify: [{run: 'test -d {{inputs.dir}}'}]
retry: {attempts: 3}
timeout: 1h
`,
  };

  it('the step’s own keys replace the molecule’s, `verify` adds and `env` merges, each in its own names', async () => {
    const run = await using(
      `
inputs: {n: {type: integer, default: 7}}
steps:
  - id: a
    uses: work
    with: {n: 1, dir: e}
    env: {B: 'step {{inputs.n}}'}
    verify: [{run: 'test -d e{{inputs.n}}'}, {check: outputs.exit_code == 1}]
    retry: {attempts: 2}
`,
      molecules,
    ).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a check 0 passed
      a check 1 failed: \`test -d e{{inputs.n}}\`: exit code 1
      a check 2 passed
      a attempt 1 failed (verify): a check failed: \`test -d e{{inputs.n}}\`: exit code 1
      a attempt 2
      a check 0 passed
      a check 1 failed: \`test -d e{{inputs.n}}\`: exit code 1
      a check 2 passed
      a attempt 2 failed (verify): a check failed: \`test -d e{{inputs.n}}\`: exit code 1
      a failed (verify)
      run failed at a (verify): a check failed: \`test -d e{{inputs.n}}\`: exit code 1"
    `);
    expect(run.printed.join('')).toBe('molecule 1, step 7, 1\nmolecule 1, step 7, 2\n');
  });

  it('without keys of its own it has the molecule’s', async () => {
    const run = await using('steps: [{id: a, uses: work, with: {n: 2}}]', molecules).run();
    expect(run.step('a')).toMatchObject({ status: 'failed', attempts: 3 });
  });

  it('for each item, with its own inputs', async () => {
    const run = await using(
      `
steps:
  - {id: a, for_each: [0, 1], parallel: 2, uses: work, with: {n: '{{item}}', dir: 'dir-{{index}}'}}
  - {id: look, run: ls}
outputs: {all: 'steps.a.outputs.map(o, o.stdout)'}
`,
      molecules,
    ).run();
    expect(run.outputs).toEqual({ all: ['molecule 0, molecule, 1', 'molecule 1, molecule, 1'] });
    expect(run.output('look')).toBe('dir-0\ndir-1');
  });
});

describe('a formula becomes a group', () => {
  const others = {
    'formulas/inner.yaml': `
formula: inner
inputs: {name: {type: string, default: world}, fail: {type: string, default: 'no'}}
steps:
  - {id: one, run: 'echo "{{inputs.name}} \${OWN:-unset} \${TOKEN:-unset}"; echo {{inputs.name}} >> made'}
  - {id: two, run: 'test {{inputs.fail}} = no; echo two of {{steps.one.outputs.stdout}}'}
finally:
  - {id: tidy, run: 'echo "{{run.status}}: {{steps.two.status}}"'}
outputs: {said: steps.two.outputs.stdout, size: size(inputs.name)}
`,
  };

  it('one step with that formula’s outputs; people see what is inside', async () => {
    const run = await using(
      `
inputs: {name: {type: string, default: bob}}
steps:
  - {id: one, run: echo outer}
  - {id: g, uses: formula/inner, with: {name: '{{inputs.name}}'}, title: Inner}
  - {id: end, run: 'echo {{steps.g.outputs.said}} {{steps.g.outputs.size}} {{steps.one.outputs.stdout}}; cat made'}
`,
      others,
    ).run();
    expect(run.told).toMatchInlineSnapshot(`
      "one started
      one succeeded
      g started
      g.one started
      g.one succeeded
      g.two started
      g.two succeeded
      g.tidy started
      g.tidy succeeded
      g succeeded {"said":"two of bob unset unset","size":3}
      end started
      end succeeded
      run succeeded"
    `);
    expect(run.output('end')).toBe('two of bob unset unset 3 outer\nbob');
    expect(run.output('g.tidy')).toBe('succeeded: succeeded');
    expect(Object.keys(run.state.steps)).toEqual(['one', 'g', 'g.one', 'g.two', 'g.tidy', 'end']);
  });

  it('its failure is the group’s; its `finally` runs first, and the formula’s own after', async () => {
    const run = await using(
      `
steps:
  - {id: g, uses: formula/inner, with: {fail: 'yes'}}
  - {id: after, run: echo after}
finally:
  - {id: last, run: 'echo {{run.status}} {{default run.error.kind ""}} {{steps.g.status}}'}
`,
      others,
    ).run();
    expect(run.told).toMatchInlineSnapshot(`
      "g started
      g.one started
      g.one succeeded
      g.two started
      g.two attempt 1 failed (error): exit code 1
      g.two failed (error)
      g.tidy started
      g.tidy succeeded
      g attempt 1 failed (error): exit code 1
      g failed (error)
      after skipped (run ended)
      last started
      last succeeded
      run failed at g.two (error): exit code 1"
    `);
    expect(run.output('last')).toBe('failed error failed');
  });

  it('common keys apply to the group as a whole: one attempt is one pass', async () => {
    const project = using(
      `
inputs: {go: {type: boolean, default: true}}
steps:
  - id: g
    when: inputs.go
    for_each: [ann, bob]
    uses: formula/inner
    with: {name: '{{item}}', fail: '{{item}}'}
    retry: {attempts: 2}
    verify: [{run: 'grep -q {{item}} made'}, {check: outputs.size == 3}]
    repeat: {until: outputs.size == 3, max: 2}
  - {id: look, run: sort made}
`,
      {
        'formulas/inner.yaml': others['formulas/inner.yaml'].replace(
          'test {{inputs.fail}} = no;',
          'mkdir "$HOME/{{inputs.name}}" || exit 0; exit 1;',
        ),
      },
    );
    const run = await project.run('a', { env: { HOME: project.root } });
    expect(run.told).toMatchInlineSnapshot(`
      "g started
      g has 2 items
      g[0] started
      g[0] iteration 1 attempt 1
      g[0].one started
      g[0].one succeeded
      g[0].two started
      g[0].two attempt 1 failed (error): exit code 1
      g[0].two failed (error)
      g[0].tidy started
      g[0].tidy succeeded
      g[0] attempt 1 failed (error): exit code 1
      g[0] iteration 1 attempt 2
      g[0].one started
      g[0].one succeeded
      g[0].two started
      g[0].two succeeded
      g[0].tidy started
      g[0].tidy succeeded
      g[0] check 0 passed
      g[0] check 1 passed
      g[0] succeeded {"said":"","size":3}
      g[1] started
      g[1] iteration 1 attempt 1
      g[1].one started
      g[1].one succeeded
      g[1].two started
      g[1].two attempt 1 failed (error): exit code 1
      g[1].two failed (error)
      g[1].tidy started
      g[1].tidy succeeded
      g[1] attempt 1 failed (error): exit code 1
      g[1] iteration 1 attempt 2
      g[1].one started
      g[1].one succeeded
      g[1].two started
      g[1].two succeeded
      g[1].tidy started
      g[1].tidy succeeded
      g[1] check 0 passed
      g[1] check 1 passed
      g[1] succeeded {"said":"","size":3}
      g succeeded [{"said":"","size":3},{"said":"","size":3}]
      look started
      look succeeded
      run succeeded"
    `);
    expect(run.output('look')).toBe('ann\nbob');
    expect(run.step('g.one' in run.state.steps ? 'g.one' : 'g[0].one').status).toBe('succeeded');
  });

  it('in parallel, each pass works in a copy of its own', async () => {
    const run = await using(
      `
steps:
  - {id: g, for_each: [ann, bob], parallel: 2, uses: formula/inner, with: {name: '{{item}}'}}
  - {id: look, run: cat made-*}
`,
      { 'formulas/inner.yaml': others['formulas/inner.yaml'].replace('>> made', '>> made-{{inputs.name}}') },
    ).run();
    expect(run.output('look')).toBe('ann\nbob');
  });

  it('with a workspace of its own, nothing of it comes back', async () => {
    const run = await using(
      `
steps:
  - {id: here, run: touch here}
  - {id: g, uses: formula/inner, workspace: empty, verify: [{run: 'test "$(ls)" = made'}]}
  - {id: look, run: ls}
`,
      others,
    ).run();
    expect(run.steps).toContain('g:succeeded');
    expect(run.output('look')).toBe('here');
  });

  it('a workspace that cannot be had fails the step', async () => {
    const run = await using(
      `
steps:
  - {id: a, run: ls, workspace: {from: {git: /no/such/repository}}, on_failure: continue}
  - {id: b, run: echo b}
`,
      others,
    ).run();
    expect(run.step('a').error?.message).toContain('/no/such/repository cannot be cloned');
    expect(run.step('b').status).toBe('succeeded');
  });

  it('groups within groups, and a hand-off that is asked for inside', async () => {
    const run = await using(
      `
steps:
  - {id: g, uses: formula/middle}
  - {id: never, run: echo never}
`,
      {
        'formulas/middle.yaml': 'formula: middle\nsteps: [{id: m, for_each: [1], uses: formula/deep}]\n',
        'formulas/deep.yaml':
          'formula: deep\nsteps: [{id: d, run: "echo trying; exit 3", on_failure: handoff}]\n',
      },
    ).run();
    expect(run.told).toMatchInlineSnapshot(`
      "g started
      g.m started
      g.m has 1 items
      g.m[0] started
      g.m[0].d started
      g.m[0].d attempt 1 failed (error): exit code 3
      g.m[0].d failed (error)
      g.m[0] attempt 1 failed (error): exit code 3
      g.m[0] failed (error)
      g.m failed (error)
      g attempt 1 failed (error): item 0: exit code 3
      g failed (error)
      never skipped (run ended)
      run handed off at g.m[0].d (error): item 0: exit code 3"
    `);
    expect(run.state).toMatchObject({ status: 'handed_off', error: { step: 'g.m[0].d', kind: 'error' } });
  });
});
