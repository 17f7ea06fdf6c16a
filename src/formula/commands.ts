import type { Command } from './formula.ts';
import type { Owned, ResolvedStep } from './resolve.ts';

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
