import type { Finding, Located } from '../diagnostics/diagnostic.ts';
import { misspelling } from '../diagnostics/suggest.ts';
import type { Aspect, Formula, Molecule, VerifyCheck } from '../formula/formula.ts';
import type { Project } from '../formula/project.ts';
import { subjectOf } from '../formula/test-file.ts';

/** Every `fails_on` of a file names a test of it. It needs the files of tests, so it is none of the pure checks. */
export async function checkFixtures(
  project: Project,
  content: Formula | Molecule | Aspect,
): Promise<readonly Finding[]> {
  const named = checksOf(content).flatMap(({ failsOn }) => failsOn ?? []);
  if (named.length === 0) return [];
  const names = await namesOfTests(project, content.file);
  return named
    .filter(({ value }) => !names.includes(value))
    .map((name) => unknownFixture(name, names, content));
}

function checksOf(content: Formula | Molecule | Aspect): readonly VerifyCheck[] {
  switch (content.kind) {
    case 'formula':
      return [...content.steps, ...content.finally].flatMap(({ body }) => body.verify);
    case 'molecule':
      return content.body.verify;
    case 'aspect':
      return content.rules
        .flatMap(({ before, after }) => [...before, ...after])
        .flatMap(({ body }) => body.verify);
  }
}

async function namesOfTests(project: Project, file: string): Promise<readonly string[]> {
  // Asked for by name as well, so that whoever remembers this file looks again once there is one.
  const usual = file.replace(/\.yaml$/, '.test.yaml');
  const paths = new Set([usual, ...project.paths.filter((path) => subjectOf(path)?.path === file)]);
  const files = await Promise.all([...paths].map((path) => project.file(path)));
  return files.flatMap((one) =>
    one?.content?.kind === 'test' ? one.content.tests.map(({ name }) => name.value) : [],
  );
}

function unknownFixture(
  { value, span }: Located<string>,
  names: readonly string[],
  { kind, file, name }: Formula | Molecule | Aspect,
): Finding {
  return {
    rule: 'unknown-fixture',
    severity: 'error',
    message:
      kind === 'aspect'
        ? 'nothing proves `fails_on` here: an aspect has no tests of its own'
        : `there is no test "${value}" of ${kind} "${name.value}"`,
    ...(kind === 'aspect'
      ? {
          help: 'leave it out; tests of a formula that the aspect is woven into can show that the check fails',
        }
      : (misspelling(value, names) ?? {
          help:
            names.length === 0
              ? `tests would be in ${file.replace(/\.yaml$/, '.test.yaml')}`
              : 'write it beside the others, or name one that is there',
        })),
    span,
  };
}
