import type { Waiting } from '../journal/event.ts';
import type { LeaseHolder } from '../journal/lease.ts';
import type { RunState } from '../journal/run-state.ts';
import { hasEnded } from '../journal/run-state.ts';
import type { Plan } from '../plan/plan.ts';
import type { JsonValue } from '../support/json.ts';
import { showElapsed } from './elapsed.ts';
import { nameOf } from './plain-reporter.ts';
import { renderTree } from './run-tree.ts';
import type { TextStyle } from './text-style.ts';
import { usageNote } from './usage-note.ts';

/** What somebody needs to know when a run has ended or waits: how, why, what it left, and what to do next. */
export function renderRunEnd(state: RunState, style: TextStyle): string {
  return [headline(state, style), ...endLines(state, style)].join('\n');
}

/** Everything there is to tell of a run: how it stands, its inputs, its steps, and what comes next. */
export function renderRun(
  state: RunState,
  around: {
    readonly plan: Plan;
    readonly holder: LeaseHolder | undefined;
    readonly style: TextStyle;
    readonly now: number;
    /** Columns of the terminal. */
    readonly width: number;
  },
): string {
  const { plan, holder, style, now, width } = around;
  const inputs = Object.entries(state.inputs).map(([name, value]) => `  ${name}=${short(value)}`);
  const driver =
    hasEnded(state.status) || !holder
      ? []
      : holder.alive
        ? [style.faint(`driven by ${holder.text}`)]
        : state.status === 'waiting'
          ? []
          : [style.attention(`its process is gone (${holder.text}): wf resume ${state.run} carries it on`)];
  return [
    headline(state, style),
    style.faint(`began ${state.startedAt}${state.endedAt === undefined ? '' : `, ended ${state.endedAt}`}`),
    ...driver,
    ...(inputs.length > 0 ? ['', style.faint('inputs'), ...inputs] : []),
    '',
    style.faint('steps'),
    ...renderTree(plan, state, { style, now, width: width }),
    '',
    ...endLines(state, style),
  ]
    .join('\n')
    .trimEnd();
}

/** Runs in a table, a line each. */
export function renderRuns(
  runs: readonly { readonly state: RunState; readonly driven: boolean }[],
  style: TextStyle,
  now: number,
): string {
  if (runs.length === 0) return 'nothing has run in this project yet (`wf run <formula>`)';
  const width = Math.max(...runs.map(({ state }) => state.formula.length));
  return runs
    .map(({ state, driven }) => {
      const { run, formula, status, startedAt, endedAt, error, waiting } = state;
      const shown = !driven && ['running', 'queued'].includes(status) ? 'interrupted' : status;
      const took = showElapsed((endedAt === undefined ? now : Date.parse(endedAt)) - Date.parse(startedAt));
      const note = error
        ? `${error.step === undefined ? '' : `${error.step}: `}${error.message}`
        : (waiting?.[0]?.ask ?? '');
      const coloured = colour(shown, style)(shown.padEnd(11));
      const at = startedAt.slice(0, 16).replace('T', ' ');
      return `${run}  ${coloured}  ${formula.padEnd(width)}  ${style.faint(`${at}  ${took.padStart(7)}`)}  ${cut(note)}`.trimEnd();
    })
    .join('\n');
}

