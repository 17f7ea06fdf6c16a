import type { Finding, Located, Span } from '../diagnostics/diagnostic.ts';
import type { SourceDocument, SourceEntry, SourceMap, SourceNode } from '../source/source-document.ts';
import { toJson } from '../source/source-document.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';
import { parseDuration } from './duration.ts';
import { scalarText } from './formula.ts';

/** A file of tests, as far as it can be read without what it is about. */
export interface TestFile {
  readonly kind: 'test';
  readonly file: string;
  readonly span: Span;
  /** What it is about, by its name: the formula or molecule beside it. */
  readonly subject: { readonly kind: 'formula' | 'molecule'; readonly name: string };
  readonly tests: readonly Test[];
}

/** One run, what stands in the place of its surroundings, and what is expected of it. */
export interface Test {
  readonly name: Located<string>;
  readonly inputs: readonly Named<JsonValue>[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly stubs: readonly Named<Stub>[];
  readonly answers: readonly Named<readonly Answer[]>[];
  readonly events: readonly OutsideEvent[];
  readonly expect: Expectations;
}

/** Something under a name that somebody wrote: of an input, of a step. */
export interface Named<T> {
  readonly name: Located<string>;
  readonly value: T;
  /** Of the value. */
  readonly span: Span;
}

/** In the place of an action: the action itself, or tries one after the other, of which the last repeats. */
export type Stub = 'real' | readonly [Try, ...Try[]];

/** How one try of an action ends. */
export interface Try {
  readonly outputs: { readonly value: JsonObject; readonly entries: readonly Named<JsonValue>[] } | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
  /** By path; null: the file is removed. */
  readonly writes: Readonly<Record<string, string | null>>;
  /** Milliseconds. */
  readonly after: number;
  readonly checks: 'pass' | 'fail' | undefined;
}

export interface Answer {
  readonly decision: 'approve' | 'reject';
  /** Absent: as many as are needed of those who may. */
  readonly by: string | undefined;
  readonly comment: string | undefined;
  /** Milliseconds after the question. */
  readonly after: number;
}

export interface OutsideEvent {
  readonly event: string;
  readonly data: JsonValue;
  /** Milliseconds after the run's start. */
  readonly after: number;
}

export interface Expectations {
  readonly span: Span;
  readonly status: Located<string> | undefined;
  readonly started: Named<readonly string[]> | undefined;
  readonly steps: readonly Named<string>[];
  readonly attempts: readonly Named<number>[];
  readonly outputs: readonly Named<JsonValue>[];
  readonly results: readonly Named<JsonValue>[];
  readonly error: Located<string> | undefined;
  readonly rendered: readonly Named<string>[];
}

/** Whether a file holds tests, by its name. */
export function isTestFile(path: string): boolean {
  return path.endsWith('.test.yaml');
}

/** The path of what a file of tests is about; undefined for a file of another kind. */
export function subjectOf(path: string): (TestFile['subject'] & { readonly path: string }) | undefined {
  const [, folder, name] = /^(formulas|molecules)\/([^/.]+)(?:\.[^/]*)?\.test\.yaml$/.exec(path) ?? [];
  if (folder === undefined || name === undefined) return undefined;
  return { kind: folder === 'formulas' ? 'formula' : 'molecule', name, path: `${folder}/${name}.yaml` };
}

/** The id of the one step that a molecule is tested as. */
export function stepIdOf(molecule: string): string {
  return molecule.replaceAll('-', '_');
}

/** Reads a document that satisfies its schema. */
export function readTestFile(document: SourceDocument): {
  readonly value: TestFile;
  readonly findings: readonly Finding[];
} {
  const root = document.root as SourceMap;
  const { kind, name } = subjectOf(document.file) ?? { kind: 'formula' as const, name: '' };
  const findings: Finding[] = [];
  const tests = listOf(root.get('tests')?.value).map((node) => readTest(node as SourceMap, findings));
  return {
    value: { kind: 'test', file: document.file, span: root.span, subject: { kind, name }, tests },
    findings,
  };
}

function readTest(test: SourceMap, findings: Finding[]): Test {
  return {
    name: located(test.get('name') as SourceEntry),
    inputs: entriesOf(test, 'inputs').map((entry) => named(entry, toJson(entry.value))),
    env: textsOf(test, 'env') as Record<string, string>,
    files: textsOf(test, 'files') as Record<string, string>,
    stubs: entriesOf(test, 'stubs').flatMap((entry) => {
      const stub = readStub(entry, findings);
      return stub ? [named(entry, stub)] : [];
    }),
    answers: entriesOf(test, 'answers').map((entry) => named(entry, oneOrMore(entry.value).map(readAnswer))),
    events: listOf(test.get('events')?.value).map((node) => {
      const event = node as SourceMap;
      const data = event.get('data')?.value;
      return {
        event: textOf(event, 'event') ?? '',
        data: data ? toJson(data) : null,
        after: durationOf(event),
      };
    }),
    expect: readExpectations(test.get('expect')?.value as SourceMap),
  };
}

function readStub({ value }: SourceEntry, findings: Finding[]): Stub | undefined {
  if (value.kind === 'scalar') {
    if (value.value === 'real') return 'real';
    findings.push({
      rule: 'not-allowed',
      severity: 'error',
      message: `a stub is a map, a list of maps, or the word "real"`,
      help: 'write what the action would put out: `{outputs: {…}}`; `{}` for nothing',
      span: value.span,
    });
    return undefined;
  }
  return oneOrMore(value).map(readTry) as [Try, ...Try[]];
}

function readTry(node: SourceMap): Try {
  const outputs = node.get('outputs');
  const exit = node.get('exit')?.value;
  const checks = textOf(node, 'checks');
  return {
    outputs: outputs && {
      value: toJson(outputs.value) as JsonObject,
      entries: entriesOf(node, 'outputs').map((entry) => named(entry, toJson(entry.value))),
    },
    stdout: textOf(node, 'stdout') ?? '',
    stderr: textOf(node, 'stderr') ?? '',
    exit: exit?.kind === 'scalar' ? Number(exit.value) : 0,
    writes: textsOf(node, 'writes'),
    after: durationOf(node),
    checks: checks === 'pass' || checks === 'fail' ? checks : undefined,
  };
}

function readAnswer(node: SourceMap): Answer {
  return {
    decision: textOf(node, 'decision') === 'reject' ? 'reject' : 'approve',
    by: textOf(node, 'by'),
    comment: textOf(node, 'comment'),
    after: durationOf(node),
  };
}

function readExpectations(node: SourceMap): Expectations {
  const status = node.get('status');
  const started = node.get('started');
  const error = node.get('error');
  const values = (key: string) => entriesOf(node, key).map((entry) => named(entry, toJson(entry.value)));
  return {
    span: node.span,
    status: status && located(status),
    started: started && named(started, toJson(started.value) as readonly string[]),
    steps: values('steps') as Named<string>[],
    attempts: values('attempts') as Named<number>[],
    outputs: values('outputs'),
    results: values('results'),
    error: error && located(error),
    rendered: values('rendered') as Named<string>[],
  };
}

function located({ value }: SourceEntry): Located<string> {
  return { value: value.kind === 'scalar' ? scalarText(value) : '', span: value.span };
}

function named<T>({ key, value: { span } }: SourceEntry, value: T): Named<T> {
  return { name: { value: scalarText(key), span: key.span }, value, span };
}

function entriesOf(map: SourceMap, key: string): readonly SourceEntry[] {
  const value = map.get(key)?.value;
  return value?.kind === 'map' ? value.entries : [];
}

function listOf(node: SourceNode | undefined): readonly SourceNode[] {
  return node?.kind === 'list' ? node.items : [];
}

function oneOrMore(node: SourceNode): readonly SourceMap[] {
  return (node.kind === 'list' ? node.items : [node]).filter((one): one is SourceMap => one.kind === 'map');
}

function textOf(map: SourceMap, key: string): string | undefined {
  const value = map.get(key)?.value;
  return value?.kind === 'scalar' ? scalarText(value) : undefined;
}

function textsOf(map: SourceMap, key: string): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    entriesOf(map, key).map((entry) => [
      scalarText(entry.key),
      entry.value.kind === 'scalar' && entry.value.value !== null ? scalarText(entry.value) : null,
    ]),
  );
}

/** Milliseconds of `after`; its form was checked with the schema. */
function durationOf(map: SourceMap): number {
  const text = textOf(map, 'after');
  const parsed = text === undefined ? 0 : parseDuration(text);
  return parsed ?? 0;
}

/** The step that a path in a test is about: `fix[2]` is an item of the step `fix`. */
export function withoutItem(path: string): string {
  return path.replace(/\[\d+\]/g, '');
}
