import type { Finding, Span } from '../diagnostics/diagnostic.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { loadBashParser } from '../formula/bash/load-parser.ts';
import { allCommandsOf, workspaceCommands } from '../formula/commands.ts';
import type { Aspect, AspectRule, Formula, Molecule, Step, Workspace } from '../formula/formula.ts';
import type { Project, ProjectFile } from '../formula/project.ts';
import type { Library, ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import { resolveFormula, resolveRule } from '../formula/resolve.ts';
import type { FormulaScopes } from '../formula/scope.ts';
import { formulaScopes } from '../formula/scope.ts';
import { mayStartScript } from '../formula/started-scripts.ts';
import { orderOf } from '../formula/step-order.ts';
import { BUILT_IN_TOOLS } from '../formula/tools.ts';
import { policyAspects } from '../formula/weave.ts';
import { ALL_CHECKS } from './all-checks.ts';
import type { Subject } from './check.ts';
import { runChecks } from './check.ts';
import { mayBeVacuous } from './check-cannot-fail.ts';
import { applyIgnores } from './ignores.ts';
import { mentionedScripts } from './missing-script.ts';
import { checkReferences } from './references.ts';
import { checkTestFile } from './test-file.ts';
import { checkFixtures } from './unknown-fixture.ts';
import { checkValuesAsCode } from './value-as-code.ts';

/** What a check of one file comes to. */
export interface CheckedFindings {
  readonly findings: readonly Finding[];
  /** How many more there are that its author lets stand. */
  readonly ignored: number;
}

/** What is wrong with one file, everything it uses taken into account; findings of used files are not repeated. */
export async function checkFile(project: Project, path: string): Promise<CheckedFindings> {
  const file = await project.closure(path);
  return applyIgnores(await findingsIn(project, file), file?.ignores ?? []);
}

async function findingsIn(project: Project, file: ProjectFile | undefined): Promise<readonly Finding[]> {
  if (!file?.content) return file?.findings ?? [];
  const complete = !file.findings.some((finding) => finding.severity === 'error');
  switch (file.content.kind) {
    case 'project':
      return [
        ...file.findings,
        ...policyAspects(file.content.settings, project.library),
        ...together(project, file),
      ];
    case 'lock':
      return [...file.findings, ...together(project, file)];
    case 'test':
      return [...file.findings, ...(await checkTestFile(project, file.content))];
    case 'aspect':
      return [
        ...file.findings,
        ...(await checkAspect(file.content, project, complete)),
        ...(await checkFixtures(project, file.content)),
      ];
    case 'molecule':
      return [
        ...file.findings,
        ...(await checkMolecule(file.content, project, complete)),
        ...(await checkFixtures(project, file.content)),
      ];
    case 'formula':
      return [
        ...file.findings,
        ...(await checkFormula(file.content, project, complete)),
        ...(await checkFixtures(project, file.content)),
      ];
  }
}

/** What is wrong in a file with how the project is put together. */
function together({ findings }: Project, { path }: ProjectFile): readonly Finding[] {
  return findings.filter(({ span }) => span.file === path);
}

async function checkFormula(
  formula: Formula,
  project: Project,
  complete: boolean,
): Promise<readonly Finding[]> {
  const found = await findingsOf(formula, project, complete);
  const here = found.all.filter(({ span }) => span.file === formula.file);
  const elsewhere = found.all.filter(({ span }) => span.file !== formula.file);
  if (elsewhere.length === 0) return here;
  // What its parts have by themselves is told in their own files.
  const known = new Set<string>();
  for (const path of new Set(elsewhere.map(({ span }) => span.file))) {
    const content = (await project.file(path))?.content;
    const own =
      content?.kind === 'formula'
        ? (await findingsOf(content, project, complete)).all
        : content?.kind === 'aspect'
          ? await checkAspect(content, project, complete)
          : [];
    for (const finding of own) known.add(sameness(finding));
  }
  const told = here.flatMap(({ related = [] }) => related.map(({ span }) => span));
  const misfits = elsewhere.filter(
    (finding) => !known.has(sameness(finding)) && !told.some((span) => holds(span, finding.span)),
  );
  return [...here, ...misfits.map((finding) => misfitOf(finding, formula, found.resolved, project.library))];
}

function holds(outer: Span, { file, start, end }: Span): boolean {
  return outer.file === file && outer.start <= start && end <= outer.end;
}

function sameness({ rule, span }: Finding): string {
  return `${rule} ${span.file} ${span.start} ${span.end}`;
}

/** Steps with what their texts can read. */
export interface ScopedSteps {
  readonly steps: readonly ResolvedStep[];
  readonly scopes: FormulaScopes;
}

/** The steps that a file consists of: of a formula those of all it extends too, of an aspect rule by rule. */
export function scopedSteps(content: Formula | Molecule | Aspect, library: Library): readonly ScopedSteps[] {
  switch (content.kind) {
    case 'formula': {
      const { value } = resolveFormula(content, library);
      return [{ steps: [...value.steps, ...value.finally], scopes: formulaScopes(value) }];
    }
    case 'molecule': {
      const alone: Library = { ...NO_LIBRARY, tools: library.tools, molecule: () => content };
      const { value } = resolveFormula(formulaAround(content, [stepOf(content)]), alone);
      return [{ steps: value.steps, scopes: formulaScopes(value) }];
    }
    case 'aspect':
      return content.rules.map((rule) => {
        const target = anyTarget(rule);
        const value = resolveRule(rule, target, formulaAround(content, []), library);
        return { steps: value.steps.filter((step) => step !== target), scopes: formulaScopes(value) };
      });
  }
}

/** Everything that is wrong with a formula, in whatever file of those that it is made of. */
async function findingsOf(
  formula: Formula,
  project: Project,
  complete: boolean,
): Promise<{ readonly all: readonly Finding[]; readonly resolved: ResolvedFormula }> {
  const { value: resolved, written, findings, isWhole } = resolveFormula(formula, project.library);
  if (!isWhole) return { all: findings, resolved };
  const subject: Subject = await equip(
    {
      kind: 'formula',
      file: formula.file,
      formula: resolved.formula,
      resolved,
      inputs: resolved.formula.inputs,
      steps: [...resolved.steps, ...resolved.finally],
      scopes: formulaScopes(resolved),
      complete: complete && isComplete(resolved),
    },
    project,
  );
  return { all: [...findings, ...orderOf(written).findings, ...runAll(subject)], resolved };
}

/** No step of those it is made of is broken, which would read what is never read without it. */
function isComplete({ steps, finally: last }: ResolvedFormula): boolean {
  return ![...steps, ...last].some(({ step }) => step.broken);
}

async function checkAspect(aspect: Aspect, project: Project, complete: boolean): Promise<readonly Finding[]> {
  const { library } = project;
  const outer = formulaAround(aspect, []);
  const findings: Finding[] = [];
  for (const rule of aspect.rules) {
    const target = anyTarget(rule);
    const resolved = resolveRule(rule, target, outer, library);
    // In a formula of its own, without the rules that it is put under.
    const { findings: own } = resolveFormula(
      { ...outer, steps: [...rule.before, ...rule.after] },
      { ...library, aspects: [] },
    );
    const subject: Subject = await equip(
      {
        kind: 'aspect',
        file: aspect.file,
        aspect,
        inputs: [],
        steps: resolved.steps.filter((step) => step !== target),
        scopes: formulaScopes(resolved),
        complete,
      },
      project,
    );
    findings.push(...own, ...orderOf(resolved).findings, ...runAll(subject));
  }
  return findings;
}

/** Stands for every step that a rule may match: nothing is known of what it puts out. */
function anyTarget({ span }: AspectRule): ResolvedStep {
  const id = { value: 'target', span };
  const step = { ...stepOf({ name: id, span }), uses: undefined };
  const { value } = resolveFormula(formulaAround({ file: span.file, span, name: id }, [step]), NO_LIBRARY);
  return value.steps[0] as ResolvedStep;
}

const NO_LIBRARY: Library = {
  molecule: () => undefined,
  formula: () => undefined,
  fileOf: ({ value }) => value,
  aspects: [],
  tools: BUILT_IN_TOOLS,
  names: [],
};

/** A mistake that only shows in a formula which takes in what stands in another file. */
function misfitOf(
  { message, help, severity, span, related = [] }: Finding,
  formula: Formula,
  { steps, finally: last }: ResolvedFormula,
  library: Library,
): Finding {
  const step = [...steps, ...last].find((one) => holds(one.step.span, span));
  const woven = step?.woven;
  const place =
    woven?.target.step.id.span ?? formula.extends.find((name) => library.fileOf(name) === span.file)?.span;
  return {
    rule: woven ? 'aspect-misfit' : 'extends-misfit',
    severity,
    message: woven
      ? `aspect "${woven.aspect}" does not fit step "${woven.target.step.id.value}": ${message}`
      : `${step ? `step "${step.step.id.value}"` : 'a part'} of what it extends does not fit here: ${message}`,
    ...(help !== undefined && { help }),
    span: place?.file === formula.file ? place : (formula.extends[0]?.span ?? formula.name.span),
    related: [{ message: 'it is written here', span }, ...related],
  };
}

async function checkMolecule(
  molecule: Molecule,
  project: Project,
  complete: boolean,
): Promise<readonly Finding[]> {
  const step = stepOf(molecule);
  const library: Library = { ...NO_LIBRARY, tools: project.library.tools, molecule: () => molecule };
  const { value: resolved } = resolveFormula(formulaAround(molecule, [step]), library);
  const subject: Subject = await equip(
    {
      kind: 'molecule',
      file: molecule.file,
      molecule,
      inputs: molecule.inputs,
      steps: resolved.steps,
      scopes: formulaScopes(resolved),
      complete,
    },
    project,
  );
  return runAll(subject);
}

function* runAllChecks(subject: Subject): Generator<Finding> {
  yield* runChecks(ALL_CHECKS, subject);
  yield* checkReferences(subject);
  yield* checkValuesAsCode(subject);
}

function runAll(subject: Subject): readonly Finding[] {
  return [...runAllChecks(subject)];
}

type Unequipped<S> = S extends Subject ? Omit<S, 'settings' | 'tools' | 'files' | 'scripts' | 'bash'> : never;

/** Adds what has to be asked of the world before checks, which are pure, can run. */
async function equip(subject: Unequipped<Subject>, project: Project): Promise<Subject> {
  const bash = await bashFor(
    subject.steps,
    subject.kind === 'formula' ? subject.formula.workspace : undefined,
  );
  const scripts = mentionedScripts(subject, bash);
  const present = await Promise.all(
    [...new Set(scripts.map((script) => script.value))].map(async (path) =>
      (await project.exists(path)) ? [path] : [],
    ),
  );
  return {
    ...subject,
    settings: project.settings,
    tools: project.library.tools,
    scripts,
    files: new Set(present.flat()),
    bash,
  };
}

/**
 * The parser of bash, when some script of a formula or molecule has to be understood: it costs tens of milliseconds to
 * load. Most start no other script, and have no value in them nor in their environment.
 */
export async function bashFor(
  steps: readonly ResolvedStep[],
  workspace?: Workspace,
): Promise<BashParser | undefined> {
  const commands = [
    ...(workspace ? workspaceCommands({ owner: 'step', value: workspace }) : []).map((command) => ({
      ...command,
      variables: command.env,
    })),
    ...steps.flatMap((step) =>
      allCommandsOf(step).map((command) => ({
        ...command,
        variables: [...command.env, ...(command.inherits ? step.body.env : [])],
      })),
    ),
  ];
  const needed =
    commands.some(
      ({ value, variables }) =>
        value.kind === 'bash' &&
        (!value.script.literal ||
          mayStartScript(value.script.text) ||
          variables.some((variable) => !variable.value.value.literal)),
    ) ||
    steps.some((step) =>
      step.body.verify.some(({ value }) => value.kind === 'run' && mayBeVacuous(value.command)),
    );
  return needed ? loadBashParser() : undefined;
}

/** The step that a molecule would become, for checks that look at steps. */
function stepOf(molecule: Pick<Molecule, 'name' | 'span'>): Step {
  const nothing = { title: undefined, tags: [], env: [], secrets: [], verify: [], keys: new Map() };
  const absent = {
    effects: undefined,
    exit: undefined,
    parse: undefined,
    outputs: undefined,
    retry: undefined,
    timeout: undefined,
  };
  return {
    id: molecule.name,
    span: molecule.span,
    broken: false,
    needs: undefined,
    place: undefined,
    when: undefined,
    forEach: undefined,
    parallel: undefined,
    join: undefined,
    repeat: undefined,
    uses: molecule.name,
    with: undefined,
    onFailure: undefined,
    concurrency: undefined,
    body: {
      ...nothing,
      ...absent,
      action: undefined,
      budget: undefined,
      once: undefined,
      cache: undefined,
      workspace: undefined,
    },
  };
}

function formulaAround(
  { file, span, name }: Pick<Molecule, 'file' | 'span' | 'name'>,
  steps: readonly Step[],
): Formula {
  return {
    kind: 'formula',
    file,
    span,
    name,
    description: undefined,
    tags: [],
    extends: [],
    remove: [],
    aspects: [],
    inputs: [],
    workspace: undefined,
    budget: undefined,
    concurrency: undefined,
    steps,
    finally: [],
    outputs: [],
  };
}
