import { digestJson } from '../support/canonical-json.ts';
import type { Digest } from '../support/digest.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { Plan, PlanStep } from './plan.ts';

/**
 * The name of a plan: SHA-256 over its canonical form (RFC 8785) without what does not change behaviour: the compiler
 * that made it, places in files, texts that only people read, and the bounds, which follow from the rest.
 */
export function digestPlan(plan: Omit<Plan, 'plan'> & { readonly plan?: Digest }): Digest {
  const {
    plan: _name,
    compiler: _compiler,
    description: _description,
    bounds: _bounds,
    inputs,
    steps,
    finally: last,
    ...rest
  } = plan;
  const essence = {
    ...rest,
    inputs: schemas(inputs),
    steps: steps.map(stepEssence),
    ...(last && { finally: last.map(stepEssence) }),
  };
  return digestJson(essence as unknown as JsonValue);
}

/** A step without what does not change behaviour. */
export function stepEssence(step: PlanStep): Readonly<Record<string, unknown>> {
  const { source: _source, title: _title, tags: _tags, inputs, outputs, action, ...rest } = step;
  return {
    ...rest,
    action:
      action.kind === 'group'
        ? {
            ...action,
            steps: action.steps.map(stepEssence),
            ...(action.finally && { finally: action.finally.map(stepEssence) }),
          }
        : action,
    ...(inputs && { inputs: schemas(inputs) }),
    ...(outputs && { outputs: schemas(outputs) }),
  };
}

function schemas(byName: Readonly<Record<string, JsonSchema>>): JsonObject {
  return Object.fromEntries(
    Object.entries(byName).map(([name, schema]) => [name, withoutAnnotations(schema)]),
  );
}

/** Keywords that only people read. `examples` feed dry runs and nothing else. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'title',
  'description',
  '$comment',
  'examples',
  'deprecated',
]);

/** Keywords whose values are schemas by name: there, `title` is a property and no annotation. */
const BY_NAME: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'dependentSchemas',
]);

/** Keywords whose values are data and stay as they are. */
const DATA: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'required', 'type']);

function withoutAnnotations(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(withoutAnnotations);
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !ANNOTATIONS.has(key))
      .map(([key, value]) => {
        if (DATA.has(key)) return [key, value];
        if (BY_NAME.has(key) && isJsonObject(value))
          return [key, schemas(value as Record<string, JsonSchema>)];
        return [key, withoutAnnotations(value)];
      }),
  );
}
