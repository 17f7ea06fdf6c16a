import { describe, expect, it } from 'vitest';
import { compileFormula } from '../src/plan/compile.ts';
import { listProject } from '../src/plan/list.ts';
import type { JsonObject, JsonValue } from '../src/support/json.ts';
import { isJsonObject } from '../src/support/json.ts';
import { PAIRS, keysOfSchemas, readSchema } from './support/key-pairs.ts';
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

  it('finds a key wherever one could be added', () => {
    const names = ['common', 'formula', 'aspect', 'molecule', 'project'].map((name) => `${name}.schema.json`);
    const places = names.flatMap((name) => mapsIn(readSchema(name)).map((path) => ({ name, path })));
    expect(places.length).toBeGreaterThan(20);
    const overlooked = places.filter(({ name, path }) => {
      const planted = (file: string) => (file === name ? plant(readSchema(file), path) : readSchema(file));
      return !keysOfSchemas(planted).some((key) => key.endsWith('.planted'));
    });
    expect(overlooked).toEqual([]);
  });

  it('covers nothing that is in no schema', () => {
    const keys = keysOfSchemas();
    expect(Object.keys(PAIRS).filter((key) => !keys.includes(key))).toEqual([]);
  });
});

/** The paths of all schemas of maps that list their keys, however deep. */
function mapsIn(value: JsonValue, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, one]) =>
    ['examples', 'default'].includes(key) ? [] : mapsIn(one, [...path, key]),
  );
  return isJsonObject(value) && path.at(-1) === 'properties' ? [path, ...inner] : inner;
}

/** The same schema, in which one map takes one key more. */
function plant(schema: JsonObject, path: readonly string[]): JsonObject {
  const copy = structuredClone(schema);
  let at = copy as Record<string, JsonValue>;
  for (const key of path) at = at[key] as Record<string, JsonValue>;
  at['planted'] = { type: 'string' };
  return copy;
}
