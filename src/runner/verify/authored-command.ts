import type { PlanRun } from '../../plan/plan.ts';

/** The first line of a command as its author wrote it, with `{{…}}` where a script has variables by now. */
export function authoredCommand(run: PlanRun): string {
  const text = 'bash' in run ? authoredScript(run) : 'argv' in run ? run.argv.join(' ') : `${run.program} …`;
  const [first = '', ...rest] = authored(text).trim().split('\n');
  return rest.length > 0 ? `${first} …` : first;
}

/** A text of a plan as its author wrote it: where something is used, `caller` is what the caller calls `inputs`. */
export function authored(text: string): string {
  return text.replace(/\bcaller\./g, 'inputs.');
}

function authoredScript({ bash, values = [] }: Extract<PlanRun, { bash: string }>): string {
  return values.reduce((text, { name, value }) => {
    const reference = new RegExp(`(["']?)"?\\$\\{${name}(?:\\[@\\])?\\}"?\\1`, 'g');
    return text.replace(reference, () => value);
  }, bash);
}
