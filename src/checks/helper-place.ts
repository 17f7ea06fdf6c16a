import type { CallOperand, Operand, TemplatePart } from '../formula/template-tree.ts';
import type { TextPlace } from '../formula/texts.ts';
import type { Check } from './check.ts';
import { textsIn } from './references.ts';

export const helperPlace: Check = {
  rule: 'template-helper',
  summary: '`file` stands where a workspace is at hand, `args` where a command is.',

  *run(subject) {
    for (const { text } of textsIn(subject)) {
      if (text.kind !== 'template' || !/\b(?:file|args)\b/.test(text.template.text)) continue;
      for (const call of callsIn(text.template.parts)) {
        const wrong = misplaced(call, text.place);
        if (wrong) yield { span: text.template.at(call.start, call.end), ...wrong };
      }
    }
  },
};

function misplaced(
  call: CallOperand,
  place: TextPlace | undefined,
): { readonly message: string; readonly help: string } | undefined {
  if (call.helper === 'file' && place === undefined) {
    return {
      message: '"file" reads from the workspace of a step at work, and this text is rendered outside of one',
      help: 'let a step before print the file, and read its `outputs.stdout`',
    };
  }
  if (call.helper === 'args' && place !== 'command') {
    return {
      message: '"args" makes words for a shell, and this text is no command: it would hold the quotes too',
      help: "write {{join list ' '}} or {{json list}}",
    };
  }
  return undefined;
}

function* callsIn(parts: readonly TemplatePart[]): Generator<CallOperand> {
  for (const part of parts) {
    switch (part.kind) {
      case 'text':
        break;
      case 'value':
        yield* callsOf(part.value);
        break;
      case 'block':
        yield* callsOf(part.subject);
        yield* callsIn(part.body);
        yield* callsIn(part.otherwise);
    }
  }
}

function* callsOf(operand: Operand): Generator<CallOperand> {
  if (operand.kind !== 'call') return;
  yield operand;
  for (const arg of operand.args) yield* callsOf(arg);
}
