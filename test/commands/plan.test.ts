import { describe, expect, it } from 'vitest';
import { testProject } from '../support/project.ts';

describe('wf plan', () => {
  it('prints the same bytes in another folder, home, language and time zone', async () => {
    const formula =
      'inputs: {name: {type: string, default: you}}\nsteps: [{id: hi, run: "echo {{inputs.name}}"}]\n';
    const here = testProject(formula);
    const there = testProject(formula);
    const first = await here.wf('plan a --json');
    const second = await there.wf('plan a --json', {
      env: { HOME: there.root, LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' },
    });
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(second).toEqual(first);
  });
});
