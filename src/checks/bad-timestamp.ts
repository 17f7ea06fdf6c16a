import { parseTimestamp } from '../formula/timestamp.ts';
import type { Wait } from '../formula/formula.ts';
import type { Check } from './check.ts';
import { writtenHere } from './check.ts';

export const badTimestamp: Check = {
  rule: 'bad-timestamp',
  summary: 'A written `until` is a point in time.',

  *run(subject) {
    for (const step of subject.steps) {
      const { action, verify } = step.body;
      const waits: { readonly owner: 'step' | 'molecule'; readonly wait: Wait }[] = [
        ...(action?.kind === 'wait'
          ? [{ owner: step.molecule ? ('molecule' as const) : ('step' as const), wait: action.wait }]
          : []),
        ...verify.flatMap(({ owner, value }) => (value.kind === 'wait' ? [{ owner, wait: value.wait }] : [])),
      ];
      for (const { owner, wait } of waits) {
        if (wait.kind !== 'until' || !wait.until.literal || !writtenHere(subject, owner, step)) continue;
        const time = parseTimestamp(wait.until.text);
        if (typeof time === 'number') continue;
        yield time.kind === 'zone'
          ? {
              span: wait.until.span,
              message: `"${time.zone}" is no time zone`,
              help: 'time zones are named like Europe/Berlin, America/New_York or UTC',
            }
          : {
              span: wait.until.span,
              message: `"${wait.until.text}" is not a point in time`,
              help: 'write 2026-12-01T09:00:00Z, 2026-12-01T09:00:00+01:00 or 2026-12-01T09:00[Europe/Berlin]',
            };
      }
    }
  },
};
