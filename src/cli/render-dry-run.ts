import { showDuration } from '../formula/duration.ts';
import type {
  DryAgent,
  DryAction,
  DryCheck,
  DryCommand,
  DryInstance,
  DryRun,
  DryStep,
  DryWait,
  DryWorkspace,
  Foreseen,
} from '../runner/dry-run.ts';
import type { JsonValue } from '../support/json.ts';
import type { OutlineLine, OutlineOptions } from './outline.ts';
import { block, command, labelled, layOut, line, listed } from './outline.ts';
import { changesText } from './changes-text.ts';
import { afterNote, loopNote, policyNotes } from './step-notes.ts';

/** Where the inputs of a dry run come from. */
export type InputOrigin = 'given' | 'default' | 'example';

/** Items of a list that are shown; of more there is the number. */
const MOST_ITEMS = 3;

/** A dry run as text: what each step would start, and what nobody can know before. */
export function renderDryRun(
  dry: DryRun,
  origins: Readonly<Record<string, InputOrigin>>,
  options: OutlineOptions,
): string {
  const { formula, profile, inputs, workspace, concurrency, missing, failures, outputs } = dry;
  const last = dry.finally ?? [];
  const results = Object.entries(outputs ?? {});
  const names = Math.max(...Object.keys(inputs).map((name) => name.length));
  return layOut(
    [
      line(
        0,
        [formula, 'strong'],
        [profile === undefined ? '' : `  profile ${profile}`, 'plain'],
        ['  dry run: nothing is started', 'faint'],
      ),
      line(0),
      ...labelled(
        'inputs',
        Object.entries(inputs).map(([name, value]) => [
          [name.padEnd(names), 'name'],
          [`  ${short(value)}`, 'plain'],
          [origins[name] === undefined || origins[name] === 'given' ? '' : `  ${origins[name]}`, 'faint'],
        ]),
      ),
      ...labelled('workspace', workspaceLines(workspace)),
      ...labelled('exclusive', concurrency ? [seenText(concurrency)] : []),
      line(0),
      ...stepLines(dry.steps, 1, options),
      ...(last.length > 0 ? [line(0), line(0, ['finally', 'faint']), ...stepLines(last, 1, options)] : []),
      ...(results.length > 0 ? [line(0), line(0, ['outputs', 'faint'])] : []),
      ...results.map(([name, value]) => line(1, [name, 'name'], ['  ', 'plain'], ...seen(value))),
      ...(missing.length > 0 ? [line(0), line(0, ['not known before the run', 'faint'])] : []),
      ...missing.map((name) => line(1, [name, 'attention'])),
      ...(failures.length > 0 ? [line(0), line(0, ['would fail', 'error'])] : []),
      ...failures.map(({ step, message }) =>
        line(1, [step === '' ? formula : step, 'name'], [`  ${message}`, 'plain']),
      ),
    ],
    // A command is shown to its last character: the terminal wraps what is longer than a line.
    { ...options, width: undefined },
  );
}

function stepLines(steps: readonly DryStep[], depth: number, options: OutlineOptions): OutlineLine[] {
  return steps.flatMap((step, index) => oneStep(step, steps[index - 1], depth, options));
}

function oneStep(
  step: DryStep,
  before: DryStep | undefined,
  depth: number,
  options: OutlineOptions,
): OutlineLine[] {
  const { id, title, would, when, forEach, instances } = step;
  const after = afterNote(step, before);
  const head = (verdict: string) =>
    line(
      depth,
      [id, would === 'skip' ? 'faint' : 'name'],
      [title === undefined ? '' : `  ${title}`, 'plain'],
      [after === '' ? '' : `  ${after}`, 'faint'],
      [verdict, 'attention'],
    );
  if (would === 'skip') return [head(`  would be skipped: ${when?.expression ?? ''} is false`)];
  const inner = depth + 1;
  const list = forEach?.items.is === 'known' || (forEach !== undefined && instances[0]?.index !== undefined);
  const shown = options.width === undefined ? instances : instances.slice(0, MOST_ITEMS);
  return [
    head(would === 'open' ? '  may be skipped' : ''),
    ...(when
      ? [line(inner, ['when ', 'faint'], [when.expression, 'code'], [verdictOf(when.outcome), 'faint'])]
      : []),
    ...(forEach
      ? [
          line(
            inner,
            ['for each of ', 'faint'],
            [forEach.of, 'code'],
            [
              `${list && !/^\d+ items$/.test(forEach.of) ? ` = ${counted(instances.length)}` : ''}, ${loopNote(step)}`,
              'faint',
            ],
          ),
          ...failureLine(forEach.items, inner),
        ]
      : []),
    ...shown.flatMap((instance) =>
      list
        ? [
            line(inner, [`[${instance.index ?? 0}] `, 'name'], ...(instance.item ? seen(instance.item) : [])),
            ...instanceLines(instance, inner + 1, options),
          ]
        : instanceLines(instance, inner, options),
    ),
    ...(shown.length < instances.length
      ? [line(inner, [`… ${counted(instances.length - shown.length, 'more ')}`, 'faint'])]
      : []),
    ...policyNotes(step).map((text) => line(inner, [text, 'faint'])),
  ];
}

