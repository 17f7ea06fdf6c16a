import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** One of several things that are compared. */
export interface Subject {
  readonly name: string;
  /** Does it once. A number it returns is taken as the milliseconds, so that what it had to set up does not count. */
  readonly run: () => number | void | Promise<number | void>;
}

export interface Measured {
  readonly name: string;
  /** Milliseconds, in the order they were measured. */
  readonly samples: readonly number[];
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Measures all subjects once per round, one after the other, so that a machine that slows down for a while slows all of
 * them, and begins each round with another one, so that none always comes after the same. The rounds of `warmUp` come
 * first and are not counted.
 */
export async function interleave(
  subjects: readonly Subject[],
  { rounds, warmUp = 1 }: { readonly rounds: number; readonly warmUp?: number },
): Promise<readonly Measured[]> {
  const samples = subjects.map((): number[] => []);
  for (let round = -warmUp; round < rounds; round += 1) {
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const index = (turn + Math.max(round, 0)) % subjects.length;
      const milliseconds = await time((subjects[index] as Subject).run);
      if (round >= 0) (samples[index] as number[]).push(milliseconds);
    }
  }
  return subjects.map(({ name }, index) => summary(name, samples[index] as number[]));
}

export function summary(name: string, samples: readonly number[]): Measured {
  return {
    name,
    samples,
    median: median(samples),
    least: Math.min(...samples),
    most: Math.max(...samples),
  };
}

async function time(run: Subject['run']): Promise<number> {
  const begun = performance.now();
  const own = await run();
  return typeof own === 'number' ? own : performance.now() - begun;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper;
}

/** A figure that a benchmark aims at. */
export interface Aim {
  readonly what: string;
  readonly is: number;
  /** Met when `is` is at most, or at least, that. */
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Written behind both figures, with its space: ` ms`, ` ×`. */
  readonly unit: string;
}

/** Rows of a table; a column's cells are all texts or all numbers. */
export type Row = Readonly<Record<string, string | number>>;

export interface Report {
  readonly bench: string;
  readonly rows: readonly Row[];
  readonly aims?: readonly Aim[];
  /** What else a reader has to know: what was compared with what. */
  readonly notes?: readonly string[];
  /** Whatever is worth keeping beside the table, samples for one; stands in the JSON only. */
  readonly details?: unknown;
}

/** The table and the aims for eyes, on stderr; one JSON document on stdout. */
export function print(report: Report): void {
  const machine = describeMachine();
  const aims = (report.aims ?? []).map((aim) => ({ ...aim, met: isMet(aim) }));
  const lines = [
    '',
    report.bench,
    machineLine(machine),
    '',
    ...table(report.rows),
    ...(aims.length > 0 ? ['', ...aims.map(aimLine)] : []),
    ...(report.notes ? ['', ...report.notes] : []),
    '',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.stdout.write(`${JSON.stringify({ ...report, machine, aims }, null, 2)}\n`);
}

function isMet({ is, atMost, atLeast }: Aim): boolean {
  return (atMost === undefined || is <= atMost) && (atLeast === undefined || is >= atLeast);
}

function aimLine(aim: Aim & { readonly met: boolean }): string {
  const { what, is, atMost, atLeast, unit, met } = aim;
  const bound =
    atMost !== undefined ? `at most ${figure(atMost)}${unit}` : `at least ${figure(atLeast ?? 0)}${unit}`;
  return `${met ? 'met   ' : 'MISSED'}  ${what}: ${figure(is)}${unit} (aim: ${bound})`;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly gigabytes: number;
  readonly system: string;
  readonly node: string;
  /** Of the last minute, before the figures were printed: others at work make them worth less. */
  readonly load: number;
  readonly commit: string;
  readonly at: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    gigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    commit: commit(),
    at: new Date().toISOString(),
  };
}

function machineLine({ cpu, cores, gigabytes, system, node, load, commit, at }: Machine): string {
  return `${cores} × ${cpu}, ${gigabytes} GB, ${system}, Node ${node}, load ${load}, commit ${commit}, ${at}`;
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    return `${git('rev-parse', '--short', 'HEAD').trim()}${git('status', '--porcelain') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

/** Texts to the left, numbers to the right. */
export function table(rows: readonly Row[]): readonly string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...cells.map((row) => (row[index] as string).length)),
  );
  const right = columns.map((column) =>
    rows.every((row) => typeof row[column] === 'number' || row[column] === undefined),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) =>
        right[index] ? text.padStart(widths[index] as number) : text.padEnd(widths[index] as number),
      )
      .join('  ')
      .trimEnd();
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)];
}

function cell(value: string | number | undefined): string {
  return value === undefined ? '' : typeof value === 'number' ? figure(value) : value;
}

/** Three digits that mean something, and whole numbers whole. */
export function figure(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
