import type { Expression } from './expression.ts';
import type { Command, Concurrency, TemplatedValue, VerifyCheck, Wait, Workspace } from './formula.ts';
import type { Owned, ResolvedStep } from './resolve.ts';
import type { Reference } from './reference.ts';
import type { Template } from './template.ts';
import type { JsonSchema } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';

/** A template or expression of a step, with what it may see and what it has to be. */
export type TextUse = {
  /** Whose `inputs` it reads. */
  readonly owner: 'step' | 'molecule';
  readonly sees: Sees;
} & (
  | {
      readonly kind: 'template';
      readonly template: Template;
      readonly use: TemplateUse;
      readonly place?: TextPlace;
    }
  | { readonly kind: 'expression'; readonly expression: Expression; readonly expected: Expected }
);

export type Expected = 'bool' | 'list' | 'int' | 'any';

export type TemplateUse =
  | 'text'
  /** A bash script: every placeholder has to be safe where it stands. */
  | 'bash'
  /** Code that no value may enter. */
  | 'code'
  /** A value passed on with its type. */
  | 'value'
  /** The same, to an input that has a default. */
  | 'optional';

/**
 * What is there besides values when a text is rendered. `command`: files of the workspace, and a shell or an argument
 * list that takes the words of `{{args}}`; `environment`, `prompt`: files alone. Absent: neither.
 */
export type TextPlace = 'command' | 'environment' | 'prompt';

/** Names beyond `inputs`, `steps`, `run` and `profile`. */
export interface Sees {
  /** `item`, `index` and, in `repeat`, `previous`: everywhere inside of the loop. */
  readonly loop: boolean;
  /** The step's own outputs, after its action. */
  readonly outputs: boolean;
  /** An event, in `match` and `pass`. */
  readonly event: boolean;
  /** `score` and `verdict`, in a judge's `pass`. */
  readonly verdict?: true;
}

const OUTSIDE: Sees = { loop: false, outputs: false, event: false };
/** Where a step's own keys stand, inside its loops. */
export const INSIDE: Sees = { loop: true, outputs: false, event: false };
const AFTER: Sees = { loop: true, outputs: true, event: false };
const JUDGED: Sees = { ...AFTER, verdict: true };

/** Every template and expression of a step, in the order it is evaluated; those of the steps inside a group are not its own. */
export function* textsOf(resolved: ResolvedStep): Generator<TextUse> {
  const { step, molecule, group, body } = resolved;
  const mine = { owner: 'step' as const };
  if (step.when) yield expression(mine, OUTSIDE, step.when, 'bool');
  if (step.forEach?.kind === 'expression') yield expression(mine, OUTSIDE, step.forEach.expression, 'list');
  if (step.forEach?.kind === 'list') {
    for (const item of step.forEach.items) yield* templatesOf(mine, OUTSIDE, item);
  }
  if (step.join?.kind === 'quorum' && typeof step.join.quorum !== 'number') {
    yield expression(mine, OUTSIDE, step.join.quorum, 'int');
  }
  yield* concurrencyTexts(step.concurrency, INSIDE);
  const inputs = molecule?.inputs ?? group?.formula.inputs ?? [];
  for (const { name, value } of step.with?.entries ?? []) {
    const input = inputs.find((one) => one.name.value === name.value);
    // An absent value gives the input its default, so it may be absent.
    const optional = input?.default !== undefined;
    yield* templatesOf(mine, INSIDE, value, { optional, schema: input?.schema });
  }
  for (const { owner, value } of body.env)
    yield { owner, sees: INSIDE, kind: 'template', template: value.value, use: 'text', place: 'environment' };
  if (body.workspace) yield* workspaceTexts(body.workspace, INSIDE);
  const actor: Whose = { owner: molecule ? 'molecule' : 'step' };
  switch (body.action?.kind) {
    case 'run':
      yield* commandTexts(actor, INSIDE, body.action.command);
      break;
    case 'agent': {
      const text = { ...actor, sees: INSIDE, kind: 'template', use: 'text', place: 'prompt' } as const;
      if (body.action.system) yield { ...text, template: body.action.system };
      yield { ...text, template: body.action.prompt };
      break;
    }
    case 'approve':
      yield { ...actor, sees: INSIDE, kind: 'template', template: body.action.ask, use: 'text' };
      for (const shown of body.action.show) yield expression(actor, INSIDE, shown, 'any');
      break;
    case 'wait':
      yield* waitTexts(actor, INSIDE, body.action.wait);
      break;
    case undefined:
      break;
  }
  for (const check of body.verify) yield* checkTexts(check);
  if (step.repeat) yield expression(mine, AFTER, step.repeat.until, 'bool');
}

/** Everything a text reads. */
export function referencesOf(text: TextUse): readonly Reference[] {
  return text.kind === 'template' ? text.template.references : text.expression.references;
}

