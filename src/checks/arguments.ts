import type { Span } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import { isAssignable } from '../formula/assignable.ts';
import type { Declaration, TemplatedValue, WithArgument } from '../formula/formula.ts';
import type { ResolvedStep } from '../formula/resolve.ts';
import { explainMisfit } from '../formula/misfit.ts';
import { showKind, showType } from '../formula/show-type.ts';
import { checkTemplate } from '../formula/template.ts';
import { membersOf } from '../formula/read-type.ts';
import { typeOf } from '../formula/type-of-schema.ts';
import type { ObjectType, Scope, Type } from '../formula/types.ts';
import { compileSchema } from '../schema/validate-value.ts';
import { typeHelp } from '../schema/words.ts';
import { nodeAt, toJson } from '../source/source-document.ts';
import type { JsonSchema } from '../support/json.ts';
import type { Check, CheckFinding, Subject } from './check.ts';

/** What the step's `uses` asks for; undefined when it uses nothing that was found. */
function asked(
  step: ResolvedStep,
): { readonly inputs: readonly Declaration[]; readonly name: string } | undefined {
  if (step.molecule) return { inputs: step.molecule.inputs, name: `molecule "${step.molecule.name.value}"` };
  if (step.group)
    return { inputs: step.group.formula.inputs, name: `formula "${step.group.formula.name.value}"` };
  return undefined;
}

function* usesOf(subject: Subject) {
  if (subject.kind === 'molecule') return;
  for (const step of subject.steps) {
    const target = asked(step);
    if (target) yield { step, target, given: step.step.with?.entries ?? [] };
  }
}

export const unknownArgument: Check = {
  rule: 'unknown-argument',
  summary: 'Every name under `with` is an input of what the step uses.',

  *run(subject) {
    for (const { target, given } of usesOf(subject)) {
      const names = target.inputs.map((input) => input.name.value);
      for (const { name } of given) {
        if (names.includes(name.value)) continue;
        yield {
          span: name.span,
          message: `${target.name} has no input "${name.value}"`,
          ...(misspelling(name.value, names) ?? {
            help: names.length === 0 ? 'it has no inputs at all' : `its inputs are ${names.join(', ')}`,
          }),
        };
      }
    }
  },
};

export const missingArgument: Check = {
  rule: 'missing-argument',
  summary: 'Every input without a default is given by the step that uses it.',

  *run(subject) {
    for (const { step, target, given } of usesOf(subject)) {
      const names = given.map((argument) => argument.name.value);
      const missing = target.inputs.filter((input) => !input.default && !names.includes(input.name.value));
      if (missing.length === 0) continue;
      const list = missing.map((input) => `"${input.name.value}"`).join(', ');
      yield {
        span: step.step.uses?.span ?? step.step.id.span,
        message: `${target.name} asks for ${missing.length === 1 ? 'input' : 'inputs'} ${list}, and step "${step.step.id.value}" does not give ${missing.length === 1 ? 'it' : 'them'}`,
        help: `add \`with: {${missing.map((input) => `${input.name.value}: …`).join(', ')}}\``,
        related: missing.map((input) => ({
          message: `"${input.name.value}" is declared here, without a default`,
          span: input.name.span,
        })),
      };
    }
  },
};

export const argumentType: Check = {
  rule: 'argument-type',
  summary: 'What `with` gives fits the schema of the input.',

  *run(subject) {
    for (const { step, target, given } of usesOf(subject)) {
      const scope = remembered(() =>
        subject.scopes.of({ owner: 'step', sees: { loop: true, outputs: false, event: false } }, step),
      );
      for (const argument of given) {
        const input = target.inputs.find((candidate) => candidate.name.value === argument.name.value);
        if (!input) continue;
        const what = `input "${argument.name.value}" of ${target.name}`;
        const problems = isLiteral(argument.value)
          ? literalProblems(argument, input, what)
          : typeProblems(argument.value, typeOf(input.schema), what, scope);
        for (const problem of problems) {
          yield {
            ...problem,
            related: [{ message: `"${input.name.value}" is declared here`, span: input.name.span }],
          };
        }
      }
    }
  },
};

function remembered<T>(compute: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= compute());
}

