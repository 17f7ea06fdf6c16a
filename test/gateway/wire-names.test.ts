import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wireNames } from '../../src/gateway/wire-names.ts';
import { proof } from '../support/proof.ts';

it('keeps the name of a tool where it is clear, and says its server where it is not', () => {
  const names = wireNames(
    [
      { server: 'workspace', name: 'read' },
      { server: 'github', name: 'create.issue' },
      { server: 'gitlab', name: 'create.issue' },
      { server: 'other', name: 'submit' },
    ],
    ['submit'],
  );
  expect(Object.fromEntries(names)).toEqual({
    'workspace/read': 'read',
    'github/create.issue': 'github_create_issue',
    'gitlab/create.issue': 'gitlab_create_issue',
    'other/submit': 'other_submit',
  });
});

it('gives every tool a name of its own that a provider takes, whatever the servers call them', () => {
  const part = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('a', 'a_b', 'b', 'x'.repeat(80)));
  const tools = fc.uniqueArray(fc.record({ server: part, name: part }), {
    selector: ({ server, name }) => `${server}/${name}`,
    maxLength: 30,
  });
  fc.assert(
    fc.property(tools, (list) => {
      const names = [...wireNames(list, ['submit']).values()];
      expect(new Set(names).size).toBe(list.length);
      for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(names).not.toContain('submit');
      expect(wireNames([...list].reverse(), ['submit'])).toEqual(wireNames(list, ['submit']));
    }),
    proof({ few: 300, many: 20_000 }),
  );
});
