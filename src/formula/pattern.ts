import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

import { remember } from '../support/remember.ts';

/**
 * A regular expression in RE2's syntax, matched in time linear in the text: JavaScript's own engine can take hours on
 * a text made for it. What cannot be read is told as a problem.
 */
export type Pattern =
  { readonly ok: true; finds(text: string): boolean } | { readonly ok: false; readonly problem: string };

/** Compiles a pattern; equal ones are compiled once. */
export const compilePattern: (pattern: string) => Pattern = remember(200, (pattern) => {
  const { RE2JS, RE2JSException } = engine();
  try {
    const compiled: RE2JS = RE2JS.compile(pattern);
    return { ok: true, finds: (text) => compiled.matcher(text).find() };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return { ok: false, problem: error.message.replace(/^error parsing regexp: /, '') };
  }
});

let loaded: typeof import('re2js') | undefined;

// Few expressions match, and evaluating cannot wait for an `import()`.
function engine(): typeof import('re2js') {
  return (loaded ??= createRequire(import.meta.url)('re2js') as typeof import('re2js'));
}
