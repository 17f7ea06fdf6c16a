import fc from 'fast-check';
import { isCollection, isMap, isScalar, parse, parseDocument, Scalar, visit } from 'yaml';

/**
 * A YAML text written anew in another style: order of keys, quotes, block and flow, comments, blank lines, indentation,
 * line width. What it says is the same.
 */
export function restyle(text: string, seed: number): string {
  const random = numbers(seed);
  const pick = <T>(...from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const document = parseDocument(text);
  visit(document, {
    Node(_, node) {
      if (random() < 0.15) node.commentBefore = pick(' why', ' {{not}} a: value', ' - id: x');
      if (random() < 0.1) node.spaceBefore = true;
      if (isScalar(node) && typeof node.value === 'string') {
        node.type = pick(Scalar.PLAIN, Scalar.QUOTE_DOUBLE, Scalar.QUOTE_SINGLE, Scalar.BLOCK_LITERAL);
      }
      if (isCollection(node)) node.flow = random() < 0.4;
      if (isMap(node)) node.items = [...node.items].sort(() => random() - 0.5);
    },
  });
  const written = document.toString({
    indent: pick(2, 3, 4),
    indentSeq: pick(true, false),
    lineWidth: pick(0, 40, 80),
    flowCollectionPadding: pick(true, false),
    directives: pick(true, null),
  });
  if (JSON.stringify(sorted(parse(written))) !== JSON.stringify(sorted(parse(text)))) {
    throw new Error(`written anew it says something else:\n${written}`);
  }
  return pick('', '# a heading\n\n') + written + pick('', '\n# the end\n');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

function numbers(seed: number): () => number {
  const [stream] = fc.sample(
    fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
    {
      numRuns: 1,
      seed,
    },
  );
  return () => (stream as { next(): { value: number } }).next().value;
}
