import type { Span } from '../diagnostics/diagnostic.ts';
import type { BashParser } from '../formula/bash/compile-bash.ts';
import type { Expression } from '../formula/expression.ts';
import type {
  Budget,
  Command,
  Concurrency,
  Declaration,
  EnvEntry,
  Retry,
  TemplatedValue,
  VerifyCheck,
  Wait,
  Workspace,
} from '../formula/formula.ts';
import { calledName } from '../formula/imports.ts';
import { renameRoots } from '../formula/rename.ts';
import type { Effect } from '../formula/effect.ts';
import type { Tool } from '../formula/tools.ts';
import { defaultEffects, EFFECTS, effectsOf } from '../formula/effects.ts';
import type { Owned, ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import { compileScript } from '../formula/script.ts';
import type { Template } from '../formula/template.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import type {
  PlanAction,
  PlanBudget,
  PlanCheck,
  PlanConcurrency,
  PlanModel,
  PlanRetry,
  PlanRun,
  PlanSource,
  PlanStep,
  PlanTool,
  PlanWait,
  PlanWorkspace,
} from './plan.ts';

/** What lowering asks its surroundings. */
export interface Lowering {
  readonly people: ReadonlyMap<string, readonly string[]>;
  /** The model that has a role. Throws a `UserError` when none has. */
  readonly modelOf: (role: string) => PlanModel;
  readonly sourceOf: (span: Span) => PlanSource;
  /** Ids each step of a formula waits for, by position. */
  readonly needsOf: (formula: ResolvedFormula) => readonly (readonly string[])[];
  /** Present when a script holds a placeholder. */
  readonly bash: BashParser | undefined;
}

/** The steps of a checked formula, in the form a runner executes. */
export function lowerSteps(formula: ResolvedFormula, lowering: Lowering): readonly PlanStep[] {
  const needs = lowering.needsOf(formula);
  return formula.steps.map((step, position) => lowerStep(step, needs[position] ?? [], lowering));
}

/** The steps under `finally`: each waits for the one written before it. */
export function lowerFinally(formula: ResolvedFormula, lowering: Lowering): readonly PlanStep[] {
  return formula.finally.map((step, position) => {
    const before = formula.finally[position - 1];
    return lowerStep(step, before ? [before.step.id.value] : [], lowering);
  });
}

/** JSON Schemas by name. */
export function lowerDeclarations(
  declarations: readonly Declaration[],
): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(declarations.map(({ name, schema }) => [name.value, schema]));
}

/** See {@link PlanConcurrency}. */
export function lowerConcurrency(concurrency: Concurrency, text: Text = plainText): PlanConcurrency {
  return { group: text(concurrency.group), then: concurrency.then };
}

/** A workspace whose templates were written by the formula or step itself. */
export function lowerWorkspace(
  workspace: Workspace,
  lowering: Lowering,
  text: Text = plainText,
): PlanWorkspace {
  const { from, prepare, services } = workspace;
  return {
    from: typeof from === 'object' ? { git: text(from.git), ...(from.ref && { ref: text(from.ref) }) } : from,
    ...(prepare && {
      prepare: {
        run: lowerCommand(prepare.run, lowering, text),
        files: prepare.files.map((file) => file.value),
        ...(prepare.timeout !== undefined && { timeout: prepare.timeout }),
      },
    }),
    ...(services.length > 0 && {
      services: services.map((service) => ({
        id: service.id.value,
        run: lowerCommand(service.run, lowering, text),
        ready:
          service.ready.kind === 'port'
            ? { port: service.ready.port }
            : service.ready.kind === 'log'
              ? { log: service.ready.log.value }
              : { run: lowerCommand(service.ready.run, lowering, text) },
        ...(service.env.length > 0 && {
          env: lowerEnv(
            service.env.map((value) => ({ owner: 'step', value })),
            () => text,
          ),
        }),
      })),
    }),
  };
}

