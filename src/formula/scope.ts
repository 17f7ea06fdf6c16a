import type { Declaration } from './formula.ts';
import { checkExpression } from './expression.ts';
import type { ResolvedFormula, ResolvedStep, Woven } from './resolve.ts';
import type { TextUse } from './texts.ts';
import { typeOf } from './type-of-schema.ts';
import type { ObjectType, Property, Scope, Type } from './types.ts';

const ANY: Type = { kind: 'any' };
const INT: Type = { kind: 'int' };
const BOOL: Type = { kind: 'bool' };
const STRING: Type = { kind: 'string' };

/** What can be read where, in one formula. Built once; the types of steps and runs are shared by all texts. */
export interface FormulaScopes {
  /** For the text of a step, or of the formula itself when there is no step. */
  of(text: Pick<TextUse, 'owner' | 'sees'>, step: ResolvedStep | undefined): Scope;
  /** For formula `outputs`, which are read at a good end. */
  readonly end: Scope;
}

/** What a name means in every formula. */
export function formulaScopes(resolved: ResolvedFormula): FormulaScopes {
  const inputs = inputsType(resolved.formula.inputs);
  const steps: ObjectType = {
    ...stepsType(resolved.steps, undefined),
    elsewhere: new Map(
      resolved.finally.map(({ step }) => [
        step.id.value,
        'cannot be read here: it runs in `finally`, after all steps',
      ]),
    ),
  };
  const inFinally = stepsType(resolved.steps, 'the run may have ended before it');
  const during: Scope = new Map<string, Type>([
    ['inputs', inputs],
    ['steps', steps],
    ['run', runType(['running'])],
    ['profile', STRING],
  ]);
  const end: Scope = new Map<string, Type>([...during, ['run', runType(['succeeded'])]]);
  const after: Scope = new Map<string, Type>([
    ['inputs', inputs],
    ['steps', mergeSteps(inFinally, stepsType(resolved.finally, 'it may not have run'))],
    ['run', runType(['succeeded', 'failed', 'cancelled', 'handed_off'])],
    ['profile', STRING],
  ]);
  const late = new Set(resolved.finally);

  const inFormula = (
    { owner, sees }: Pick<TextUse, 'owner' | 'sees'>,
    step: ResolvedStep | undefined,
  ): Scope => {
    const base = step && late.has(step) ? after : step?.woven ? besideTarget(step, step.woven) : during;
    if (!step) return base;
    const scope = new Map(base);
    if (owner === 'molecule' && step.molecule) {
      // A molecule is written without knowing where it will stand: it sees what it was given, and nothing of the formula.
      scope.set('inputs', inputsType(step.molecule.inputs));
      scope.delete('steps');
      scope.delete('target');
    } else if (sees.loop) {
      if (step.step.forEach) {
        scope.set('item', itemType(step, base));
        scope.set('index', INT);
      }
      if (step.step.repeat) scope.set('previous', previousType(step));
    }
    if (sees.outputs) scope.set('outputs', outputsType(step));
    if (sees.event) scope.set('event', ANY);
    if (sees.verdict) {
      scope.set('score', INT);
      scope.set('verdict', STRING);
    }
    return scope.size === base.size && owner === 'step' ? base : scope;
  };
  /** What a step of an aspect sees: not the formula it was put into, which its author does not know. */
  const besideTarget = (step: ResolvedStep, { target, side, beside }: Woven): Scope => {
    const ids = new Map([...beside].map(([name, id]) => [id, name]));
    const siblings = resolved.steps.flatMap((one) => {
      const name = ids.get(one.step.id.value);
      return name === undefined || one === step ? [] : [[name, stepType(one, undefined)] as const];
    });
    return new Map<string, Type>([
      ['steps', object(siblings)],
      ['run', runType(['running'])],
      ['profile', STRING],
      ['target', targetType(target, side)],
    ]);
  };
  return { of: inFormula, end };
}

/** The step that another was put beside: its id, and once it has run all that is known of it. */
function targetType(target: ResolvedStep, side: 'before' | 'after'): Type {
  const id: [string, Type] = ['id', STRING];
  if (side === 'before') return object([id]);
  // What comes after a step is skipped with it.
  const ran = stepType({ ...target, step: { ...target.step, when: undefined } }, undefined);
  // An aspect does not know whether the run goes on after its target has failed, and may ask.
  const status: [string, Type] = ['status', { kind: 'string', values: ['succeeded', 'failed'] }];
  return ran.kind === 'object'
    ? { ...ran, properties: new Map([...ran.properties, ...object([id, status]).properties]) }
    : ran;
}

/** The type of `inputs`: a default makes a value that is always there. */
export function inputsType(declarations: readonly Declaration[]): ObjectType {
  return object(declarations.map(({ name, schema }) => [name.value, typeOf(schema)]));
}

/** The type of what one attempt of a step puts out. */
export function outputsType(resolved: ResolvedStep): ObjectType {
  const known = OUTPUTS.get(resolved);
  if (known) return known;
  const type = freshOutputsType(resolved);
  OUTPUTS.set(resolved, type);
  return type;
}

const OUTPUTS = new WeakMap<ResolvedStep, ObjectType>();

