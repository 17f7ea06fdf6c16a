import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import { readPlan } from '../plan/read-plan.ts';
import { UsageError } from './usage-error.ts';

/**
 * The plan of `--plan <file>`; `-` is standard input. What else the command line says of the formula or profile has to
 * agree with it.
 */
export function planFromFile(
  file: string,
  said: { readonly cwd: string; readonly formula: string | undefined; readonly profile: string | undefined },
): Plan {
  const from = file === '-' ? 'standard input' : file;
  const plan = readPlan(textOf(file, said.cwd), from);
  if (said.formula !== undefined && said.formula !== plan.formula)
    throw new UsageError(
      `${from} is a plan of formula "${plan.formula}", not of "${said.formula}"`,
      'leave out the name: the plan has it',
    );
  if (said.profile !== undefined && said.profile !== plan.profile)
    throw new UsageError(
      `${from} was compiled ${plan.profile === undefined ? 'without a profile' : `with profile "${plan.profile}"`}, not with "${said.profile}"`,
      'leave out --profile, or compile the formula again with it',
    );
  return plan;
}

function textOf(file: string, cwd: string): string {
  try {
    return readFileSync(file === '-' ? 0 : resolve(cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(
      `--plan ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      'it takes a file that `wf plan <formula> --json` was written to; - is standard input',
    );
  }
}
