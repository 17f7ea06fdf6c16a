import { fillScript } from '../formula/bash/fill-script.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import { shellWords, writeInto } from '../formula/bash/quote.ts';
import { evaluateExpression } from '../formula/evaluate-expression.ts';
import { parseExpressionText } from '../formula/expression-syntax.ts';
import type { Knowable } from '../formula/not-known.ts';
import { missingNames, NotKnown, partlyKnown, partlyKnownList, withKnowable } from '../formula/not-known.ts';
import { RenderError, renderTemplate } from '../formula/render-template.ts';
import type { RenderWorld } from '../formula/render-template.ts';
import { estimateTokens } from '../agents/estimate.ts';
import { requestBytes } from '../agents/request.ts';
import type {
  Plan,
  PlanAgent,
  PlanCheck,
  PlanGroup,
  PlanRun,
  PlanStep,
  PlanWait,
  PlanWorkspace,
} from '../plan/plan.ts';
import { topological } from '../plan/topological.ts';
import type { JsonObject, JsonSchema, JsonValue } from '../support/json.ts';
import { AgentTools, nameOf } from './agent/agent-tools.ts';
import { Conversation, frameOf } from './agent/conversation.ts';
import { completeInputs } from './bind-inputs.ts';
import type { Rendered } from './render-command.ts';
import { renderCommand } from './render-command.ts';
import { evaluateWith, messageOf, NO_FILES } from './scope.ts';

/** What looking ahead found: a value, what is missing for it, or why there will be none. */
export type Foreseen<T extends JsonValue = JsonValue> =
  | { readonly is: 'known'; readonly value: T }
  /** `text` is what is known of it, with `‹…›` for what is not; `missing` names that. */
  | { readonly is: 'unknown'; readonly text: string; readonly missing: readonly string[] }
  | { readonly is: 'failure'; readonly message: string };

/** What a run of a plan would do, as far as that can be told before it. */
export interface DryRun {
  readonly formula: string;
  readonly plan: Plan['plan'];
  readonly profile?: string;
  readonly inputs: JsonObject;
  readonly workspace: DryWorkspace;
  readonly concurrency?: Foreseen<string>;
  readonly steps: readonly DryStep[];
  readonly finally?: readonly DryStep[];
  readonly outputs?: Readonly<Record<string, Foreseen>>;
  /** Everything that only the run will bring, each name once. */
  readonly missing: readonly string[];
  /** What would fail whatever the run brings, should it be reached. */
  readonly failures: readonly { readonly step: string; readonly message: string }[];
}

export type DryStep = Pick<
  PlanStep,
  | 'id'
  | 'title'
  | 'needs'
  | 'parallel'
  | 'join'
  | 'repeat'
  | 'retry'
  | 'timeout'
  | 'budget'
  | 'once'
  | 'onFailure'
> & {
  /** As people name it: `release.build`. */
  readonly path: string;
  /** `open`: its `when` depends on what is not known. */
  readonly would: 'run' | 'skip' | 'open';
  readonly when?: { readonly expression: string; readonly outcome: Foreseen };
  readonly forEach?: { readonly of: string; readonly items: Foreseen };
  /** One for each item of a known list; otherwise one that stands for what will happen. Empty: it would be skipped. */
  readonly instances: readonly DryInstance[];
};

