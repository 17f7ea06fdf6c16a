import { evaluateExpression } from '../formula/evaluate-expression.ts';
import { evaluateTemplate, RenderError, renderTemplate } from '../formula/render-template.ts';
import type { RenderWorld } from '../formula/render-template.ts';
import type { StateId, StepError } from '../journal/event.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { Engine } from './engine.ts';
import type { Frame } from './frame.ts';
import type { Result } from './result.ts';
import type { WorkPlace } from './work-place.ts';
import type { World } from './world.ts';

/** A value, or why there is none, in the author's names. */
export type Evaluated<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

/** What the names of a run hold. */
export class Scopes {
  readonly #plan: Plan;
  readonly #engine: Engine;
  readonly #world: World;
  readonly #endings = new WeakMap<Frame, { readonly status: string; readonly error?: StepError }>();

  constructor(plan: Plan, engine: Engine, world: World) {
    this.#plan = plan;
    this.#engine = engine;
    this.#world = world;
  }

  /** The names of a formula, outside of any step. */
  bare(frame: Frame): Scoped {
    return new Scoped(frame, frame.workspace, frame.inputs, {});
  }

  /** The names of a step; one that an aspect has put there sees what it is beside as `target`. */
  of(frame: Frame, { target, beside = {} }: PlanStep): Scoped {
    const bare = this.bare(frame);
    if (target === undefined) return bare;
    const { values } = frame;
    const siblings = Object.entries(beside).flatMap(([name, id]) =>
      values[id] === undefined ? [] : [[name, values[id]] as const],
    );
    return bare.with({
      target: { ...(values[target] as JsonObject | undefined), id: target },
      beside: Object.fromEntries(siblings),
    });
  }

  /** In `finally`, `run` tells how the end is going to be. */
  end(frame: Frame, coming: Result): void {
    const handedOff = !coming.ok && coming.inside?.handoff === true;
    const status = coming.ok
      ? 'succeeded'
      : coming.error.kind === 'cancelled'
        ? 'cancelled'
        : handedOff
          ? 'handed_off'
          : 'failed';
    this.#endings.set(frame, { status, ...(!coming.ok && { error: coming.error }) });
  }

  /**
   * The values that a text may read. What is costly to know of a run is worked out only for a text that names it.
   */
  async values(text: string, scoped: Scoped, state: StateId): Promise<JsonObject> {
    const { base, branch } = this.#world.workspace;
    const { workspace } = scoped;
    const ending = this.#endings.get(scoped.frame);
    const run: Record<string, JsonValue> = {
      id: this.#engine.run,
      formula: this.#plan.formula,
      branch: branch ?? '',
      base: base ?? '',
      status: ending?.status ?? 'running',
      ...(ending?.error && { error: { ...ending.error } }),
    };
    if (/\bdiff\b/.test(text))
      run['diff'] = await this.#engine.unrecorded(() => workspace.diff(workspace.initial, state));
    if (/\bchanged_files\b/.test(text)) {
      const changes = await this.#engine.unrecorded(() => workspace.changes(workspace.initial, state));
      run['changed_files'] = changes.map((change) => change.path);
    }
    return { ...scoped.values, run, profile: this.#plan.profile ?? '' };
  }
}

/** The names that one place in a plan sees. */
export class Scoped {
  readonly frame: Frame;
  /** Whose changes `run.diff` means here. */
  readonly workspace: WorkPlace;
  /** What `inputs` means here. */
  readonly inputs: JsonObject;
  readonly #others: JsonObject;

  constructor(frame: Frame, workspace: WorkPlace, inputs: JsonObject, others: JsonObject) {
    this.frame = frame;
    this.workspace = workspace;
    this.inputs = inputs;
    this.#others = others;
  }

  get values(): JsonObject {
    return { inputs: this.inputs, steps: this.frame.values, ...this.#others };
  }

  with(more: JsonObject): Scoped {
    return new Scoped(this.frame, this.workspace, this.inputs, { ...this.#others, ...more });
  }

  /** Inside of what a step uses: `inputs` are what it was given, `caller` those around it. */
  bind(inputs: JsonObject): Scoped {
    return new Scoped(this.frame, this.workspace, inputs, { ...this.#others, caller: this.inputs });
  }

  /** In another workspace. */
  in(workspace: WorkPlace): Scoped {
    return new Scoped(this.frame, workspace, this.inputs, this.#others);
  }

  /** Runs a computation over values and turns what a value can cause into a message. */
  attempt<T>(compute: () => T): Evaluated<T> {
    try {
      return { ok: true, value: compute() };
    } catch (error) {
      return { ok: false, message: messageOf(error) };
    }
  }
}

/** Evaluates an expression. */
export async function evaluate(
  text: string,
  scoped: Scoped,
  scopes: Scopes,
  state: StateId,
): Promise<Evaluated<JsonValue>> {
  const values = await scopes.values(text, scoped, state);
  return scoped.attempt(() => evaluateExpression(text, values));
}

/** Renders a template as text. */
export async function render(
  text: string,
  scoped: Scoped,
  scopes: Scopes,
  state: StateId,
  world: RenderWorld = NO_FILES,
): Promise<Evaluated<string>> {
  if (!text.includes('{{')) return { ok: true, value: text };
  const values = await scopes.values(text, scoped, state);
  return scoped.attempt(() => renderTemplate(text, values, world));
}

/** Evaluates JSON in which strings are templates; what is absent is undefined. */
export async function evaluateJson(
  value: JsonValue,
  scoped: Scoped,
  scopes: Scopes,
  state: StateId,
): Promise<Evaluated<JsonValue | undefined>> {
  const values = await scopes.values(JSON.stringify(value), scoped, state);
  return scoped.attempt(() => evaluateWith(value, { values }));
}

/** As {@link evaluateJson}, over values that are there. */
export function evaluateWith(value: JsonValue, { values }: Pick<Scoped, 'values'>): JsonValue | undefined {
  if (typeof value === 'string')
    return value.includes('{{') ? evaluateTemplate(value, values, NO_FILES) : value;
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).map((item) => evaluateWith(item, { values }) ?? null);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    const evaluated = evaluateWith(inner, { values });
    return evaluated === undefined ? [] : [[key, evaluated] as const];
  });
  return Object.fromEntries(entries);
}

/** Where no step is at work there is no file to read: which state of it would be meant? */
export const NO_FILES: RenderWorld = {
  readFile: (path) => {
    throw new RenderError(
      `{{file}} reads "${path}" from the workspace of a step, so it belongs in a command or a check`,
    );
  },
};

/** Errors that values cause carry their message in the author's names; anything else is ours and goes up. */
export function messageOf(error: unknown): string {
  if (error instanceof Error && ['RenderError', 'ExpressionError', 'RenderValueError'].includes(error.name))
    return error.message;
  throw error;
}
