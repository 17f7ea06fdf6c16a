import type { ItemState, RunState, StepState, StepStatus } from '../journal/run-state.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import { showElapsed } from './elapsed.ts';
import type { TextStyle } from './text-style.ts';
import { usageNote } from './usage-note.ts';

/** How a tree is drawn. */
export interface TreeOptions {
  readonly style: TextStyle;
  /** Milliseconds since the epoch: what runs has run until now. */
  readonly now: number;
  /** Columns a line may take. */
  readonly width: number;
  /** Lines there is room for; what has ended or not begun is folded first. Absent: all. */
  readonly height?: number;
  /** Of a moving picture: which one this is, so that what runs can turn. */
  readonly frame?: number;
  /** The last line that a step has put out, by its name. */
  readonly output?: ReadonlyMap<string, string>;
}

interface Row {
  readonly depth: number;
  readonly status: StepStatus;
  readonly text: string;
  readonly note: string;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** More items of one step than this are not shown one by one. */
const MOST_ITEMS = 6;

/** The steps of a run, one to a line, groups indented, with what each has come to. */
export function renderTree(plan: Plan, state: RunState, options: TreeOptions): readonly string[] {
  const rows = [
    ...plan.steps.flatMap((step) => rowsOf(step, '', 0, state, options)),
    ...(plan.finally ?? []).flatMap((step) => rowsOf(step, '', 0, state, options)),
  ];
  return fold(rows, options.height).map((row) =>
    typeof row === 'string' ? options.style.faint(row) : draw(row, options),
  );
}

function rowsOf(step: PlanStep, prefix: string, depth: number, state: RunState, options: TreeOptions): Row[] {
  const path = `${prefix}${step.id}`;
  const known = state.steps[path];
  const status = statusOf(path, known, state);
  const row: Row = { depth, status, text: step.title ?? step.id, note: noteOf(path, known, status, options) };
  const waiting = (state.waiting ?? []).find((one) => one.step === path && one.item === undefined);
  const asked = waiting?.ask === undefined ? row : { ...row, note: join(row.note, waiting.ask) };
  return [
    asked,
    ...itemRows(step, path, depth, known, state, options),
    ...innerRows(step, `${path}.`, depth, status, state, options),
  ];
}

/** What a group holds, while it is of interest: not before it begins, nor when it was skipped. */
function innerRows(
  step: PlanStep,
  prefix: string,
  depth: number,
  status: StepStatus,
  state: RunState,
  options: TreeOptions,
): Row[] {
  const { action } = step;
  if (action.kind !== 'group' || step.forEach !== undefined || status === 'skipped') return [];
  return [...action.steps, ...(action.finally ?? [])].flatMap((inner) =>
    rowsOf(inner, prefix, depth + 1, state, options),
  );
}

/** Of a `for_each` those items that are of interest: what runs, waits or has failed. */
function itemRows(
  step: PlanStep,
  path: string,
  depth: number,
  known: StepState | undefined,
  state: RunState,
  options: TreeOptions,
): Row[] {
  const items = (known?.items ?? []).map((item, index) => ({ item, index }));
  const active = items.filter(({ item }) => ['running', 'waiting', 'failed'].includes(item.status));
  return active.slice(0, MOST_ITEMS).flatMap(({ item, index }) => {
    const name = `${path}[${index}]`;
    const note = join(showItem(item), noteOf(name, item, item.status, options));
    const row: Row = { depth: depth + 1, status: statusOf(name, item, state), text: `[${index}]`, note };
    if (step.action.kind !== 'group' || item.status !== 'running') return [row];
    return [
      row,
      ...step.action.steps.flatMap((inner) => rowsOf(inner, `${name}.`, depth + 2, state, options)),
    ];
  });
}

/** A run that waits has told so of the run; of a step it is in the list of what it waits for. */
function statusOf(
  path: string,
  known: { readonly status: StepStatus } | undefined,
  state: RunState,
): StepStatus {
  const waits = (state.waiting ?? []).some(
    (one) => (one.item === undefined ? one.step : `${one.step}[${one.item}]`) === path,
  );
  return waits ? 'waiting' : (known?.status ?? 'pending');
}

function noteOf(
  name: string,
  known: StepState | ItemState | undefined,
  status: StepStatus,
  options: TreeOptions,
): string {
  if (!known) return '';
  const { attempts, iterations = 0, startedAt, endedAt, error } = known;
  const until = endedAt === undefined ? options.now : Date.parse(endedAt);
  const items = 'items' in known && known.items ? countItems(known.items) : '';
  return join(
    startedAt !== undefined && status !== 'skipped' ? showElapsed(until - Date.parse(startedAt)) : '',
    items,
    known.cached ? 'cached' : '',
    known.usage ? usageNote(known.usage) : '',
    items === '' && attempts > 1 ? `attempt ${attempts}` : '',
    iterations > 1 ? `iteration ${iterations}` : '',
    status === 'failed' ? (error?.message ?? '') : '',
    status === 'running' ? (options.output?.get(name) ?? '') : '',
  );
}

function countItems(items: readonly ItemState[]): string {
  const of = (status: StepStatus) => items.filter((item) => item.status === status).length;
  const [failed, running] = [of('failed'), of('running')];
  return `${of('succeeded')}/${items.length}${running > 0 ? `, ${running} running` : ''}${failed > 0 ? `, ${failed} failed` : ''}`;
}

function showItem({ item }: ItemState): string {
  return typeof item === 'string' ? item : JSON.stringify(item);
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('  ');
}

/** Rows that fit: of those that have ended well, or not begun, stretches become a line that counts them. */
function fold(rows: readonly Row[], height: number | undefined): readonly (Row | string)[] {
  if (height === undefined || rows.length <= height) return rows;
  const quiet = (row: Row) => row.status !== 'running' && row.status !== 'waiting' && row.status !== 'failed';
  const shown: (Row | string)[] = [];
  let stretch: Row[] = [];
  const close = () => {
    // One row says where it stands: the last that ended, the first to come. A stretch that is short is as well shown.
    const pending = stretch[0]?.status === 'pending';
    if (stretch.length <= 3) shown.push(...stretch);
    else if (pending) shown.push(stretch[0] as Row, `  … ${tallyOf(stretch.slice(1))}`);
    else shown.push(`  … ${tallyOf(stretch.slice(0, -1))}`, stretch.at(-1) as Row);
    stretch = [];
  };
  for (const row of rows) {
    if (quiet(row)) {
      if (stretch.length > 0 && (stretch[0]?.status === 'pending') !== (row.status === 'pending')) close();
      stretch.push(row);
    } else {
      close();
      shown.push(row);
    }
  }
  close();
  if (shown.length <= height) return shown;
  const room = Math.max(height - 1, 1);
  return [...shown.slice(0, room), `  … ${shown.length - room} more lines`];
}

function tallyOf(rows: readonly Row[]): string {
  const names: readonly (readonly [StepStatus, string])[] = [
    ['succeeded', 'done'],
    ['skipped', 'skipped'],
    ['cancelled', 'cancelled'],
    ['pending', 'to come'],
    ['ready', 'to come'],
  ];
  return names
    .map(([status, word]) => [rows.filter((row) => row.status === status).length, word] as const)
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}`)
    .join(', ');
}

function draw(row: Row, options: TreeOptions): string {
  const { style, width } = options;
  const indent = '  '.repeat(row.depth + 1);
  const name = row.text.replace(/\s+/g, ' ');
  const note = row.note.replace(/\s*\n\s*/g, ' ');
  const room = Math.max(width - indent.length - 2 - name.length - 2, 0);
  const cut = note.length > room ? `${note.slice(0, Math.max(room - 1, 0))}…` : note;
  const told =
    row.status === 'failed'
      ? style.error(cut)
      : row.status === 'waiting'
        ? style.attention(cut)
        : style.faint(cut);
  const shown = row.status === 'pending' || row.status === 'skipped' ? style.faint(name) : name;
  return `${indent}${symbol(row.status, options)} ${shown}${note === '' || room < 4 ? '' : `  ${told}`}`;
}

function symbol(status: StepStatus, { style, frame }: TreeOptions): string {
  switch (status) {
    case 'succeeded':
      return style.good('✓');
    case 'failed':
      return style.error('✗');
    case 'running':
      return style.help(frame === undefined ? '▸' : (SPINNER[frame % SPINNER.length] ?? '▸'));
    case 'waiting':
      return style.attention('?');
    case 'cancelled':
      return style.error('■');
    case 'skipped':
      return style.faint('–');
    case 'pending':
    case 'ready':
      return style.faint('·');
  }
}