/** How a template or expression is written down. */
type Text = (text: Template | Expression, start?: number, end?: number) => string;

const plainText: Text = (text, start, end) => text.text.slice(start, end);

function isSame(some: readonly Effect[], others: readonly Effect[]): boolean {
  return EFFECTS.every((effect) => some.includes(effect) === others.includes(effect));
}

/**
 * What a step itself wrote under names that mean something else in its plan. Beside a molecule, `inputs` are the molecule's; in
 * a step that was woven in, `steps` are those of the formula.
 */
function ownNames({ molecule, woven }: ResolvedStep): ReadonlyMap<string, string> {
  return new Map([
    ...(molecule ? [['inputs', 'caller'] as const] : []),
    ...(woven ? [['steps', 'beside'] as const] : []),
  ]);
}

/** What a step that was woven in runs under: what its target does, and its own condition. */
function conditionOf({ step, woven }: ResolvedStep, text: Text): string | undefined {
  const own = step.when && text(step.when);
  const when = woven?.target.step.when;
  if (!woven || !when) return own;
  const target =
    woven.side === 'before' ? when.text : `steps.${woven.target.step.id.value}.status != 'skipped'`;
  return own === undefined ? target : `(${target}) && (${own})`;
}

function lowerStep(resolved: ResolvedStep, needs: readonly string[], lowering: Lowering): PlanStep {
  const { step, molecule, group, body, woven } = resolved;
  const names = ownNames(resolved);
  const textOf = (owner: 'step' | 'molecule'): Text =>
    owner === 'step' && names.size > 0
      ? (text, start, end) => renameRoots(text, names, start, end)
      : plainText;
  const own = woven ? textOf('step') : plainText;
  const effects = effectsOf(body);
  const condition = conditionOf(resolved, own);
  const isReadOnly = body.action?.kind === 'run' && !effects.includes('files') && !body.workspace;
  const verify = [
    ...body.verify.map((check) => lowerCheck(check, lowering, textOf)),
    ...(isReadOnly ? [{ kind: 'changes' as const, maxFiles: 0, implied: true as const }] : []),
  ];
  const inputs = molecule?.inputs ?? group?.formula.inputs;
  const { retry, workspace } = body;
  return {
    id: step.id.value,
    ...(body.title !== undefined && { title: body.title }),
    ...(body.tags.length > 0 && { tags: body.tags }),
    needs,
    action: lowerAction(resolved, lowering, molecule ? plainText : own),
    ...(condition !== undefined && { when: condition }),
    ...(step.forEach && {
      forEach:
        step.forEach.kind === 'expression'
          ? own(step.forEach.expression)
          : step.forEach.items.map((item) => lowerValue(item, own)),
    }),
    ...(step.parallel && step.parallel.value > 1 && { parallel: step.parallel.value }),
    ...(step.join && step.join.kind === 'any' && { join: 'any' as const }),
    ...(step.join?.kind === 'quorum' && {
      join: { quorum: typeof step.join.quorum === 'number' ? step.join.quorum : own(step.join.quorum) },
    }),
    ...(step.repeat && {
      repeat: { until: own(step.repeat.until), max: step.repeat.max, or: step.repeat.or },
    }),
    ...(inputs && { inputs: lowerDeclarations(inputs) }),
    ...(step.with && step.with.entries.length > 0 && { with: lowerArguments(step.with.entries, own) }),
    ...(body.env.length > 0 && { env: lowerEnv(body.env, textOf) }),
    ...(body.secrets.length > 0 && {
      secrets: Object.fromEntries(body.secrets.map(({ name, secret }) => [name.value, secret.value])),
    }),
    ...((body.action?.kind === 'run' || body.action?.kind === 'agent') &&
      !isSame(effects, defaultEffects(body.secrets.length > 0)) && {
        effects: EFFECTS.filter((effect) => effects.includes(effect)),
      }),
    ...(body.tools.length > 0 && { tools: body.tools.map(lowerTool) }),
    ...(body.outputs &&
      body.outputs.declarations.length > 0 && { outputs: lowerDeclarations(body.outputs.declarations) }),
    ...(verify.length > 0 && { verify }),
    ...(retry && retry.attempts > 1 && { retry: lowerRetry(retry) }),
    ...(body.timeout && { timeout: body.timeout.value }),
    ...(body.budget && { budget: lowerBudget(body.budget) }),
    ...(body.once?.value && { once: true as const }),
    ...(body.cache && { cache: { files: [...new Set(body.cache.files.map(({ value }) => value))].sort() } }),
    ...(step.onFailure && step.onFailure.value !== 'stop' && { onFailure: step.onFailure.value }),
    ...(step.concurrency && { concurrency: lowerConcurrency(step.concurrency, own) }),
    ...(workspace && { workspace: lowerWorkspace(workspace.value, lowering, textOf(workspace.owner)) }),
    ...(woven && { target: woven.target.step.id.value }),
    ...(woven && woven.beside.size > 1 && { beside: Object.fromEntries(woven.beside) }),
    source: lowering.sourceOf(step.id.span),
  };
}

