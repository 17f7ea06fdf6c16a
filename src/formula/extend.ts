import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import type { Formula, Step } from './formula.ts';
import type { ResolvedFormula, ResolvedStep } from './resolve.ts';
import { graphAmong, graphOf, pinned, rewritten, withNeeds } from './rewrite.ts';
import { insertAround, removeSteps } from './step-graph.ts';
import { referencesOf, textsOf } from './texts.ts';

interface Extended {
  readonly value: ResolvedFormula;
  readonly findings: readonly Finding[];
}

/**
 * A formula with all of those that it extends. A step with the id of one of theirs replaces it, in its place and waiting for
 * what it waited for at least; a new one stands beside one of theirs. Of several, a later one changes the earlier ones
 * and adds its other steps below.
 */
export function extendFormula(own: ResolvedFormula, bases: readonly ResolvedFormula[]): Extended {
  const [first, ...others] = bases;
  if (!first) return { value: own, findings: [] };
  const base = others.reduce((before, next) => addTo(before, next), first);
  const { steps, repeated } = onceEach(own.steps);
  const last = onceEach(own.finally);
  const { value, findings } = change(base, { ...own, steps, finally: last.steps });
  return { value, findings: [...findings, ...[...repeated, ...last.repeated]] };
}

/** The first step of each id: which of two that have one would take a place could not be said. */
function onceEach(all: readonly ResolvedStep[]): {
  readonly steps: readonly ResolvedStep[];
  readonly repeated: readonly Finding[];
} {
  const first = new Map<string, ResolvedStep>();
  const repeated = all.flatMap((step): Finding[] => {
    const before = first.get(idOf(step));
    if (!before) {
      first.set(idOf(step), step);
      return [];
    }
    return [
      {
        rule: 'duplicate-id',
        severity: 'error',
        message: `two steps have the id "${idOf(step)}"`,
        help: 'give one of them another id; `steps.<id>` has to mean one step',
        span: step.step.id.span,
        related: [{ message: 'the first one is here', span: before.step.id.span }],
      },
    ];
  });
  return { steps: [...first.values()], repeated };
}

/** Two formulas that one extends, as one: what the second adds stands below all of the first. */
function addTo(first: ResolvedFormula, second: ResolvedFormula): ResolvedFormula {
  return {
    formula: merged(first.formula, second.formula),
    steps: replaced(pinned(first), second.steps),
    finally: replacedInPlace(first.finally, second.finally),
  };
}

function replaced(steps: readonly ResolvedStep[], others: readonly ResolvedStep[]): readonly ResolvedStep[] {
  const all = replacedInPlace(steps, others);
  return all.map((step, at) => {
    const before = steps[at];
    return before && before !== step ? withNeeds(step, [...needIds(before), ...needIds(step)]) : step;
  });
}

/** Those with an id that is there take its place; the others come last. */
function replacedInPlace(
  steps: readonly ResolvedStep[],
  others: readonly ResolvedStep[],
): readonly ResolvedStep[] {
  const left = [...others];
  const kept = steps.map((step) => {
    const at = left.findIndex((other) => idOf(other) === idOf(step));
    return at < 0 ? step : (left.splice(at, 1)[0] as ResolvedStep);
  });
  return [...kept, ...left];
}

function change(base: ResolvedFormula, own: ResolvedFormula): Extended {
  const findings: Finding[] = [];
  const isBase = new Set([...base.steps, ...base.finally].map(idOf));
  const removed = new Set(removals(own.formula, base, isBase, findings).map(({ value }) => value));

  const all = pinned(base);
  const whole = graphOf(all);
  const changed = replaced(
    rewritten('removing', all, whole, removeSteps(whole, removed)),
    own.steps.filter((step) => isBase.has(idOf(step)) && !removed.has(idOf(step))),
  );
  const added = own.steps.filter((step) => !isBase.has(idOf(step)));
  const steps = addBeside(changed, added, own.formula, findings);

  const last = replacedInPlace(
    base.finally.filter((step) => !removed.has(idOf(step))),
    own.finally.filter((step) => isBase.has(idOf(step)) && !removed.has(idOf(step))),
  );
  const lastAdded = own.finally.filter((step) => !isBase.has(idOf(step)));
  const value = {
    formula: merged(base.formula, own.formula),
    steps,
    finally: addInPlace(last, lastAdded, own.formula, findings),
  };
  for (const id of own.formula.remove) if (removed.has(id.value)) findings.push(...readsOfRemoved(id, value));
  return { value, findings };
}

/** What `remove` names, as far as it can be removed. */
function removals(
  formula: Formula,
  base: ResolvedFormula,
  isBase: ReadonlySet<string>,
  findings: Finding[],
): readonly Located<string>[] {
  const written = new Map([...formula.steps, ...formula.finally].map((step) => [step.id.value, step]));
  return formula.remove.filter((id) => {
    const twin = written.get(id.value);
    if (isBase.has(id.value) && !twin) return true;
    findings.push({
      rule: 'extends-remove',
      severity: 'error',
      ...(twin
        ? {
            message: `step "${id.value}" is removed, and written here too`,
            help: 'to replace it, leave it out of `remove`',
            related: [{ message: 'it is written here', span: twin.id.span }],
          }
        : {
            message: `there is no step "${id.value}" to remove`,
            ...(misspelling(id.value, isBase) ?? {
              help: `${base.formula.name.value} has ${[...isBase].join(', ')}`,
            }),
          }),
      span: id.span,
    });
    return false;
  });
}

