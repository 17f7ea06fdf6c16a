import type { ResolvedStep } from '../formula/resolve.ts';
import type { Check } from './check.ts';

export const finallyWaits: Check = {
  rule: 'finally-waits',
  summary: 'What runs at the end asks nobody, waits for nothing, and is no agent.',

  *run(subject) {
    if (subject.kind !== 'formula') return;
    for (const resolved of subject.resolved.finally) {
      const { step, molecule, group } = resolved;
      const found = waitsIn(resolved);
      if (!found || !step.uses) continue;
      const what = group
        ? `formula "${group.formula.name.value}"`
        : `molecule "${molecule?.name.value ?? ''}"`;
      yield {
        span: step.uses.span,
        message: `${what} ${found.does}, and a step in \`finally\` cannot: it runs when the run is over`,
        help: 'use it in `steps`, before the end',
        related: [
          { message: 'it does so here', span: found.step.body.action?.span ?? found.step.step.id.span },
        ],
      };
    }
  },
};

const DOES = { approve: 'asks people', wait: 'waits', agent: 'is an agent' } as const;

/** The step, itself or inside of it, that does what nothing at the end can. */
function waitsIn(resolved: ResolvedStep): { readonly step: ResolvedStep; readonly does: string } | undefined {
  const { body, group } = resolved;
  const { action } = body;
  if (action && action.kind !== 'run') return { step: resolved, does: DOES[action.kind] };
  if (body.verify.some(({ value }) => value.kind === 'judge'))
    return { step: resolved, does: 'asks a model to judge' };
  for (const inner of group ? [...group.steps, ...group.finally] : []) {
    const found = waitsIn(inner);
    if (found) return found;
  }
  return undefined;
}
