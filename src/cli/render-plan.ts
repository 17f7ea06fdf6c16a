import { showDuration } from '../formula/duration.ts';
import type { Plan, PlanAction, PlanRun, PlanStep, PlanWorkspace } from '../plan/plan.ts';
import type { TextStyle } from './text-style.ts';

/** A plan as text: its steps in order, what each does and waits for, and how it is proved. */
export function renderPlan(plan: Plan, style: TextStyle): string {
  const inputs = Object.keys(plan.inputs);
  const head = [
    `${style.strong(plan.formula)}${plan.profile === undefined ? '' : ` (profile ${plan.profile})`}  ${style.faint(plan.plan)}`,
    ...(plan.description === undefined ? [] : [plan.description.trim()]),
    '',
    ...(inputs.length > 0 ? [`${style.faint('inputs')}     ${inputs.join(', ')}`] : []),
    `${style.faint('workspace')}  ${showWorkspace(plan.workspace)}`,
    ...(plan.budget ? [`${style.faint('budget')}     ${plan.budget.minutes} minutes`] : []),
    ...(plan.concurrency
      ? [`${style.faint('one of')}     ${plan.concurrency.group}, then ${plan.concurrency.then}`]
      : []),
    '',
  ];
  const steps = renderSteps(plan.steps, style, '');
  const last = plan.finally ? ['', style.faint('finally'), ...renderSteps(plan.finally, style, '')] : [];
  const outputs = Object.entries(plan.outputs ?? {}).map(([name, value]) => `  ${name}: ${value}`);
  return [
    ...head,
    ...steps,
    ...last,
    ...(outputs.length > 0 ? ['', style.faint('outputs'), ...outputs] : []),
  ].join('\n');
}

function renderSteps(steps: readonly PlanStep[], style: TextStyle, indent: string): string[] {
  return steps.flatMap((step, index) => {
    const before = steps[index - 1];
    const follows =
      step.needs.length === 0 ? index === 0 : step.needs.length === 1 && step.needs[0] === before?.id;
    const after = follows ? '' : step.needs.length === 0 ? '  at once' : `  after ${step.needs.join(', ')}`;
    const notes = notesOf(step).map((note) => `${indent}      ${style.faint(note)}`);
    const line = `${indent}  ${style.help(step.id)}${style.faint(after)}  ${showAction(step.action)}`;
    if (step.action.kind !== 'group') return [line, ...notes];
    const last = step.action.finally ?? [];
    return [
      line,
      ...notes,
      ...renderSteps(step.action.steps, style, `${indent}    `),
      ...(last.length > 0
        ? [`${indent}    ${style.faint('finally')}`, ...renderSteps(last, style, `${indent}    `)]
        : []),
    ];
  });
}

function showAction(action: PlanAction): string {
  switch (action.kind) {
    case 'run':
      return firstLine(commandText(action));
    case 'approve':
      return `approve: ${firstLine(action.ask)}${action.by ? ` (by ${Object.keys(action.by).join(', ')})` : ''}${action.count > 1 ? `, ${action.count} people` : ''}`;
    case 'wait':
      if ('for' in action) return `wait ${showDuration(action.for)}`;
      return 'until' in action ? `wait until ${action.until}` : `wait for event ${action.event}`;
    case 'group':
      return `formula ${action.formula}`;
  }
}

/** A command as its author wrote it, near enough. */
function commandText(run: PlanRun): string {
  if ('bash' in run) return run.bash;
  return 'argv' in run ? run.argv.join(' ') : `${run.program}: ${run.script}`;
}

function notesOf(step: PlanStep): string[] {
  const {
    when,
    forEach,
    parallel,
    join,
    repeat,
    retry,
    timeout,
    budget,
    verify,
    secrets,
    workspace,
    concurrency,
  } = step;
  const listed = typeof forEach === 'string' ? forEach : forEach && `${forEach.length} items`;
  const joined = join === undefined ? '' : join === 'any' ? ', any' : `, quorum ${join.quorum}`;
  return [
    ...(when === undefined ? [] : [`when ${when}`]),
    ...(listed === undefined ? [] : [`for each of ${listed}, ${parallel ?? 1} at once${joined}`]),
    ...(repeat ? [`repeat until ${repeat.until}, at most ${repeat.max} times`] : []),
    ...(retry
      ? [`${retry.attempts} attempts on ${retry.on.join(', ')}${retry.feedback ? ', with feedback' : ''}`]
      : []),
    ...(timeout === undefined ? [] : [`timeout ${showDuration(timeout)}`]),
    ...(budget ? [`budget ${budget.minutes} minutes`] : []),
    ...(step.once ? ['once: never runs twice'] : []),
    ...(secrets ? [`secrets ${Object.values(secrets).join(', ')}`] : []),
    ...(workspace ? [`workspace ${showWorkspace(workspace)}`] : []),
    ...(concurrency ? [`one of ${concurrency.group}, then ${concurrency.then}`] : []),
    ...(step.onFailure ? [`on failure: ${step.onFailure}`] : []),
    ...(verify ?? []).map((check) => `verify ${showCheck(check)}`),
  ];
}

function showCheck(check: NonNullable<PlanStep['verify']>[number]): string {
  switch (check.kind) {
    case 'run':
      return `${firstLine(commandText(check.run))}${check.from ? ` (with ${check.files?.join(', ') ?? ''} from before)` : ''}`;
    case 'check':
      return check.check;
    case 'changes': {
      const { only, never, maxFiles, maxLines } = check;
      const says = [
        ...(only ? [`only ${only.join(', ')}`] : []),
        ...(never ? [`never ${never.join(', ')}`] : []),
        ...(maxFiles === undefined ? [] : [`at most ${maxFiles} files`]),
        ...(maxLines === undefined ? [] : [`at most ${maxLines} lines`]),
      ];
      return `changes: ${says.join('; ')}`;
    }
    case 'wait':
      return showAction(check.wait);
  }
}

function showWorkspace({ from, prepare, services }: PlanWorkspace): string {
  return [
    typeof from === 'object' ? `${from.git}${from.ref === undefined ? '' : ` at ${from.ref}`}` : from,
    ...(prepare ? [`prepared by ${firstLine(commandText(prepare.run))}`] : []),
    ...(services ? [`with ${services.map((service) => service.id).join(', ')}`] : []),
  ].join(', ');
}

function firstLine(text: string): string {
  const [first = '', ...rest] = text.trim().split('\n');
  return rest.length > 0 ? `${first} …` : first;
}
