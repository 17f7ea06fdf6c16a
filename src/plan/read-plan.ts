import planSchema from '../../schemas/plan.schema.json' with { type: 'json' };
import { compileSchema } from '../schema/validate-value.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import { boundsOf } from './bounds.ts';
import { digestPlan } from './digest.ts';
import type { Plan } from './plan.ts';

/** The version of plans that this wf compiles and runs. */
const VERSION: Plan['schema'] = 1;

const AS_PRINTED = 'a plan is what `wf plan <formula> --json` prints';

/**
 * A plan from its JSON, as `wf plan --json` printed it. Throws a {@link UserError} for what is no plan, is one of
 * another version, or has not the name that it says; `from` is what the messages call the text.
 */
export function readPlan(text: string, from: string): Plan {
  const value = parse(text, from);
  if (isJsonObject(value)) {
    refuseFindings(value, from);
    refuseVersion(value, from);
  }
  const [first, ...others] = compileSchema(planSchema as unknown as JsonSchema, 'plan')(value);
  if (first) {
    const more = others.length > 0 ? `, and ${others.length} more` : '';
    throw new UserError(`${from} is not a plan: ${first.message}${more}`, { hint: AS_PRINTED });
  }
  const plan = value as unknown as Plan;
  const digest = digestPlan(plan);
  // Nothing vouches for the bounds that it says.
  if (plan.plan === digest) return { ...plan, bounds: boundsOf(plan) };
  throw new UserError(
    `${from} was changed after it was compiled: it says ${plan.plan}, but what it holds is ${digest}`,
    { hint: `change formula "${plan.formula}" instead, and compile it again` },
  );
}

function parse(text: string, from: string): JsonValue {
  const json = text.replace(/^\uFEFF/, '');
  if (json.trim() === '')
    throw new UserError(`${from} is empty, but should hold a plan`, { hint: AS_PRINTED });
  try {
    return JSON.parse(json) as JsonValue;
  } catch (error) {
    const { message } = error as Error;
    throw new UserError(`${from} is not JSON: ${message}`, { hint: AS_PRINTED, cause: error });
  }
}

/** `wf plan --json` of a formula with mistakes prints those, and in a pipe they come here. */
function refuseFindings(value: JsonObject, from: string): void {
  if (value['ok'] !== false || !Array.isArray(value['diagnostics'])) return;
  throw new UserError(`${from} holds no plan, but the mistakes for which there was none`, {
    hint: '`wf check` shows them',
  });
}

function refuseVersion({ schema }: JsonObject, from: string): void {
  if (typeof schema !== 'number' || schema === VERSION) return;
  throw new UserError(`${from} is a plan of version ${schema}, and this wf knows version ${VERSION}`, {
    hint: 'compile the formula again with this wf, or run the plan with the one that compiled it',
  });
}
