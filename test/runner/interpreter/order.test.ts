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
  - {id: slow, run: 'for i in {1..500}; do [ -f "$HOME/go" ] && exit 0; sleep 0.02; done; exit 1'}
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
});
