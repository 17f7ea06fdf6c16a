import type { Finding } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import type { Ignore } from '../formula/ignores.ts';
import { RULES } from './rules.ts';

/**
 * Errors that can be let stand, since what they are about compiles and may be right all the same: a script that is made
 * later, a check that is there for its output. Any other error leaves nothing that could be run.
 */
const IGNORABLE: ReadonlySet<string> = new Set(['missing-script', 'check-cannot-fail', 'never-succeeds']);

/** Takes out the findings of a file that its author lets stand, and tells of ignores that are not as they should be. */
export function applyIgnores(
  findings: readonly Finding[],
  ignores: readonly Ignore[],
): { readonly findings: readonly Finding[]; readonly ignored: number } {
  if (ignores.length === 0) return { findings, ignored: 0 };
  const used = new Set<string>();
  const kept = findings.filter((finding) => {
    const by = ignores.find((ignore) => isAbout(ignore, finding));
    if (!by || by.reason === '' || !mayBeIgnored(finding)) return true;
    used.add(keyOf(by, finding.rule));
    return false;
  });
  // After an error not everything was looked at: what is not there may come yet.
  const whole = !kept.some(({ severity }) => severity === 'error');
  const about = ignores.flatMap((ignore) => problemsOf(ignore, findings, used, whole));
  return { findings: [...kept, ...about], ignored: findings.length - kept.length };
}

function isAbout({ rules, line, span }: Ignore, { rule, span: place }: Finding): boolean {
  return (
    place.file === span.file &&
    line.start <= place.start &&
    place.start <= line.end &&
    rules.some(({ value }) => value === rule)
  );
}

/** Whether a comment can let a finding stand. */
export function mayBeIgnored({ rule, severity }: Pick<Finding, 'rule' | 'severity'>): boolean {
  return severity === 'warning' || IGNORABLE.has(rule);
}

function keyOf({ span }: Ignore, rule: string): string {
  return `${span.start} ${rule}`;
}

function problemsOf(
  ignore: Ignore,
  findings: readonly Finding[],
  used: ReadonlySet<string>,
  whole: boolean,
): readonly Finding[] {
  const { span, rules, reason } = ignore;
  if (rules.length === 0 || reason === '') {
    return [
      {
        rule: 'ignore-without-reason',
        severity: 'error',
        message: rules.length === 0 ? 'this ignores no rule' : 'this ignores something without saying why',
        help: 'write `# wf-ignore: <rule> <reason>`; without a reason it has no effect',
        span,
      },
    ];
  }
  return rules
    .filter((rule) => !used.has(keyOf(ignore, rule.value)))
    .flatMap((rule): readonly Finding[] => {
      // A policy is looked at later, and no formula of its own can let it pass.
      const refused =
        rule.value.startsWith('policy-') ||
        findings.some((finding) => finding.rule === rule.value && isAbout(ignore, finding));
      const known = RULES.includes(rule.value);
      if (known && !refused && !whole) return [];
      const problem: Finding = {
        rule: 'unused-ignore',
        severity: 'warning',
        message: refused
          ? `"${rule.value}" is an error with which nothing can be run: it cannot be ignored`
          : known
            ? `there is no "${rule.value}" on the line that this is about`
            : `there is no rule "${rule.value}"`,
        ...(refused
          ? { help: 'mend what it is about' }
          : ((known ? undefined : misspelling(rule.value, RULES)) ?? { help: 'remove it' })),
        span: rule.span,
      };
      return [problem];
    });
}
