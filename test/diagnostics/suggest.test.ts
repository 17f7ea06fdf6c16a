import { describe, expect, it } from 'vitest';
import { editDistance, suggest } from '../../src/diagnostics/suggest.ts';

describe('suggest', () => {
  it.each([
    ['biuld', ['test', 'build', 'publish'], 'build'],
    ['defualt', ['type', 'default', 'description'], 'default'],
    ['forEach', ['for_each', 'repeat'], 'for_each'],
    ['on-failure', ['on_failure'], 'on_failure'],
    ['need', ['needs', 'when'], 'needs'],
    ['steps', ['step_s', 'inputs'], 'step_s'],
    ['Build', ['build'], 'build'],
  ])('%s among %j → %s', (name, candidates, expected) => {
    expect(suggest(name, candidates)).toBe(`did you mean "${expected}"?`);
  });

  it.each([
    ['run', ['wait', 'uses', 'approve']],
    ['a', ['b', 'c']],
    ['id', ['if', 'in']],
    ['xyz', []],
    ['deploy', ['inputs', 'outputs']],
    ['build', ['build']],
  ])('%s among %j: nothing', (name, candidates) => {
    expect(suggest(name, candidates)).toBeUndefined();
  });
});

describe('editDistance', () => {
  it('counts a swap of neighbours as one', () => {
    expect(editDistance('biuld', 'build', 3)).toBe(1);
    expect(editDistance('kitten', 'sitting', 3)).toBe(3);
    expect(editDistance('kitten', 'sitting', 2)).toBe(Infinity);
  });
});
