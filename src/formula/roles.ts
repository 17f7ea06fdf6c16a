import type { Located } from '../diagnostics/diagnostic.ts';
import type { ResolvedStep } from './resolve.ts';

/** The roles of models that a step names, its agent's and its judges', each with whose text names it. */
export function locatedRoles({
  molecule,
  body: { action, verify },
}: ResolvedStep): readonly { readonly owner: 'step' | 'molecule'; readonly role: Located<string> }[] {
  return [
    ...(action?.kind === 'agent'
      ? [{ owner: molecule ? ('molecule' as const) : ('step' as const), role: action.model }]
      : []),
    ...verify.flatMap(({ owner, value }) => (value.kind === 'judge' ? [{ owner, role: value.model }] : [])),
  ];
}
