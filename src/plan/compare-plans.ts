import type { Plan, PlanStep } from './plan.ts';
import { canonicalJson } from './digest.ts';
import type { JsonValue } from '../support/json.ts';

/** How one plan differs from another in what it does. Steps are named by path; what is inside a group, `release.build`. */
export interface PlanDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** With the keys of the plan's step that differ. */
  readonly changed: readonly { readonly step: string; readonly keys: readonly string[] }[];
  /** Keys of the plan itself: `workspace`, `inputs`, `budget`. */
  readonly around: readonly string[];
}

/** Keys that change nothing about behaviour, or are compared by themselves. */
const APART: ReadonlySet<string> = new Set([
  'plan',
  'compiler',
  'description',
  'steps',
  'finally',
  'source',
  'title',
  'tags',
]);

/** Compares what two plans do; places in files and texts for people do not count. */
export function comparePlans(before: Plan, after: Plan): PlanDifference {
  const [old, young] = [stepsByPath(before), stepsByPath(after)];
  return {
    added: [...young.keys()].filter((path) => !old.has(path)),
    removed: [...old.keys()].filter((path) => !young.has(path)),
    changed: [...young].flatMap(([step, one]) => {
      const other = old.get(step);
      const keys = other ? differingKeys(withoutInner(other), withoutInner(one)) : [];
      return keys.length > 0 ? [{ step, keys }] : [];
    }),
    around: differingKeys(before as unknown as Fields, after as unknown as Fields),
  };
}

type Fields = Readonly<Record<string, JsonValue | undefined>>;

function differingKeys(a: Fields, b: Fields): readonly string[] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !APART.has(key));
  return keys.filter((key) => text(a[key]) !== text(b[key]));
}

function text(value: JsonValue | undefined): string {
  return value === undefined ? '' : canonicalJson(value);
}

function stepsByPath(plan: Plan): ReadonlyMap<string, PlanStep> {
  const found = new Map<string, PlanStep>();
  const visit = (steps: readonly PlanStep[], prefix: string): void => {
    for (const step of steps) {
      found.set(`${prefix}${step.id}`, step);
      if (step.action.kind !== 'group') continue;
      visit([...step.action.steps, ...(step.action.finally ?? [])], `${prefix}${step.id}.`);
    }
  };
  visit([...plan.steps, ...(plan.finally ?? [])], '');
  return found;
}

/** A group without the steps in it, which stand for themselves. */
function withoutInner({ action, ...step }: PlanStep): Fields {
  const own = action.kind === 'group' ? { ...action, steps: undefined, finally: undefined } : action;
  return { ...step, action: JSON.parse(JSON.stringify(own)) as JsonValue } as unknown as Fields;
}