/** What is left reads a step that is gone. */
function readsOfRemoved(id: Located<string>, { steps, finally: last, formula }: ResolvedFormula): Finding[] {
  const reads = [
    ...[...steps, ...last].flatMap((step) =>
      [...textsOf(step)]
        .filter(({ owner }) => owner === 'step' || !step.molecule)
        .flatMap(referencesOf)
        .map((reference) => ({ who: `step "${idOf(step)}"`, reference })),
    ),
    ...formula.outputs.flatMap(({ name, value }) =>
      value.references.map((reference) => ({ who: `output "${name.value}"`, reference })),
    ),
  ];
  const found = reads.find(({ reference: { path } }) => path[0] === 'steps' && path[1] === id.value);
  if (!found) return [];
  return [
    {
      rule: 'extends-remove',
      severity: 'error',
      message: `step "${id.value}" cannot be removed: ${found.who} reads it`,
      help: 'replace what reads it as well, or keep it',
      span: id.span,
      related: [{ message: 'it is read here', span: found.reference.span }],
    },
  ];
}

/** Puts new steps where they say. Those beside one step in one place wait for each other as they are written. */
function addBeside(
  steps: readonly ResolvedStep[],
  added: readonly ResolvedStep[],
  formula: Formula,
  findings: Finding[],
): readonly ResolvedStep[] {
  let [list, left] = [steps, added];
  while (left.length > 0) {
    const first = left.find((step) => anchorOf(step, list) !== undefined);
    if (!first) break;
    const { side, id } = first.step.place as NonNullable<Step['place']>;
    const together = left.filter(({ step }) => step.place?.side === side && step.place.id.value === id.value);
    const before = graphOf(list);
    const after = insertAround(before, new Map([[id.value, { [side]: graphAmong(together) }]]));
    const own = new Map(together.map((step) => [idOf(step), needIds(step)]));
    list = rewritten('adding', [...list, ...together], before, after).map((step) =>
      withNeeds(step, [...needIds(step), ...(own.get(idOf(step)) ?? [])]),
    );
    left = left.filter((step) => !together.includes(step));
  }
  for (const step of left) findings.push(noPlace(step.step, list, formula));
  return list;
}

/** As {@link addBeside}, in a list that runs in its order, at whose end is a place too. */
function addInPlace(
  steps: readonly ResolvedStep[],
  added: readonly ResolvedStep[],
  formula: Formula,
  findings: Finding[],
): readonly ResolvedStep[] {
  const list = [...steps];
  for (const step of added) {
    const { place } = step.step;
    const at = place ? list.findIndex((other) => idOf(other) === place.id.value) : list.length;
    if (at < 0) findings.push(noPlace(step.step, list, formula));
    else if (place?.side !== 'after') list.splice(at, 0, step);
    else {
      // Below those that said so before.
      let below = at + 1;
      while (added.includes(list[below] as ResolvedStep)) below++;
      list.splice(below, 0, step);
    }
  }
  return list;
}

function anchorOf(step: ResolvedStep, list: readonly ResolvedStep[]): ResolvedStep | undefined {
  return list.find((other) => idOf(other) === step.step.place?.id.value);
}

function noPlace({ id, place }: Step, list: readonly ResolvedStep[], formula: Formula): Finding {
  const names = list.map(idOf);
  const bases = formula.extends.map(({ value }) => `"${value}"`).join(' and ');
  return {
    rule: 'extends-place',
    severity: 'error',
    message: place
      ? `step "${id.value}" goes ${place.side} "${place.id.value}", but no step has that id`
      : `step "${id.value}" is not in ${bases}, and does not say where it goes`,
    ...(place
      ? (misspelling(place.id.value, names) ?? { help: `there are ${names.join(', ')}` })
      : { help: `write \`before: …\` or \`after: …\` with one of ${names.join(', ')}` }),
    span: place ? place.id.span : id.span,
  };
}

/** A later formula's own words replace an earlier one's; lists of names add; maps merge by name. */
function merged(base: Formula, own: Formula): Formula {
  const byName = <T extends { readonly name: Located<string> }>(
    one: readonly T[],
    other: readonly T[],
  ): T[] => {
    const later = new Map(other.map((entry) => [entry.name.value, entry]));
    const names = new Set(one.map(({ name }) => name.value));
    return [
      ...one.map((entry) => later.get(entry.name.value) ?? entry),
      ...other.filter(({ name }) => !names.has(name.value)),
    ];
  };
  return {
    ...own,
    description: own.description ?? base.description,
    tags: [...new Set([...base.tags, ...own.tags])],
    aspects: [...base.aspects, ...own.aspects],
    inputs: byName(base.inputs, own.inputs),
    workspace: own.workspace ?? base.workspace,
    budget: own.budget ?? base.budget,
    concurrency: own.concurrency ?? base.concurrency,
    outputs: byName(base.outputs, own.outputs),
  };
}

function needIds({ step }: ResolvedStep): readonly string[] {
  return (step.needs ?? []).map(({ value }) => value);
}

function idOf({ step }: ResolvedStep): string {
  return step.id.value;
}
