import type { Span } from '../diagnostics/diagnostic.ts';
import type { SourceNode } from '../source/source-document.ts';

/**
 * The steps of a formula in which something is not as the schema says. `undefined` when some error stands outside of
 * steps, or in one without an id: then nothing of the file can be read without misleading.
 */
export function brokenSteps(
  root: SourceNode | undefined,
  errors: readonly Span[],
): ReadonlySet<SourceNode> | undefined {
  if (errors.length === 0) return new Set();
  if (root?.kind !== 'map') return undefined;
  const steps = ['steps', 'finally'].flatMap((key) => {
    const list = root.get(key)?.value;
    return list?.kind === 'list' ? list.items : [];
  });
  const broken = new Set<SourceNode>();
  const isFound = errors.map(() => false);
  for (const step of steps) {
    errors.forEach((error, index) => {
      if (!standsIn(step, error)) return;
      broken.add(step);
      isFound[index] = true;
    });
  }
  return isFound.every(Boolean) && [...broken].every(hasId) ? broken : undefined;
}

/** Whether a place is within a node, or within what an alias in it stands for. */
function standsIn(node: SourceNode, place: Span): boolean {
  if (node.span.start <= place.start && place.end <= node.span.end) return true;
  switch (node.kind) {
    case 'scalar':
      return false;
    case 'list':
      return node.items.some((item) => standsIn(item, place));
    case 'map':
      return node.entries.some(({ value }) => standsIn(value, place));
  }
}

function hasId(step: SourceNode): boolean {
  const id = step.kind === 'map' ? step.get('id')?.value : undefined;
  return id?.kind === 'scalar' && typeof id.value === 'string';
}
