import { readFile } from 'node:fs/promises';
import { suggest } from '../diagnostics/suggest.ts';
import type { LogPlace, RunLog } from '../runner/run-logs.ts';
import { UserError } from '../support/user-error.ts';
import type { TextStyle } from './text-style.ts';

/** The logs of one step, or of all. Throws a {@link UserError} when the step has none. */
export function chooseLogs(all: readonly RunLog[], step: string | undefined, run: string): readonly RunLog[] {
  if (step === undefined) return all;
  const chosen = all.filter((log) => {
    const name = nameOf(log);
    return log.step === step || name === step || name.startsWith(`${step}.`) || name.startsWith(`${step}[`);
  });
  if (chosen.length > 0) return chosen;
  const names = [...new Set(all.map((log) => log.step))];
  throw new UserError(`nothing of step "${step}" has run in run ${run}`, {
    hint:
      suggest(step, names) ??
      (names.length === 0 ? 'nothing has run yet' : `there are logs of ${names.join(', ')}`),
  });
}

/** Logs with what is in them. */
export function readLogs(logs: readonly RunLog[]): Promise<readonly (RunLog & { readonly text: string })[]> {
  return Promise.all(
    logs.map(async (log) => ('text' in log ? log : { ...log, text: await readFile(log.path, 'utf8') })),
  );
}

/** Each log under a line that says whose it is; a single one as it is. */
export function renderLogs(logs: readonly (RunLog & { readonly text: string })[], style: TextStyle): string {
  const [only, second] = logs;
  if (!only) return 'nothing has been put out';
  if (!second) return only.text.trimEnd();
  return logs
    .map((log) => {
      const { attempt = 1, iteration, check } = log;
      const which = [
        ...(iteration === undefined ? [] : [`iteration ${iteration}`]),
        ...(attempt > 1 ? [`attempt ${attempt}`] : []),
        ...(check === undefined ? [] : [`check ${check + 1}`]),
      ].join(', ');
      return `${style.strong(`── ${nameOf(log)}`)}${which === '' ? '' : style.faint(` ${which}`)}\n${log.text.trimEnd()}`.trimEnd();
    })
    .join('\n');
}

function nameOf({ step, item }: LogPlace): string {
  return item === undefined ? step : `${step}[${item}]`;
}
