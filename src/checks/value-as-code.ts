import type { Finding } from '../diagnostics/diagnostic.ts';
import { compileScript } from '../formula/script.ts';
import type { Subject } from './check.ts';
import { textsIn } from './references.ts';

/** Finds placeholders where the value would become code: in a bash script, where it cannot be quoted; in any other program's script, everywhere. */
export function* checkValuesAsCode(subject: Subject): Generator<Finding> {
  for (const { text } of textsIn(subject)) {
    if (text.kind !== 'template' || text.template.literal) continue;
    if (text.use === 'bash') {
      const compiled = compileScript(text.template, subject.bash, (template, start, end) =>
        template.text.slice(start, end),
      );
      if (!compiled.ok) yield* compiled.findings;
    } else if (text.use === 'code') {
      for (const placeholder of text.template.references) {
        yield {
          rule: 'value-as-code',
          severity: 'error',
          message: "a value cannot stand in another program's script: it would become code",
          help: 'pass it in the environment: `env: {NAME: "{{…}}"}`, and read NAME in the script',
          span: placeholder.span,
        };
      }
    }
  }
}
