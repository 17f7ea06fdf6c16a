import type { Command, EnvEntry, Workspace } from './formula.ts';
import type { Owned, ResolvedStep } from './resolve.ts';

/** A command and the environment it is started with. */
export interface PlacedCommand extends Owned<Command> {
  /** Its own, as of a service. */
  readonly env: readonly Owned<EnvEntry>[];
  /** It also gets the step's. */
  readonly inherits: boolean;
}

/** The commands of a step: its action, the checks under `verify`, and those of a workspace of its own. */
export function allCommandsOf(resolved: ResolvedStep): readonly PlacedCommand[] {
  const { workspace } = resolved.body;
  const own = commandsOf(resolved).map((command) => ({ ...command, env: [], inherits: true }));
  return workspace ? [...own, ...workspaceCommands(workspace)] : own;
}

/** The commands of a step in the run's own workspace: its action, and the checks under `verify`. */
export function commandsOf({ molecule, body, step }: ResolvedStep): readonly Owned<Command>[] {
  const action: Owned<Command>[] =
    body.action?.kind === 'run'
      ? [{ owner: molecule && !step.body.action ? 'molecule' : 'step', value: body.action.command }]
      : [];
  const checks = body.verify.flatMap(({ owner, value }): Owned<Command>[] =>
    value.kind === 'run' ? [{ owner, value: value.command }] : [],
  );
  return [...action, ...checks];
}

/** The commands that make a workspace ready. */
export function workspaceCommands({ owner, value }: Owned<Workspace>): readonly PlacedCommand[] {
  const placed = (command: Command, env: readonly EnvEntry[] = []): PlacedCommand => ({
    owner,
    value: command,
    env: env.map((entry) => ({ owner, value: entry })),
    inherits: false,
  });
  return [
    ...(value.prepare ? [placed(value.prepare.run)] : []),
    ...value.services.flatMap(({ run, ready, env }) => [
      placed(run, env),
      ...(ready.kind === 'run' ? [placed(ready.run, env)] : []),
    ]),
  ];
}
