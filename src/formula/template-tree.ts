import type { FoundReference, Problem } from './reference.ts';

/** A parsed template. Offsets are UTF-16 offsets into its text, ends exclusive. */
export interface TemplateTree {
  readonly text: string;
  readonly parts: readonly TemplatePart[];
  readonly references: readonly FoundReference[];
  /** There is no `{{` at all: the text is its own value. */
  readonly literal: boolean;
  /** The text is one `{{…}}` that prints a value, and nothing else. */
  readonly whole: boolean;
  /** With any of these the tree is not to be used. */
  readonly problems: readonly Problem[];
}

export type TemplatePart = TextPart | ValuePart | BlockPart;

interface Placed {
  readonly start: number;
  readonly end: number;
}

/** Text that stands for itself. `value` is without the backslash of `\{{` and the lines of block tags. */
export interface TextPart extends Placed {
  readonly kind: 'text';
  readonly value: string;
}

/** `{{x}}` or `{{helper …}}`, with its braces. A `call` of `args` stands for separate shell words. */
export interface ValuePart extends Placed {
  readonly kind: 'value';
  readonly value: Operand;
}

/** `{{#if x}}…{{else}}…{{/if}}` and the other three. */
export interface BlockPart extends Placed {
  readonly kind: 'block';
  readonly block: BlockName;
  readonly subject: Operand;
  /** `{{#if x includeZero=true}}`: 0 counts as something. */
  readonly includeZero: boolean;
  readonly params: readonly BlockParam[];
  readonly body: readonly TemplatePart[];
  readonly otherwise: readonly TemplatePart[];
  /** There is an `{{else}}`. */
  readonly hasElse: boolean;
}

export type BlockName = 'if' | 'unless' | 'each' | 'with';

/** A name of `as |name|`, with another name that no other parameter of the text has. */
export interface BlockParam {
  readonly name: string;
  readonly id: string;
}

export type Operand = LiteralOperand | PathOperand | CallOperand;

export interface LiteralOperand extends Placed {
  readonly kind: 'literal';
  readonly value: string | number | boolean | null;
}

/** Where a path begins. */
export type PathBase =
  | { readonly kind: 'root'; readonly name: string }
  | { readonly kind: 'param'; readonly id: string }
  /** `this` of the block that many `each` and `with` blocks up; `id` names that block. */
  | { readonly kind: 'this'; readonly up: number; readonly id: string }
  /** `@index` and its like, of the `each` that many `each` and `with` blocks up. */
  | { readonly kind: 'data'; readonly name: DataName; readonly up: number };

export type DataName = 'index' | 'key' | 'first' | 'last';

export interface PathOperand extends Placed {
  readonly kind: 'path';
  readonly base: PathBase;
  /** The first name, or `this`. */
  readonly baseStart: number;
  readonly baseEnd: number;
  readonly steps: readonly PathStep[];
}

export interface PathStep extends Placed {
  readonly name: string;
}

export interface CallOperand extends Placed {
  readonly kind: 'call';
  readonly helper: HelperName;
  readonly args: readonly Operand[];
}

export type HelperName =
  'args' | 'default' | 'file' | 'indent' | 'join' | 'json' | 'lines' | 'size' | 'truncate';

/** The helpers that give a value. */
export const helperNames: readonly HelperName[] = [
  'args',
  'default',
  'file',
  'indent',
  'join',
  'json',
  'lines',
  'size',
  'truncate',
];

/** The helpers that are blocks. */
export const blockNames: readonly BlockName[] = ['if', 'unless', 'each', 'with'];