function lowerAction({ body, group, molecule }: ResolvedStep, lowering: Lowering, own: Text): PlanAction {
  if (group) {
    const last = lowerFinally(group, lowering);
    const { outputs, budget, concurrency } = group.formula;
    return {
      kind: 'group',
      formula: calledName(group.formula.file, group.formula.name.value),
      steps: lowerSteps(group, lowering),
      ...(last.length > 0 && { finally: last }),
      ...(outputs.length > 0 && {
        outputs: Object.fromEntries(outputs.map(({ name, value }) => [name.value, value.text])),
      }),
      ...(budget && { budget: lowerBudget(budget) }),
      ...(concurrency && { concurrency: lowerConcurrency(concurrency) }),
    };
  }
  const action = body.action;
  // A step without an action was reported: lowering is not reached.
  if (!action)
    throw new Error(`step without an action${molecule ? ` in molecule ${molecule.name.value}` : ''}`);
  switch (action.kind) {
    case 'run':
      return {
        ...lowerCommand(action.command, lowering, own),
        ...(body.exit && { exit: [...new Set(body.exit.value)].sort((a, b) => a - b) }),
        ...(body.parse && { parse: body.parse.value }),
      };
    case 'agent': {
      const model = lowering.modelOf(action.model.value);
      return {
        kind: 'agent',
        model: action.effort ? { ...model, effort: action.effort.value } : model,
        ...(action.system && { system: own(action.system) }),
        prompt: own(action.prompt),
        maxTurns: action.maxTurns,
        maxOutputTokens: action.maxOutputTokens,
        ...(action.contextTokens && { contextTokens: action.contextTokens.value }),
      };
    }
    case 'approve':
      return {
        kind: 'approve',
        ask: own(action.ask),
        ...(action.show.length > 0 && { show: action.show.map((shown) => own(shown)) }),
        ...(action.by && {
          by: Object.fromEntries(action.by.map(({ value }) => [value, lowering.people.get(value) ?? []])),
        }),
        count: action.count,
      };
    case 'wait':
      return lowerWait(action.wait, own);
  }
}

function lowerCommand(command: Command, lowering: Lowering, text: Text): PlanRun {
  switch (command.kind) {
    case 'bash':
      return { kind: 'run', ...lowerScript(command.script, lowering, text) };
    case 'argv':
      return { kind: 'run', argv: command.words.map((word) => text(word)) };
    case 'program':
      return {
        kind: 'run',
        program: command.program.value,
        ...(command.args.length > 0 && { args: command.args.map((word) => text(word)) }),
        script: text(command.script),
      };
  }
}

