import { misspelling } from '../diagnostics/suggest.ts';
import { locatedRoles } from '../formula/roles.ts';
import type { Check } from './check.ts';
import { writtenHere } from './check.ts';

export const unknownModel: Check = {
  rule: 'unknown-model',
  summary: 'A model is a role that wf.yaml, or one of its profiles, gives to one.',

  *run(subject) {
    if (subject.settings === 'broken') return;
    const roles = [
      ...(subject.settings?.models.keys() ?? []),
      ...[...(subject.settings?.profiles.values() ?? [])].flatMap(({ models }) => [...models.keys()]),
    ];
    for (const step of subject.steps) {
      for (const { owner, role } of locatedRoles(step)) {
        if (roles.includes(role.value) || !writtenHere(subject, owner, step)) continue;
        yield {
          span: role.span,
          message: `"${role.value}" is no role under \`models\` in wf.yaml`,
          ...(misspelling(role.value, roles) ?? {
            help:
              roles.length === 0
                ? `add \`models: {${role.value}: {id: claude-haiku-5-5}}\` to wf.yaml`
                : `the roles are ${[...new Set(roles)].join(', ')}`,
          }),
        };
      }
    }
  },
};