/** One item of a step, or the step itself. Of several iterations and attempts, the first. */
export interface DryInstance {
  readonly index?: number;
  readonly item?: Foreseen;
  readonly concurrency?: Foreseen<string>;
  /** The inputs of what it uses. */
  readonly inputs?: Readonly<Record<string, Foreseen>>;
  readonly workspace?: DryWorkspace;
  readonly env?: Readonly<Record<string, Foreseen<string>>>;
  /** Name in the environment → name of the secret. Values are never looked at. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly action: DryAction;
  readonly verify?: readonly DryCheck[];
}

export type DryAction =
  | DryRunAction
  | {
      readonly kind: 'approve';
      readonly ask: Foreseen<string>;
      readonly show?: readonly { readonly expression: string; readonly value: Foreseen }[];
      readonly by?: readonly string[];
      readonly count: number;
    }
  | DryAgent
  | DryWait
  | {
      readonly kind: 'group';
      readonly formula: string;
      readonly concurrency?: Foreseen<string>;
      readonly steps: readonly DryStep[];
      readonly finally?: readonly DryStep[];
      readonly outputs?: Readonly<Record<string, Foreseen>>;
    };

/** What an agent would be given. */
export interface DryAgent {
  readonly kind: 'agent';
  /** `role (id)`. */
  readonly model: string;
  readonly system?: Foreseen<string>;
  readonly prompt: Foreseen<string>;
  /** The tools it may use, as `server/tool`. */
  readonly tools: readonly string[];
  readonly maxTurns: number;
  /** The body of the first request, byte for byte; where values are not known yet, with `‹…›` in their places. */
  readonly request?: string;
  /** About how many tokens that has. */
  readonly tokens?: number;
}

export interface DryRunAction {
  readonly kind: 'run';
  readonly command: DryCommand;
}

export type DryWait =
  | { readonly kind: 'wait'; readonly for: number }
  | { readonly kind: 'wait'; readonly until: Foreseen<string> }
  | { readonly kind: 'wait'; readonly event: string; readonly match?: string; readonly pass?: string };

/** A command that would be started. */
export type DryCommand =
  | { readonly is: 'failure'; readonly message: string }
  | {
      readonly is: 'known' | 'unknown';
      /** For bash with each value in its place, quoted as it would have to be there. */
      readonly text: string;
      /** Values that are not in `text`, because they are long or cannot be written there; it holds their variables. */
      readonly beside?: readonly { readonly name: string; readonly value: string | readonly string[] }[];
      readonly missing: readonly string[];
      /** What is handed to the system. */
      readonly rendered: Rendered;
    };

export type DryCheck =
  | {
      readonly kind: 'run';
      readonly command: DryCommand;
      readonly from?: 'base';
      readonly files?: readonly string[];
    }
  | { readonly kind: 'check'; readonly expression: string; readonly outcome: Foreseen }
  | {
      readonly kind: 'changes';
      readonly only?: readonly Foreseen<string>[];
      readonly never?: readonly Foreseen<string>[];
      readonly maxFiles?: number;
      readonly maxLines?: number;
    }
  | {
      readonly kind: 'judge';
      readonly model: string;
      readonly rubric: Foreseen<string>;
      readonly pass: string;
    }
  | { readonly kind: 'wait'; readonly wait: DryWait };

export interface DryWorkspace {
  readonly from:
    'clone' | 'checkout' | 'empty' | { readonly git: Foreseen<string>; readonly ref?: Foreseen<string> };
  readonly prepare?: { readonly command: DryCommand; readonly files: readonly string[] };
  readonly services?: readonly {
    readonly id: string;
    readonly command: DryCommand;
    readonly ready: { readonly port: number } | { readonly log: string } | { readonly command: DryCommand };
    readonly env?: Readonly<Record<string, Foreseen<string>>>;
  }[];
}

export interface DryRunRequest {
  readonly plan: Plan;
  /** Complete: checked, with defaults. */
  readonly inputs: JsonObject;
  /** Needed to write values into scripts that hold some. */
  readonly bash: BashParser | undefined;
  /** The files a workspace begins with; undefined: nobody can look at them yet. */
  readonly files: (from: PlanWorkspace['from']) => RenderWorld | undefined;
}

/**
 * Goes through a plan without starting anything. It uses the functions that a run uses, on values of which some are
 * not there yet; what needs one of those stays visible as `‹name›`.
 *
 * `{{file x}}` is known as long as no command can have changed the file: it is then what the workspace begins with.
 */
export function dryRun(request: DryRunRequest): DryRun {
  return new Foresight(request).run();
}

/** The values of one formula: those of the run, or those of a group. */
interface Frame {
  readonly path: string;
  readonly inputs: JsonObject;
  /** What `steps` means; grows. */
  readonly steps: JsonObject;
  readonly run: JsonObject;
}

/** Files as a step finds them; `touched`: a command may have changed them. */
interface Tree {
  readonly workspace: PlanWorkspace;
  readonly touched: boolean;
}

/** The names that a place sees; `run` and `profile` where the runner offers them. */
interface Names {
  readonly values: JsonObject;
  readonly all: JsonObject;
}

class Foresight {
  readonly #request: DryRunRequest;
  readonly #plan: Plan;
  readonly #missing = new Set<string>();
  /** Every `‹…›` that stands for something. */
  readonly #marks = new Set<string>();
  readonly #failures: { step: string; message: string }[] = [];
  /** Path of what is looked at, for failures. */
  #at = '';

