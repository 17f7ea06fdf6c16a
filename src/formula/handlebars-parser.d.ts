// The parser alone, without the compiler and the runtime: a third of the loading time, and no code is ever generated.
declare module 'handlebars/dist/cjs/handlebars/compiler/base.js' {
  export interface Place {
    readonly line: number;
    readonly column: number;
  }

  /** Lines count from 1, columns from 0; `end` is exclusive. */
  export interface Location {
    readonly start: Place;
    readonly end: Place;
  }

  interface Node<Type extends string> {
    readonly type: Type;
    readonly loc: Location;
  }

  export interface Path extends Node<'PathExpression'> {
    /** Begins with `@`. */
    readonly data: boolean;
    /** How many `../` it begins with. */
    readonly depth: number;
    readonly parts: readonly string[];
    readonly original: string;
  }

  export interface Pair extends Node<'HashPair'> {
    readonly key: string;
    readonly value: Value;
  }

  export interface Hash extends Node<'Hash'> {
    readonly pairs: readonly Pair[];
  }

  interface Called {
    readonly path: Value;
    readonly params: readonly Value[];
    readonly hash?: Hash;
  }

  export interface SubExpression extends Node<'SubExpression'>, Called {}

  export type Value =
    | Path
    | SubExpression
    | (Node<'StringLiteral'> & { readonly value: string })
    | (Node<'NumberLiteral'> & { readonly value: number })
    | (Node<'BooleanLiteral'> & { readonly value: boolean })
    | Node<'NullLiteral'>
    | Node<'UndefinedLiteral'>;

  export interface Content extends Node<'ContentStatement'> {
    readonly value: string;
  }

  export interface Mustache extends Node<'MustacheStatement'>, Called {
    /** False of `{{{x}}}` and `{{&x}}`. */
    readonly escaped: boolean;
  }

  export interface Block extends Node<'BlockStatement'>, Called {
    readonly program?: Program;
    readonly inverse?: Program;
  }

  export type Statement =
    | Content
    | Mustache
    | Block
    | Node<'CommentStatement'>
    | Node<'PartialStatement'>
    | Node<'PartialBlockStatement'>
    | Node<'Decorator'>
    | Node<'DecoratorBlock'>;

  export interface Program {
    readonly body: readonly Statement[];
    readonly blockParams?: readonly string[];
  }

  interface LexerLocation {
    readonly first_line: number;
    readonly first_column: number;
    readonly last_line: number;
    readonly last_column: number;
  }

  export interface ParseErrorDetails {
    readonly text: string;
    readonly token: string | number | null;
    readonly expected?: readonly string[];
  }

  const base: {
    /** Reads a text and applies the rules for lines that hold nothing but a block's tag. */
    parse(text: string): Program;
    readonly parser: {
      parseError: (message: string, details: ParseErrorDetails) => never;
      readonly lexer: { readonly yylloc?: LexerLocation };
    };
  };
  export default base;
}
