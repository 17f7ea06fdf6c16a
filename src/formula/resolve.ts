import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import { extendFormula } from './extend.ts';
import type {
  Aspect,
  AspectRule,
  Body,
  EnvEntry,
  Formula,
  Molecule,
  Step,
  VerifyCheck,
  Workspace,
} from './formula.ts';
import { formulaName, formulaNameOf, usedName, usesOf } from './names.ts';
import type { Tool, ToolCatalog } from './tools.ts';
import { toolsOf } from './tools.ts';
import { nestedImport, whereItWouldBe } from './unknown-name.ts';
import { weave } from './weave.ts';

/** A formula with all it extends and all that is woven into it, in which every `uses` has been looked up. */
export interface ResolvedFormula {
  readonly formula: Formula;
  readonly steps: readonly ResolvedStep[];
  readonly finally: readonly ResolvedStep[];
}

/** A step with the molecule it became merged in, or the formula it holds as a group. */
export interface ResolvedStep {
  readonly step: Step;
  readonly molecule: Molecule | undefined;
  readonly group: ResolvedFormula | undefined;
  readonly body: ResolvedBody;
  /** Present in a step that an aspect has put there. */
  readonly woven: Woven | undefined;
}

/** Where a step of an aspect was put. */
export interface Woven {
  readonly aspect: string;
  readonly side: 'before' | 'after';
  readonly target: ResolvedStep;
  /** Steps of the same rule: what their aspect calls them → their ids here. */
  readonly beside: ReadonlyMap<string, string>;
}

/**
 * A body whose parts know who wrote them: what a molecule wrote reads the molecule's `inputs`, what the step wrote
 * reads those of its formula.
 */
export type ResolvedBody = Omit<Body, 'env' | 'verify' | 'workspace'> & {
  /** What an agent may use; patterns that lead to nothing are told by a check. */
  readonly tools: readonly Tool[];
  readonly env: readonly Owned<EnvEntry>[];
  readonly verify: readonly Owned<VerifyCheck>[];
  readonly workspace: Owned<Workspace> | undefined;
};

export interface Owned<T> {
  readonly owner: 'step' | 'molecule';
  readonly value: T;
}

/**
 * How a formula finds what it names. Undefined: there is no such file; `broken`: there is, and it was reported itself.
 */
export interface Library {
  /** What `uses` names, seen from the file it is written in. */
  molecule(name: Located<string>): Molecule | 'broken' | undefined;
  /** A formula, or an aspect, since both stand in one folder. Named as `extends` does. */
  formula(name: Located<string>): Formula | Aspect | 'broken' | undefined;
  /** The file of a formula or aspect, be there one or not: two names of one thing have one file. */
  fileOf(name: Located<string>): string;
  /** Aspects that are woven into every formula. */
  readonly aspects: readonly Located<string>[];
  /** The tools that agents can be given. */
  readonly tools: ToolCatalog;
  /** All names, for suggestions, in the form `uses` takes. */
  readonly names: readonly string[];
}

/** The most formulas that use each other in a row. */
const mostDeep = 100;

export interface Resolution {
  readonly value: ResolvedFormula;
  /** The same before any aspect was woven in. */
  readonly written: ResolvedFormula;
  readonly findings: readonly Finding[];
  /** All that it extends was there: without, little can be said about the rest. */
  readonly isWhole: boolean;
}

/** A formula on the way down, with the `uses` that was followed out of it. */
interface Hop {
  readonly formula: Formula;
  readonly uses: Located<string>;
}

/**
 * Looks up every `uses` of a formula, through all formulas it uses, takes in what it extends, and weaves in aspects. A step
 * whose `uses` cannot be resolved stays, with no action, so that the others are still checked.
 *
 */
