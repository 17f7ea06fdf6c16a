import { misspelling } from '../diagnostics/suggest.ts';
import type { Template } from '../formula/template.ts';
import { isTimeZone, parseTimestamp } from '../formula/timestamp.ts';
import type { Wait } from '../formula/formula.ts';
import type { Check, CheckFinding } from './check.ts';
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
        if (wait.kind !== 'until' || !writtenHere(subject, owner, step)) continue;
        const problem = problemOf(wait.until);
        if (problem) yield problem;
      }
    }
  },
};

function problemOf(until: Template): CheckFinding | undefined {
  // Of a text with placeholders only the zone may be known.
  const zone = /\[([^\]{}]+)\]\s*$/.exec(until.text);
  if (zone?.[1] !== undefined && !isTimeZone(zone[1])) {
    const [, name] = zone;
    const start = zone.index + 1;
    return {
      span: until.at(start, start + name.length),
      message: `"${name}" is no time zone`,
      ...(misspelling(name, Intl.supportedValuesOf('timeZone')) ?? {
        help: 'time zones are named like Europe/Berlin, America/New_York or UTC',
      }),
    };
  }
  if (!until.literal || typeof parseTimestamp(until.text) === 'number') return undefined;
  return {
    span: until.span,
    message: isOtherwiseGood(until.text)
      ? `"${until.text}" says no time zone, and is another time on every machine`
      : `"${until.text}" is not a point in time`,
    help: 'write 2026-12-01T09:00:00Z, 2026-12-01T09:00:00+01:00 or 2026-12-01T09:00[Europe/Berlin]',
  };
}

function isOtherwiseGood(text: string): boolean {
  return typeof parseTimestamp(`${text.trim()}Z`) === 'number';
}
