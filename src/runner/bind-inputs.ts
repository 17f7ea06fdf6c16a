import type { StateId } from '../journal/event.ts';
import type { PlanStep } from '../plan/plan.ts';
import { compileSchema } from '../schema/validate-value.ts';
import type { JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { Evaluated, Scoped, Scopes } from './scope.ts';
import { evaluateWith } from './scope.ts';

/** The scope inside of a step: where it uses something, with that thing's inputs bound, defaults filled in, and checked. */
export async function boundInputs(
  step: PlanStep,
  outer: Scoped,
  scopes: Scopes,
  state: StateId,
): Promise<Evaluated<Scoped>> {
  if (!step.inputs) return { ok: true, value: outer };
  const { run, profile } = await scopes.values(JSON.stringify(step.with ?? {}), outer, state);
  const given = outer.attempt(() =>
    evaluateWith(step.with ?? {}, outer.with({ run: run ?? {}, profile: profile ?? '' })),
  );
  if (!given.ok) return given;
  const values = completeInputs(step.inputs, isJsonObject(given.value) ? given.value : {});
  return values.ok ? { ok: true, value: outer.bind(values.value) } : values;
}

/** Values for inputs: defaults filled in, each checked against its schema. */
export function completeInputs(
  schemas: Readonly<Record<string, JsonSchema>>,
  given: Readonly<Record<string, JsonValue>>,
): Evaluated<Readonly<Record<string, JsonValue>>> {
  const values: Record<string, JsonValue> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const value = given[name] ?? (given[name] === null ? null : defaultOf(schema));
    if (value === undefined) return { ok: false, message: `input "${name}" has no value and no default` };
    const [problem] = compileSchema(schema)(value);
    if (problem) return { ok: false, message: `input "${name}": ${problem.message}` };
    values[name] = value;
  }
  return { ok: true, value: values };
}

function defaultOf(schema: JsonSchema): JsonValue | undefined {
  return typeof schema === 'boolean' ? undefined : schema['default'];
}