function freshOutputsType(resolved: ResolvedStep): ObjectType {
  const { body, group } = resolved;
  if (group) {
    const scope = formulaScopes(group).end;
    return object(
      group.formula.outputs.map(({ name, value }) => [name.value, checkExpression(value, scope).type]),
    );
  }
  const declared = (body.outputs?.declarations ?? []).map(({ name, schema }): [string, Type] => [
    name.value,
    typeOf(schema),
  ]);
  switch (body.action?.kind) {
    case 'run': {
      const parsed: [string, Type][] = body.parse ? [['value', ANY]] : [];
      const streams: [string, Type][] = [
        ['stdout', STRING],
        ['stderr', STRING],
        ['exit_code', INT],
      ];
      // `parse: json` without a declaration: whatever the command prints.
      return object(
        [...streams, ...parsed, ...declared],
        body.parse && declared.length === 0 ? ANY : undefined,
      );
    }
    case 'agent':
      return object(declared);
    case 'approve':
      return object([
        ['decision', { kind: 'string', values: ['approved', 'rejected'] }],
        ['by', STRING],
        ['comment', STRING],
        ...declared,
      ]);
    case 'wait':
      return object([
        ...(body.action.wait.kind === 'event' ? [['event', ANY] as [string, Type]] : []),
        ...declared,
      ]);
    case undefined:
      // What it uses was not found, and that is reported there.
      return object(declared, ANY);
  }
}

/** Why a step may have no outputs, in words that follow "may be absent:". */
function absence(resolved: ResolvedStep): string | undefined {
  const id = resolved.step.id.value;
  if (resolved.step.when) return `step "${id}" is skipped when its \`when\` is false`;
  if (resolved.step.onFailure?.value === 'continue')
    return `step "${id}" may fail and the run goes on (\`on_failure: continue\`)`;
  return undefined;
}

/** @param ended why any of them may be absent when the run has ended; `undefined`: read by a step after them */
function stepsType(steps: readonly ResolvedStep[], ended: string | undefined): ObjectType {
  return object(steps.map((resolved) => [resolved.step.id.value, stepType(resolved, ended)]));
}

const ALL_ENDS = ['succeeded', 'failed', 'skipped', 'cancelled'];

/** How a step may have ended when another one reads it: after any other end nothing new starts. */
function endsOf({ step }: ResolvedStep): readonly string[] {
  return [
    'succeeded',
    ...(step.onFailure?.value === 'continue' ? ['failed'] : []),
    ...(step.when ? ['skipped'] : []),
  ];
}

function stepType(resolved: ResolvedStep, ended: string | undefined): Type {
  const because = ended ?? absence(resolved);
  if (resolved.step.broken) return ANY;
  const outputs = outputsType(resolved);
  const looped = resolved.step.forEach !== undefined;
  const error = optional(errorType(), `step "${resolved.step.id.value}" may not have failed`);
  const properties: [string, Type | Property][] = [
    [
      'outputs',
      looped ? { kind: 'list', items: outputs } : because === undefined ? outputs : absent(outputs, because),
    ],
    ['status', { kind: 'string', values: ended === undefined ? endsOf(resolved) : ALL_ENDS }],
    ['attempts', INT],
    ['iterations', INT],
    ['cached', BOOL],
    ['error', error],
  ];
  if (looped) {
    const item = object([
      ['item', ANY],
      ['status', { kind: 'string', values: ALL_ENDS }],
      ['outputs', absent(outputs, 'the item may not have succeeded')],
      ['error', optional(errorType(), 'the item may not have failed')],
    ]);
    properties.push(['items', { kind: 'list', items: item }]);
  }
  return object(properties);
}

function itemType(resolved: ResolvedStep, scope: Scope): Type {
  const forEach = resolved.step.forEach;
  if (forEach?.kind !== 'expression') return literalItems(forEach);
  const { type } = checkExpression(forEach.expression, scope, 'list');
  return type.kind === 'list' ? type.items : ANY;
}

/** A list written out: strings if all are, else whatever they are. */
function literalItems(forEach: ResolvedStep['step']['forEach']): Type {
  if (forEach?.kind !== 'list') return ANY;
  const strings = forEach.items.every((item) => item.kind === 'template' && !item.template.whole);
  return strings && forEach.items.length > 0 ? STRING : ANY;
}

function previousType(resolved: ResolvedStep): Type {
  return object([['outputs', absent(outputsType(resolved), 'the first iteration has none before it')]]);
}

function runType(statuses: readonly string[]): Type {
  const properties: [string, Type | Property][] = [
    ['id', STRING],
    ['formula', STRING],
    ['branch', STRING],
    ['base', STRING],
    ['diff', STRING],
    ['changed_files', { kind: 'list', items: STRING }],
    ['status', { kind: 'string', values: statuses }],
  ];
  if (statuses.includes('failed'))
    properties.push(['error', optional(errorType(), 'the run may not have failed')]);
  return object(properties);
}

function errorType(): Type {
  return object([
    ['kind', STRING],
    ['message', STRING],
  ]);
}

function object(properties: readonly (readonly [string, Type | Property])[], rest?: Type): ObjectType {
  return {
    kind: 'object',
    rest,
    properties: new Map(
      properties.map(([name, type]) => [name, 'kind' in type ? { type, required: true } : type]),
    ),
  };
}

function optional(type: Type, because: string): Property {
  return { type, required: false, because };
}

/** The same object, any of whose properties may be missing. */
function absent(type: ObjectType, because: string): ObjectType {
  return {
    ...type,
    properties: new Map(
      [...type.properties].map(([name, { type: inner }]) => [name, optional(inner, because)]),
    ),
  };
}

function mergeSteps(first: ObjectType, second: ObjectType): ObjectType {
  return { ...first, properties: new Map([...first.properties, ...second.properties]) };
}
