import { CREDENTIALS } from '../agents/anthropic.ts';
import type { EventBody } from '../journal/event.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import type { JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { maskText } from '../support/mask.ts';

/**
 * Every text that would give away a secret of a plan: the value of each that any step of it names, also without the line
 * break at its end and as it stands in JSON. One step may print what another has written down, so all are for all.
 */
export function secretTexts(
  plan: Plan,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  // That of the models is never in a plan, and is one all the same.
  const names = new Set([...secretNames([...plan.steps, ...(plan.finally ?? [])]), ...CREDENTIALS]);
  const texts = [...names].flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [value, value.trim(), JSON.stringify(value).slice(1, -1)];
  });
  return [...new Set(texts)].filter((text) => text !== '');
}

function secretNames(steps: readonly PlanStep[]): readonly string[] {
  return steps.flatMap(({ secrets, action }) => [
    ...Object.values(secrets ?? {}),
    ...(action.kind === 'group' ? secretNames([...action.steps, ...(action.finally ?? [])]) : []),
  ]);
}

/** Fields of events that say where something is; a secret that is a short word must not change them. */
const PLACES = new Set([
  'type',
  'step',
  'state',
  'base',
  'branch',
  'commit',
  'kept',
  'bundle',
  'plan',
  'formula',
]);

/** Takes secrets out of an event, whatever it quotes. */
export function maskEvent(event: EventBody, secrets: readonly string[]): EventBody {
  if (secrets.length === 0) return event;
  const entries = Object.entries(event).map(([name, value]) => [
    name,
    PLACES.has(name) ? (value as unknown) : maskJson(value as JsonValue, secrets),
  ]);
  return Object.fromEntries(entries) as EventBody;
}

function maskJson(value: JsonValue, secrets: readonly string[]): JsonValue {
  if (typeof value === 'string') return maskText(value, secrets);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((item) => maskJson(item, secrets));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [maskText(name, secrets), maskJson(inner, secrets)]),
  );
}
