import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { loadBashParser } from '../formula/bash/load-parser.ts';
import { Project } from '../formula/project.ts';
import { compileFormula } from '../plan/compile.ts';
import type { Plan, PlanWorkspace } from '../plan/plan.ts';
import { completeInputs } from '../runner/bind-inputs.ts';
import type { DryRun } from '../runner/dry-run.ts';
import { dryRun } from '../runner/dry-run.ts';
import { filesAt } from '../runner/files-at.ts';
import { filesIn, noFiles } from '../runner/files-in.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { ProjectFolder } from '../workspace/project-loader.ts';
import { missingInput } from './input-flags.ts';
import type { InputOrigin } from './render-dry-run.ts';
import { renderDryRun } from './render-dry-run.ts';
import type { OutlineOptions } from './outline.ts';
import { renderCheckReport } from './render-check.ts';
import { UsageError } from './usage-error.ts';

/** What `--dry-run --json` prints: what a run would do, and where its inputs come from. */
export type DryRunReport = DryRun & { readonly inputsFrom: Readonly<Record<string, InputOrigin>> };

/** Looks ahead at a run with some inputs given; the others come from defaults, then from the first of their `examples`. */
export async function dryRunFormula(
  project: ProjectFolder,
  plan: Plan,
  given: JsonObject,
  revision = 'HEAD',
): Promise<DryRunReport> {
  const values: Record<string, JsonValue> = { ...given };
  const inputsFrom: Record<string, InputOrigin> = {};
  for (const [name, schema] of Object.entries(plan.inputs)) {
    inputsFrom[name] = name in given ? 'given' : defaultOf(schema) !== undefined ? 'default' : 'example';
    if (inputsFrom[name] !== 'example') continue;
    const example = exampleOf(schema);
    if (example === undefined) throw missingInput(plan.formula, name, schema);
    values[name] = example;
  }
  const inputs = completeInputs(plan.inputs, values);
  if (!inputs.ok) throw new UsageError(inputs.message);
  const dry = dryRun({
    plan,
    inputs: inputs.value,
    bash: await loadBashParser(),
    files: (from) => filesOf(project.root, from, revision),
  });
  return { ...dry, inputsFrom };
}

/** One formula of a project, as `--dry-run --all` tells it. */
export type DryRunOfOne =
  | { readonly formula: string; readonly ok: boolean; readonly dryRun: DryRunReport }
  | { readonly formula: string; readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
  /** Inputs without a default and examples. */
  | { readonly formula: string; readonly ok: false; readonly missingInputs: readonly string[] }
  | { readonly formula: string; readonly ok: false; readonly message: string };

/**
 * Looks ahead at every formula, each with its inputs' defaults and examples; what is wrong with one hides no other.
 * `tell` gets each as text: what is wrong, and what would run.
 */
export async function dryRunAll(
  project: ProjectFolder,
  profile: string | undefined,
  options: OutlineOptions,
  tell: (text: string, ok: boolean) => void,
): Promise<{ readonly ok: boolean; readonly formulas: readonly DryRunOfOne[] }> {
  const formulas: DryRunOfOne[] = [];
  for (const formula of await (await Project.open(project)).formulas()) {
    formulas.push(await dryRunOne(project, formula, profile, options, tell));
  }
  return { ok: formulas.every(({ ok }) => ok), formulas };
}

async function dryRunOne(
  project: ProjectFolder,
  formula: string,
  profile: string | undefined,
  options: OutlineOptions,
  tell: (text: string, ok: boolean) => void,
): Promise<DryRunOfOne> {
  const compiled = await compileFormula(project, formula, profile === undefined ? {} : { profile });
  const { plan, diagnostics, sources } = compiled;
  if (!plan) {
    tell(renderCheckReport({ files: sources.size, diagnostics }, sources, options.style), false);
    return { formula, ok: false, diagnostics };
  }
  const missingInputs = Object.entries(plan.inputs)
    .filter(([, schema]) => defaultOf(schema) === undefined && exampleOf(schema) === undefined)
    .map(([name]) => name);
  if (missingInputs.length > 0) {
    const message = `${formula}: ${missingInputs.join(', ')} ${missingInputs.length === 1 ? 'has' : 'have'} no default and no examples, so there is nothing to show it with`;
    tell(`${message}\n${options.style.help('help: give the input `examples: […]`')}`, false);
    return { formula, ok: false, missingInputs };
  }
  try {
    const report = await dryRunFormula(project, plan, {});
    const ok = report.failures.length === 0;
    tell(renderDryRun(report, report.inputsFrom, options), true);
    return { formula, ok, dryRun: report };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    tell(`${formula}: ${error.message}`, false);
    return { formula, ok: false, message: error.message };
  }
}

/** The files a workspace begins with, looked at where they are now. */
function filesOf(project: string, from: PlanWorkspace['from'], revision: string) {
  // Another repository is not here to be looked at.
  if (typeof from === 'object') return undefined;
  switch (from) {
    case 'clone':
      return filesAt(project, revision);
    case 'checkout':
      return filesIn(project);
    case 'empty':
      return noFiles;
  }
}

function defaultOf(schema: JsonSchema): JsonValue | undefined {
  return isJsonObject(schema) ? schema['default'] : undefined;
}

function exampleOf(schema: JsonSchema): JsonValue | undefined {
  const examples = isJsonObject(schema) ? schema['examples'] : undefined;
  return Array.isArray(examples) ? (examples as readonly JsonValue[])[0] : undefined;
}
