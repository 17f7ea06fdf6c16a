import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import commonSchema from '../../schemas/common.schema.json' with { type: 'json' };
import formulaSchema from '../../schemas/formula.schema.json' with { type: 'json' };
import moleculeSchema from '../../schemas/molecule.schema.json' with { type: 'json' };
import projectSchema from '../../schemas/project.schema.json' with { type: 'json' };
import { type DocumentKind, validateDocument } from '../../src/schema/validate.ts';
import { parseYaml } from '../../src/source/parse-yaml.ts';
import type { JsonValue } from '../../src/support/json.ts';
import { formulas, molecules, projects } from './documents.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(commonSchema);
const validators = {
  formula: ajv.compile(formulaSchema),
  molecule: ajv.compile(moleculeSchema),
  project: ajv.compile(projectSchema),
};
const documents = { formula: formulas, molecule: molecules, project: projects };
const kinds = ['formula', 'molecule', 'project'] as const;

const ours = (kind: DocumentKind, value: unknown): readonly string[] =>
  validateDocument(parseYaml('a.yaml', JSON.stringify(value)), kind).map((finding) => finding.rule);

interface Change {
  readonly at: number;
  readonly how: number;
  readonly key: string;
  readonly value: JsonValue;
}

/** Every place in a document that can be changed. */
function* places(value: unknown): Generator<{ holder: Record<string, unknown>; key: string }> {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    yield { holder, key };
    yield* places(holder[key]);
  }
}

function changed(document: unknown, changes: readonly Change[]): unknown {
  const copy = structuredClone({ document });
  for (const { at, how, key, value: shared } of changes) {
    const value = structuredClone(shared);
    const all = [...places(copy)];
    const place = all[at % all.length];
    if (place === undefined) continue;
    const old = place.holder[place.key];
    if (how === 0 && place.key !== 'document') {
      if (Array.isArray(place.holder)) place.holder.splice(Number(place.key), 1);
      else delete place.holder[place.key];
    } else if (how === 1) place.holder[place.key] = value;
    else if (typeof old === 'object' && old !== null && !Array.isArray(old))
      (old as Record<string, unknown>)[key] = value;
    else if (Array.isArray(old)) old.push(value);
  }
  return copy.document;
}

const keys = fc.constantFrom(
  'run',
  'uses',
  'approve',
  'wait',
  'id',
  'needs',
  'when',
  'with',
  'for_each',
  'parallel',
  'join',
  'exit',
  'Bad Key',
  'from',
  'files',
  'git',
  'ref',
  'for',
  'until',
  'event',
  'match',
  'pass',
  'check',
  'changes',
  'timeout',
  'steps',
  'env',
  'name',
  'in',
  'x',
);
const values: fc.Arbitrary<JsonValue> = fc.constantFrom<JsonValue[]>(
  null,
  true,
  0,
  1,
  -1,
  1.5,
  300,
  '',
  'x',
  'A b',
  '10m',
  'clone',
  'stop',
  'all',
  'json',
  [],
  ['x'],
  ['x', 'x'],
  [1],
  {},
  { x: 'y' },
  { run: 'x' },
  { git: 'x' },
  { id: 'a', run: 'x' },
  { for: '1s' },
  { quorum: 0 },
  { type: 'string' },
);
const changes = fc.array(fc.record({ at: fc.nat(500), how: fc.nat(2), key: keys, value: values }), {
  minLength: 1,
  maxLength: 3,
});

describe.each(kinds)('the schema of a %s', (kind) => {
  it('accepts documents that use all of it', () => {
    for (const document of documents[kind]) {
      expect(validators[kind](document), JSON.stringify(validators[kind].errors)).toBe(true);
      expect(ours(kind, document)).toEqual([]);
    }
  });

  it('means the same to a general validator and to ours', { timeout: 120_000 }, () => {
    let valid = 0;
    let invalid = 0;
    fc.assert(
      fc.property(fc.constantFrom(...documents[kind]), changes, (document, list) => {
        const value = changed(document, list);
        const rules = ours(kind, value);
        // The standard lets a schema an author wrote hold keywords that do not exist, and limits that no value meets.
        if (rules.length > 0 && rules.every((rule) => rule === 'unknown-keyword' || rule === 'bad-schema'))
          return;
        const theirs = validators[kind](value);
        if (theirs) valid++;
        else invalid++;
        expect(
          rules.length === 0,
          `${JSON.stringify(value)}\n${rules.join()}\n${JSON.stringify(validators[kind].errors)}`,
        ).toBe(theirs);
      }),
      { seed: 3, numRuns: process.env['WF_PROOF'] ? 30_000 : 1000 },
    );
    expect(Math.min(valid, invalid)).toBeGreaterThan(20);
  });

  it('is itself valid, and describes every key', () => {
    const schema = { formula: formulaSchema, molecule: moleculeSchema, project: projectSchema }[kind];
    expect(ajv.validateSchema(schema)).toBe(true);
    for (const [name, key] of Object.entries(schema.properties)) {
      const reference = '$ref' in key && typeof key.$ref === 'string' ? key.$ref : '';
      const target = [commonSchema.$defs, '$defs' in schema ? schema.$defs : {}]
        .flatMap((defs) => Object.entries(defs))
        .find(([definition]) => reference.endsWith(`/${definition}`))?.[1] as
        { description?: string } | undefined;
      expect('description' in key || target?.description !== undefined, name).toBe(true);
    }
  });
});
