import { describe, expect, it } from 'vitest';
import { compileFormula } from '../src/plan/compile.ts';
import { listProject } from '../src/plan/list.ts';
import { PAIRS, keysOfSchemas } from './support/key-pairs.ts';
import { memoryLoader } from './support/memory-loader.ts';
import type { Files } from './support/memory-loader.ts';

async function compile(files: Files) {
  const profile = files['wf.yaml']?.includes('profiles') ? 'p' : undefined;
  const { plan, diagnostics } = await compileFormula(
    memoryLoader(files),
    'a',
    profile === undefined ? {} : { profile },
  );
  return { plan, errors: diagnostics.filter((diagnostic) => diagnostic.severity === 'error') };
}

describe('no inert key', () => {
  it.each(Object.entries(PAIRS))('%s', async (_key, { claim, a, b }) => {
    const [left, right] = [await compile(a), await compile(b)];
    if (claim === 'refused') {
      expect([left.plan === undefined, right.plan === undefined].sort()).toEqual([false, true]);
      return;
    }
    expect([...left.errors, ...right.errors]).toEqual([]);
    if (claim === 'list') {
      expect(await listProject(memoryLoader(a))).not.toEqual(await listProject(memoryLoader(b)));
      return;
    }
    const places = (key: string, value: unknown) => (key === 'source' ? undefined : value);
    expect(JSON.stringify(left.plan, places)).not.toBe(JSON.stringify(right.plan, places));
    if (claim === 'behaviour') expect(left.plan?.plan).not.toBe(right.plan?.plan);
    else expect(left.plan?.plan).toBe(right.plan?.plan);
  });

  it('covers every key of every schema', () => {
    expect(keysOfSchemas().filter((key) => !(key in PAIRS))).toEqual([]);
  });

  it('covers nothing that is in no schema', () => {
    const keys = keysOfSchemas();
    expect(Object.keys(PAIRS).filter((key) => !keys.includes(key))).toEqual([]);
  });
});
