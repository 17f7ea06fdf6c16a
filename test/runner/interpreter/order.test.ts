import { describe, expect, it } from 'vitest';
import { testProject } from '../../support/project.ts';

describe('order', () => {
  it('without `needs` a step waits for every step above it', async () => {
    const run = await testProject(`
steps:
  - {id: a, run: echo a}
  - {id: b, run: echo b}
  - {id: c, run: echo c}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a succeeded
      b started
      b succeeded
      c started
      c succeeded
      run succeeded"
    `);
  });

  it('with `needs` it waits for those alone, with `needs: []` for none', async () => {
    const project = testProject(`
steps:
  - {id: slow, run: 'until [ -f "$HOME/go" ]; do sleep 0.02; done'}
  - {id: free, needs: [], run: echo free}
  - {id: after_free, needs: [free], run: 'touch "$HOME/go"'}
`);
    const run = await project.run('a', { env: { HOME: project.root } });
    // Which of the last two ends first is nobody's business.
    expect(run.told.split('\n').slice(0, 4)).toEqual([
      'slow started',
      'free started',
      'free succeeded',
      'after_free started',
    ]);
    expect(run.steps).toBe('slow:succeeded free:succeeded after_free:succeeded');
  });

  it('a step that reads another waits for it, and steps start in the order of the plan', async () => {
    const run = await testProject(`
steps:
  - {id: a, run: echo 1}
  - {id: b, needs: [], run: 'echo {{steps.c.outputs.stdout}}'}
  - {id: c, needs: [], run: sleep 0.05 && echo from c}
`).run();
    expect(run.started).toEqual(['a', 'c', 'b']);
    expect(run.output('b')).toBe('from c');
  });
});

describe('when', () => {
  it('false skips the step, order passes through it, and its outputs are absent', async () => {
    const run = await testProject(`
inputs: {deploy: {type: boolean, default: false}}
steps:
  - {id: build, run: sleep 0.05 && echo built}
  - {id: deploy, needs: [build], when: inputs.deploy, run: echo deployed}
  - {id: tell, needs: [deploy], run: 'echo {{default steps.deploy.outputs.stdout "nothing"}}: {{steps.deploy.status}} {{steps.deploy.attempts}}'}
  - {id: end, run: [echo, "{{steps.tell.outputs.stdout}}"]}
outputs:
  seen: "has(steps.deploy.outputs.stdout) ? steps.deploy.outputs.stdout : 'absent'"
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "build started
      build succeeded
      deploy skipped (when)
      tell started
      tell succeeded
      end started
      end succeeded
      run succeeded {"seen":"absent"}"
    `);
    expect(run.output('end')).toBe('nothing: skipped 0');
  });

  it('is read before everything else: `for_each` of a skipped step is not', async () => {
    const run = await testProject(`
inputs: {list: {type: array, items: {type: string}, default: []}}
steps:
  - {id: each, when: size(inputs.list) > 0, for_each: '[inputs.list[0]]', run: 'echo {{item}}'}
outputs: {all: steps.each.outputs, items: steps.each.items}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "each skipped (when)
      run succeeded {"all":[],"items":[]}"
    `);
  });

  it('that cannot be evaluated fails the step', async () => {
    const run = await testProject(`
inputs: {list: {type: array, items: {type: integer}, default: []}}
steps:
  - {id: a, when: 'inputs.list[3] > 1', run: echo a}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a failed (error)
      run failed at a (error): \`when\`: inputs.list[3] is absent"
    `);
  });
});

describe('inputs and outputs of a run', () => {
  const project = () =>
    testProject(`
inputs:
  name: {type: string, minLength: 2}
  count: {type: integer, default: 3}
  shape: {type: object, properties: {x: {type: integer, default: 7}}, default: {}}
steps:
  - {id: a, run: 'echo {{inputs.name}} {{inputs.count}} {{default inputs.shape.x 0}}'}
outputs: {said: steps.a.outputs.stdout, twice: inputs.count * 2}
`);

  it('defaults are filled in, at any depth', async () => {
    const run = await project().run('a', { inputs: { name: 'Bo' } });
    expect(run.outputs).toEqual({ said: 'Bo 3 7', twice: 6 });
    expect(run.state.inputs).toEqual({ name: 'Bo', count: 3, shape: { x: 7 } });
  });

  it.each([
    [{}, 'input "name" has no value and no default'],
    [{ name: 'B' }, 'input "name" must have at least 2 characters'],
    [{ name: 'Bo', count: 'x' }, 'input "count" must be a whole number'],
    [{ name: 'Bo', cuont: 1 }, 'there is no input "cuont"; did you mean "count"?'],
  ])('%j is refused: %s', async (inputs, message) => {
    await expect(project().run('a', { inputs })).rejects.toThrow(message);
    await expect(project().runLocally('a', { inputs })).rejects.toThrow(message);
  });

  it('an output that cannot be evaluated fails the run', async () => {
    const run = await testProject(`
steps:
  - {id: a, run: 'echo "{\\"list\\": []}"', parse: json, outputs: {list: {type: array, items: {type: string}}}}
outputs: {first: 'steps.a.outputs.list[0]'}
finally:
  - {id: tell, run: 'echo {{run.status}}'}
`).run();
    expect(run.told).toMatchInlineSnapshot(`
      "a started
      a succeeded {"list":[]}
      tell started
      tell succeeded
      run failed (error): output "first": steps.a.outputs.list[0] is absent"
    `);
    expect(run.output('tell')).toBe('failed');
  });
});
