import type { Located, Span } from '../diagnostics/diagnostic.ts';
import { scopedSteps } from '../checks/check-file.ts';
import type { Aspect, Formula, Molecule } from '../formula/formula.ts';
import type { Project, ProjectFile } from '../formula/project.ts';
import type { Library, ResolvedStep } from '../formula/resolve.ts';
import type { Reference } from '../formula/reference.ts';
import { subjectOf } from '../formula/test-file.ts';
import type { TestFile } from '../formula/test-file.ts';
import { concurrencyTexts, referencesOf, textsOf, workspaceTexts } from '../formula/texts.ts';

/** One thing that has a name: a step, an input or an output. */
export interface Named {
  readonly kind: 'step' | 'input' | 'output';
  /** The file that gives it its name. */
  readonly file: string;
  /** What tells it apart from others of its kind in that file: the step that it belongs to, a rule of an aspect. */
  readonly within: string;
  readonly name: string;
}

/** A place where the name of something stands. */
export interface Occurrence {
  readonly of: Named;
  /** Of the name alone. */
  readonly span: Span;
  /** It is here that it has its name. */
  readonly isDefinition: boolean;
}

export function isSame(one: Named, other: Named): boolean {
  return (
    one.kind === other.kind &&
    one.file === other.file &&
    one.within === other.within &&
    one.name === other.name
  );
}

/** Where names of steps, inputs and outputs stand in a file, in no particular order. */
export function occurrencesIn(file: ProjectFile, { library }: Project): readonly Occurrence[] {
  switch (file.content?.kind) {
    case 'formula':
      return inFormula(file.content, file.text, library);
    case 'molecule':
      return inMolecule(file.content, file.text, library);
    case 'aspect':
      return inAspect(file.content, file.text, library);
    case 'test':
      return inTests(file.content, library);
    case 'project':
    case 'lock':
    case undefined:
      return [];
  }
}

function inFormula(formula: Formula, text: string, library: Library): readonly Occurrence[] {
  const { file } = formula;
  const isHere = ({ span }: { readonly span: Span }) => span.file === file;
  const resolved = (scopedSteps(formula, library)[0]?.steps ?? []).filter(({ step }) => isHere(step));
  const stepOf = (name: string) => stepNamed(formula, name, library);
  const inputOf = (name: string) => inputNamed(formula, name, library);
  const outputOf = (step: string, name: string): Named => {
    const found = resolved.find((one) => one.step.id.value === step);
    return found ? outputNamed(found, name) : { kind: 'output', file: stepOf(step).file, within: step, name };
  };
  const found: Occurrence[] = [];
  const at = (of: Named, span: Span) => found.push({ of, span, isDefinition: false });
  const define = (of: Named, span: Span) => found.push({ of, span, isDefinition: of.file === file });
  for (const { name } of formula.inputs) define(inputOf(name.value), name.span);
  for (const { name } of formula.outputs)
    define({ kind: 'output', file, within: '', name: name.value }, name.span);
  for (const id of formula.remove) at(stepOf(id.value), id.span);
  // As they are written: what they wait for is another matter once something is woven in.
  for (const step of [...formula.steps, ...formula.finally]) {
    define(stepOf(step.id.value), step.id.span);
    for (const need of step.needs ?? []) at(stepOf(need.value), need.span);
    if (step.place) at(stepOf(step.place.id.value), step.place.id.span);
    for (const { name } of step.body.outputs?.declarations ?? [])
      define({ kind: 'output', file, within: step.id.value, name: name.value }, name.span);
    const one = resolved.find((other) => other.step.id.value === step.id.value);
    const target = one?.molecule?.file ?? one?.group?.formula.file;
    if (target === undefined) continue;
    for (const { name } of step.with?.entries ?? [])
      at({ kind: 'input', file: target, within: '', name: name.value }, name.span);
  }
  const texts = [
    ...resolved.flatMap((one) =>
      [...textsOf(one)].map((use) => ({ references: referencesOf(use), step: one })),
    ),
    ...[
      ...(formula.workspace ? workspaceTexts({ owner: 'step', value: formula.workspace }) : []),
      ...concurrencyTexts(formula.concurrency),
    ].map((use) => ({ references: referencesOf(use), step: undefined })),
    ...formula.outputs.map(({ value }) => ({ references: value.references, step: undefined })),
  ];
  for (const { references, step } of texts) {
    for (const reference of references.filter(isHere)) {
      const [root, first, second, third] = namesIn(reference);
      const place = (index: number) => segmentOf(reference, text, index);
      const add = (of: Named, index: number) => {
        const span = place(index);
        if (span) at(of, span);
      };
      if (root === 'inputs' && first !== undefined) add(inputOf(first), 1);
      if (root === 'steps' && first !== undefined) {
        add(stepOf(first), 1);
        if (second === 'outputs' && third !== undefined) add(outputOf(first, third), 3);
      }
      if (root === 'outputs' && first !== undefined && step) add(outputNamed(step, first), 1);
      if (root === 'previous' && first === 'outputs' && second !== undefined && step)
        add(outputNamed(step, second), 2);
    }
  }
  return found;
}

function inMolecule(molecule: Molecule, text: string, library: Library): readonly Occurrence[] {
  const { file } = molecule;
  const found: Occurrence[] = [];
  const input = (name: string): Named => ({ kind: 'input', file, within: '', name });
  const output = (name: string): Named => ({ kind: 'output', file, within: '', name });
  for (const { name } of molecule.inputs)
    found.push({ of: input(name.value), span: name.span, isDefinition: true });
  for (const { name } of molecule.body.outputs?.declarations ?? [])
    found.push({ of: output(name.value), span: name.span, isDefinition: true });
  for (const step of scopedSteps(molecule, library)[0]?.steps ?? []) {
    for (const reference of [...textsOf(step)].flatMap(referencesOf)) {
      const [root, first] = namesIn(reference);
      if (first === undefined || (root !== 'inputs' && root !== 'outputs')) continue;
      const span = segmentOf(reference, text, 1);
      if (span)
        found.push({ of: root === 'inputs' ? input(first) : output(first), span, isDefinition: false });
    }
  }
  return found;
}

