import type { JsonSchema, JsonValue } from '../../support/json.ts';
import { ancestorsOf, has } from '../../formula/ancestors.ts';
import { isAssignable } from '../../formula/assignable.ts';
import { valuesOf } from '../../formula/read-type.ts';
import { showType } from '../../formula/show-type.ts';
import { typeOf } from '../../formula/type-of-schema.ts';
import { canonicalJson } from '../../support/canonical-json.ts';
import type { Plan, PlanStep } from '../plan.ts';
import type { Difference, PlanChange } from './change.ts';
import { alike, difference, differencesByName } from './differences.ts';
import { describeBudget, describeWorkspace, placeOf, privilegesOf, STEP_KEYS } from './step-keys.ts';

/** Keys of a plan that say who made it, what it is called and what people see; steps are compared by themselves. */
type Apart = 'plan' | 'schema' | 'compiler' | 'formula' | 'description' | 'profile' | 'steps' | 'finally';

type PlanKeys = {
  readonly [K in Exclude<keyof Plan, Apart>]-?: (
    before: Plan[K] | undefined,
    after: Plan[K] | undefined,
  ) => readonly Difference[];
};

/** For each key of a plan what a difference in it means. A key that is missing here does not compile. */
export const PLAN_KEYS: PlanKeys = {
  inputs: (before, after) =>
    differencesByName('inputs', before, after, (_, old, young) => {
      if (young === undefined) return { breaks: 'who still gives it is refused' };
      if (old === undefined) return isRequired(young) ? { breaks: 'everybody has to give it' } : {};
      if (!isRequired(old) && isRequired(young)) return { breaks: 'everybody has to give it' };
      const refused = whatIsRefused(old as JsonSchema, young as JsonSchema);
      return refused === undefined ? {} : { breaks: refused };
    }),
  outputs: (before, after) =>
    differencesByName('outputs', before, after, (_, __, young) =>
      young === undefined ? { breaks: 'who reads it is refused' } : {},
    ),
  env: (before, after) => {
    const given = (names: Plan['env']) => Object.fromEntries((names ?? []).map((name) => [name, name]));
    return differencesByName('env', given(before), given(after), (name, _, young) =>
      young === undefined ? {} : { grows: `commands see ${name} of whoever starts the run` },
    );
  },
  workspace: describeWorkspace,
  bounds: (before, after) =>
    // Of a plan that an older compiler made nothing is known.
    before && after
      ? (['minutes', 'attempts', 'usd', 'agentTurns'] as const).flatMap((name) => {
          const [old, young] = [before[name], after[name]];
          const more = old !== null && (young === null || young > old);
          return difference(`bounds.${name}`, old, young, more ? { grows: 'it may come to more' } : {});
        })
      : [],
  budget: describeBudget,
  concurrency: STEP_KEYS.concurrency,
};

/**
 * What differs between what two plans do: places in files and texts for people do not count, so that two plans with the
 * same digest have no difference, and two with different ones have at least one. What lets more happen comes first.
 */
export function comparePlans(before: Plan, after: Plan): readonly PlanChange[] {
  if (before.plan === after.plan) return [];
  const around = (Object.keys(PLAN_KEYS) as (keyof PlanKeys)[]).flatMap((key) =>
    // Each describes the values of its own key.
    (PLAN_KEYS[key] as (a: unknown, b: unknown) => readonly Difference[])(before[key], after[key]),
  );
  const steps = compareLists(listsOf(before), listsOf(after));
  const found: PlanChange[] = [...around, ...steps];
  const rank = (change: PlanChange) => (change.grows !== undefined ? 0 : change.breaks !== undefined ? 1 : 2);
  return found
    .map((change, at) => ({ change, at }))
    .sort((a, b) => rank(a.change) - rank(b.change) || a.at - b.at)
    .map(({ change }) => change);
}

/** What a plan that was not there before brings along, step by step. */
export function privilegesIn(plan: Plan): readonly string[] {
  const steps = [...placed(listsOf(plan)).values()].flatMap(({ path, step }) =>
    privilegesOf(step).map((what) => `step ${path} ${what}`),
  );
  const env = (plan.env ?? []).map((name) => `commands see ${name} of whoever starts the run`);
  return [...placeOf(plan.workspace).map((what) => `it ${what}`), ...env, ...steps];
}

/** The steps of one list: of a formula, of its `finally`, of a group. */
interface StepList {
  /** What stands before the ids in it. */
  readonly prefix: string;
  readonly isFinally: boolean;
  readonly steps: readonly PlanStep[];
}

function listsOf(plan: Plan): readonly StepList[] {
  return lists('', plan.steps, plan.finally);
}

