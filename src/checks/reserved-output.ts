import type { Check } from './check.ts';
import { writtenHere } from './check.ts';

/** What every command puts out. */
export const RESERVED: ReadonlySet<string> = new Set(['stdout', 'stderr', 'exit_code']);

export const reservedOutput: Check = {
  rule: 'reserved-output',
  summary: 'No output takes a name that every command fills by itself.',

  *run(subject) {
    for (const step of subject.steps) {
      if (!writtenHere(subject, step.step.body.outputs ? 'step' : 'molecule', step)) continue;
      for (const { name } of step.body.outputs?.declarations ?? []) {
        // With `parse: json`, declaring `value` says what kind of JSON it is when it is no object.
        if (!RESERVED.has(name.value) && !(name.value === 'value' && !step.body.parse)) continue;
        yield {
          span: name.span,
          message: `"${name.value}" is reserved: ${name.value === 'value' ? 'it is the output of `parse: json` when that is not an object' : `every command has outputs.${name.value} anyway`}`,
          help: 'choose another name',
        };
      }
    }
  },
};
