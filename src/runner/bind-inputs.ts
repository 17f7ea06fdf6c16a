import type { StateId } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { applyDefaults } from '../schema/apply-defaults.ts';
import { compileSchema } from '../schema/validate-value.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { Evaluated, Scoped, Scopes } from './scope.ts';
import { evaluateJson } from './scope.ts';

/** The scope inside of a step: where it uses something, with that thing's inputs bound, defaults filled in, and checked. */
export async function boundInputs(
  step: PlanStep,
  outer: Scoped,
  scopes: Scopes,
  state: StateId,
): Promise<Evaluated<Scoped>> {
  if (!step.inputs) return { ok: true, value: outer };
  const given = await evaluateJson(step.with ?? {}, outer, scopes, state);
  if (!given.ok) return given;
  const values = completeInputs(step.inputs, isJsonObject(given.value) ? given.value : {});
  return values.ok ? { ok: true, value: outer.bind(values.value) } : values;
}

/** Values for inputs: defaults filled in at any depth, each checked against its schema, and nothing beside them. */
export function completeInputs(
  schemas: Readonly<Record<string, JsonSchema>>,
  given: Readonly<Record<string, JsonValue>>,
): Evaluated<JsonObject> {
  const known = Object.keys(schemas);
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(schemas, name));
  if (unknown !== undefined) {
    const help =
      suggest(unknown, known) ?? (known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`);
    return { ok: false, message: `there is no input "${unknown}"; ${help}` };
  }
  const filled = applyDefaults({ properties: schemas }, given) as JsonObject;
  const values: Record<string, JsonValue> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const value = filled[name];
    if (value === undefined) return { ok: false, message: `input "${name}" has no value and no default` };
    const [problem] = compileSchema(schema, name)(value);
    if (problem) return { ok: false, message: `input ${problem.message}` };
    values[name] = value;
  }
  return { ok: true, value: values };
}