function lists(
  prefix: string,
  steps: readonly PlanStep[],
  last: readonly PlanStep[] | undefined,
): readonly StepList[] {
  return [
    { prefix, isFinally: false, steps },
    ...(last ? [{ prefix, isFinally: true, steps: last }] : []),
    ...[...steps, ...(last ?? [])].flatMap(({ id, action }) =>
      action.kind === 'group' ? lists(`${prefix}${id}.`, action.steps, action.finally) : [],
    ),
  ];
}

interface Placed {
  readonly path: string;
  readonly step: PlanStep;
  readonly list: StepList;
}

function placed(all: readonly StepList[]): ReadonlyMap<string, Placed> {
  return new Map(
    all.flatMap((list) =>
      list.steps.map((step) => [
        `${list.prefix}${step.id}`,
        { path: `${list.prefix}${step.id}`, step, list },
      ]),
    ),
  );
}

function compareLists(before: readonly StepList[], after: readonly StepList[]): readonly PlanChange[] {
  const [old, young] = [placed(before), placed(after)];
  const renamed = findRenamed(old, young);
  /** Path before → path now. */
  const now = new Map([...old.keys()].filter((path) => young.has(path)).map((path) => [path, path]));
  for (const [from, to] of renamed) now.set(from, to);
  const kept = new Set(now.values());
  return [
    ...[...renamed].map(([from, to]): PlanChange => ({ kind: 'renamed', step: to, before: from })),
    ...[...young.values()].filter(({ path }) => !kept.has(path)).map(addedStep),
    ...[...old.values()].filter(({ path }) => !now.has(path)).map(removedStep),
    ...[...now].flatMap(([from, to]) => changedStep(old.get(from) as Placed, young.get(to) as Placed)),
    ...changedOrder(before, after, now),
  ];
}

function addedStep({ path, step }: Placed): PlanChange {
  const privileges = privilegesOf(step);
  return {
    kind: 'added',
    step: path,
    after: json(step),
    ...(privileges.length > 0 && { grows: `a new step ${privileges.join(' and ')}` }),
  };
}

function removedStep({ path, step }: Placed): PlanChange {
  return {
    kind: 'removed',
    step: path,
    before: json(step),
    ...(step.action.kind === 'approve' && { grows: 'nobody is asked any more' }),
  };
}

function changedStep(before: Placed, after: Placed): readonly PlanChange[] {
  const found = (Object.keys(STEP_KEYS) as (keyof typeof STEP_KEYS)[]).flatMap((key) =>
    (STEP_KEYS[key] as (a: unknown, b: unknown) => readonly Difference[])(before.step[key], after.step[key]),
  );
  const skips =
    after.step.action.kind === 'approve' &&
    before.step.when !== after.step.when &&
    after.step.when !== undefined;
  return [
    ...found.map((one) => ({
      ...one,
      step: after.path,
      ...(skips && one.what === 'when' && { grows: 'nobody may be asked at all' }),
    })),
    ...(before.list.isFinally === after.list.isFinally
      ? []
      : difference(after.list.isFinally ? 'finally' : 'steps', undefined, after.path).map(
          (one): PlanChange => ({ ...one, kind: 'moved', step: after.path }),
        )),
  ];
}

/** Steps that are gone under one id and there under another, and do the same. */
function findRenamed(
  old: ReadonlyMap<string, Placed>,
  young: ReadonlyMap<string, Placed>,
): ReadonlyMap<string, string> {
  const body = ({ step }: Placed) => {
    const { id: _, needs: __, source: ___, title: ____, tags: _____, ...rest } = step;
    return canonicalJson(json(rest));
  };
  const gone = [...old.values()].filter(({ path }) => !young.has(path));
  const come = [...young.values()].filter(({ path }) => !old.has(path));
  const found = new Map<string, string>();
  for (const one of gone) {
    const [other, ...more] = come.filter((each) => body(each) === body(one));
    // Of several that are alike nobody can say which is which.
    if (other && more.length === 0 && gone.filter((each) => body(each) === body(one)).length === 1)
      found.set(one.path, other.path);
  }
  return found;
}

/**
 * What of the steps that both have now waits for something else, and which approvals no longer stand before a step. A
 * step's place in its list counts as well: what runs at the same time is merged in that order.
 */
