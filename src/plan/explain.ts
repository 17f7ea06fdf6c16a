import { named } from '../formula/names.ts';
import type { Diagnostic, Span } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { effectsOf } from '../formula/effects.ts';
import type { Loader } from '../formula/loader.ts';
import { Project } from '../formula/project.ts';
import type { ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import { resolveFormula } from '../formula/resolve.ts';
import { referencesOf, textsOf } from '../formula/texts.ts';
import type { JsonValue } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import { compileFormula } from './compile.ts';
import { sourcePlaces } from './lower-formula.ts';
import type { Plan, PlanAction, PlanSource, PlanStep } from './plan.ts';

/** Where a value came from. */
export type Origin =
  /** Written, in the formula itself or in what it takes in: `name` says which. */
  | { readonly kind: 'formula'; readonly at: PlanSource }
  | {
      readonly kind: 'molecule' | 'used formula' | 'extended formula' | 'aspect' | 'profile' | 'wf.yaml';
      readonly name: string;
      readonly at: PlanSource;
    }
  /** Nobody wrote it. */
  | { readonly kind: 'default' }
  /** It follows from something else: `why` says from what. */
  | { readonly kind: 'follows'; readonly why: string; readonly at?: PlanSource };

/** One effective value, under the key as an author writes it: `env.CI`, `verify[0]`, `retry`. */
export interface ExplainedValue {
  readonly key: string;
  /** In the form that it has in the plan. */
  readonly value: JsonValue;
  readonly from: Origin;
}

export interface ExplainedStep {
  /** As people name it: `release.build`. */
  readonly step: string;
  readonly at: PlanSource;
  readonly values: readonly ExplainedValue[];
}

export interface Explanation {
  readonly formula: string;
  readonly plan: string;
  /** Of the formula as a whole. */
  readonly values: readonly ExplainedValue[];
  /** In the order of the plan, those inside of groups below them. */
  readonly steps: readonly ExplainedStep[];
}

export type Explained =
  | { readonly ok: true; readonly explanation: Explanation }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      readonly sources: ReadonlyMap<string, string>;
    };

/**
 * Every effective value of a formula, and where it came from. Throws a `UserError` when the project has no formula of that
 * name, or no such profile.
 */
export async function explainFormula(loader: Loader, name: string, profile?: string): Promise<Explained> {
  const { plan, diagnostics, sources } = await compileFormula(
    loader,
    name,
    profile === undefined ? {} : { profile },
  );
  const project = await Project.open(loader);
  const content = (await project.closure(project.formulaFile(named(name))))?.content;
  if (!plan || content?.kind !== 'formula') return { ok: false, diagnostics, sources };
  const { value: resolved } = resolveFormula(content, project.library);
  const explainer = new Explainer(project, plan, resolved);
  return { ok: true, explanation: explainer.explain() };
}

/** The part of an explanation that is about one step and what it holds. Throws a {@link UserError} when there is none of that name. */
export function explainedStep(explanation: Explanation, path: string): Explanation {
  const steps = explanation.steps.filter(({ step }) => step === path || step.startsWith(`${path}.`));
  if (steps.length > 0) return { ...explanation, values: [], steps };
  const names = explanation.steps.map(({ step }) => step);
  throw new UserError(`formula "${explanation.formula}" has no step "${path}"`, {
    hint: suggest(path, names) ?? `there are: ${names.slice(0, 20).join(', ')}`,
  });
}

class Explainer {
  readonly #plan: Plan;
  readonly #resolved: ResolvedFormula;
  readonly #project: Project;
  readonly #place: (span: Span) => PlanSource;

  constructor(project: Project, plan: Plan, resolved: ResolvedFormula) {
    this.#project = project;
    this.#plan = plan;
    this.#resolved = resolved;
    this.#place = sourcePlaces(project.sources);
  }

  explain(): Explanation {
    return {
      formula: this.#plan.formula,
      plan: this.#plan.plan,
      values: this.#ofFormula(),
      steps: this.#ofSteps(this.#resolved, this.#plan, ''),
    };
  }

