import { formulaName, usesOf } from '../formula/names.ts';
import { diffLines } from 'diff';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { showDuration } from '../formula/duration.ts';
import type { PlanChange } from '../plan/compare/change.ts';
import type { PlanCheck, PlanRun, PlanStep } from '../plan/plan.ts';
import type { JsonValue } from '../support/json.ts';
import { changesText } from './changes-text.ts';
import { scriptOf } from './plan-script.ts';

/** A change as people are told of it, however it is laid out. */
export interface DescribedChange {
  readonly sign: '+' | '-' | '~';
  /** `step publish`, `the formula`. */
  readonly where: string;
  /** What changed, in a few words: `secrets.TOKEN`. */
  readonly what: string;
  /** The values, where they are short: `1 → 2`. */
  readonly values: string;
  /** Lines of longer texts that differ, each with its sign. */
  readonly lines: readonly string[];
  readonly grows: string | undefined;
  readonly breaks: string | undefined;
}

/** Characters of a value that stands in a line. */
const MOST_CHARACTERS = 80;

/** Lines around a difference in a text. */
const AROUND = 2;

export function describeChange(change: PlanChange, bash: BashParser | undefined): DescribedChange {
  const { kind, step, what, before, after, grows, breaks } = change;
  const base = {
    where: step === undefined ? 'the formula' : `step ${step}`,
    grows,
    breaks,
    lines: [],
    values: '',
  };
  switch (kind) {
    case 'renamed':
      return { ...base, sign: '~', what: 'renamed', values: `was ${textOf(before, '', bash)}` };
    case 'moved':
      return {
        ...base,
        sign: '~',
        what: what === 'finally' || what === 'steps' ? `moved to ${what}` : `order of ${String(what)}`,
        values: Array.isArray(before) && Array.isArray(after) ? `${names(before)} → ${names(after)}` : '',
      };
    case 'added':
    case 'removed': {
      const sign = kind === 'added' ? '+' : '-';
      const value = kind === 'added' ? after : before;
      if (what === undefined) {
        const text = stepText(value as unknown as PlanStep, bash);
        return {
          ...base,
          sign,
          what: `${kind}: ${text.action}`,
          values: text.after,
          lines: signed(sign, text.script),
        };
      }
      return { ...base, sign, what, ...laid(sign, textOf(value, what, bash)) };
    }
    case 'changed': {
      if (what === 'needs') return { ...base, sign: '~', ...orderText(before, after) };
      const [old, young] = [textOf(before, what ?? '', bash), textOf(after, what ?? '', bash)];
      const short = [old, young].every((text) => !text.includes('\n') && text.length <= MOST_CHARACTERS / 2);
      return {
        ...base,
        sign: '~',
        what: what ?? 'changed',
        ...(short ? { values: `${old} → ${young}` } : { lines: differingLines(old, young) }),
      };
    }
  }
}

function laid(sign: '+' | '-', text: string): Pick<DescribedChange, 'values' | 'lines'> {
  return text.includes('\n') || text.length > MOST_CHARACTERS
    ? { values: '', lines: signed(sign, text) }
    : { values: text, lines: [] };
}

function signed(sign: string, text: string): readonly string[] {
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `${sign} ${line}`);
}

/** What a step that came or went does. */
function stepText(
  step: PlanStep,
  bash: BashParser | undefined,
): { readonly action: string; readonly after: string; readonly script: string } {
  const after = step.needs.length === 0 ? '' : `after ${step.needs.join(', ')}`;
  const { action } = step;
  switch (action.kind) {
    case 'run':
      return { action: 'run', after, script: scriptOf(action, bash) };
    case 'agent':
      return { action: 'agent', after, script: action.prompt };
    case 'approve':
      return { action: 'approve', after, script: action.ask };
    case 'wait':
      return { action: 'wait', after, script: textOf(action, 'wait', bash) };
    case 'group':
      return { action: usesOf(formulaName(action.formula)), after, script: '' };
  }
}

/** What a step waits for now and did not, and the other way round. */
function orderText(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): Pick<DescribedChange, 'what' | 'values'> {
  const [old, young] = [before as readonly string[], after as readonly string[]];
  const only = (list: readonly string[], other: readonly string[]) =>
    list.filter((id) => !other.includes(id)).join(', ');
  const [lost, won] = [only(old, young), only(young, old)];
  return {
    what: 'order',
    values: [
      ...(lost === '' ? [] : [`no longer waits for ${lost}`]),
      ...(won === '' ? [] : [`now waits for ${won}`]),
      ...(lost === '' && won === '' ? ['no longer waits for an answer that is always asked for'] : []),
    ].join(', '),
  };
}

function names(list: readonly JsonValue[]): string {
  return list.every((one) => typeof one === 'string') ? list.join(', ') : '';
}

/** A part of a plan as text: a command as its script, durations in words, the rest as JSON. */
function textOf(value: JsonValue | undefined, what: string, bash: BashParser | undefined): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string') return value;
  if (value === null && what.startsWith('bounds.')) return 'no limit';
  if (typeof value === 'number' && what === 'timeout') return showDuration(value);
  if (what === 'run') return scriptOf(value as unknown as PlanRun, bash);
  if (what.startsWith('verify.')) return checkText(value as unknown as PlanCheck, bash);
  const text = JSON.stringify(value);
  return text.length > MOST_CHARACTERS ? JSON.stringify(value, null, 2) : text;
}

function checkText(check: PlanCheck, bash: BashParser | undefined): string {
  switch (check.kind) {
    case 'run': {
      const base = check.from ? `\nwith ${(check.files ?? []).join(', ')} as before the step` : '';
      return `${scriptOf(check.run, bash).trimEnd()}${base}`;
    }
    case 'check':
      return check.check;
    case 'changes':
      return changesText(check);
    case 'judge':
      return `${check.model.role} judges that ${check.pass}\n${check.rubric.trimEnd()}`;
    case 'wait':
      return JSON.stringify(check.wait);
  }
}

/** The lines that differ between two texts, with a few around them. */
function differingLines(before: string, after: string): readonly string[] {
  const ended = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);
  const parts = diffLines(ended(before), ended(after));
  return parts.flatMap(({ value, added, removed }, at) => {
    const lines = value.replace(/\n$/, '').split('\n');
    if (added || removed) return lines.map((line) => `${added ? '+' : '-'} ${line}`);
    const [first, last] = [at === 0, at === parts.length - 1];
    const shown =
      lines.length <= 2 * AROUND + 1
        ? lines
        : [...(first ? [] : lines.slice(0, AROUND)), '…', ...(last ? [] : lines.slice(-AROUND))];
    return shown.map((line) => `  ${line}`);
  });
}
