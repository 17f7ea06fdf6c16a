import type { BashParser } from '../formula/bash/load-parser.ts';
import type { PlanChange } from '../plan/compare/change.ts';
import type { FormulaDifference } from '../plan/compare/compare-projects.ts';
import { describeChange } from './describe-change.ts';
import type { DescribedChange } from './describe-change.ts';
import type { OutlineLine, OutlineOptions } from './outline.ts';
import { layOut, line } from './outline.ts';
import { count } from './render-check.ts';

export interface ChangesTextOptions extends OutlineOptions {
  readonly bash: BashParser | undefined;
}

/** What differs of formulas, as text for a terminal or a pipe; `since` names what they are compared with. */
export function renderDifferences(
  differences: readonly FormulaDifference[],
  since: string,
  options: ChangesTextOptions,
): string {
  const differing = differences.filter(({ status }) => status !== 'same');
  if (differing.length === 0) return `no change in behaviour since ${since}`;
  return differing.map((one) => renderDifference(one, since, options)).join('\n\n');
}

function renderDifference(one: FormulaDifference, since: string, options: ChangesTextOptions): string {
  return layOut(
    [line(0, [one.formula, 'strong'], [`  ${headline(one, since)}`, 'plain']), ...details(one, options)],
    options,
  );
}

function details(one: FormulaDifference, options: ChangesTextOptions): readonly OutlineLine[] {
  switch (one.status) {
    case 'changed':
      return changeLines(one.changes, options.bash);
    case 'broken':
      return one.diagnostics
        .slice(0, 5)
        .map(({ file, range, message }) =>
          line(1, [`${file}:${range.start.line}  ${message.split('\n')[0] ?? ''}`, 'error']),
        );
    case 'added':
    case 'repaired':
      return one.grows.map((text) => line(1, ['! ', 'error'], [text, 'error']));
    case 'same':
    case 'removed':
      return [];
  }
}

/** What became of a formula, in a few words. */
export function headline(one: FormulaDifference, since: string): string {
  switch (one.status) {
    case 'same':
      return 'no change in behaviour';
    case 'added':
      return `is new, with ${count(one.plan.steps.length, 'step')}`;
    case 'removed':
      return 'is gone';
    case 'broken':
      return 'does not compile, so what it means cannot be told';
    case 'repaired':
      return `compiles now, and did not at ${since}`;
    case 'changed': {
      const growing = one.changes.filter(({ grows }) => grows !== undefined).length;
      const breaking = one.changes.filter(({ breaks }) => breaks !== undefined).length;
      return [
        count(one.changes.length, 'change'),
        ...(growing > 0 ? [`${growing} let${growing === 1 ? 's' : ''} more happen`] : []),
        ...(breaking > 0 ? [`${breaking} may break who uses it`] : []),
      ].join(', ');
    }
  }
}

/** Changes as lines of an outline; what lets more happen is marked with `!`. `note` adds to a step's line. */
export function changeLines(
  changes: readonly PlanChange[],
  bash: BashParser | undefined,
  note: (step: string) => string = () => '',
): readonly OutlineLine[] {
  return changes.flatMap((change) => {
    const told = describeChange(change, bash);
    const { sign, where, what, values, lines, grows, breaks } = told;
    const mark = grows === undefined ? ([`${sign} `, 'faint'] as const) : (['! ', 'error'] as const);
    return [
      line(
        1,
        mark,
        [where, 'name'],
        [`  ${what}`, 'plain'],
        [values === '' ? '' : `  ${values}`, 'code'],
        [change.step === undefined ? '' : note(change.step), 'faint'],
      ),
      ...reasons(told).map((text) =>
        line(2, [text, grows !== undefined ? 'error' : breaks !== undefined ? 'attention' : 'faint']),
      ),
      ...lines.map((text) =>
        line(3, [text, text.startsWith('-') ? 'error' : text.startsWith('+') ? 'strong' : 'faint']),
      ),
    ];
  });
}

function reasons({ grows, breaks }: DescribedChange): readonly string[] {
  return [
    ...(grows === undefined ? [] : [`lets more happen: ${grows}`]),
    ...(breaks === undefined ? [] : [`may break who uses it: ${breaks}`]),
  ];
}
