import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import { effectsOf } from './effects.ts';
import type { Aspect, AspectRule, Formula, Match, ProjectSettings, Step } from './formula.ts';
import { formulaName, formulaNameOf } from './names.ts';
import type { Library, ResolvedFormula, ResolvedStep } from './resolve.ts';
import { nestedImport, whereItWouldBe } from './unknown-name.ts';
import { graphAmong, graphOf, pinned, rewritten } from './rewrite.ts';
import { insertAround } from './step-graph.ts';
import type { Beside } from './step-graph.ts';

/**
 * Weaves the aspects of the policy, and those of a formula itself, into it and into the formulas it uses, whose own aspects
 * come last. The first one that is listed is the outermost. See {@link Aspect}.
 *
 * @param resolve a step of an aspect that has become one of a formula
 */
export function weave(
  whole: ResolvedFormula,
  library: Library,
  resolve: (step: Step, outer: Formula) => ResolvedStep,
): { readonly value: ResolvedFormula; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  /** Aspects that matched something, or that were told to be missing. */
  const used = new Set<string>();
  const isOwn = ({ span }: Located<string>) => span.file === whole.formula.file;
  const fileOf = (name: Located<string>) => library.fileOf(name);
  const woven = new Map<ResolvedFormula, Map<string, ResolvedFormula>>();

  const visit = (current: ResolvedFormula, inherited: readonly Located<string>[]): ResolvedFormula => {
    const files = new Set(inherited.map(fileOf));
    const all = [...inherited, ...current.formula.aspects.filter((name) => !files.has(fileOf(name)))];
    const known = woven.get(current) ?? new Map<string, ResolvedFormula>();
    woven.set(current, known);
    const key = all.map(fileOf).join();
    const done = known.get(key);
    if (done) return done;
    const inside = (step: ResolvedStep): ResolvedStep =>
      step.group && !step.woven ? { ...step, group: visit(step.group, all) } : step;
    const isSame = all.length === 0 && ![...current.steps, ...current.finally].some(({ group }) => group);
    const value = isSame
      ? current
      : all.reduce<ResolvedFormula>((before, aspect) => weaveOne(before, aspect, current), {
          ...current,
          steps: current.steps.map(inside),
          finally: current.finally.map(inside),
        });
    known.set(key, value);
    return value;
  };

  const weaveOne = (
    current: ResolvedFormula,
    name: Located<string>,
    source: ResolvedFormula,
  ): ResolvedFormula => {
    const aspect = library.formula(name);
    if (aspect === undefined || aspect === 'broken' || aspect.kind !== 'aspect') {
      if (aspect !== 'broken' && isOwn(name))
        findings.push(unknownAspect(name, aspect !== undefined, library));
      used.add(fileOf(name));
      return current;
    }
    return aspect.rules.reduce((before, rule) => put(before, rule, aspect, source === whole), current);
  };

  const put = (
    current: ResolvedFormula,
    rule: AspectRule,
    aspect: Aspect,
    isOutermost: boolean,
  ): ResolvedFormula => {
    const targets = current.steps.filter((step) => matches(rule.match, step));
    const ids = [...rule.before, ...rule.after].map(({ id }) => id.value);
    if (targets.length === 0) return current;
    used.add(aspect.file);
    // Two of one id are told where the aspect is checked.
    if (new Set(ids).size < ids.length) return current;
    const taken = new Set([...current.steps, ...current.finally].map(idOf));
    const added: ResolvedStep[] = [];
    const beside = new Map<string, Beside>();
    for (const target of targets) {
      const names = new Map(
        [...rule.before, ...rule.after].map(({ id }) => [id.value, `${id.value}_${idOf(target)}`]),
      );
      const clash = [...names.values()].find((id) => taken.has(id));
      if (clash !== undefined) {
        if (isOutermost) findings.push(idTaken(clash, aspect, target));
        continue;
      }
      const list = (side: 'before' | 'after') =>
        rule[side].map((step) => ({
          ...resolve(renamed(step, names), current.formula),
          woven: { aspect: aspect.name.value, side, target, beside: names },
        }));
      const [before, after] = [list('before'), list('after')];
      for (const id of names.values()) taken.add(id);
      added.push(...before, ...after);
      beside.set(idOf(target), { before: graphAmong(before), after: graphAmong(after) });
    }
    const steps = pinned(current);
    const graph = graphOf(steps);
    const next = insertAround(graph, beside);
    return { ...current, steps: rewritten('weaving', [...steps, ...added], graph, next) };
  };

  const value = visit(whole, library.aspects);
  for (const name of whole.formula.aspects)
    if (isOwn(name) && !used.has(fileOf(name))) findings.push(matchesNothing(name, whole.formula));
  return { value, findings };
}

/** What is wrong with the aspects that `wf.yaml` has woven into every formula. */
export function policyAspects({ policy }: ProjectSettings, library: Library): readonly Finding[] {
  return (policy?.aspects ?? []).flatMap((name) => {
    const found = library.formula(name);
    if (found === 'broken' || (found && found.kind === 'aspect')) return [];
    return [unknownAspect(name, found !== undefined, library)];
  });
}

function idOf({ step }: ResolvedStep): string {
  return step.id.value;
}

function unknownAspect({ value, span }: Located<string>, isFormula: boolean, library: Library): Finding {
  const names = library.names.flatMap((name) => formulaNameOf(name) ?? []);
  return {
    rule: 'unknown-aspect',
    severity: 'error',
    message: isFormula
      ? `"${value}" is a formula, and no aspect`
      : (nestedImport(formulaName(value), span) ?? `there is no aspect "${value}"`),
    ...(isFormula
      ? { help: `to run it as a step: \`uses: formula/${value}\`` }
      : (misspelling(value, names) ?? {
          help: `${whereItWouldBe(formulaName(value), span, library.names)}, and begin with \`aspect: ${formulaName(value).name}\``,
        })),
    span,
  };
}

function matchesNothing({ value, span }: Located<string>, formula: Formula): Finding {
  return {
    rule: 'aspect-matches-nothing',
    severity: 'warning',
    message: `aspect "${value}" matches no step of "${formula.name.value}", nor of what it uses`,
    help: 'look at its `match`, or take it out of `aspects`',
    span,
  };
}

/** Whether an aspect means a step: one that acts itself, and that no aspect has put there. */
export function matches(match: Match, { step, body, group, woven }: ResolvedStep): boolean {
  if (group || woven || !body.action) return false;
  const has = (wanted: readonly string[] | undefined, there: readonly string[]) =>
    wanted === undefined || wanted.some((one) => there.includes(one));
  return (
    has(match.tags, body.tags) &&
    has(match.effects, effectsOf(body)) &&
    has(match.action, [body.action.kind]) &&
    (match.id === undefined || match.id.some((pattern) => fits(pattern, step.id.value)))
  );
}

function fits(pattern: string, id: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(id);
}

function renamed(step: Step, ids: ReadonlyMap<string, string>): Step {
  const name = (id: Located<string>): Located<string> => ({ ...id, value: ids.get(id.value) ?? id.value });
  return { ...step, id: name(step.id), needs: step.needs?.map(name) };
}

function idTaken(id: string, aspect: Aspect, target: ResolvedStep): Finding {
  return {
    rule: 'aspect-id',
    severity: 'error',
    message: `aspect "${aspect.name.value}" puts a step "${id}" beside "${target.step.id.value}", but there is one already`,
    help: 'give one of them another id; what an aspect puts in is called `<its id>_<the step it is beside>`',
    span: target.step.id.span,
    related: [{ message: 'the aspect is here', span: aspect.name.span }],
  };
}
