import type { Reference } from '../formula/reference.ts';
import { concurrencyTexts, referencesOf, textsOf, workspaceTexts } from '../formula/texts.ts';
import type { Check, Subject } from './check.ts';

export const unusedInput: Check = {
  rule: 'unused-input',
  summary: 'Every input is read somewhere.',

  *run(subject) {
    if (subject.inputs.length === 0 || !subject.complete) return;
    const read = new Set<string>();
    for (const reference of readsOf(subject)) {
      if (reference.path[0] !== 'inputs') continue;
      // `{{json inputs}}` reads them all.
      if (reference.path.length === 1) return;
      read.add(String(reference.path[1]));
    }
    for (const { name } of subject.inputs) {
      if (read.has(name.value)) continue;
      yield {
        severity: 'warning',
        span: name.span,
        message: `input "${name.value}" is never read`,
        help: `remove it, or use it: {{inputs.${name.value}}}`,
      };
    }
  },
};

function* readsOf(subject: Subject): Generator<Reference> {
  const owner = subject.kind === 'molecule' ? 'molecule' : 'step';
  for (const step of subject.steps) {
    for (const text of textsOf(step)) {
      if (text.owner === owner) yield* referencesOf(text);
    }
  }
  if (subject.kind !== 'formula') return;
  const { workspace, concurrency, outputs } = subject.formula;
  for (const text of workspace ? workspaceTexts({ owner: 'step', value: workspace }) : [])
    yield* referencesOf(text);
  for (const text of concurrencyTexts(concurrency)) yield* referencesOf(text);
  for (const output of outputs) yield* output.value.references;
}