function instanceLines(instance: DryInstance, depth: number, options: OutlineOptions): OutlineLine[] {
  const { concurrency, inputs, workspace, env, secrets, action, verify } = instance;
  return [
    ...Object.entries(inputs ?? {}).map(([name, value]) =>
      line(depth, ['input ', 'faint'], [`${name} = `, 'plain'], ...seen(value)),
    ),
    ...actionLines(action, depth, options),
    ...Object.entries(env ?? {}).flatMap(([name, value]) => envLines(name, value, depth, options)),
    ...Object.entries(secrets ?? {}).map(([name, secret]) =>
      line(depth, ['env ', 'faint'], [`${name}=`, 'plain'], [`‹secret ${secret}›`, 'code']),
    ),
    ...(workspace
      ? workspaceLines(workspace).map((pieces) => line(depth, ['workspace ', 'faint'], ...pieces))
      : []),
    ...(concurrency ? [line(depth, ['exclusive ', 'faint'], ...seenText(concurrency))] : []),
    ...(verify ?? []).flatMap((check) => checkLines(check, depth, options)),
    ...(action.kind === 'group'
      ? [
          ...stepLines(action.steps, depth + 1, options),
          ...(action.finally
            ? [line(depth, ['finally', 'faint']), ...stepLines(action.finally, depth + 1, options)]
            : []),
        ]
      : []),
  ];
}

function envLines(
  name: string,
  value: Foreseen<string>,
  depth: number,
  options: OutlineOptions,
): OutlineLine[] {
  const head = [
    ['env ', 'faint'],
    [`${name}=`, 'plain'],
  ] as const;
  if (value.is === 'failure' || !textOf(value).trimEnd().includes('\n')) {
    const text =
      value.is === 'failure'
        ? value
        : { ...value, ...(value.is === 'known' && { value: value.value.trimEnd() }) };
    return [line(depth, ...head, ...seenText(text))];
  }
  return [line(depth, ...head), ...block(depth + 1, textOf(value), 'code', options)];
}

function actionLines(action: DryAction, depth: number, options: OutlineOptions): OutlineLine[] {
  switch (action.kind) {
    case 'run':
      return commandLines(action.command, depth, options);
    case 'agent':
      return agentLines(action, depth, options);
    case 'approve': {
      const by = action.by ? ` of ${action.by.join(', ')}` : '';
      return [
        line(
          depth,
          ['ask ', 'faint'],
          [action.count === 1 ? `somebody${by}: ` : `${action.count} people${by}: `, 'plain'],
          ...seenText(action.ask),
        ),
        ...(action.show ?? []).map(({ expression, value }) =>
          line(
            depth,
            ['show ', 'faint'],
            [expression, 'code'],
            ...(value.is === 'unknown' ? [] : [[' = ', 'faint'] as const, ...seen(value)]),
          ),
        ),
      ];
    }
    case 'wait':
      return [line(depth, ['wait ', 'faint'], ...waitPieces(action))];
    case 'group':
      return [line(depth, ['formula ', 'faint'], [action.formula, 'strong'])];
  }
}

/** The request is what counts, so its bytes are shown as they are sent. */
function agentLines(action: DryAgent, depth: number, options: OutlineOptions): OutlineLine[] {
  const { model, system, prompt, tools, maxTurns, request, tokens } = action;
  const failed = [system, prompt].flatMap((text) => (text?.is === 'failure' ? [text.message] : []));
  return [
    line(
      depth,
      ['agent ', 'faint'],
      [model, 'strong'],
      [`  at most ${maxTurns} ${maxTurns === 1 ? 'turn' : 'turns'}`, 'faint'],
      [tools.length === 0 ? ', no tools' : `, ${tools.join(', ')}`, 'faint'],
    ),
    ...failed.map((message) => line(depth, ['would fail: ', 'error'], [message, 'plain'])),
    ...(request === undefined
      ? []
      : [
          line(depth, [
            `first request, ${Buffer.byteLength(request)} bytes, about ${tokens ?? 0} tokens`,
            'faint',
          ]),
          ...block(depth + 1, request, 'code', options),
        ]),
  ];
}

function waitPieces(wait: DryWait): OutlineLine['pieces'] {
  if ('for' in wait) return [[`for ${showDuration(wait.for)}`, 'plain']];
  if ('until' in wait) return [['until ', 'plain'], ...seenText(wait.until)];
  const match = wait.match === undefined ? '' : ` where ${wait.match}`;
  const pass = wait.pass === undefined ? '' : `, which passes if ${wait.pass}`;
  return [[`for event ${wait.event}${match}${pass}`, 'plain']];
}

