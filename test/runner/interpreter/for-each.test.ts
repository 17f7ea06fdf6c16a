import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

describe('for_each', () => {
  it('runs a step for each item of a list, one after the other, with `item` and `index`', async () => {
    const run = await testProject(`
inputs: {last: {type: string, default: c}}
steps:
  - id: each
    for_each: [a, b, '{{inputs.last}}']
    env: {N: '{{index}}'}
    run: 'echo "$N {{item}} $WF_ITEM"'
  - {id: all, run: 'echo {{size steps.each.outputs}}'}
outputs:
  said: steps.each.outputs.map(o, o.stdout)
  items: steps.each.items.map(i, i.status + ' ' + string(i.item))
`).run();
    expect(run.started).toEqual(['each', 'each[0]', 'each[1]', 'each[2]', 'all']);
    expect(run.outputs).toEqual({
      said: ['0 a 0', '1 b 1', '2 c 2'],
      items: ['succeeded a', 'succeeded b', 'succeeded c'],
    });
  });

  it('takes its list from CEL, and items keep their type', async () => {
    const run = await testProject(`
steps:
  - id: find
    run: 'echo "{\\"files\\": [{\\"name\\": \\"x\\", \\"size\\": 3}, {\\"name\\": \\"y\\", \\"size\\": 0}]}" > "$WF_OUTPUT"'
    outputs: {files: {type: array, items: {type: object, properties: {name: {type: string}, size: {type: integer}}, required: [name, size]}}}
  - {id: fix, for_each: 'steps.find.outputs.files.filter(f, f.size > 0)', run: 'echo {{item.name}} {{json item}}'}
outputs: {said: 'steps.fix.outputs.map(o, o.stdout)'}
`).run();
    expect(run.outputs).toEqual({ said: ['x {"name":"x","size":3}'] });
  });

  it('over an empty list succeeds at once', async () => {
    const run = await testProject(`
inputs: {list: {type: array, items: {type: string}, default: []}}
steps:
  - {id: none, for_each: inputs.list, parallel: 4, run: 'echo {{item}}'}
  - {id: any, for_each: inputs.list, join: any, run: 'echo {{item}}'}
outputs: {all: steps.none.outputs, items: steps.none.items}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "none started
      none has 0 items
      none succeeded []
      any started
      any has 0 items
      any succeeded []
      run succeeded {"all":[],"items":[]}"
    `);
  });

  it('runs as many at once as `parallel` says, and no more', async () => {
    const project = testProject(`
steps:
  - id: each
    for_each: [1, 2, 3, 4, 5]
    parallel: 2
    run: |
      touch "$HOME/{{item}}"
      [ {{item}} -gt 2 ] || until [ -f "$HOME/1" ] && [ -f "$HOME/2" ]; do sleep 0.02; done
`);
    const run = await project.run('a', { env: { HOME: project.root } });
    let running = 0;
    const counts = run.events.map((event) => {
      if (!('item' in event)) return 0;
      if (event.type === 'step.started') running += 1;
      if (event.type === 'step.succeeded') running -= 1;
      return running;
    });
    expect(run.step('each').items).toHaveLength(5);
    expect(Math.max(...counts)).toBe(2);
  });

  it('parallel items each work in a copy, and their changes are merged in the order of the list', async () => {
    const run = await testProject(`
steps:
  - {id: base, run: echo base > base}
  - {id: each, for_each: [c, a, b], parallel: 3, run: 'cat base > {{item}}; ls | tr "\\n" " "'}
  - {id: look, run: 'ls | tr "\\n" " "'}
outputs: {saw: 'steps.each.outputs.map(o, o.stdout)'}
`).run();
    expect(run.outputs).toEqual({ saw: ['base c ', 'a base ', 'b base '] });
    expect(run.output('look')).toBe('a b base c ');
  });

  it('items one after the other see what those before changed', async () => {
    const run = await testProject(`
steps:
  - {id: each, for_each: [a, b], run: 'touch {{item}}; ls | tr "\\n" " "'}
outputs: {saw: 'steps.each.outputs.map(o, o.stdout)'}
`).run();
    expect(run.outputs).toEqual({ saw: ['a ', 'a b '] });
  });

  it('an item that changes what another has changed fails with a conflict', async () => {
    const run = await testProject(`
steps:
  - {id: each, for_each: [a, b], parallel: 2, run: 'echo {{item}} > same', on_failure: continue}
outputs: {status: 'steps.each.items.map(i, i.status)', kind: 'has(steps.each.error) ? steps.each.error.kind : ""'}
`).run();
    expect(run.outputs).toEqual({ status: ['succeeded', 'failed'], kind: 'conflict' });
    expect(run.step('each').error?.message).toBe(
      'item 1: items that ran at the same time changed the same lines of same',
    );
  });

  it('with a retry it begins again from the merged state', async () => {
    const run = await testProject(`
steps:
  - {id: each, for_each: [a, b], parallel: 2, retry: {attempts: 2}, run: 'echo {{item}} >> same; echo "$WF_ATTEMPT"'}
  - {id: look, run: cat same}
outputs: {attempts: 'steps.each.outputs.map(o, o.stdout)', total: steps.each.attempts}
`).run();
    expect(run.outputs).toEqual({ attempts: ['1', '2'], total: 3 });
    expect(run.output('look')).toBe('a\nb');
  });

  it('a list that is none, and a template that fails, fail the step', async () => {
    const run = await testProject(`
steps:
  - {id: data, run: 'echo 5', parse: json}
  - {id: each, for_each: steps.data.outputs.value, run: 'echo {{item}}'}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "data started
      data succeeded {"value":5}
      each started
      each failed (error)
      run failed at each (error): \`for_each\` has to be a list, and steps.data.outputs.value is not"
    `);
  });
});

