import { showDuration } from '../formula/duration.ts';
import type { BashParser } from '../formula/bash/load-parser.ts';
import type {
  Plan,
  PlanAction,
  PlanAgent,
  PlanBounds,
  PlanCheck,
  PlanRun,
  PlanStep,
  PlanWait,
  PlanWorkspace,
} from '../plan/plan.ts';
import type { JsonSchema } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import { changesText } from './changes-text.ts';
import type { OutlineLine, OutlineOptions, Tone } from './outline.ts';
import { block, command, labelled, layOut, line, listed } from './outline.ts';
import { authored, scriptOf } from './plan-script.ts';
import { afterNote, budgetText, loopNote, policyNotes } from './step-notes.ts';
import { dollars } from './usage-note.ts';

export interface PlanTextOptions extends OutlineOptions {
  /** Shows scripts as they were written; without it, their values are variables. */
  readonly bash: BashParser | undefined;
}

/** Steps of one list that a terminal is shown. */
const MOST_STEPS = 60;

/** A plan as text: its steps in order, what each does and waits for, and how it is proved. */
export function renderPlan(plan: Plan, options: PlanTextOptions): string {
  const { formula, profile, description, workspace, budget, concurrency, outputs } = plan;
  const head: OutlineLine[] = [
    line(0, [formula, 'strong'], [profile === undefined ? '' : `  profile ${profile}`, 'plain']),
    ...(description === undefined ? [] : block(0, description, 'plain', options)),
    line(0, [plan.plan, 'faint']),
    line(0),
    ...labelled('inputs', inputLines(plan.inputs)),
    ...labelled('workspace', workspaceLines(workspace, options)),
    ...labelled('budget', budget ? [[[budgetText(budget), 'plain']]] : []),
    ...labelled(
      'exclusive',
      concurrency
        ? [
            [
              [concurrency.group, 'code'],
              [` (${concurrencyNote(concurrency.then)})`, 'faint'],
            ],
          ]
        : [],
    ),
    ...labelled('at most', plan.bounds ? boundLines(plan.bounds) : []),
    line(0),
  ];
  const last = plan.finally ?? [];
  const results = Object.entries(outputs ?? {});
  return layOut(
    [
      ...head,
      ...stepLines(plan.steps, 1, options),
      ...(last.length > 0 ? [line(0), line(0, ['finally', 'faint']), ...stepLines(last, 1, options)] : []),
      ...(results.length > 0 ? [line(0), line(0, ['outputs', 'faint'])] : []),
      ...results.map(([name, expression]) => line(1, [name, 'name'], [`  ${expression}`, 'code'])),
    ],
    options,
  );
}

function stepLines(steps: readonly PlanStep[], depth: number, options: PlanTextOptions): OutlineLine[] {
  const ends = 20;
  const fold = options.width !== undefined && steps.length > MOST_STEPS;
  return steps.flatMap((step, index) => {
    if (!fold || index < MOST_STEPS - ends || index >= steps.length - ends)
      return oneStep(step, steps[index - 1], depth, options);
    if (index > MOST_STEPS - ends) return [];
    const folded = steps.slice(index, steps.length - ends);
    const chain = folded.every((one, at) => afterNote(one, steps[index + at - 1]) === '');
    const how = chain ? ', each after the one above it' : '';
    return [line(depth, [`… ${folded.length} more steps${how} (--json has all)`, 'faint'])];
  });
}