function lowerScript(
  script: Template,
  lowering: Lowering,
  text: Text,
): Pick<Extract<PlanRun, { bash: string }>, 'bash' | 'values'> {
  const compiled = compileScript(script, lowering.bash, text);
  // Unsafe scripts were reported by the check of the same name: lowering is not reached.
  if (!compiled.ok) throw new Error('a script that cannot be compiled reached lowering');
  return { bash: compiled.bash, ...(compiled.values.length > 0 && { values: compiled.values }) };
}

function lowerWait(wait: Wait, text: Text): PlanWait {
  switch (wait.kind) {
    case 'for':
      return { kind: 'wait', for: wait.for };
    case 'until':
      return { kind: 'wait', until: text(wait.until) };
    case 'event':
      return {
        kind: 'wait',
        event: wait.event.value,
        ...(wait.match && { match: text(wait.match) }),
        ...(wait.pass && { pass: text(wait.pass) }),
      };
  }
}

function lowerCheck(
  { owner, value }: Owned<VerifyCheck>,
  lowering: Lowering,
  textOf: (owner: 'step' | 'molecule') => Text,
): PlanCheck {
  const text = textOf(owner);
  switch (value.kind) {
    case 'run':
      return {
        kind: 'run',
        run: lowerCommand(value.command, lowering, text),
        ...(value.from && { from: value.from.value }),
        ...(value.files.length > 0 && { files: value.files.map((file) => file.value) }),
      };
    case 'check':
      return { kind: 'check', check: text(value.check) };
    case 'changes':
      return {
        kind: 'changes',
        ...(value.only && { only: value.only.map((glob) => text(glob)) }),
        ...(value.never && { never: value.never.map((glob) => text(glob)) }),
        ...(value.maxFiles !== undefined && { maxFiles: value.maxFiles }),
        ...(value.maxLines !== undefined && { maxLines: value.maxLines }),
      };
    case 'judge': {
      const model = lowering.modelOf(value.model.value);
      return {
        kind: 'judge',
        model: value.effort ? { ...model, effort: value.effort.value } : model,
        rubric: text(value.rubric),
        pass: text(value.pass),
        maxOutputTokens: value.maxOutputTokens,
      };
    }
    case 'wait':
      return {
        kind: 'wait',
        wait: lowerWait(value.wait, text),
        ...(value.timeout !== undefined && { timeout: value.timeout }),
      };
  }
}

/** See {@link PlanBudget}. */
export function lowerBudget({ minutes, tokens, usd }: Budget): PlanBudget {
  return {
    ...(minutes !== undefined && { minutes }),
    ...(tokens !== undefined && { tokens }),
    ...(usd !== undefined && { usd }),
  };
}

function lowerTool({ server, name, digest, effects }: Tool): PlanTool {
  return { server, name, digest, effects };
}

function lowerRetry({ attempts, on, backoff, feedback }: Retry): PlanRetry {
  return {
    attempts,
    on: [...new Set(on)].sort(),
    ...(backoff && { backoff }),
    ...(feedback && { feedback: true as const }),
  };
}

function lowerEnv(
  entries: readonly Owned<EnvEntry>[],
  textOf: (owner: 'step' | 'molecule') => Text,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map(({ owner, value }) => [value.name.value, textOf(owner)(value.value)]),
  );
}

function lowerArguments(
  entries: readonly { readonly name: { readonly value: string }; readonly value: TemplatedValue }[],
  text: Text,
): JsonObject {
  return Object.fromEntries(entries.map(({ name, value }) => [name.value, lowerValue(value, text)]));
}

function lowerValue(value: TemplatedValue, text: Text): JsonValue {
  switch (value.kind) {
    case 'template':
      return text(value.template);
    case 'literal':
      return value.value;
    case 'list':
      return value.items.map((item) => lowerValue(item, text));
    case 'map':
      return Object.fromEntries(
        value.entries.map((entry) => [entry.key.value, lowerValue(entry.value, text)]),
      );
  }
}
