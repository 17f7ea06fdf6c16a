import type { Finding, Located, Span } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import type { Declaration, Formula, Molecule } from '../formula/formula.ts';
import type { Project } from '../formula/project.ts';
import type { ResolvedFormula, ResolvedStep } from '../formula/resolve.ts';
import { resolveFormula } from '../formula/resolve.ts';
import type { Named, Test, TestFile } from '../formula/test-file.ts';
import { stepIdOf, subjectOf, withoutItem } from '../formula/test-file.ts';
import { compileSchema } from '../schema/validate-value.ts';
import type { JsonValue } from '../support/json.ts';

/** What is wrong with a file of tests, seen from what it is about. */
export async function checkTestFile(project: Project, file: TestFile): Promise<readonly Finding[]> {
  const subject = subjectOf(file.file);
  const there = subject && (await project.closure(subject.path));
  if (!subject || !there) return [withoutSubject(file, subject?.path)];
  const { content } = there;
  if (content?.kind === 'aspect') return [withoutSubject(file, subject.path, true)];
  // What is wrong with the subject is told in its own file.
  if (content?.kind !== 'formula' && content?.kind !== 'molecule') return [];
  const subjectInputs =
    content.kind === 'formula'
      ? resolveFormula(content, project.library).value.formula.inputs
      : content.inputs;
  const steps = stepsOf(content, project);
  const names = new Set<string>();
  return file.tests.flatMap((test) => {
    const again = names.has(test.name.value);
    names.add(test.name.value);
    return [...(again ? [sameName(test.name)] : []), ...checkTest(test, subjectInputs, steps)];
  });
}

/** A step that a test can name, with what it declares to put out. */
interface KnownStep {
  readonly outputs: readonly Declaration[] | undefined;
}

function stepsOf(subject: Formula | Molecule, project: Project): ReadonlyMap<string, KnownStep> {
  if (subject.kind === 'molecule') {
    return new Map([[stepIdOf(subject.name.value), { outputs: subject.body.outputs?.declarations }]]);
  }
  const steps = new Map<string, KnownStep>();
  const visit = (formula: ResolvedFormula, prefix: string): void => {
    for (const step of [...formula.steps, ...formula.finally]) {
      const path = `${prefix}${step.step.id.value}`;
      steps.set(path, { outputs: outputsOf(step) });
      if (step.group) visit(step.group, `${path}.`);
    }
  };
  visit(resolveFormula(subject, project.library).value, '');
  return steps;
}

function outputsOf({ group, body }: ResolvedStep): readonly Declaration[] | undefined {
  return group ? undefined : body.outputs?.declarations;
}

function checkTest(
  test: Test,
  inputs: readonly Declaration[],
  steps: ReadonlyMap<string, KnownStep>,
): readonly Finding[] {
  const { stubs, answers, expect } = test;
  const mentioned: readonly Located<string>[] = [
    ...[...stubs, ...answers, ...expect.steps, ...expect.attempts, ...expect.results, ...expect.rendered].map(
      ({ name }) => name,
    ),
    ...(expect.started?.value ?? []).map((value) => ({ value, span: expect.started?.span as Span })),
  ];
  return [
    ...mentioned
      .filter(({ value }) => !steps.has(withoutItem(value)))
      .map((name) => unknownStep(name, steps)),
    ...checkInputs(test, inputs),
    ...stubs.flatMap(({ name, value }) => {
      const declared = steps.get(withoutItem(name.value))?.outputs;
      if (value === 'real' || !declared || declared.length === 0) return [];
      return value.flatMap((one) =>
        one.outputs ? checkOutputs(one.outputs.entries, declared, name.value) : [],
      );
    }),
  ];
}

function checkInputs({ inputs, name }: Test, declared: readonly Declaration[]): readonly Finding[] {
  const given = new Set(inputs.map((input) => input.name.value));
  const missing = declared.filter((one) => !one.default && !given.has(one.name.value));
  return [
    ...inputs.flatMap((input) => checkValue(input, declared, 'input')),
    ...missing.map((one): Finding => ({
      rule: 'test-input',
      severity: 'error',
      message: `the test gives no value for the input "${one.name.value}", which has no default`,
      help: `add it under \`inputs\`: {${one.name.value}: …}`,
      span: name.span,
    })),
  ];
}

function checkOutputs(
  outputs: readonly Named<JsonValue>[],
  declared: readonly Declaration[],
  step: string,
): readonly Finding[] {
  return outputs.flatMap((output) => checkValue(output, declared, 'output', ` of step "${step}"`));
}

function checkValue(
  { name, value, span }: Named<JsonValue>,
  declared: readonly Declaration[],
  what: 'input' | 'output',
  where = '',
): readonly Finding[] {
  const rule = `test-${what}`;
  const declaration = declared.find((one) => one.name.value === name.value);
  if (!declaration) {
    const names = declared.map((one) => one.name.value);
    const near = misspelling(name.value, names) ?? {
      help: names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`,
    };
    return [
      {
        rule,
        severity: 'error',
        message: `there is no ${what} "${name.value}"${where}`,
        ...near,
        span: name.span,
      },
    ];
  }
  const [problem] = compileSchema(declaration.schema, name.value)(value);
  if (!problem) return [];
  return [
    {
      rule,
      severity: 'error',
      message: `${what} ${problem.message}`,
      help: `it would be refused like this in a run, too`,
      span,
      related: [{ message: `"${name.value}" is declared here`, span: declaration.name.span }],
    },
  ];
}

function unknownStep({ value, span }: Located<string>, steps: ReadonlyMap<string, KnownStep>): Finding {
  const names = [...steps.keys()];
  return {
    rule: 'test-step',
    severity: 'error',
    message: `the test names a step "${value}", and there is none`,
    ...(misspelling(value, names) ?? { help: `there are: ${names.slice(0, 12).join(', ')}` }),
    span,
  };
}

function withoutSubject(file: TestFile, path: string | undefined, isAspect = false): Finding {
  return {
    rule: 'test-subject',
    severity: 'error',
    message:
      path === undefined
        ? 'tests stand beside a formula or molecule, in formulas/ or molecules/'
        : isAspect
          ? `these tests are about ${path}, which is an aspect and does nothing by itself`
          : `these tests are about ${path}, and there is no such file`,
    help: isAspect
      ? 'test a formula that it is woven into'
      : 'a file of tests is called as what it is about: formulas/<name>.test.yaml, molecules/<name>.test.yaml',
    span: { file: file.file, start: 0, end: 0 },
  };
}

function sameName({ value, span }: Located<string>): Finding {
  return {
    rule: 'test-name',
    severity: 'error',
    message: `another test of this file is called "${value}" as well`,
    help: 'reports tell tests apart by their names',
    span,
  };
}
