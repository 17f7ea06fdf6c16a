import type { Expression } from './expression.ts';
import type { Template } from './template.ts';

/**
 * A stretch of a text with `inputs` written as `caller`: what a step wrote beside a molecule goes on reading the inputs
 * of its own formula, although in a plan `inputs` then means the molecule's. See `PlanStep.inputs`.
 */
export function renameInputs(text: Template | Expression, start = 0, end = text.text.length): string {
  const places = text.references
    .filter(({ path, rootStart, rootEnd }) => path[0] === 'inputs' && rootStart >= start && rootEnd <= end)
    .sort((a, b) => a.rootStart - b.rootStart);
  let renamed = '';
  let last = start;
  for (const { rootStart, rootEnd } of places) {
    renamed += `${text.text.slice(last, rootStart)}caller`;
    last = rootEnd;
  }
  return renamed + text.text.slice(last, end);
}
