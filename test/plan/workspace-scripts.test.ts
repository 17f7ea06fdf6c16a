import { describe, expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

describe('scripts of a workspace', () => {
  it('get their values as variables, also when no step has any', async () => {
    const plan = await testProject(`
inputs: {version: {type: string}}
workspace:
  from: empty
  prepare: {run: 'echo {{inputs.version}} > version', files: [version]}
  services: [{id: db, run: 'serve {{inputs.version}}', ready: {run: 'test {{inputs.version}} != x'}}]
steps: [{id: a, run: 'true'}]
`).compile();
    const script = (bash: string) => ({ bash, values: [{ name: '__wf_0', value: '{{inputs.version}}' }] });
    expect(plan.workspace).toMatchObject({
      prepare: { run: script('echo "${__wf_0}" > version') },
      services: [{ run: script('serve "${__wf_0}"'), ready: { run: script('test "${__wf_0}" != x') } }],
    });
  });

  it('cannot have a value become code', async () => {
    const project = testProject(`
inputs: {version: {type: string}}
workspace: {from: empty, prepare: {run: 'eval {{inputs.version}}', files: [version]}}
steps: [{id: a, run: 'true'}]
`);
    await expect(project.compile()).rejects.toThrow(/value-as-code/);
  });
});