function isLiteral(value: TemplatedValue): boolean {
  switch (value.kind) {
    case 'literal':
      return true;
    case 'template':
      return value.template.literal;
    case 'list':
      return value.items.every(isLiteral);
    case 'map':
      return value.entries.every((entry) => isLiteral(entry.value));
  }
}

type Problem = Pick<CheckFinding, 'span' | 'message' | 'help' | 'misspelt'>;

/** A value without placeholders is known, and is held against the whole schema. */
function* literalProblems(argument: WithArgument, input: Declaration, what: string): Generator<Problem> {
  for (const { path, message } of compileSchema(input.schema, argument.name.value)(toJson(argument.node))) {
    const types = typesIn(input.schema);
    yield {
      span: nodeAt(argument.node, path).span,
      message: `${what} does not take this value: ${message}`,
      help: path.length === 0 && types.length > 0 ? typeHelp(types, argument.node, '') : undefined,
    };
  }
}

function typesIn(schema: JsonSchema): readonly string[] {
  const type = typeof schema === 'object' ? schema['type'] : undefined;
  return typeof type === 'string' ? [type] : Array.isArray(type) ? type.map(String) : [];
}

/** Of a value with placeholders the types are known, down to the items of lists and the properties of maps. */
function* typeProblems(
  value: TemplatedValue,
  wanted: Type,
  what: string,
  scope: () => Scope,
): Generator<Problem> {
  switch (value.kind) {
    case 'literal':
      yield* misfit(value.span, literalType(value.value), wanted, what);
      return;
    case 'template': {
      const { template } = value;
      const type = checkTemplate(template, scope()).type;
      yield* misfit(value.span, type, wanted, what, !template.literal && !template.whole);
      return;
    }
    case 'list': {
      const list = membersOf(wanted).find((member) => member.kind === 'list');
      if (!list) yield* misfit(value.span, { kind: 'list', items: { kind: 'any' } }, wanted, what);
      else {
        for (const [index, item] of value.items.entries())
          yield* typeProblems(item, list.items, `item ${index + 1} of ${what}`, scope);
      }
      return;
    }
    case 'map': {
      const objects = membersOf(wanted).filter((member) => member.kind === 'object');
      const [object] = objects;
      if (!object) {
        yield* misfit(
          value.span,
          { kind: 'object', properties: new Map(), rest: { kind: 'any' } },
          wanted,
          what,
        );
      } else if (objects.length === 1) yield* propertyProblems(value, object, what, scope);
    }
  }
}

function* propertyProblems(
  value: Extract<TemplatedValue, { kind: 'map' }>,
  wanted: ObjectType,
  what: string,
  scope: () => Scope,
): Generator<Problem> {
  const given = new Set(value.entries.map(({ key }) => key.value));
  const missing = [...wanted.properties].filter(([name, { required }]) => required && !given.has(name));
  if (missing.length > 0) {
    yield { span: value.span, message: `${what} lacks ${missing.map(([name]) => `"${name}"`).join(', ')}` };
  }
  for (const { key, value: inner } of value.entries) {
    const type = wanted.properties.get(key.value)?.type ?? wanted.rest;
    if (type) yield* typeProblems(inner, type, `"${key.value}" of ${what}`, scope);
    else {
      const names = [...wanted.properties.keys()];
      yield { span: key.span, message: `${what} has no "${key.value}"`, ...misspelling(key.value, names) };
    }
  }
}

function* misfit(span: Span, given: Type, wanted: Type, what: string, isText = false): Generator<Problem> {
  if (isAssignable(given, wanted)) return;
  const inner = explainMisfit(given, wanted);
  if (inner) {
    yield {
      span,
      message: `${what} takes ${wanted.kind === 'list' ? 'a ' : ''}${showType(wanted)}, and here ${inner.why}`,
      help: inner.help,
    };
    return;
  }
  const [asked, found] = [showKind(wanted), showKind(given)];
  const isClear = asked !== found;
  yield {
    span,
    message: `${what} takes ${isClear ? asked : showType(wanted)}, and this is ${isClear ? found : showType(given)}`,
    help: isText ? 'a string that is one `{{…}}` and nothing else passes the value with its type' : undefined,
  };
}

function literalType(value: number | boolean | null): Type {
  if (value === null) return { kind: 'null' };
  if (typeof value === 'boolean') return { kind: 'bool', values: [value] };
  return { kind: Number.isInteger(value) ? 'int' : 'number', values: [value] };
}