export function resolveFormula(formula: Formula, library: Library): Resolution {
  const findings: Finding[] = [];
  const resolved = new Map<string, ResolvedFormula>();
  let isWhole = true;

  const visit = (current: Formula, path: readonly Hop[]): ResolvedFormula => {
    const known = resolved.get(current.file);
    if (known) return known;
    const value = assemble(current, current, path, []);
    resolved.set(current.file, value);
    return value;
  };

  /**
   * The steps of a formula with those of all that it extends.
   *
   * @param outer the formula that they become steps of
   */
  const assemble = (
    current: Formula,
    outer: Formula,
    path: readonly Hop[],
    below: readonly Formula[],
  ): ResolvedFormula => {
    const own = path.length === 0 && below.length === 0;
    const resolve = (step: Step) => resolveStep(outer, step, path, own);
    const value = {
      formula: current,
      steps: current.steps.map(resolve),
      finally: current.finally.map(resolve),
    };
    if (current.extends.length === 0) return value;
    const chain = [...below, current];
    const bases = current.extends.flatMap((base) => {
      const found = library.formula(base);
      // By file: what a formula calls itself may be a mistake.
      const start = typeof found === 'object' ? chain.findIndex(({ file }) => file === found.file) : -1;
      const isTooDeep = chain.length > mostDeep;
      // Told once: for the formula that is just too deep, and not for each that extends it.
      const isLast = typeof found === 'object' && found.kind === 'formula' && found.extends.length === 0;
      if (isTooDeep && isLast) findings.push(extendsTooDeep(chain));
      else if (start === 0) findings.push(extendsCycle(chain, base, library));
      else if (start < 0 && (found === undefined || (found !== 'broken' && found.kind === 'aspect')) && own)
        findings.push(unknownBase(base, found !== undefined, library));
      if (isTooDeep || start >= 0 || found === undefined || found === 'broken' || found.kind === 'aspect') {
        isWhole = false;
        return [];
      }
      return [assemble(found, outer, path, chain)];
    });
    const extended = extendFormula(value, bases);
    // Of a base that is not there, nothing can be said about what it would have held.
    if (path.length === 0 && isWhole) findings.push(...extended.findings);
    return extended.value;
  };

  const resolveStep = (current: Formula, step: Step, path: readonly Hop[], own: boolean): ResolvedStep => {
    // Findings of used formulas belong to those files and are reported when they are checked themselves.
    const report = (finding: Finding) => own && findings.push(finding);
    const uses = step.uses;
    const without = (body: ResolvedBody): ResolvedStep => ({
      step,
      molecule: undefined,
      group: undefined,
      body,
      woven: undefined,
    });
    const merged = (molecule: Body | undefined) => merge(molecule, step.body, library.tools);
    if (!uses) return without(merged(undefined));
    const name = formulaNameOf(uses.value);
    if (name !== undefined) {
      const hops = [...path, { formula: current, uses }];
      const target = library.formula({ ...uses, value: name });
      const file = library.fileOf({ ...uses, value: name });
      const start = hops.findIndex((hop) => hop.formula.file === file);
      if (start >= 0) {
        // Told in each of the files that form the circle, at the `uses` that leads into it.
        if (start === 0) findings.push(usesCycle(hops));
      } else if (target === undefined || (target !== 'broken' && target.kind === 'aspect')) {
        report(unknownUses(uses, library, target !== undefined));
      } else if (target !== 'broken' && hops.length > mostDeep) {
        // Told once: for the formula that is just too deep, and not for each that uses it.
        if (!target.steps.some((inner) => inner.uses && formulaNameOf(inner.uses.value) !== undefined))
          findings.push(usesTooDeep(hops));
      } else if (target !== 'broken') {
        return { ...without(merged(undefined)), group: visit(target, hops) };
      }
      return without(merged(undefined));
    }
    const molecule = library.molecule(uses);
    if (molecule === undefined) report(unknownUses(uses, library));
    const found = typeof molecule === 'object' ? molecule : undefined;
    return { ...without(merged(found?.body)), molecule: found };
  };

  const whole = visit(formula, []);
  const woven = weave(whole, library, (step, outer) => resolveStep(outer, step, [], false));
  findings.push(...woven.findings);
  return { value: woven.value, written: whole, findings, isWhole };
}

/** The steps of a rule of an aspect, around one that stands for all that it may match: as it is checked by itself. */
export function resolveRule(
  rule: AspectRule,
  target: ResolvedStep,
  outer: Formula,
  library: Library,
): ResolvedFormula {
  const resolve = (step: Step): ResolvedStep => {
    const { value } = resolveFormula({ ...outer, steps: [step], finally: [] }, { ...library, aspects: [] });
    return value.steps[0] as ResolvedStep;
  };
  const ids = new Map([...rule.before, ...rule.after].map(({ id }) => [id.value, id.value]));
  const put = (side: 'before' | 'after') =>
    rule[side]
      .map(resolve)
      .map((step) => ({ ...step, woven: { aspect: outer.name.value, side, target, beside: ids } }));
  return { formula: outer, steps: [...put('before'), target, ...put('after')], finally: [] };
}

function extendsCycle(chain: readonly Formula[], base: Located<string>, library: Library): Finding {
  const [first, ...others] = chain.map(({ name }) => name.value);
  return {
    rule: 'extends-cycle',
    severity: 'error',
    message:
      others.length === 0
        ? `formula "${first}" extends itself`
        : `formula "${first}" extends itself, through ${others.map((name) => `"${name}"`).join(', ')}`,
    help: 'put what they share into a formula that both extend',
    related: chain.slice(1).flatMap(({ name: { value }, extends: bases }, index) => {
      const next = chain[index + 2] ?? chain[0];
      const hop = bases.find((name) => library.fileOf(name) === next?.file);
      return hop ? [{ message: `"${value}" extends "${hop.value}" here`, span: hop.span }] : [];
    }),
    span:
      chain[0]?.extends.find((name) => library.fileOf(name) === (chain[1] ?? chain[0])?.file)?.span ??
      base.span,
  };
}