/** Templates of a workspace: of a formula (`sees` nothing of a step) or of a step. */
export function* workspaceTexts(
  { owner, value }: Owned<Workspace>,
  sees: Sees = OUTSIDE,
): Generator<TextUse> {
  const whose = { owner };
  if (typeof value.from === 'object') {
    yield { owner, sees, kind: 'template', template: value.from.git, use: 'text' };
    if (value.from.ref) yield { owner, sees, kind: 'template', template: value.from.ref, use: 'text' };
  }
  if (value.prepare) yield* commandTexts(whose, sees, value.prepare.run);
  for (const service of value.services) {
    yield* commandTexts(whose, sees, service.run);
    if (service.ready.kind === 'run') yield* commandTexts(whose, sees, service.ready.run);
    for (const entry of service.env)
      yield { owner, sees, kind: 'template', template: entry.value, use: 'text', place: 'environment' };
  }
}

/** The template of a concurrency group. */
export function* concurrencyTexts(
  concurrency: Concurrency | undefined,
  sees: Sees = OUTSIDE,
): Generator<TextUse> {
  if (concurrency) yield { owner: 'step', sees, kind: 'template', template: concurrency.group, use: 'text' };
}

interface Whose {
  readonly owner: 'step' | 'molecule';
}

function expression(whose: Whose, sees: Sees, value: Expression, expected: Expected): TextUse {
  return { ...whose, sees, kind: 'expression', expression: value, expected };
}

/** What takes a value: whether it can do without, and its schema. */
interface Taker {
  readonly optional: boolean;
  readonly schema: JsonSchema | undefined;
}

function* templatesOf(
  whose: Whose,
  sees: Sees,
  value: TemplatedValue,
  taker: Taker = { optional: false, schema: undefined },
): Generator<TextUse> {
  switch (value.kind) {
    case 'template': {
      const use = taker.optional && value.template.whole ? 'optional' : 'value';
      yield { ...whose, sees, kind: 'template', template: value.template, use };
      return;
    }
    case 'literal':
      return;
    case 'list': {
      const items = itemsOf(taker.schema);
      for (const item of value.items) yield* templatesOf(whose, sees, item, items);
      return;
    }
    case 'map':
      for (const { key, value: inner } of value.entries)
        yield* templatesOf(whose, sees, inner, propertyOf(taker.schema, key.value));
  }
}

// An absent entry is left out of its map, which is fine where the property is one that need not be there. In a list
// there is nothing to leave out. Only what the schema says itself counts, not what it refers to.
function propertyOf(schema: JsonSchema | undefined, name: string): Taker {
  if (!isJsonObject(schema) || !isJsonObject(schema['properties']))
    return { optional: false, schema: undefined };
  const { properties, required } = schema;
  const property = properties[name] as JsonSchema | undefined;
  const isPlain = !['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentRequired', 'minProperties'].some(
    (keyword) => keyword in schema,
  );
  const isRequired = Array.isArray(required) && required.includes(name);
  return { optional: isPlain && property !== undefined && !isRequired, schema: property };
}

function itemsOf(schema: JsonSchema | undefined): Taker {
  const items = isJsonObject(schema) ? (schema['items'] as JsonSchema | undefined) : undefined;
  return { optional: false, schema: items };
}

function* commandTexts(whose: Whose, sees: Sees, command: Command): Generator<TextUse> {
  const template = (value: Template, use: TemplateUse): TextUse => ({
    ...whose,
    sees,
    kind: 'template',
    template: value,
    use,
    place: 'command',
  });
  switch (command.kind) {
    case 'bash':
      yield template(command.script, 'bash');
      return;
    case 'argv':
      for (const word of command.words) yield template(word, 'text');
      return;
    case 'program':
      for (const word of command.args) yield template(word, 'text');
      yield template(command.script, 'code');
  }
}

function* waitTexts(whose: Whose, sees: Sees, wait: Wait): Generator<TextUse> {
  switch (wait.kind) {
    case 'for':
      return;
    case 'until':
      yield { ...whose, sees, kind: 'template', template: wait.until, use: 'text' };
      return;
    case 'event':
      if (wait.match) yield expression(whose, { ...sees, event: true }, wait.match, 'bool');
      if (wait.pass) yield expression(whose, { ...sees, event: true }, wait.pass, 'bool');
  }
}

function* checkTexts({ owner, value }: Owned<VerifyCheck>): Generator<TextUse> {
  const whose = { owner };
  switch (value.kind) {
    case 'run':
      yield* commandTexts(whose, AFTER, value.command);
      return;
    case 'check':
      yield expression(whose, AFTER, value.check, 'bool');
      return;
    case 'changes':
      for (const glob of [...(value.only ?? []), ...(value.never ?? [])]) {
        yield { owner, sees: AFTER, kind: 'template', template: glob, use: 'text' };
      }
      return;
    case 'judge':
      yield { owner, sees: AFTER, kind: 'template', template: value.rubric, use: 'text' };
      yield expression(whose, JUDGED, value.pass, 'bool');
      return;
    case 'wait':
      yield* waitTexts(whose, AFTER, value.wait);
  }
}
