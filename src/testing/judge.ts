import type { Span } from '../diagnostics/diagnostic.ts';
import type { Expectations, Named } from '../formula/test-file.ts';
import { withoutItem } from '../formula/test-file.ts';
import type { RunEvent } from '../journal/event.ts';
import { canonicalJson } from '../support/canonical-json.ts';
import type { JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { TestRun } from './run-test.ts';

/** Something that a test expects and that is not so. */
export interface Mismatch {
  /** `outputs.count`, `rendered.publish`. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  /** Of what the test says. */
  readonly span: Span;
  /** How the text would have to be for `--update`. */
  readonly update?: string;
}

/** What of a test's expectations is not so. */
export function judge(expect: Expectations, run: TestRun): readonly Mismatch[] {
  const { state, events } = run;
  const status = run.waiting ? 'waiting' : state.status;
  const found: Mismatch[] = [];
  const same = (what: string, span: Span, expected: string, actual: string) => {
    if (expected !== actual) found.push({ what, expected, actual, span });
  };
  // Who expects nothing else expects that it goes well.
  if (expect.status) same('status', expect.status.span, expect.status.value, status);
  else if (expect.error === undefined) same('status', expect.span, 'succeeded', status);
  if (expect.started)
    same('started', expect.started.span, expect.started.value.join(', '), startedIn(events).join(', '));
  for (const { name, value, span } of expect.steps)
    same(`steps.${name.value}`, span, value, stepOf(run, name.value)?.status ?? 'not reached');
  for (const { name, value, span } of expect.attempts)
    same(`attempts.${name.value}`, span, String(value), String(stepOf(run, name.value)?.attempts ?? 0));
  for (const output of expect.outputs)
    found.push(...differing('outputs', output, state.outputs?.[output.name.value]));
  for (const result of expect.results)
    found.push(...differing('results', result, stepOf(run, result.name.value)?.outputs));
  if (expect.error) {
    const messages = errorsOf(run);
    if (!messages.some((message) => message.includes(expect.error?.value ?? '')))
      found.push({
        what: 'error',
        expected: expect.error.value,
        actual: messages.join('\n') || 'no error',
        span: expect.error.span,
      });
  }
  for (const { name, value, span } of expect.rendered) {
    const actual = run.rendered.get(withoutItem(name.value));
    if (actual === undefined) same(`rendered.${name.value}`, span, value, 'not reached');
    else if (trimmed(actual) !== trimmed(value))
      found.push({ what: `rendered.${name.value}`, expected: value, actual, span, update: actual });
  }
  return found;
}

/** Line ends at the end of a script mean nothing. */
function trimmed(text: string): string {
  return text.replace(/\s+$/, '');
}

interface StepSeen {
  readonly status: string;
  readonly attempts: number;
  readonly outputs?: JsonValue;
}

/** A step, or one item of it: `fix[2]`. */
function stepOf({ state, waiting }: TestRun, path: string): StepSeen | undefined {
  const [, name = path, index] = /^(.*)\[(\d+)\]$/.exec(path) ?? [];
  const step = state.steps[name];
  if (!step) return undefined;
  const seen = index === undefined ? step : step.items?.[Number(index)];
  if (!seen) return undefined;
  const { status } = seen;
  return {
    status: waiting && status === 'running' ? 'waiting' : status,
    attempts: 'attempts' in seen ? seen.attempts : step.attempts,
    ...(seen.outputs !== undefined && { outputs: seen.outputs }),
  };
}

/** Steps in the order in which they began, each once. */
function startedIn(events: readonly RunEvent[]): readonly string[] {
  const started = events.flatMap((event) => (event.type === 'step.started' ? [String(event.step)] : []));
  return [...new Set(started)];
}

function errorsOf({ state }: TestRun): readonly string[] {
  const steps = Object.values(state.steps).flatMap((step) => (step.error ? [step.error.message] : []));
  return [...(state.error ? [state.error.message] : []), ...steps];
}

function differing(
  what: string,
  { name, value, span }: Named<JsonValue>,
  actual: JsonValue | undefined,
): readonly Mismatch[] {
  if (actual !== undefined && holds(actual, value)) return [];
  return [
    {
      what: `${what}.${name.value}`,
      expected: JSON.stringify(value),
      actual: actual === undefined ? 'nothing' : JSON.stringify(narrowed(actual, value)),
      span,
    },
  ];
}

/** Whether a value is as expected; its maps may hold more than is named. */
function holds(actual: JsonValue, expected: JsonValue): boolean {
  if (isJsonObject(expected)) {
    return (
      isJsonObject(actual) &&
      Object.entries(expected).every(([key, value]) => {
        const inner = actual[key];
        return inner !== undefined && holds(inner, value);
      })
    );
  }
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((value, index) => holds(actual[index] as JsonValue, value as JsonValue))
    );
  }
  return canonicalJson(actual) === canonicalJson(expected);
}

/** Of a map only what was asked for, so that a report shows what differs. */
function narrowed(actual: JsonValue, expected: JsonValue): JsonValue {
  if (!isJsonObject(actual) || !isJsonObject(expected)) return actual;
  return Object.fromEntries(
    Object.keys(expected).flatMap((key) => {
      const inner = actual[key];
      return inner === undefined ? [] : [[key, narrowed(inner, expected[key] as JsonValue)]];
    }),
  );
}