function inAspect(aspect: Aspect, text: string, library: Library): readonly Occurrence[] {
  const { file } = aspect;
  return scopedSteps(aspect, library).flatMap(({ steps }, rule) => {
    const stepOf = (name: string): Named => ({ kind: 'step', file, within: String(rule), name });
    return steps.flatMap((one): readonly Occurrence[] => [
      { of: stepOf(one.step.id.value), span: one.step.id.span, isDefinition: true },
      ...(one.step.needs ?? []).map((need) => ({
        of: stepOf(need.value),
        span: need.span,
        isDefinition: false,
      })),
      ...[...textsOf(one)].flatMap(referencesOf).flatMap((reference) => {
        const [root, first] = namesIn(reference);
        const span = root === 'steps' && first !== undefined ? segmentOf(reference, text, 1) : undefined;
        return span && first !== undefined ? [{ of: stepOf(first), span, isDefinition: false }] : [];
      }),
    ]);
  });
}

function inTests({ file, tests }: TestFile, library: Library): readonly Occurrence[] {
  const subject = subjectOf(file);
  if (!subject) return [];
  const about = { value: subject.name, span: { file, start: 0, end: 0 } };
  const content = subject.kind === 'formula' ? library.formula(about) : library.molecule(about);
  if (content === undefined || content === 'broken' || content.kind === 'aspect') return [];
  const found: Occurrence[] = [];
  const step = ({ value, span }: Located<string>) => {
    if (content.kind === 'formula' && /^\w+$/.test(value))
      found.push({ of: stepNamed(content, value, library), span, isDefinition: false });
  };
  const steps = scopedSteps(content, library)[0]?.steps ?? [];
  for (const test of tests) {
    for (const { name } of test.inputs) {
      const of: Named =
        content.kind === 'formula'
          ? inputNamed(content, name.value, library)
          : { kind: 'input', file: content.file, within: '', name: name.value };
      found.push({ of, span: name.span, isDefinition: false });
    }
    const { steps: expected, attempts, rendered } = test.expect;
    for (const { name } of [...test.stubs, ...test.answers, ...expected, ...attempts, ...rendered])
      step(name);
    for (const { name, value } of test.stubs) {
      const one =
        content.kind === 'molecule' ? steps[0] : steps.find((other) => other.step.id.value === name.value);
      if (!one || value === 'real') continue;
      for (const output of value.flatMap(({ outputs }) => outputs?.entries ?? []))
        found.push({
          of: outputNamed(one, output.name.value),
          span: output.name.span,
          isDefinition: false,
        });
    }
  }
  return found;
}

/** A step of a formula; of one that it extends, the one there, which others may change too. */
function stepNamed(formula: Formula, name: string, library: Library): Named {
  const file = holderOf(formula, 'step', name, library) ?? formula.file;
  return { kind: 'step', file, within: '', name };
}

function inputNamed(formula: Formula, name: string, library: Library): Named {
  const file = holderOf(formula, 'input', name, library) ?? formula.file;
  return { kind: 'input', file, within: '', name };
}

/** The file that gives a step or an input of a formula its name: of the formula itself, or of one that it extends. */
export function holderOf(
  formula: Formula,
  kind: 'step' | 'input',
  name: string,
  library: Library,
): string | undefined {
  const has = (one: Formula) =>
    kind === 'step'
      ? [...one.steps, ...one.finally].some(({ id }) => id.value === name)
      : one.inputs.some((input) => input.name.value === name);
  return (baseWith(formula, library, has) ?? (has(formula) ? formula : undefined))?.file;
}

/** The formula furthest down, of those that one extends, that has something. */
function baseWith(
  formula: Formula,
  library: Library,
  has: (formula: Formula) => boolean,
  seen: readonly string[] = [],
): Formula | undefined {
  for (const name of formula.extends) {
    const base = library.formula(name);
    if (typeof base !== 'object' || base.kind !== 'formula' || seen.includes(base.file)) continue;
    const found = baseWith(base, library, has, [...seen, formula.file]) ?? (has(base) ? base : undefined);
    if (found) return found;
  }
  return undefined;
}

/** An output of a step: of what it uses, where that declares it. */
function outputNamed({ step, molecule, group }: ResolvedStep, name: string): Named {
  const isOwn = step.body.outputs?.declarations.some((output) => output.name.value === name) === true;
  const used = isOwn ? undefined : (group?.formula.file ?? molecule?.file);
  return {
    kind: 'output',
    file: used ?? step.span.file,
    within: used === undefined ? step.id.value : '',
    name,
  };
}

/** A path without its indexes. */
function namesIn({ path }: Reference): readonly string[] {
  return path.filter((part) => typeof part === 'string');
}

/** Where one name of a path stands, as far as it is written as it is called. */
export function segmentOf(reference: Reference, text: string, index: number): Span | undefined {
  const { file, start, end } = reference.span;
  const written = text.slice(start, end);
  let from = 0;
  for (const [place, name] of namesIn(reference).entries()) {
    const found = new RegExp(`(?<![\\w-])${name.replace(/[^\w]/g, '\\$&')}(?![\\w-])`).exec(
      written.slice(from),
    );
    if (!found) return undefined;
    const at = start + from + found.index;
    if (place === index) return { file, start: at, end: at + name.length };
    from += found.index + name.length;
  }
  return undefined;
}
