import { createContext, Script, type Context } from 'node:vm';

/** How long a pattern of an author may look at one text. */
const mostMilliseconds = 1000;

/** So long a text is no trouble for a tame pattern. */
const mostTame = 1000;

/** A pattern that could not be decided in time. */
export class PatternTimeout extends Error {}

/**
 * A regular expression whose `test` gives up after a second. Patterns come from files, texts from anywhere, and
 * backtracking can take longer than anyone waits: `(a+)+$` needs years for sixty characters.
 */
export class BoundedRegExp {
  readonly #expression: RegExp;
  readonly #isBounded: boolean;
  /** Its steps grow at most with the square of the text. */
  readonly #isTame: boolean;

  constructor(source: string, flags: string) {
    this.#expression = new RegExp(source, flags);
    // Without a repetition there is nothing to backtrack into.
    this.#isBounded = !/[*+{]/.test(source);
    // At most two repetitions, none of a group that could hold another, and no reference back.
    this.#isTame = (source.match(/[*+{]/g)?.length ?? 0) <= 2 && !/\)[*+{]|\\[1-9k]/.test(source);
  }

  /** The validator tells expressions apart by this. */
  toString(): string {
    return String(this.#expression);
  }

  /** Whether the text is decided in a moment, whatever it holds. */
  isQuick(text: string): boolean {
    return this.#isBounded || (this.#isTame && text.length <= mostTame);
  }

  /** Throws {@link PatternTimeout}. */
  test(text: string): boolean {
    if (this.isQuick(text)) return this.#expression.test(text);
    matcher ??= createMatcher();
    matcher.context['expression'] = this.#expression;
    matcher.context['text'] = text;
    try {
      return matcher.script.runInContext(matcher.context, { timeout: mostMilliseconds }) as boolean;
    } catch (error) {
      // The error is of the other context, so `instanceof` does not know it.
      if ((error as { readonly code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
        throw new PatternTimeout();
      }
      throw error;
    }
  }
}

// Only the engine of `vm` can stop a regular expression that is under way; about 0.2 ms a text.
let matcher: { readonly script: Script; readonly context: Context } | undefined;

function createMatcher(): { readonly script: Script; readonly context: Context } {
  return {
    script: new Script('expression.test(text)'),
    context: createContext(Object.create(null) as Context),
  };
}
