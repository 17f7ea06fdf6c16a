import { basename } from '../support/path.ts';
import type { Aspect, Formula, Molecule } from '../formula/formula.ts';
import type { Check, Subject } from './check.ts';

export const nameMatchesFile: Check = {
  rule: 'name-matches-file',
  summary: 'A formula, molecule or aspect is called what its file is called.',

  *run(subject) {
    const { name } = namedBy(subject);
    const expected = basename(subject.file).replace(/\.ya?ml$/, '');
    if (name.value === expected) return;
    yield {
      span: name.span,
      message: `${subject.kind} "${name.value}" stands in a file called "${basename(subject.file)}"`,
      help: isName(expected)
        ? `write \`${subject.kind}: ${expected}\`, or rename the file to ${name.value}.yaml`
        : `rename the file to ${name.value}.yaml; names are kebab-case`,
    };
  },
};

function namedBy(subject: Subject): Formula | Molecule | Aspect {
  switch (subject.kind) {
    case 'formula':
      return subject.formula;
    case 'molecule':
      return subject.molecule;
    case 'aspect':
      return subject.aspect;
  }
}

function isName(text: string): boolean {
  return /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(text);
}
