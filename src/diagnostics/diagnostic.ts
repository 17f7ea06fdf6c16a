/** A stretch of a source file: UTF-16 offsets into its text, `end` exclusive. */
export interface Span {
  /** Path relative to the project root, with forward slashes. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** A value together with the place a person wrote it. */
export interface Located<T> {
  readonly value: T;
  readonly span: Span;
}

/** A misspelt name, and the one that was probably meant. */
export interface Misspelt {
  readonly written: string;
  readonly meant: string;
}

export type Severity = 'error' | 'warning';

/** Another place that belongs to a finding: the first of two duplicates, a hop of a cycle. */
export interface Related {
  readonly message: string;
  readonly span: Span;
}

/** What a stage reports about a user's file. Positions are offsets; {@link Diagnostic} is the form people and tools read. */
export interface Finding {
  /** Kebab-case id, public and lasting; `docs/checks/<rule>.md` is its page. */
  readonly rule: string;
  readonly severity: Severity;
  /** What is wrong, in the author's own names. */
  readonly message: string;
  /** What to do about it. */
  readonly help?: string;
  /** What stands at `span`, or last in it, where another name would mend it. */
  readonly misspelt?: Misspelt;
  readonly span: Span;
  readonly related?: readonly Related[];
}

/** Lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `end` is exclusive. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A finding as `wf check --json` prints it. The shape is a promise (see the command-line page). */
export interface Diagnostic {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly help?: string;
  /** What would mend it: a text, and the place in the same file where it goes. */
  readonly fix?: { readonly range: Range; readonly text: string };
  readonly file: string;
  readonly range: Range;
  readonly related?: readonly { readonly message: string; readonly file: string; readonly range: Range }[];
}