function commandLines(dry: DryCommand, depth: number, options: OutlineOptions): OutlineLine[] {
  if (dry.is === 'failure') return [line(depth, ['would fail: ', 'error'], [dry.message, 'plain'])];
  const { rendered, beside = [] } = dry;
  return [
    ...(rendered.kind === 'program'
      ? [line(depth, [[rendered.program, ...rendered.args].join(' '), 'strong'], [' runs', 'faint'])]
      : []),
    ...command(depth, dry.text, options),
    ...beside.flatMap(({ name, value }) => [
      line(depth, ['with ', 'faint'], [name, 'name'], [' =', 'faint']),
      ...block(depth + 1, typeof value === 'string' ? value : value.join('\n'), 'code', options),
    ]),
  ];
}

function checkLines(check: DryCheck, depth: number, options: OutlineOptions): OutlineLine[] {
  const one = (...pieces: OutlineLine['pieces']) => line(depth, ['verify ', 'faint'], ...pieces);
  switch (check.kind) {
    case 'run': {
      const base = check.from ? `  with ${listed(check.files ?? [])} as before the step` : '';
      const { command: dry } = check;
      if (
        dry.is !== 'failure' &&
        !dry.beside &&
        dry.rendered.kind !== 'program' &&
        !dry.text.trim().includes('\n')
      )
        return [one([dry.text.trim(), 'code'], [base, 'faint'])];
      return [one([base.trim(), 'faint']), ...commandLines(dry, depth + 1, options)];
    }
    case 'check':
      return [one([check.expression, 'code'], [verdictOf(check.outcome), 'faint'])];
    case 'changes': {
      const texts = (globs: readonly Foreseen<string>[] | undefined) => globs?.map(textOf);
      const { maxFiles, maxLines } = check;
      const [only, never] = [texts(check.only), texts(check.never)];
      const text = changesText({
        ...(only && { only }),
        ...(never && { never }),
        ...(maxFiles !== undefined && { maxFiles }),
        ...(maxLines !== undefined && { maxLines }),
      });
      return [one([text, 'code'])];
    }
    case 'judge':
      return [
        one(['judge ', 'faint'], [check.model, 'name'], [' finds ', 'faint'], [check.pass, 'code']),
        line(depth + 1, ...seenText(check.rubric)),
      ];
    case 'wait':
      return [one(['wait ', 'faint'], ...waitPieces(check.wait))];
  }
}

function workspaceLines({ from, prepare, services }: DryWorkspace): OutlineLine['pieces'][] {
  const brief = (dry: DryCommand): OutlineLine['pieces'][number] => {
    if (dry.is === 'failure') return [`(fails: ${dry.message})`, 'error'];
    const [first = '', ...rest] = dry.text.trim().split('\n');
    return [rest.length > 0 ? `${first} …` : first, 'code'];
  };
  return [
    typeof from === 'object'
      ? [...seenText(from.git), ...(from.ref ? [[' at ', 'faint'] as const, ...seenText(from.ref)] : [])]
      : [[from, 'plain']],
    ...(prepare
      ? [
          [
            ['prepared by ', 'faint'] as const,
            brief(prepare.command),
            [` once per content of ${listed(prepare.files)}`, 'faint'] as const,
          ],
        ]
      : []),
    ...(services ?? []).map(({ id, command: dry }) => [
      ['service ', 'faint'] as const,
      [id, 'name'] as const,
      ['  ', 'plain'] as const,
      brief(dry),
    ]),
  ];
}

function verdictOf(outcome: Foreseen): string {
  switch (outcome.is) {
    case 'known':
      return outcome.value === true ? '  (true)' : '  (false)';
    case 'unknown':
      return '  (not known yet)';
    case 'failure':
      return `  (fails: ${outcome.message})`;
  }
}

function failureLine(value: Foreseen, depth: number): OutlineLine[] {
  return value.is === 'failure' ? [line(depth, ['would fail: ', 'error'], [value.message, 'plain'])] : [];
}

function seen(value: Foreseen): OutlineLine['pieces'] {
  if (value.is === 'known') return [[short(value.value), 'plain']];
  return value.is === 'unknown'
    ? [[value.text, 'code']]
    : [
        ['would fail: ', 'error'],
        [value.message, 'plain'],
      ];
}

function seenText(value: Foreseen<string>): OutlineLine['pieces'] {
  return value.is === 'known' ? [[value.value, 'plain']] : seen(value);
}

function textOf(value: Foreseen<string>): string {
  return value.is === 'known'
    ? value.value
    : value.is === 'unknown'
      ? value.text
      : `(fails: ${value.message})`;
}

function short(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 500 ? `${text.slice(0, 499)}…` : text;
}

function counted(items: number, more = ''): string {
  return `${items} ${more}item${items === 1 ? '' : 's'}`;
}