  #ofFormula(): readonly ExplainedValue[] {
    const { inputs, outputs, env, workspace, budget, concurrency, profile } = this.#plan;
    const { formula } = this.#resolved;
    const written = (key: string, value: unknown, span: Span): ExplainedValue => ({
      key,
      value: value as JsonValue,
      from: this.#written(span, this.#resolved),
    });
    const settings = this.#project.settings;
    const known = settings === 'broken' ? undefined : settings;
    const chosen = profile === undefined ? undefined : known?.profiles.get(profile);
    const fromSettings = (name: string): Origin => {
      const own = chosen?.env?.find(({ value }) => value === name);
      const shared = known?.env.find(({ value }) => value === name);
      if (own) return { kind: 'profile', name: String(profile), at: this.#place(own.span) };
      return shared
        ? { kind: 'wf.yaml', name: 'wf.yaml', at: this.#place(shared.span) }
        : { kind: 'default' };
    };
    return [
      ...formula.inputs.map(({ name }) =>
        written(`inputs.${name.value}`, inputs[name.value] ?? true, name.span),
      ),
      ...(env ?? []).map((name) => ({ key: 'env', value: name, from: fromSettings(name) })),
      formula.workspace
        ? written('workspace', workspace, formula.workspace.span)
        : { key: 'workspace', value: workspace.from, from: { kind: 'default' } },
      ...(budget && formula.budget ? [written('budget', budget, formula.budget.span)] : []),
      ...(concurrency && formula.concurrency
        ? [written('concurrency', concurrency, formula.concurrency.span)]
        : []),
      ...formula.outputs.map(({ name }) =>
        written(`outputs.${name.value}`, outputs?.[name.value] ?? null, name.span),
      ),
    ];
  }

  #ofSteps(
    resolved: ResolvedFormula,
    plan: { readonly steps: readonly PlanStep[]; readonly finally?: readonly PlanStep[] },
    prefix: string,
  ): readonly ExplainedStep[] {
    const all = [...plan.steps, ...(plan.finally ?? [])];
    return [...resolved.steps, ...resolved.finally].flatMap((step, at) => {
      const lowered = all[at];
      if (lowered?.id !== step.step.id.value)
        throw new Error('the steps of a plan are not those of its formula');
      const path = `${prefix}${lowered.id}`;
      const isLast = at >= resolved.steps.length;
      return [
        {
          step: path,
          at: this.#place(step.step.id.span),
          values: this.#ofStep(
            step,
            lowered,
            resolved,
            isLast ? resolved.finally[at - resolved.steps.length - 1] : undefined,
          ),
        },
        ...(step.group && lowered.action.kind === 'group'
          ? this.#ofSteps(step.group, lowered.action, `${path}.`)
          : []),
      ];
    });
  }

  #ofStep(
    step: ResolvedStep,
    plan: PlanStep,
    resolved: ResolvedFormula,
    above: ResolvedStep | undefined,
  ): readonly ExplainedValue[] {
    const { body } = step;
    const at = (span: Span): Origin => this.#written(span, resolved, step);
    const keyed = (key: string, value: unknown): ExplainedValue[] => {
      if (value === undefined) return [];
      const span = body.keys.get(key);
      return [{ key, value: value as JsonValue, from: span ? at(span) : { kind: 'default' } }];
    };
    const effects = effectsOf(body);
    return [
      ...keyed('title', plan.title),
      ...(plan.tags ?? []).map((tag) => ({ key: 'tags', value: tag, from: this.#tag(tag, step, at) })),
      ...plan.needs.map((need) => ({
        key: 'needs',
        value: need,
        from: this.#need(need, step, resolved, above),
      })),
      ...this.#condition(step, plan, at),
      ...keyed('for_each', plan.forEach),
      ...(plan.forEach === undefined
        ? []
        : [...keyed('parallel', plan.parallel ?? 1), ...keyed('join', plan.join ?? 'all')]),
      ...keyed('repeat', plan.repeat),
      ...keyed('uses', step.step.uses?.value),
      ...(step.step.with?.entries ?? []).map(({ name }) => ({
        key: `with.${name.value}`,
        value: plan.with?.[name.value] ?? null,
        from: at(name.span),
      })),
      ...this.#action(plan.action, step, at),
      ...body.env.map(({ value: { name } }) => ({
        key: `env.${name.value}`,
        value: plan.env?.[name.value] ?? '',
        from: at(name.span),
      })),
      ...body.secrets.map(({ name, secret }) => ({
        key: `secrets.${name.value}`,
        value: secret.value,
        from: at(name.span),
      })),
      ...(plan.action.kind === 'run' || plan.action.kind === 'agent' ? keyed('effects', effects) : []),
      ...(body.outputs?.declarations ?? []).map(({ name }) => ({
        key: `outputs.${name.value}`,
        value: plan.outputs?.[name.value] ?? true,
        from: at(name.span),
      })),
      ...(plan.verify ?? []).map((check, index) => {
        const owned = body.verify[index];
        return {
          key: `verify[${index}]`,
          value: check as unknown as JsonValue,
          from: owned
            ? at(owned.value.span)
            : ({ kind: 'follows', why: 'it says that it changes no files (`effects`)' } as const),
        };
      }),
      ...keyed('retry', plan.retry),
      ...keyed('timeout', plan.timeout),
      ...keyed('budget', plan.budget),
      ...keyed('once', plan.once),
      ...keyed('cache', plan.cache && { files: plan.cache.files }),
      ...keyed('on_failure', plan.onFailure ?? 'stop'),
      ...keyed('concurrency', plan.concurrency),
      ...keyed('workspace', plan.workspace),
      ...(step.woven ? [{ key: 'target', value: plan.target ?? '', from: this.#match(step) }] : []),
    ];
  }

  #action(action: PlanAction, step: ResolvedStep, at: (span: Span) => Origin): readonly ExplainedValue[] {
    const { body } = step;
    switch (action.kind) {
      case 'group':
        return [];
      case 'run': {
        const { kind: _, exit, parse, ...command } = action;
        const text =
          body.action?.kind === 'run' && body.action.command.kind === 'bash'
            ? body.action.command.script.text
            : command;
        const exits = body.keys.get('exit');
        const parses = body.keys.get('parse');
        return [
          { key: 'run', value: text, from: at(body.keys.get('run') ?? step.step.span) },
          { key: 'exit', value: exit ?? [0], from: exits ? at(exits) : { kind: 'default' } },
          ...(parse ? [{ key: 'parse', value: parse, from: at(parses ?? step.step.span) }] : []),
        ];
      }
      case 'agent': {
        const written = body.action?.kind === 'agent' ? body.action : undefined;
        const span = body.keys.get('agent') ?? step.step.span;
        const own = (name: string, value: unknown, place: Span | undefined): ExplainedValue[] =>
          value === undefined
            ? []
            : [
                {
                  key: `agent.${name}`,
                  value: value as JsonValue,
                  from: place ? at(place) : { kind: 'default' },
                },
              ];
        const { model } = action;
        const keys = written?.keys;
        return [
          ...own('model', model.role, written?.model.span ?? span),
          { key: 'agent.model.id', value: model.id, from: this.#model(model.role, 'id') },
          ...(model.effort === undefined
            ? []
            : [
                {
                  key: 'agent.effort',
                  value: model.effort,
                  from: written?.effort ? at(written.effort.span) : this.#model(model.role, 'effort'),
                },
              ]),
          ...own('system', action.system, keys?.get('system') ?? span),
          ...own('prompt', action.prompt, keys?.get('prompt') ?? span),
          ...own('max_turns', action.maxTurns, keys?.get('max_turns')),
          ...own('max_output_tokens', action.maxOutputTokens, keys?.get('max_output_tokens')),
          ...own('context_tokens', action.contextTokens, keys?.get('context_tokens')),
          ...body.tools.map(({ server, name }) => ({
            key: 'tools',
            value: `${server}/${name}`,
            from: at(keys?.get('tools') ?? span),
          })),
        ];
      }
      case 'approve': {
        const { kind: _, by, ...question } = action;
        const span = body.keys.get('approve') ?? step.step.span;
        return [
          { key: 'approve', value: question, from: at(span) },
          ...Object.entries(by ?? {}).map(([group, members]) => ({
            key: `approve.by.${group}`,
            value: members,
            from: this.#people(group),
          })),
        ];
      }
      case 'wait': {
        const { kind: _, ...wait } = action;
        return [
          {
            key: 'wait',
            value: wait,
            from: at(body.keys.get('wait') ?? step.step.span),
          },
        ];
      }
    }
  }

  /** Groups of people are those of the profile, or of wf.yaml. */
  #people(group: string): Origin {
    const settings = this.#project.settings;
    const known = settings === 'broken' ? undefined : settings;
    const { profile } = this.#plan;
    const own = profile === undefined ? undefined : known?.profiles.get(profile)?.people.get(group);
    if (own) return { kind: 'profile', name: String(profile), at: this.#place(own.span) };
    const shared = known?.people.get(group);
    return shared ? { kind: 'wf.yaml', name: 'wf.yaml', at: this.#place(shared.span) } : { kind: 'default' };
  }

  /** The model that has a role is the profile's, or that of wf.yaml. */
  #model(role: string, key: string): Origin {
    const settings = this.#project.settings;
    const known = settings === 'broken' ? undefined : settings;
    const { profile } = this.#plan;
    const own = profile === undefined ? undefined : known?.profiles.get(profile)?.models.get(role);
    const place = (own ?? known?.models.get(role))?.keys.get(key);
    if (!place) return { kind: 'default' };
    return own
      ? { kind: 'profile', name: String(profile), at: this.#place(place) }
      : { kind: 'wf.yaml', name: 'wf.yaml', at: this.#place(place) };
  }

  #tag(tag: string, step: ResolvedStep, at: (span: Span) => Origin): Origin {
    const { molecule } = step;
    const span =
      molecule?.body.tags.includes(tag) || molecule?.tags.includes(tag)
        ? (molecule.body.keys.get('tags') ?? molecule.span)
        : (step.step.body.keys.get('tags') ?? step.step.span);
    return at(span);
  }

  #condition(step: ResolvedStep, plan: PlanStep, at: (span: Span) => Origin): readonly ExplainedValue[] {
    if (plan.when === undefined) return [];
    const { woven } = step;
    const own = step.step.body.keys.get('when');
    if (!woven?.target.step.when)
      return [{ key: 'when', value: plan.when, from: own ? at(own) : { kind: 'default' } }];
    const why = `it runs when "${woven.target.step.id.value}" does${own ? ', and under its own condition' : ''}`;
    return [
      {
        key: 'when',
        value: plan.when,
        from: { kind: 'follows', why, at: this.#place(woven.target.step.when.span) },
      },
    ];
  }

  /** Why a step waits for another one. */
  #need(
    need: string,
    step: ResolvedStep,
    resolved: ResolvedFormula,
    above: ResolvedStep | undefined,
  ): Origin {
    if (above) return { kind: 'follows', why: 'steps of `finally` run as they are written' };
    const read = [...textsOf(step)]
      .filter(({ owner }) => owner === 'step' || !step.molecule)
      .flatMap(referencesOf)
      .find(({ path: [root, name] }) => {
        if (root === 'target') return step.woven?.target.step.id.value === need;
        const id = step.woven ? step.woven.beside.get(String(name)) : name;
        return root === 'steps' && id === need;
      });
    if (read) return { kind: 'follows', why: `it reads steps.${need}`, at: this.#place(read.span) };
    const written = step.step.needs?.find(({ value }) => value === need);
    if (written && written.span !== step.step.id.span) return this.#written(written.span, resolved, step);
    const other = resolved.steps.find((one) => one.step.id.value === need);
    const { place } = step.step;
    if (place?.side === 'after' && place.id.value === need)
      return this.#written(place.id.span, resolved, step);
    const around = other?.step.place;
    if (around?.side === 'before' && around.id.value === step.step.id.value)
      return { kind: 'follows', why: `"${need}" goes before it`, at: this.#place(around.id.span) };
    const put = step.woven ?? other?.woven;
    if (put)
      return {
        kind: 'follows',
        why: `aspect "${put.aspect}" is woven in`,
        at: this.#place((step.woven ? step : (other ?? step)).step.id.span),
      };
    return { kind: 'follows', why: `"${need}" stands above it` };
  }

  #match(step: ResolvedStep): Origin {
    const { aspect = '' } = step.woven ?? {};
    return { kind: 'aspect', name: aspect, at: this.#place(step.step.id.span) };
  }

  /** Whose text a place is in. */
  #written(span: Span, resolved: ResolvedFormula, step?: ResolvedStep): Origin {
    const at = this.#place(span);
    const { molecule, woven } = step ?? {};
    if (molecule?.file === span.file) return { kind: 'molecule', name: molecule.name.value, at };
    if (woven) return { kind: 'aspect', name: woven.aspect, at };
    const name = span.file.replace(/^.*\/|\.yaml$/g, '');
    if (span.file !== resolved.formula.file) return { kind: 'extended formula', name, at };
    return resolved === this.#resolved ? { kind: 'formula', at } : { kind: 'used formula', name, at };
  }
}