function oneStep(
  step: PlanStep,
  before: PlanStep | undefined,
  depth: number,
  options: PlanTextOptions,
): OutlineLine[] {
  const { id, title, tags, action, when, forEach, env, secrets, workspace, concurrency } = step;
  const after = afterNote(step, before);
  const inner = depth + 1;
  const note = (label: string, text: string, tone: Tone = 'code') =>
    line(inner, [`${label} `, 'faint'], [text, tone]);
  return [
    line(
      depth,
      [id, 'name'],
      [title === undefined ? '' : `  ${title}`, 'plain'],
      [after === '' ? '' : `  ${after}`, 'faint'],
      [tags ? `  [${tags.join(', ')}]` : '', 'faint'],
    ),
    ...(when === undefined ? [] : [note('when', when)]),
    ...(forEach === undefined
      ? []
      : [
          line(
            inner,
            ['for each of ', 'faint'],
            [typeof forEach === 'string' ? forEach : JSON.stringify(forEach), 'code'],
            [`, ${loopNote(step)}`, 'faint'],
          ),
        ]),
    ...Object.entries(step.with ?? {}).map(([name, value]) =>
      note('with', `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
    ),
    ...actionLines(action, inner, options),
    ...Object.entries(env ?? {}).map(([name, text]) => note('env', `${name}=${text}`)),
    ...(step.target === undefined ? [] : [note('beside', `${step.target}, by ${step.source.file}`, 'plain')]),
    ...(step.tools
      ? [note('tools', step.tools.map((tool) => `${tool.server}/${tool.name}`).join(', '), 'plain')]
      : []),
    ...(step.effects ? [note('effects', step.effects.join(', ') || 'none', 'plain')] : []),
    ...Object.entries(secrets ?? {}).map(([name, secret]) =>
      note('secret', `${name} from ${secret}`, 'plain'),
    ),
    ...(workspace
      ? workspaceLines(workspace, options).map((pieces) => line(inner, ['workspace ', 'faint'], ...pieces))
      : []),
    ...(concurrency
      ? [note('exclusive', `${concurrency.group} (${concurrencyNote(concurrency.then)})`)]
      : []),
    ...policyNotes(step).map((text) => line(inner, [text, 'faint'])),
    ...(step.verify ?? []).flatMap((check) => checkLines(check, inner, options)),
    ...groupLines(action, inner, options),
  ];
}

function groupLines(action: PlanAction, depth: number, options: PlanTextOptions): OutlineLine[] {
  if (action.kind !== 'group') return [];
  const last = action.finally ?? [];
  return [
    ...stepLines(action.steps, depth + 1, options),
    ...(last.length > 0 ? [line(depth, ['finally', 'faint']), ...stepLines(last, depth + 1, options)] : []),
  ];
}

function actionLines(action: PlanAction, depth: number, options: PlanTextOptions): OutlineLine[] {
  switch (action.kind) {
    case 'run':
      return commandLines(action, depth, options);
    case 'agent':
      return agentLines(action, depth, options);
    case 'approve': {
      const by = action.by ? ` of ${Object.keys(action.by).join(', ')}` : '';
      return [
        line(
          depth,
          ['ask ', 'faint'],
          [action.count === 1 ? `somebody${by}: ` : `${action.count} people${by}: `, 'plain'],
          [firstLine(action.ask), 'code'],
        ),
        ...(action.show ? [line(depth, ['show ', 'faint'], [action.show.join(', '), 'code'])] : []),
      ];
    }
    case 'wait':
      return [line(depth, ['wait ', 'faint'], [waitText(action), 'code'])];
    case 'group':
      return [line(depth, ['formula ', 'faint'], [action.formula, 'strong'])];
  }
}

function agentLines(action: PlanAgent, depth: number, options: PlanTextOptions): OutlineLine[] {
  const { model, system, prompt, maxTurns, maxOutputTokens, contextTokens } = action;
  const limits = [
    counted(maxTurns, 'turn'),
    `replies of ${maxOutputTokens} tokens`,
    ...(contextTokens === undefined ? [] : [`requests of ${contextTokens} tokens`]),
  ];
  return [
    line(
      depth,
      ['agent ', 'faint'],
      [model.role, 'strong'],
      [` ${model.id}${model.effort === undefined ? '' : `, effort ${model.effort}`}`, 'faint'],
      [`  at most ${limits.join(', ')}`, 'faint'],
    ),
    ...(system === undefined
      ? []
      : [line(depth, ['system', 'faint']), ...command(depth + 1, system, options)]),
    line(depth, ['prompt', 'faint']),
    ...command(depth + 1, prompt, options),
  ];
}

/** What a wait is for, in words. */
export function waitText(wait: PlanWait): string {
  if ('for' in wait) return `for ${showDuration(wait.for)}`;
  if ('until' in wait) return `until ${wait.until}`;
  const match = wait.match === undefined ? '' : ` where ${wait.match}`;
  const pass = wait.pass === undefined ? '' : `, which passes if ${wait.pass}`;
  return `for event ${wait.event}${match}${pass}`;
}

function commandLines(run: PlanRun, depth: number, options: PlanTextOptions): OutlineLine[] {
  const ends = [
    ...(run.exit ? [`exit code ${run.exit.join(' or ')} is good`] : []),
    ...(run.parse ? ['its output is read as JSON'] : []),
  ];
  const notes = ends.map((text) => line(depth, [text, 'faint']));
  if ('bash' in run) return [...command(depth, authored(run, options.bash), options), ...notes];
  if ('argv' in run) return [...command(depth, run.argv.join(' '), options), ...notes];
  const args = (run.args ?? []).map((arg) => ` ${arg}`).join('');
  return [
    line(depth, [`${run.program}${args}`, 'strong'], [' runs', 'faint']),
    ...command(depth, run.script, options),
    ...notes,
  ];
}

function checkLines(check: PlanCheck, depth: number, options: PlanTextOptions): OutlineLine[] {
  const one = (...pieces: OutlineLine['pieces']) => line(depth, ['verify ', 'faint'], ...pieces);
  switch (check.kind) {
    case 'run': {
      const base = check.from ? `  with ${listed(check.files ?? [])} as before the step` : '';
      const script = scriptOf(check.run, options.bash).trim();
      if (!script.includes('\n')) return [one([script, 'code'], [base, 'faint'])];
      return [one([base.trim(), 'faint']), ...command(depth + 1, script, options)];
    }
    case 'check':
      return [one([check.check, 'code'])];
    case 'changes':
      return [one([changesText(check), 'code'])];
    case 'judge':
      return [
        one(['judge ', 'faint'], [check.model.role, 'name'], [' finds ', 'faint'], [check.pass, 'code']),
        ...command(depth + 1, check.rubric, options),
      ];
    case 'wait': {
      const limit = check.timeout === undefined ? '' : ` within ${showDuration(check.timeout)}`;
      return [one(['wait ', 'faint'], [waitText(check.wait), 'code'], [limit, 'faint'])];
    }
  }
}

function workspaceLines(
  { from, prepare, services }: PlanWorkspace,
  options: PlanTextOptions,
): OutlineLine['pieces'][] {
  const brief = (run: PlanRun) => firstLine(scriptOf(run, options.bash));
  const source =
    typeof from === 'object' ? `${from.git}${from.ref === undefined ? '' : ` at ${from.ref}`}` : from;
  return [
    [[source, 'code']],
    ...(prepare
      ? [
          [
            ['prepared by ', 'faint'],
            [brief(prepare.run), 'code'],
            [` once per content of ${listed(prepare.files)}`, 'faint'],
            [prepare.timeout === undefined ? '' : `, timeout ${showDuration(prepare.timeout)}`, 'faint'],
          ] as const,
        ]
      : []),
    ...(services ?? []).map(
      ({ id, run, ready }) =>
        [
          ['service ', 'faint'],
          [id, 'name'],
          ['  ', 'plain'],
          [brief(run), 'code'],
          [
            `  ready when ${'port' in ready ? `port ${ready.port} answers` : 'log' in ready ? `it logs ${ready.log}` : `${brief(ready.run)} succeeds`}`,
            'faint',
          ],
        ] as const,
    ),
  ];
}

function inputLines(inputs: Plan['inputs']): OutlineLine['pieces'][] {
  const names = Math.max(...Object.keys(inputs).map((name) => name.length));
  return Object.entries(inputs).map(([name, schema]) => [
    [name.padEnd(names), 'name'],
    [`  ${typeText(schema)}`, 'faint'],
    [defaultText(schema), 'plain'],
  ]);
}

function typeText(schema: JsonSchema): string {
  if (!isJsonObject(schema)) return 'anything';
  const { type, enum: values } = schema;
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ');
  return Array.isArray(type) ? type.join(' | ') : typeof type === 'string' ? type : 'anything';
}

function defaultText(schema: JsonSchema): string {
  if (!isJsonObject(schema)) return '';
  return schema['default'] === undefined ? '' : `  default ${JSON.stringify(schema['default'])}`;
}

function boundLines({
  minutes,
  attempts,
  agentTurns,
  usd,
  unbounded = {},
}: PlanBounds): OutlineLine['pieces'][] {
  const known = [
    ...(minutes === null ? [] : [`${showDuration(minutes * 60_000)} of work`]),
    ...(attempts === null ? [] : [counted(attempts, 'attempt')]),
    ...(agentTurns === null || agentTurns === 0 ? [] : [`${counted(agentTurns, 'turn')} of models`]),
    ...(usd === null || usd === 0 ? [] : [dollars(usd)]),
  ];
  return [
    ...(known.length > 0 ? [[[known.join(', '), 'plain']] as const] : []),
    ...Object.entries(unbounded).map(
      ([bound, { step, why }]) =>
        [
          [`no limit of ${bound}: `, 'attention'],
          [step, 'name'],
          [`  ${why}`, 'faint'],
        ] as const,
    ),
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What happens to another holder, in words. */
export function concurrencyNote(then: 'queue' | 'cancel'): string {
  return then === 'queue' ? 'waits for the one before' : 'cancels the one before';
}

function firstLine(text: string): string {
  const [first = '', ...rest] = text.trim().split('\n');
  return rest.length > 0 ? `${first} …` : first;
}
