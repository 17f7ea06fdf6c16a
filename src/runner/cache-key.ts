import type { JsonObject, JsonValue } from '../support/json.ts';
import type { Digest } from '../support/digest.ts';
import { COMPILER } from '../plan/compiler.ts';
import { stepEssence } from '../plan/digest.ts';
import { digestJson } from '../support/canonical-json.ts';
import type { PlanStep } from '../plan/plan.ts';
import type { Rendered } from './render-command.ts';

/** What of the environment differs from place to place without meaning anything. */
const PLACES = new Set(['HOME', 'TERM', 'TMPDIR', 'WF_OUTPUT', 'WF_WORKSPACE', 'WF_FEEDBACK']);

/** Variables that differ from run to run: they count where the step names them. */
const OF_THE_RUN = ['WF_RUN', 'WF_STEP', 'WF_ITEM', 'WF_ATTEMPT', 'WF_KEY'];

/**
 * What the result of a command depends on, as one name: the step of the plan, the command with its values, its
 * environment, and the files it says it reads. Another version of wf is another key.
 *
 * @param files as `path mode object`, sorted
 */
export function cacheKey(
  step: PlanStep,
  command: Rendered,
  env: Readonly<Record<string, string>>,
  files: readonly string[],
): Digest {
  const text = JSON.stringify(step);
  const counts = (name: string) => (OF_THE_RUN.includes(name) ? text.includes(name) : !PLACES.has(name));
  const { id: _id, needs: _needs, when: _when, ...essence } = stepEssence(step);
  return digestJson({
    compiler: COMPILER,
    step: essence as JsonObject,
    command: command as unknown as JsonValue,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => counts(name))),
    files,
  });
}
