import type { CallOperand, Operand, TemplatePart, TemplateTree } from './template-tree.ts';

/** The `{{args list}}` that a template is as a whole: it becomes as many words as the list has items. */
export function wordsOf({ whole, parts }: Pick<TemplateTree, 'whole' | 'parts'>): CallOperand | undefined {
  const [only] = parts;
  return whole && only ? argsOf(only) : undefined;
}

/** The `{{args list}}` that a part of a template is. */
export function argsOf(part: TemplatePart): CallOperand | undefined {
  return part.kind === 'value' && part.value.kind === 'call' && part.value.helper === 'args'
    ? part.value
    : undefined;
}

/** Every call of `args` that is no part by itself: an argument of another helper, or inside of a block. */
export function* nestedArgs(part: TemplatePart): Generator<CallOperand> {
  switch (part.kind) {
    case 'text':
      return;
    case 'value':
      for (const operand of part.value.kind === 'call' ? part.value.args : []) yield* argsWithin(operand);
      return;
    case 'block':
      yield* argsWithin(part.subject);
      for (const inner of [...part.body, ...part.otherwise]) {
        const call = argsOf(inner);
        if (call) yield call;
        yield* nestedArgs(inner);
      }
  }
}

function* argsWithin(operand: Operand): Generator<CallOperand> {
  if (operand.kind !== 'call') return;
  if (operand.helper === 'args') yield operand;
  for (const inner of operand.args) yield* argsWithin(inner);
}

/** Of `{{args list}}` the template of the list itself, `{{list}}`. `write` gives the text of a stretch of the template. */
export function listTemplate(call: CallOperand, write: (start: number, end: number) => string): string {
  const [list] = call.args;
  const text = list ? write(list.start, list.end) : '';
  return `{{${text.replace(/^\((.*)\)$/s, '$1')}}}`;
}
