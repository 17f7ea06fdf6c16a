import type { BashParser } from '../../src/formula/bash/load-parser.ts';
import { loadBashParser } from '../../src/formula/bash/load-parser.ts';
import type { CompiledScript } from '../../src/formula/script.ts';
import { compileScript } from '../../src/formula/script.ts';
import type { Template } from '../../src/formula/template.ts';
import { parseTemplate } from '../../src/formula/template.ts';
import { scalar } from './notation.ts';

/** What parses bash, loaded once for a file of tests. */
export const bash: BashParser = await loadBashParser();

/** The template of a script, as an author writes it under `run`. */
export function scriptTemplate(script: string): Template {
  const { template, findings } = parseTemplate(scalar(script));
  if (!template) throw new Error(`${script}: ${findings.map(({ message }) => message).join('; ')}`);
  return template;
}

/** A script compiled as a plan has it. */
export function compile(script: string): CompiledScript {
  return compileScript(scriptTemplate(script), bash, (template, start, end) =>
    template.text.slice(start, end),
  );
}
