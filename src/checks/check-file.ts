import type { Finding } from '../diagnostics/diagnostic.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { loadBashParser } from '../formula/bash/load-parser.ts';
import { allCommandsOf, workspaceCommands } from '../formula/commands.ts';
import type { Formula, Molecule, Step, Workspace } from '../formula/formula.ts';
import type { Order, StepRead } from '../formula/order.ts';
import { orderSteps } from '../formula/order.ts';
import type { Project, ProjectFile } from '../formula/project.ts';
import type { Library, ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import { resolveFormula } from '../formula/resolve.ts';
import { formulaScopes } from '../formula/scope.ts';
import { mayStartScript } from '../formula/started-scripts.ts';
import { referencesOf, textsOf } from '../formula/texts.ts';
import { ALL_CHECKS } from './all-checks.ts';
import type { Subject } from './check.ts';
import { runChecks } from './check.ts';
import { mayBeVacuous } from './check-cannot-fail.ts';
import { applyIgnores } from './ignores.ts';
import { mentionedScripts } from './missing-script.ts';
import { checkReferences } from './references.ts';
import { checkTestFile } from './test-file.ts';
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
      return file.findings;
    case 'test':
      return [...file.findings, ...(await checkTestFile(project, file.content))];
    case 'molecule':
      return [...file.findings, ...(await checkMolecule(file.content, project, complete))];
    case 'formula':
      return [...file.findings, ...(await checkFormula(file.content, project, complete))];
  }
}

async function checkFormula(
  formula: Formula,
  project: Project,
  complete: boolean,
): Promise<readonly Finding[]> {
  const { value: resolved, findings } = resolveFormula(formula, project.library);
  const subject: Subject = await equip(
    {
      kind: 'formula',
      file: formula.file,
      formula,
      resolved,
      inputs: formula.inputs,
      steps: [...resolved.steps, ...resolved.finally],
      scopes: formulaScopes(resolved),
      complete,
    },
    project,
  );
  return [...findings, ...orderOf(resolved).findings, ...runAll(subject)];
}

async function checkMolecule(
  molecule: Molecule,
  project: Project,
  complete: boolean,
): Promise<readonly Finding[]> {
  const step = stepOf(molecule);
  const library: Library = { molecule: () => molecule, formula: () => undefined, names: [] };
  const { value: resolved } = resolveFormula(formulaAround(molecule, step), library);
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

type Unequipped<S> = S extends Subject ? Omit<S, 'settings' | 'files' | 'scripts' | 'bash'> : never;

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

/** The order of a formula's steps, with what is wrong about it. */
export function orderOf(resolved: ResolvedFormula): {
  readonly order: Order;
  readonly findings: readonly Finding[];
} {
  return orderSteps(
    resolved.steps.map(({ step }) => step),
    readsOf(resolved.steps),
    resolved.finally.map(({ step }) => step),
  );
}

function readsOf(steps: readonly ResolvedStep[]): readonly StepRead[] {
  const index = new Map(steps.map(({ step }, position) => [step.id.value, position]));
  return steps.flatMap((step, position) =>
    [...textsOf(step)]
      .filter((text) => text.owner === 'step' || !step.molecule)
      .flatMap(referencesOf)
      .flatMap((reference) => {
        const target = reference.path[0] === 'steps' ? index.get(String(reference.path[1])) : undefined;
        return target === undefined ? [] : [{ step: position, target, span: reference.span }];
      }),
  );
}

/** The step that a molecule would become, for checks that look at steps. */
function stepOf(molecule: Molecule): Step {
  const nothing = { title: undefined, tags: [], env: [], secrets: [], verify: [], keys: new Map() };
  const absent = {
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
      workspace: undefined,
    },
  };
}

function formulaAround(molecule: Molecule, step: Step): Formula {
  return {
    kind: 'formula',
    file: molecule.file,
    span: molecule.span,
    name: molecule.name,
    description: undefined,
    tags: [],
    inputs: [],
    workspace: undefined,
    budget: undefined,
    concurrency: undefined,
    steps: [step],
    finally: [],
    outputs: [],
  };
}