  constructor(request: DryRunRequest) {
    this.#request = request;
    this.#plan = request.plan;
  }

  run(): DryRun {
    const { formula, plan, profile, workspace, concurrency, outputs } = this.#plan;
    const { inputs } = this.#request;
    const frame: Frame = { path: '', inputs, steps: {}, run: this.#runValues('running') };
    const bare = this.#names(frame, {});
    const begins: Tree = { workspace, touched: false };
    const values = { inputs, profile: profile ?? '' };
    const around = {
      formula,
      plan,
      ...(profile !== undefined && { profile }),
      inputs,
      workspace: this.#workspace(workspace, values),
      ...(concurrency && { concurrency: this.#group(concurrency.group, bare.values) }),
    };
    const inside = this.#pass(frame, this.#plan, begins, outputs);
    return { ...around, ...inside, missing: [...this.#missing], failures: this.#failures };
  }

  /** The steps of a formula, its `finally`, its outputs. */
  #pass(
    frame: Frame,
    formula: Pick<PlanGroup, 'steps' | 'finally'>,
    begins: Tree,
    outputs: PlanGroup['outputs'],
  ): { steps: DryStep[]; finally?: DryStep[]; outputs?: Record<string, Foreseen> } {
    const touched = new Map<string, boolean>();
    const found = new Map<string, DryStep>();
    for (const step of topological(formula.steps)) {
      const before = begins.touched || step.needs.some((need) => touched.get(need) ?? false);
      const dry = this.#step(frame, step, { ...begins, touched: before });
      found.set(step.id, dry);
      touched.set(step.id, before || (dry.would !== 'skip' && changesFiles(step)));
    }
    let after = begins.touched || [...touched.values()].some(Boolean);
    const ending: Frame = { ...frame, run: this.#runValues('ending') };
    const last = (formula.finally ?? []).map((step) => {
      const dry = this.#step(ending, step, { ...begins, touched: after });
      after ||= dry.would !== 'skip' && changesFiles(step);
      return dry;
    });
    this.#at = frame.path.replace(/\.$/, '');
    const names = this.#names(frame, {}).all;
    return {
      steps: formula.steps.map((step) => found.get(step.id) as DryStep),
      ...(last.length > 0 && { finally: last }),
      ...(outputs && {
        outputs: mapValues(outputs, (expression) => this.#expression(expression, names)),
      }),
    };
  }

  #step(frame: Frame, step: PlanStep, tree: Tree): DryStep {
    const { id, title, needs, parallel, join, repeat, retry, timeout, budget, once, onFailure, forEach } =
      step;
    const path = `${frame.path}${id}`;
    this.#at = path;
    const names = this.#names(frame, besideOf(frame, step));
    const outcome = step.when === undefined ? undefined : this.#expression(step.when, names.all);
    const would =
      !outcome || outcome.is === 'failure'
        ? 'run'
        : outcome.is === 'unknown'
          ? 'open'
          : outcome.value === true
            ? 'run'
            : 'skip';
    this.#define(frame, step, would);
    const base = {
      id,
      path,
      ...(title !== undefined && { title }),
      needs,
      ...(parallel !== undefined && { parallel }),
      ...(join !== undefined && { join }),
      ...(repeat !== undefined && { repeat }),
      ...(retry !== undefined && { retry }),
      ...(timeout !== undefined && { timeout }),
      ...(budget !== undefined && { budget }),
      ...(once !== undefined && { once }),
      ...(onFailure !== undefined && { onFailure }),
      would,
      ...(outcome && { when: { expression: step.when ?? '', outcome } }),
    } as const;
    if (would === 'skip') return { ...base, instances: [] };
    if (forEach === undefined) return { ...base, instances: [this.#instance(frame, step, path, {}, tree)] };
    const listed = this.#items(forEach, names);
    const of = typeof forEach === 'string' ? forEach : `${forEach.length} items`;
    const one = (items: readonly Knowable[]) =>
      items.map((item, index) => {
        // One after the other each finds what those before it left.
        const touched = tree.touched || (index > 0 && (parallel ?? 1) <= 1 && changesFiles(step));
        const dry = this.#instance(
          frame,
          step,
          `${path}[${index}]`,
          { item, index: { value: index } },
          { ...tree, touched },
        );
        return { index, item: this.#told(item), ...dry };
      });
    if (listed.known) return { ...base, forEach: { of, items: listed.items }, instances: one(listed.known) };
    const unknown = {
      item: { missing: new NotKnown(['item']) },
      index: { missing: new NotKnown(['index']) },
    };
    const touched = tree.touched || changesFiles(step);
    const instances =
      listed.items.is === 'failure' ? [] : [this.#instance(frame, step, path, unknown, { ...tree, touched })];
    return { ...base, forEach: { of, items: listed.items }, instances };
  }

  #items(
    forEach: NonNullable<PlanStep['forEach']>,
    names: Names,
  ): { readonly items: Foreseen; readonly known?: readonly Knowable[] } {
    if (typeof forEach !== 'string') {
      const known = forEach.map((item) => this.#passed(item, names.values));
      const [failed] = known.filter((item) => 'message' in item);
      if (failed && 'message' in failed) return { items: this.#failure(failed.message) };
      const items = known as readonly Knowable[];
      return { known: items, items: this.#told({ value: partlyKnownList(items) as JsonValue }) };
    }
    const items = this.#expression(forEach, names.all);
    if (items.is !== 'known') return { items };
    if (!Array.isArray(items.value))
      return { items: this.#failure(`\`for_each\` has to be a list, and ${forEach} is not`) };
    return { items, known: (items.value as readonly JsonValue[]).map((value) => ({ value })) };
  }

  #instance(
    frame: Frame,
    step: PlanStep,
    path: string,
    item: Readonly<Record<string, Knowable>>,
    tree: Tree,
  ): DryInstance {
    this.#at = path;
    const outer = this.#names(frame, {
      ...item,
      ...besideOf(frame, step),
      ...(step.repeat && { previous: { value: { outputs: {} } } }),
    });
    const concurrency = step.concurrency && this.#group(step.concurrency.group, outer.values);
    const bound = step.inputs && this.#bind(step.inputs, step.with ?? {}, outer.all);
    const inner = bound ? rebound(outer.all, bound.values, frame.inputs) : outer.all;
    const { env, secrets, verify, workspace, action, effects } = step;
    const own = workspace && this.#workspace(workspace, inner);
    const here: Tree = workspace ? { workspace, touched: false } : tree;
    const files = this.#files(here);
    const after = this.#files({
      ...here,
      touched:
        here.touched ||
        changesFiles({ action, ...(effects && { effects }), ...(step.tools && { tools: step.tools }) }),
    });
    const acted = this.#action(step, path, inner, files, here, bound?.values ?? frame.inputs);
    this.#at = path;
    const verified = withKnowable(inner, { outputs: { missing: new NotKnown(['outputs']) } });
    return {
      ...(concurrency && { concurrency }),
      ...(bound && { inputs: bound.told }),
      ...(own && { workspace: own }),
      ...(env && { env: mapValues(env, (text) => this.#text(text, inner, files)) }),
      ...(secrets && { secrets }),
      action: acted,
      ...(verify && { verify: verify.map((check) => this.#check(check, verified, after)) }),
    };
  }

  #action(
    step: PlanStep,
    path: string,
    values: JsonObject,
    files: RenderWorld,
    tree: Tree,
    inputs: JsonObject,
  ): DryAction {
    const { action } = step;
    switch (action.kind) {
      case 'run':
        return { kind: 'run', command: this.#command(action, values, files) };
      case 'agent':
        return this.#agent(action, step, values, files);
      case 'approve': {
        const { by, count, show } = action;
        return {
          kind: 'approve',
          ask: this.#text(action.ask, values, NO_FILES),
          ...(show && {
            show: show.map((expression) => ({ expression, value: this.#expression(expression, values) })),
          }),
          ...(by && { by: Object.keys(by) }),
          count,
        };
      }
      case 'wait':
        return this.#wait(action, values);
      case 'group': {
        const { formula, concurrency, outputs } = action;
        const frame: Frame = { path: `${path}.`, inputs, steps: {}, run: this.#runValues('running') };
        return {
          kind: 'group',
          formula,
          ...(concurrency && {
            concurrency: this.#group(concurrency.group, this.#names(frame, {}).values),
          }),
          ...this.#pass(frame, action, tree, outputs),
        };
      }
    }
  }

  #agent(action: PlanAgent, step: PlanStep, values: JsonObject, files: RenderWorld): DryAgent {
    const { model, maxTurns } = action;
    const system = action.system === undefined ? undefined : this.#text(action.system, values, files);
    const prompt = this.#text(action.prompt, values, files);
    const tools = new AgentTools(step);
    const [first, task] = [system && shownText(system), shownText(prompt)];
    const request =
      task === undefined || (system && first === undefined)
        ? undefined
        : new Conversation(frameOf(action, first, tools.wire), task).request;
    const tokens = request && estimateTokens(request);
    const most = action.contextTokens;
    if (most !== undefined && tokens !== undefined && tokens > most && prompt.is === 'known')
      this.#failure(`the request has about ${tokens} tokens, and \`context_tokens\` allows ${most}`);
    return {
      kind: 'agent',
      model: `${model.role} (${model.id})`,
      ...(system && { system }),
      prompt,
      tools: (step.tools ?? []).map(nameOf),
      maxTurns,
      ...(request && { request: requestBytes(request) }),
      ...(tokens !== undefined && { tokens }),
    };
  }

  #wait(wait: PlanWait, values: JsonObject): DryWait {
    if ('for' in wait) return { kind: 'wait', for: wait.for };
    if ('until' in wait) return { kind: 'wait', until: this.#text(wait.until, values, NO_FILES) };
    return wait;
  }

  #check(check: PlanCheck, values: JsonObject, files: RenderWorld): DryCheck {
    switch (check.kind) {
      case 'run': {
        const { run, from, files: named } = check;
        const command = this.#command(run, values, files);
        return { kind: 'run', command, ...(from && { from }), ...(named && { files: named }) };
      }
      case 'check':
        return {
          kind: 'check',
          expression: check.check,
          outcome: this.#expression(check.check, values),
        };
      case 'changes': {
        const { only, never, maxFiles, maxLines } = check;
        const globs = (texts: readonly string[]) => texts.map((text) => this.#text(text, values, NO_FILES));
        return {
          kind: 'changes',
          ...(only && { only: globs(only) }),
          ...(never && { never: globs(never) }),
          ...(maxFiles !== undefined && { maxFiles }),
          ...(maxLines !== undefined && { maxLines }),
        };
      }
      case 'judge':
        return {
          kind: 'judge',
          model: `${check.model.role} (${check.model.id})`,
          rubric: this.#text(check.rubric, values, NO_FILES),
          pass: check.pass,
        };
      case 'wait':
        return { kind: 'wait', wait: this.#wait(check.wait, values) };
    }
  }

  #workspace({ from, prepare, services }: PlanWorkspace, values: JsonObject): DryWorkspace {
    const files = this.#files({ workspace: { from }, touched: false });
    return {
      from:
        typeof from === 'object'
          ? {
              git: this.#text(from.git, values, NO_FILES),
              ...(from.ref !== undefined && { ref: this.#text(from.ref, values, NO_FILES) }),
            }
          : from,
      ...(prepare && {
        prepare: { command: this.#command(prepare.run, values, files), files: prepare.files },
      }),
      ...(services && {
        services: services.map(({ id, run, ready, env }) => ({
          id,
          command: this.#command(run, values, files),
          ready: 'run' in ready ? { command: this.#command(ready.run, values, files) } : ready,
          ...(env && { env: mapValues(env, (text) => this.#text(text, values, files)) }),
        })),
      }),
    };
  }

  /** The inputs of what a step uses: those that can be told are complete and checked, as a run has them. */
  #bind(
    schemas: Readonly<Record<string, JsonSchema>>,
    given: JsonObject,
    values: JsonObject,
  ): { readonly values: JsonObject; readonly told: Record<string, Foreseen> } {
    const bound: Record<string, Knowable> = {};
    const told: Record<string, Foreseen> = {};
    for (const [name, schema] of Object.entries(schemas)) {
      const passed = given[name] === undefined ? undefined : this.#passed(given[name], values);
      const one = passed && 'message' in passed ? passed : completed(name, schema, passed);
      if ('message' in one) {
        told[name] = this.#failure(one.message);
        bound[name] = { missing: new NotKnown([`inputs.${name}`]) };
      } else {
        told[name] = this.#told(one);
        bound[name] = one;
      }
    }
    return { values: partlyKnown(bound), told };
  }

  /** A value of `with` or `for_each`: as much of it as is known. Undefined: it is absent. */
  #passed(value: JsonValue, values: JsonObject): Knowable | Failed | { readonly value: undefined } {
    try {
      return { value: evaluateWith(value, { values }) as JsonValue };
    } catch (error) {
      if (!(error instanceof NotKnown)) return { message: messageOf(error) };
      if (typeof value === 'string') {
        const seen = this.#text(value, values, NO_FILES);
        if (seen.is === 'failure') return { message: seen.message };
        return seen.is === 'known' ? seen : { missing: new NotKnown(seen.missing, seen.text) };
      }
      const inner = Object.entries(value as object).map(
        ([name, one]) => [name, this.#passed(one as JsonValue, values)] as const,
      );
      for (const [, one] of inner) if ('message' in one) return one;
      const present = inner.filter(
        (entry): entry is [string, Knowable] => !('value' in entry[1]) || entry[1].value !== undefined,
      );
      return {
        value: Array.isArray(value)
          ? partlyKnownList(present.map(([, one]) => one))
          : partlyKnown(Object.fromEntries(present)),
      };
    }
  }

  #command(run: PlanRun, values: JsonObject, files: RenderWorld): DryCommand {
    const missing = new Set<string>();
    let rendered: Rendered;
    try {
      rendered = renderCommand(run, values, this.#marking(files, missing));
    } catch (error) {
      return this.#failure(messageOf(error));
    }
    const { text, beside } = this.#write(rendered);
    return {
      is: missing.size === 0 ? 'known' : 'unknown',
      text,
      ...(beside.length > 0 && { beside }),
      missing: [...missing],
      rendered,
    };
  }

  #write(rendered: Rendered): {
    text: string;
    beside: { name: string; value: string | readonly string[] }[];
  } {
    switch (rendered.kind) {
      case 'argv':
        return { text: shellWords(rendered.argv, this.#marks), beside: [] };
      case 'program':
        return { text: rendered.script, beside: [] };
      case 'bash': {
        const { bash } = this.#request;
        if (rendered.values.length === 0 || !bash)
          return { text: rendered.script, beside: [...rendered.values] };
        const byName = new Map(rendered.values.map(({ name, value }) => [name, value]));
        const text = fillScript(bash, rendered.script, (slot) => {
          const value = byName.get(slot.name);
          return value === undefined || isLong(value) ? undefined : writeInto(slot, value, this.#marks);
        });
        return { text, beside: rendered.values.filter(({ name }) => text.includes(`{${name}`)) };
      }
    }
  }

  #group(template: string, values: JsonObject): Foreseen<string> {
    return this.#text(template, values, NO_FILES);
  }

  #text(template: string, values: JsonObject, files: RenderWorld): Foreseen<string> {
    const missing = new Set<string>();
    try {
      const text = renderTemplate(template, values, this.#marking(files, missing));
      return missing.size === 0
        ? { is: 'known', value: text }
        : { is: 'unknown', text, missing: [...missing] };
    } catch (error) {
      return this.#failure(messageOf(error));
    }
  }

  #expression(text: string, values: JsonObject): Foreseen {
    try {
      return { is: 'known', value: evaluateExpression(text, values) };
    } catch (error) {
      if (!(error instanceof NotKnown)) return this.#failure(messageOf(error));
      const parsed = parseExpressionText(text);
      const names = parsed.ok ? missingNames(parsed.tree.references, values) : [];
      const missing = names.length > 0 ? names : error.names;
      for (const name of missing) this.#missing.add(name);
      return { is: 'unknown', text, missing };
    }
  }

  /** A value as it is told; touching all of it shows whether all of it is known. */
  #told(one: Knowable): Foreseen {
    if ('missing' in one) {
      const { names, shown } = one.missing;
      for (const name of names) this.#missing.add(name);
      return { is: 'unknown', text: shown ?? this.#mark(names.join(', ')), missing: names };
    }
    try {
      JSON.stringify(one.value);
      return { is: 'known', value: one.value };
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      const missing = new Set<string>();
      const text = JSON.stringify(this.#outlined(one.value, missing));
      return { is: 'unknown', text, missing: [...missing] };
    }
  }

  /** The same value with marks in the place of what is not known. */
  #outlined(value: JsonValue, missing: Set<string>): JsonValue {
    if (typeof value !== 'object' || value === null) return value;
    const read = (name: string): JsonValue => {
      try {
        return this.#outlined((value as JsonObject)[name] as JsonValue, missing);
      } catch (error) {
        if (!(error instanceof NotKnown)) throw error;
        for (const one of error.names) missing.add(one);
        return error.shown ?? this.#mark(error.names.join(', '));
      }
    };
    return Array.isArray(value)
      ? Object.keys(value).map(read)
      : Object.fromEntries(Object.keys(value).map((name) => [name, read(name)]));
  }

  #marking(files: RenderWorld, missing: Set<string>): RenderWorld {
    return {
      readFile: (path) => files.readFile(path),
      hole: ({ text, plain, names, shown }) => {
        for (const name of names) {
          missing.add(name);
          this.#missing.add(name);
        }
        if (plain && shown !== undefined) return shown;
        return this.#mark(plain && names.length === 1 ? (names[0] as string) : text);
      },
    };
  }

  #mark(text: string): string {
    const mark = `‹${text}›`;
    this.#marks.add(mark);
    return mark;
  }

  #failure(message: string): { readonly is: 'failure'; readonly message: string } {
    const known = this.#failures.some((one) => one.step === this.#at && one.message === message);
    if (!known) this.#failures.push({ step: this.#at, message });
    return { is: 'failure', message };
  }

  #files({ workspace, touched }: Tree): RenderWorld {
    const files = touched ? undefined : this.#request.files(workspace.from);
    return {
      readFile: (path) => {
        if (!files) throw new NotKnown([`file ${path}`]);
        try {
          return files.readFile(path);
        } catch (error) {
          // `prepare` leaves files that are not there yet.
          if (error instanceof RenderError && workspace.prepare) throw new NotKnown([`file ${path}`]);
          throw error;
        }
      },
    };
  }

  #names(frame: Frame, others: Readonly<Record<string, Knowable>>): Names {
    const values = withKnowable({ inputs: frame.inputs, steps: frame.steps }, others);
    const all = withKnowable(values, {
      run: { value: frame.run },
      profile: { value: this.#plan.profile ?? '' },
    });
    return { values, all };
  }

  /** What `steps.<id>` holds from here on: of a step that is skipped all, of any other nothing. */
  #define(frame: Frame, step: PlanStep, would: DryStep['would']): void {
    const list = step.forEach !== undefined;
    const missing = (name: string): Knowable => ({
      missing: new NotKnown([`${frame.path}steps.${step.id}.${name}`]),
    });
    const value =
      would === 'skip'
        ? {
            outputs: list ? [] : {},
            status: 'skipped',
            attempts: 0,
            iterations: 0,
            cached: false,
            ...(list && { items: [] }),
          }
        : partlyKnown({
            outputs: missing('outputs'),
            status: missing('status'),
            attempts: missing('attempts'),
            iterations: missing('iterations'),
            cached: { value: false },
            error: missing('error'),
            ...(list && { items: missing('items') }),
          });
    Object.defineProperty(frame.steps, step.id, { value, enumerable: true, configurable: true });
  }

  #runValues(when: 'running' | 'ending'): JsonObject {
    const missing = (name: string): Knowable => ({ missing: new NotKnown([`run.${name}`]) });
    const empty = this.#plan.workspace.from === 'empty';
    return partlyKnown({
      id: missing('id'),
      formula: { value: this.#plan.formula },
      branch: empty ? { value: '' } : missing('branch'),
      base: empty ? { value: '' } : missing('base'),
      diff: missing('diff'),
      changed_files: missing('changed_files'),
      ...(when === 'running'
        ? { status: { value: 'running' } }
        : { status: missing('status'), error: missing('error') }),
    });
  }
}

interface Failed {
  readonly message: string;
}

/** An input with its default, checked, unless that needs what is not known. */
function completed(
  name: string,
  schema: JsonSchema,
  passed: Knowable | { readonly value: undefined } | undefined,
): Knowable | Failed {
  if (passed && 'missing' in passed) return passed;
  try {
    const given = passed?.value === undefined ? {} : { [name]: passed.value };
    const inputs = completeInputs({ [name]: schema }, given);
    return inputs.ok ? { value: inputs.value[name] as JsonValue } : { message: inputs.message };
  } catch (error) {
    if (error instanceof NotKnown && passed?.value !== undefined) return { value: passed.value };
    throw error;
  }
}

/** Names inside of what a step uses: `inputs` are what it was given, `caller` those around it. */
function rebound(names: JsonObject, inputs: JsonObject, caller: JsonObject): JsonObject {
  const { inputs: _, ...others } = Object.getOwnPropertyDescriptors(names);
  return Object.defineProperties({ inputs, caller }, others);
}

/** What `target` and `beside` mean in a step that an aspect has put there. */
function besideOf(frame: Frame, { target, beside = {} }: PlanStep): Readonly<Record<string, Knowable>> {
  if (target === undefined) return {};
  const found = Object.getOwnPropertyDescriptor(frame.steps, target)?.value as JsonObject | undefined;
  const ran: PropertyDescriptorMap = found ? Object.getOwnPropertyDescriptors(found) : {};
  const siblings = Object.entries(beside).flatMap(([name, id]) => {
    const descriptor = Object.getOwnPropertyDescriptor(frame.steps, id);
    return descriptor ? [[name, descriptor] as const] : [];
  });
  return {
    target: {
      value: Object.defineProperties({}, { ...ran, id: { value: target, enumerable: true } }) as JsonObject,
    },
    beside: { value: Object.defineProperties({}, Object.fromEntries(siblings)) as JsonObject },
  };
}

/** Whether a step could leave files otherwise than it found them. One in a workspace of its own leaves nothing. */
function changesFiles({
  action,
  workspace,
  effects,
  tools,
}: Pick<PlanStep, 'action' | 'workspace' | 'effects' | 'tools'>): boolean {
  if (workspace || (effects && !effects.includes('files'))) return false;
  switch (action.kind) {
    case 'run':
      return true;
    case 'agent':
      return (tools ?? []).some((tool) => tool.effects.includes('files'));
    case 'group':
      return [...action.steps, ...(action.finally ?? [])].some(changesFiles);
    case 'approve':
    case 'wait':
      return false;
  }
}

/** As much of a text as there is. */
function shownText(text: Foreseen<string>): string | undefined {
  return text.is === 'known' ? text.value : text.is === 'unknown' ? text.text : undefined;
}

/** Too long to be read amid a script. */
function isLong(value: string | readonly string[]): boolean {
  const text = typeof value === 'string' ? value : value.join(' ');
  return text.length > 300 || text.split('\n').length > 6;
}

function mapValues<T, R>(object: Readonly<Record<string, T>>, map: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}
