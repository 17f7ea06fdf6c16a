import type { Located, Span } from '../diagnostics/diagnostic.ts';
import type { SourceDocument, SourceNode } from '../source/source-document.ts';

/** `# wf-ignore: <rule>, <rule> <reason>`: a finding that somebody has looked at and lets stand. */
export interface Ignore {
  /** The comment. */
  readonly span: Span;
  readonly rules: readonly Located<string>[];
  readonly reason: string;
  /** The line that it is about: its own where it stands behind something, else the next that is no comment. */
  readonly line: { readonly start: number; readonly end: number };
}

const COMMENT = /(?<=^|[ \t])#[ \t]*wf-ignore\b:?[ \t]*(.*)$/gm;

/** The ignores of a file. What looks like one inside of a text is a part of that text. */
export function findIgnores({ file, text, root, repaired }: SourceDocument): readonly Ignore[] {
  if (!text.includes('wf-ignore')) return [];
  const scalars = scalarsOf(root ?? repaired);
  const found: Ignore[] = [];
  for (const match of text.matchAll(COMMENT)) {
    const [comment, said = ''] = match;
    const { index: start } = match;
    const inside = scalars.find(({ span }) => span.start <= start && start < span.end);
    // Behind the `|` of a block a comment is a comment still.
    if (inside && !(inside.block && !text.slice(inside.span.start, start).includes('\n'))) continue;
    const rules = [...(/^[a-z][a-z0-9-]*(?:[ \t]*,[ \t]*[a-z][a-z0-9-]*)*/.exec(said) ?? [])].join('');
    const at = start + comment.length - said.length;
    found.push({
      span: { file, start, end: start + comment.trimEnd().length },
      rules: [...rules.matchAll(/[a-z0-9-]+/g)].map((rule) => ({
        value: rule[0],
        span: { file, start: at + rule.index, end: at + rule.index + rule[0].length },
      })),
      reason: said
        .slice(rules.length)
        .replace(/^[\s:–—-]+/, '')
        .trim(),
      line: withTexts(lineOf(text, start), scalars),
    });
  }
  return found;
}

/** A text that begins on the line goes with it, however long: inside of it there is no place for a comment. */
function withTexts({ start, end }: Ignore['line'], scalars: readonly Scalar[]): Ignore['line'] {
  const begun = scalars.filter(({ span }) => start <= span.start && span.start <= end);
  return { start, end: Math.max(end, ...begun.map(({ span }) => span.end)) };
}

/** The line that a comment at an offset is about. */
function lineOf(text: string, offset: number): Ignore['line'] {
  let start = text.lastIndexOf('\n', offset - 1) + 1;
  let end = endOf(text, start);
  if (text.slice(start, offset).trim() !== '') return { start, end };
  do {
    start = end + 1;
    end = endOf(text, start);
  } while (start < text.length && /^\s*(?:#|$)/.test(text.slice(start, end)));
  return { start, end };
}

function endOf(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

interface Scalar {
  readonly span: Span;
  /** Written with `|` or `>`. */
  readonly block: boolean;
}

function scalarsOf(node: SourceNode | undefined): readonly Scalar[] {
  switch (node?.kind) {
    case undefined:
      return [];
    case 'scalar':
      return [{ span: node.span, block: node.style === 'literal' || node.style === 'folded' }];
    case 'list':
      return node.items.flatMap(scalarsOf);
    case 'map':
      return node.entries.flatMap(({ key, value }) => [...scalarsOf(key), ...scalarsOf(value)]);
  }
}
