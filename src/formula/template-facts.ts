import { factsOfValue, noFacts, type Facts } from './facts.ts';
import type { Operand, PathOperand } from './template-tree.ts';

/** A path of a template with a first name that means one value at one place. */
export function pathOfOperand(operand: PathOperand): readonly string[] {
  return [baseName(operand), ...operand.steps.map((step) => step.name)];
}

/** What is known where a block's subject is something: inside `{{#if x}}`, `{{#with x}}`, `{{#each x}}`. */
export function factsOfSubject(subject: Operand): Facts {
  return subject.kind === 'path' ? factsOfValue(pathOfOperand(subject)) : noFacts;
}

function baseName({ base }: PathOperand): string {
  switch (base.kind) {
    case 'root':
      return base.name;
    case 'param':
      return base.id;
    case 'this':
      return base.id;
    case 'data':
      return `@${base.name}`;
  }
}
