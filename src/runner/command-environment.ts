import { writeFile } from 'node:fs/promises';
import type { RenderWorld } from '../formula/render-template.ts';
import type { JsonObject } from '../support/json.ts';
import type { Attempt } from './attempt.ts';
import { renderVariable } from './render-command.ts';
import type { Evaluated } from './scope.ts';

export interface CommandEnvironment {
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The environment of a command: what every command gets, `WF_…`, the step's `env`, then its secrets. `paths` are those
 * of the `WF_` variables that differ between an action and a check.
 */
export async function commandEnvironment(
  { engine, world, step, at, feedback }: Attempt,
  values: JsonObject,
  files: RenderWorld,
  paths: Readonly<Record<string, string>>,
): Promise<Evaluated<CommandEnvironment>> {
  const secrets: Record<string, string> = {};
  for (const [name, secret] of Object.entries(step.secrets ?? {})) {
    const value = world.secret(secret);
    if (value === undefined)
      return { ok: false, message: `the secret ${secret} is not set; export it where the run is started` };
    secrets[name] = value;
  }
  const own: Record<string, string> = {};
  for (const [name, text] of Object.entries(step.env ?? {})) own[name] = renderVariable(text, values, files);
  const told: Record<string, string> =
    feedback === undefined ? {} : { WF_FEEDBACK: await feedbackFile(world, at.key, feedback) };
  return {
    ok: true,
    value: {
      env: {
        ...world.baseEnv,
        WF_RUN: engine.run,
        WF_STEP: at.path,
        WF_ITEM: at.item === undefined ? '' : String(at.item),
        WF_ATTEMPT: String(at.attempt),
        // The same for every try of one step of one run: what a service takes as an idempotency key.
        WF_KEY: `${engine.run}/${at.identity}`,
        ...paths,
        ...told,
        ...own,
        ...secrets,
      },
    },
  };
}

async function feedbackFile(world: Attempt['world'], key: string, text: string): Promise<string> {
  const path = await world.scratch(`${key}.feedback`);
  await writeFile(path, `${text}\n`);
  return path;
}
