import type { Finding } from '../diagnostics/diagnostic.ts';
import type { BashParser, ScriptPart } from './bash/compile-bash.ts';
import { compileBash } from './bash/compile-bash.ts';
import type { Expression } from './expression.ts';
import type { Template } from './template.ts';

/** A bash script with its placeholders turned into variables, or why that cannot be done safely. */
export type CompiledScript =
  | {
      readonly ok: true;
      readonly bash: string;
      readonly values: readonly { readonly name: string; readonly value: string; readonly words?: true }[];
    }
  | { readonly ok: false; readonly findings: readonly Finding[] };
