import type { Finding } from '../diagnostics/diagnostic.ts';
import { checkExpression } from '../formula/expression.ts';
import { checkTemplate } from '../formula/template.ts';
import type { TextUse } from '../formula/texts.ts';
import { concurrencyTexts, textsOf, workspaceTexts } from '../formula/texts.ts';
import type { ResolvedStep } from '../formula/resolve.ts';
import type { Subject } from './check.ts';
import { writtenHere } from './check.ts';

/**
 * Follows every template and expression into what it reads: unknown names, values that may be absent, types. The rules
 * are those of the two notations, so this is not one {@link Check} but what runs them over a subject.
 */
export function* checkReferences(subject: Subject): Generator<Finding> {
  for (const { text, step } of textsIn(subject)) {
    const scope = subject.scopes.of(text, step);
    yield* text.kind === 'template'
      ? checkTemplate(text.template, scope, text.use === 'optional' ? 'optional' : 'value').findings
      : checkExpression(text.expression, scope, text.expected).findings;
  }
  if (subject.kind !== 'formula') return;
  for (const { value } of subject.formula.outputs) {
    yield* checkExpression(value, subject.scopes.end, 'any').findings;
  }
}

/** Every template and expression that stands in the subject's own file. */
export function* textsIn(
  subject: Subject,
): Generator<{ readonly text: TextUse; readonly step: ResolvedStep | undefined }> {
  if (subject.kind === 'formula') {
    const { workspace, concurrency } = subject.formula;
    for (const text of workspace ? workspaceTexts({ owner: 'step', value: workspace }) : [])
      yield { text, step: undefined };
    for (const text of concurrencyTexts(concurrency)) yield { text, step: undefined };
  }
  for (const step of subject.steps) {
    for (const text of textsOf(step)) {
      if (writtenHere(subject, text.owner, step)) yield { text, step };
    }
  }
}