function changedOrder(
  before: readonly StepList[],
  after: readonly StepList[],
  now: ReadonlyMap<string, string>,
): readonly PlanChange[] {
  const found: PlanChange[] = [];
  const old = new Map(before.map((list) => [`${list.prefix}${list.isFinally}`, list]));
  for (const list of after) {
    const other = old.get(`${list.prefix}${list.isFinally}`);
    if (!other) continue;
    const idNow = (id: string) => {
      const path = now.get(`${list.prefix}${id}`);
      return path?.slice(list.prefix.length) ?? `\0${id}`;
    };
    if (hasSameOrder(other.steps, list.steps, idNow)) continue;
    const [was, is] = [waitsFor(other.steps, idNow), waitsFor(list.steps, (id) => id)];
    const common = new Set(list.steps.map(({ id }) => id).filter((id) => was.has(id)));
    const approvals = approvalsOf(other.steps, idNow);
    const stillAsked = approvalsOf(list.steps, (id) => id);
    let differs = false;
    for (const { id } of list.steps) {
      const [then, today] = [was.get(id), is.get(id)];
      if (!then || !today) continue;
      const lost = [...then].filter((need) => common.has(need) && !today.has(need));
      const won = [...today].filter((need) => common.has(need) && !then.has(need));
      const unasked = [...then].filter(
        (need) => approvals.has(need) && !(today.has(need) && stillAsked.has(need)),
      );
      if (lost.length === 0 && won.length === 0 && unasked.length === 0) continue;
      differs = true;
      found.push({
        kind: 'changed',
        step: `${list.prefix}${id}`,
        what: 'needs',
        before: inOrder(
          then,
          other.steps.map((one) => idNow(one.id)),
        ),
        after: inOrder(
          today,
          list.steps.map((one) => one.id),
        ),
        ...(unasked.length > 0 && {
          grows: `the approval ${unasked.map(withoutMark).join(', ')} no longer always comes before it`,
        }),
      });
    }
    const order = (steps: readonly PlanStep[], name: (id: string) => string) =>
      steps.map(({ id }) => name(id)).filter((id) => common.has(id));
    const [orderBefore, orderNow] = [order(other.steps, idNow), order(list.steps, (id) => id)];
    if (!differs && !alike(orderBefore, orderNow)) {
      const where = `${list.prefix}${list.isFinally ? 'finally' : 'steps'}`;
      found.push({ kind: 'moved', what: where, before: orderBefore, after: orderNow });
    }
  }
  return found;
}

/** The same steps in the same places with the same needs and the same approvals: the usual case, and quickly told. */
function hasSameOrder(
  before: readonly PlanStep[],
  after: readonly PlanStep[],
  name: (id: string) => string,
): boolean {
  const order = (steps: readonly PlanStep[], named: (id: string) => string) =>
    steps.map(({ id, needs, action, when }) => [
      named(id),
      [...needs.map(named)].sort(),
      action.kind === 'approve' && when === undefined,
    ]);
  return alike(
    order(before, name),
    order(after, (id) => id),
  );
}

function withoutMark(id: string): string {
  return id.replace('\0', '');
}

function inOrder(ids: ReadonlySet<string>, order: readonly string[]): readonly string[] {
  return order.filter((id) => ids.has(id)).map(withoutMark);
}

/** For each step of a list all that has ended when it starts, under the names that steps have now. */
function waitsFor(
  steps: readonly PlanStep[],
  name: (id: string) => string,
): ReadonlyMap<string, ReadonlySet<string>> {
  const at = new Map(steps.map(({ id }, position) => [id, position]));
  const ancestors = ancestorsOf(steps.map(({ needs }) => needs.flatMap((need) => at.get(need) ?? [])));
  const names = steps.map(({ id }) => name(id));
  return new Map(
    names.map((id, step) => [id, new Set(names.filter((_, before) => has(ancestors, before, step)))]),
  );
}

/** Approvals that are always asked for. */
function approvalsOf(steps: readonly PlanStep[], name: (id: string) => string): ReadonlySet<string> {
  return new Set(
    steps
      .filter(({ action, when }) => action.kind === 'approve' && when === undefined)
      .map(({ id }) => name(id)),
  );
}

/** What an input took and does not take now, as far as its types say. */
function whatIsRefused(before: JsonSchema, after: JsonSchema): string | undefined {
  const [old, young] = [typeOf(before), typeOf(after)];
  if (!isAssignable(old, young)) return `what was given is refused: it takes ${showType(young)} now`;
  const [had, has] = [valuesOf(old), valuesOf(young)];
  const lost = has && (had ?? []).filter((value) => !has.includes(value));
  if (lost && lost.length > 0)
    return `${lost.map((value) => JSON.stringify(value)).join(', ')} is refused now`;
  return has && !had ? `only ${showType(young)} is taken now` : undefined;
}

function isRequired(schema: JsonValue): boolean {
  return !(typeof schema === 'object' && schema !== null && 'default' in (schema as JsonSchema & object));
}

function json(value: unknown): JsonValue {
  return value as JsonValue;
}