describe('join', () => {
  const items = (rest: string) => `
steps:
  - id: each
    for_each: [ok, bad, late]
    on_failure: continue
    run: '[ {{item}} != bad ]'
    ${rest}
outputs:
  list: size(steps.each.outputs)
  status: steps.each.status
  items: steps.each.items.map(i, i.status)
`;

  it('all: a failure starts no more items, and the step fails with its error', async () => {
    const run = await testProject(items('')).run();
    expect(run.told).toMatchInlineSnapshot(`
      "each started
      each has 3 items
      each[0] started
      each[0] succeeded
      each[1] started
      each[1] attempt 1 failed (error): exit code 1
      each[1] failed (error)
      each failed (error)
      run succeeded {"list":1,"status":"failed","items":["succeeded","failed","skipped"]}"
    `);
    expect(run.step('each').items?.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'skipped']);
  });

  it('all: items that run already go on to their end', async () => {
    const project = testProject(`
steps:
  - id: each
    for_each: [slow, bad, never]
    parallel: 2
    on_failure: continue
    run: |
      case {{item}} in
        slow) until [ -f "$HOME/failed" ]; do sleep 0.02; done; sleep 0.05; echo done;;
        bad) touch "$HOME/failed"; exit 1;;
      esac
outputs: {items: 'steps.each.items.map(i, i.status)'}
`);
    const run = await project.run('a', { env: { HOME: project.root } });
    expect(run.outputs).toEqual({ items: ['succeeded', 'failed', 'skipped'] });
  });

  it('any: the first success cancels the rest', async () => {
    const run = await testProject(`
steps:
  - {id: each, for_each: [30, 0, 30], parallel: 2, join: any, run: 'sleep {{item}}; echo {{item}}'}
outputs: {won: 'steps.each.outputs.map(o, o.stdout)', items: 'steps.each.items.map(i, i.status)'}
`).run();
    expect(run.outputs).toEqual({ won: ['0'], items: ['cancelled', 'succeeded', 'skipped'] });
    expect(run.step('each').items?.map(({ status }) => status)).toEqual([
      'cancelled',
      'succeeded',
      'skipped',
    ]);
  });

  it('any: fails when none succeeds', async () => {
    const run = await testProject(`
steps:
  - {id: each, for_each: [1, 2], join: any, run: 'exit {{item}}'}
`).run();
    expect(run.state.error).toMatchObject({
      kind: 'join',
      message: '0 of 2 items succeeded, and 1 had to',
      detail: 'item 0: exit code 1\nitem 1: exit code 2',
    });
  });

  it.each([
    ['join: {quorum: 2}', 'succeeded'],
    ['join: {quorum: 3}', 'failed'],
    ['join: {quorum: "size([1, 2, 3]) - 1"}', 'succeeded'],
  ])('quorum runs every item and needs that many: %s', async (join, status) => {
    const run = await testProject(items(join)).run();
    expect(run.outputs).toEqual({ list: 2, status, items: ['succeeded', 'failed', 'succeeded'] });
  });

  it('what a failed item changed is not seen by the next ones, in order as in parallel', async () => {
    const look = (parallel: number) =>
      testProject(`
steps:
  - id: each
    for_each: [a, bad, c]
    parallel: ${parallel}
    join: {quorum: 2}
    run: 'touch {{item}}; [ {{item}} != bad ]'
  - {id: look, run: 'ls | tr "\\n" " "'}
`).run();
    expect((await look(1)).output('look')).toBe('a c ');
    expect((await look(3)).output('look')).toBe('a c ');
  });
});