function colour(status: string, style: TextStyle): (text: string) => string {
  if (status === 'succeeded') return style.good;
  if (['failed', 'cancelled', 'interrupted'].includes(status)) return style.error;
  return status === 'running' ? style.help : style.attention;
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

function short(value: JsonValue): string {
  const text = typeof value === 'string' && !/[\n\r]/.test(value) ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

function headline(state: RunState, style: TextStyle): string {
  const { status, run, formula } = state;
  const took =
    state.endedAt === undefined
      ? ''
      : ` in ${showElapsed(Date.parse(state.endedAt) - Date.parse(state.startedAt))}`;
  const word =
    status === 'succeeded'
      ? style.good('succeeded')
      : status === 'waiting'
        ? style.attention('waits')
        : status === 'handed_off'
          ? style.attention('was handed off')
          : ['failed', 'cancelled'].includes(status)
            ? style.error(status === 'cancelled' ? 'was cancelled' : status)
            : `is ${status}`;
  const used = usageNote(state.usage);
  return `${style.strong(formula)} ${word}${took}${used === '' ? '' : `, ${used}`}  ${style.faint(`run ${run}`)}`;
}

function endLines(state: RunState, style: TextStyle): string[] {
  const { run } = state;
  switch (state.status) {
    case 'succeeded':
      return [
        ...outputLines(state.outputs ?? {}),
        ...(state.branch === undefined
          ? []
          : [
              `  changed ${fileList(state.changedFiles ?? [])} on branch ${style.strong(state.branch)}`,
              style.help(`  git merge ${state.branch}`),
            ]),
      ];
    case 'failed':
      return [...errorLines(state, style), ...keptLines(state, style)];
    case 'handed_off':
      return [
        ...errorLines(state, style),
        ...(state.bundle === undefined ? [] : [`  what a person needs to take over: ${state.bundle}`]),
      ];
    case 'cancelled':
      return keptLines(state, style);
    case 'waiting':
      return (state.waiting ?? []).flatMap((waiting) => waitingLines(run, waiting, style));
    case 'queued':
    case 'running':
      return [style.help(`  wf resume ${run} carries it on`)];
  }
}

/** Of an output that is a long text; `--json` has all of it. */
const MOST_LINES = 30;

function outputLines(outputs: Readonly<Record<string, JsonValue>>): string[] {
  return Object.entries(outputs).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (!text.includes('\n')) return `  ${name}: ${text.length > 200 ? `${text.slice(0, 199)}…` : text}`;
    const lines = text.replace(/\n+$/, '').split('\n');
    const shown = lines.slice(0, lines.length > MOST_LINES + 5 ? MOST_LINES : lines.length);
    const more = lines.length - shown.length;
    return [
      `  ${name}:`,
      ...shown.map((line) => `    ${line}`.trimEnd()),
      ...(more > 0 ? [`    … ${more} more lines`] : []),
    ].join('\n');
  });
}

function errorLines({ error, run }: RunState, style: TextStyle): string[] {
  if (!error) return [];
  const where = error.step === undefined ? '' : `step ${style.strong(error.step)}: `;
  return [
    `  ${where}${error.message}`,
    ...(error.detail === undefined || error.detail === '' ? [] : [error.detail.replace(/^/gm, '    ')]),
    ...(error.step === undefined
      ? []
      : [style.help(`  wf logs ${run} ${error.step} shows its whole output`)]),
  ];
}

function keptLines({ kept }: RunState, style: TextStyle): string[] {
  return kept === undefined ? [] : [style.faint(`  its workspace is kept in ${kept}`)];
}

/** What a run waits for, and what to say. */
export function waitingLines(run: string, waiting: Waiting, style: TextStyle): string[] {
  const { ask = '', until } = waiting;
  const name = nameOf(waiting);
  const limit = until === undefined ? '' : style.faint(`  until ${new Date(until).toISOString()}`);
  switch (waiting.for) {
    case 'approval':
      return [
        `  ${name}: ${style.attention(ask)}${limit}`,
        style.help(`  wf approve ${run} ${name}, or wf reject; then wf resume ${run}`),
      ];
    case 'event':
      return [
        `  ${name}: waits for event ${style.attention(ask)}${limit}`,
        style.help(`  wf signal ${run} ${ask} --data '{…}'; then wf resume ${run}`),
      ];
    case 'decision':
      return [`  ${style.attention(ask)}`];
    case 'timer':
      return [`  ${name}: waits${limit}`];
    case 'concurrency':
      return [`  ${name}: waits for its turn in ${ask}`];
  }
}

function fileList(files: readonly string[]): string {
  if (files.length <= 3) return files.length === 0 ? 'nothing' : files.join(', ');
  return `${files.length} files`;
}
