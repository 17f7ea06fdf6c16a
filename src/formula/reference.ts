import type { Misspelt, Span } from '../diagnostics/diagnostic.ts';

/** A path that a template or expression reads, from one of the names in scope. */
export interface Reference {
  /** From the root name as far as the path is fixed: `steps.lint.outputs.files[0]` is `['steps', …, 'files', 0]`. */
  readonly path: readonly (string | number)[];
  /** The whole path in the author's file. */
  readonly span: Span;
  /** UTF-16 offsets of the root name in the text, so that a caller can rename it. */
  readonly rootStart: number;
  readonly rootEnd: number;
  /** The text copes with this value being absent: it stands in `has`, `default` or `#if`, or behind one of them. */
  readonly guarded: boolean;
}

/** A reference as the parsers find it: by offsets, since one parsed text may stand at many places. */
export interface FoundReference {
  readonly path: readonly (string | number)[];
  readonly start: number;
  readonly end: number;
  readonly rootStart: number;
  readonly rootEnd: number;
  readonly guarded: boolean;
}

/** A mistake in a text, by offsets. */
export interface Problem {
  readonly rule: string;
  readonly message: string;
  readonly help?: string | undefined;
  readonly misspelt?: Misspelt | undefined;
  readonly start: number;
  readonly end: number;
}

/** The references of a text that stands at one place; each span is worked out when it is first read. */
export function placeReferences(
  found: readonly FoundReference[],
  at: (start: number, end: number) => Span,
): readonly Reference[] {
  return found.map(({ path, start, end, rootStart, rootEnd, guarded }) => {
    let span: Span | undefined;
    return {
      path,
      rootStart,
      rootEnd,
      guarded,
      get span() {
        return (span ??= at(start, end));
      },
    };
  });
}