function extendsTooDeep([first]: readonly Formula[]): Finding {
  return {
    rule: 'uses-too-deep',
    severity: 'error',
    message: `formula "${first?.name.value}" extends formulas that extend formulas, more than ${mostDeep} in a row`,
    help: 'extend the first of them directly',
    span: first?.extends[0]?.span ?? (first as Formula).name.span,
  };
}

function unknownBase({ value, span }: Located<string>, isAspect: boolean, library: Library): Finding {
  const names = library.names.flatMap((name) => formulaNameOf(name) ?? []);
  return {
    rule: 'unknown-base',
    severity: 'error',
    message: isAspect
      ? `"${value}" is an aspect, and only a formula can be extended`
      : (nestedImport(formulaName(value), span) ?? `there is no formula "${value}" to extend`),
    ...(isAspect
      ? { help: `weave it in: \`aspects: [${value}]\`` }
      : (misspelling(value, names) ?? { help: whereItWouldBe(formulaName(value), span, library.names) })),
    span,
  };
}

function usesCycle(hops: readonly Hop[]): Finding {
  const [first, ...others] = hops as [Hop, ...Hop[]];
  const name = first.formula.name.value;
  const through = others.map((hop) => `"${hop.formula.name.value}"`).join(', ');
  return {
    rule: 'uses-cycle',
    severity: 'error',
    message:
      others.length === 0
        ? `formula "${name}" uses itself`
        : `formula "${name}" uses itself, through ${through}`,
    help: 'break the circle: `repeat` runs a step again, and a shared part can be a formula that both use',
    span: first.uses.span,
    related: others.map((hop) => ({
      message: `"${hop.formula.name.value}" uses "${hop.uses.value}" here`,
      span: hop.uses.span,
    })),
  };
}

function usesTooDeep(hops: readonly Hop[]): Finding {
  const [first] = hops as [Hop, ...Hop[]];
  return {
    rule: 'uses-too-deep',
    severity: 'error',
    message: `formula "${first.formula.name.value}" uses formulas that use formulas, more than ${mostDeep} in a row`,
    help: 'a shared part can be a molecule, or a formula that others use directly',
    span: first.uses.span,
  };
}

function unknownUses({ value, span }: Located<string>, library: Library, isAspect = false): Finding {
  const name = usedName(value);
  const shown = formulaNameOf(value) ?? value;
  const asFormula = usesOf({ ...name, kind: 'formula' });
  return {
    rule: 'unknown-uses',
    severity: 'error',
    message: isAspect
      ? `"${shown}" is an aspect, and no formula`
      : (nestedImport(name, span) ?? `there is no ${name.kind} "${shown}"`),
    ...(isAspect
      ? { help: `weave it into the formula: \`aspects: [${shown}]\`` }
      : library.names.includes(asFormula)
        ? { help: `a formula is used as \`${asFormula}\``, misspelt: { written: value, meant: asFormula } }
        : (misspelling(value, library.names) ?? { help: whereItWouldBe(name, span, library.names) })),
    span,
  };
}

/** The step's own keys replace the molecule's; `verify` adds; `env` and `secrets` merge, the step's names winning. */
function merge(molecule: Body | undefined, step: Body, catalog: ToolCatalog): ResolvedBody {
  const own = <T>(owner: 'step' | 'molecule', values: readonly T[]): Owned<T>[] =>
    values.map((value) => ({ owner, value }));
  const action = molecule ? molecule.action : step.action;
  const tools =
    action?.kind === 'agent'
      ? toolsOf(
          action.tools.map(({ value }) => value),
          catalog,
        )
      : [];
  if (!molecule) {
    return {
      ...step,
      tools,
      env: own('step', step.env),
      verify: own('step', step.verify),
      workspace: step.workspace && { owner: 'step', value: step.workspace },
    };
  }
  const named = new Set(step.env.map((entry) => entry.name.value));
  const secret = new Set(step.secrets.map((entry) => entry.name.value));
  return {
    title: step.title ?? molecule.title,
    tags: [...new Set([...molecule.tags, ...step.tags])],
    action,
    tools,
    env: [
      ...own(
        'molecule',
        molecule.env.filter((entry) => !named.has(entry.name.value)),
      ),
      ...own('step', step.env),
    ],
    secrets: [...molecule.secrets.filter((entry) => !secret.has(entry.name.value)), ...step.secrets],
    effects: step.effects ?? molecule.effects,
    exit: step.exit ?? molecule.exit,
    parse: step.parse ?? molecule.parse,
    outputs: step.outputs ?? molecule.outputs,
    verify: [...own('molecule', molecule.verify), ...own('step', step.verify)],
    retry: step.retry ?? molecule.retry,
    timeout: step.timeout ?? molecule.timeout,
    budget: step.budget ?? molecule.budget,
    once: step.once ?? molecule.once,
    cache: step.cache ?? molecule.cache,
    workspace: step.workspace
      ? { owner: 'step', value: step.workspace }
      : molecule.workspace && { owner: 'molecule', value: molecule.workspace },
    keys: new Map([...molecule.keys, ...step.keys]),
  };
}
