import type { Expression } from './expression.ts';
import type { Template } from './template.ts';

/** The root that a plan gives to a formula's inputs inside a step that became a molecule. See `PlanStep.inputs`. */
const CALLER = 'caller';

/**
 * The text with `inputs` written as `caller`: what a step wrote beside a molecule goes on reading the inputs of its
 * own formula, although `inputs` now means the molecule's.
 */
export function renameInputs(text: Template | Expression): string {
  let renamed = '';
  let end = 0;
  const places = text.references.filter((reference) => reference.path[0] === 'inputs');
  for (const { rootStart, rootEnd } of [...places].sort((a, b) => a.rootStart - b.rootStart)) {
    renamed += text.text.slice(end, rootStart) + CALLER;
    end = rootEnd;
  }
  return renamed + text.text.slice(end);
}
