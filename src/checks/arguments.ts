import { suggest } from '../diagnostics/suggest.ts';
import { isAssignable } from '../formula/assignable.ts';
import type { Declaration } from '../formula/formula.ts';
import type { ResolvedStep } from '../formula/resolve.ts';
import { showType } from '../formula/show-type.ts';
import { checkTemplate } from '../formula/template.ts';
import { typeOf } from '../formula/type-of-schema.ts';
import { compileSchema } from '../schema/validate-value.ts';
import { toJson } from '../source/source-document.ts';
import type { Check, Subject } from './check.ts';
import type { TemplatedValue, WithArgument } from '../formula/formula.ts';

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
          help:
            suggest(name.value, names) ??
            (names.length === 0 ? 'it has no inputs at all' : `its inputs are ${names.join(', ')}`),
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
      for (const argument of given) {
        const input = target.inputs.find((candidate) => candidate.name.value === argument.name.value);
        if (!input) continue;
        const problem = isLiteral(argument.value)
          ? literalProblem(argument, input)
          : typeProblem(argument, input, step, subject);
        if (!problem) continue;
        yield {
          span: argument.node.span,
          message: `input "${argument.name.value}" of ${target.name} ${problem}`,
          related: [{ message: `"${input.name.value}" is declared here`, span: input.name.span }],
        };
      }
    }
  },
};

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

function literalProblem(argument: WithArgument, input: Declaration): string | undefined {
  const [problem] = compileSchema(input.schema, argument.name.value)(toJson(argument.node));
  return problem && `does not take this value: ${problem.message}`;
}

function typeProblem(
  argument: WithArgument,
  input: Declaration,
  step: ResolvedStep,
  subject: Subject,
): string | undefined {
  if (argument.value.kind !== 'template') return undefined;
  const scope = subject.scopes.of(
    { owner: 'step', sees: { loop: true, outputs: false, event: false } },
    step,
  );
  const { type } = checkTemplate(argument.value.template, scope);
  const wanted = typeOf(input.schema);
  return isAssignable(type, wanted) ? undefined : `takes ${showType(wanted)}, and this is ${showType(type)}`;
}
