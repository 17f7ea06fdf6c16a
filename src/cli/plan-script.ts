import { fillScript } from '../formula/bash/fill-script.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import type { PlanRun } from '../plan/plan.ts';

/** What a command runs, in whichever of its forms, as text for people. */
export function scriptOf(run: PlanRun, bash: BashParser | undefined): string {
  if ('bash' in run) return authored(run, bash);
  return 'argv' in run ? run.argv.join(' ') : `${run.program}: ${run.script}`;
}

/** A script as its author wrote it, but for quotes that make no difference. */
export function authored(run: Extract<PlanRun, { bash: string }>, bash: BashParser | undefined): string {
  const { values = [] } = run;
  if (values.length === 0 || !bash) return run.bash;
  const byName = new Map(
    values.map(({ name, value, words }) => [name, words ? value.replace(/^\{\{/, '{{args ') : value]),
  );
  return fillScript(bash, run.bash, ({ name }) => byName.get(name));
}
