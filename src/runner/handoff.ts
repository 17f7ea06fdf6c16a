import type { RunEvent, StateId } from '../journal/event.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunWorkspace } from '../workspace/run-workspace.ts';
import type { Stop } from './frame.ts';

/**
 * What a person takes over from: why it stopped, what was tried, what was changed, the failing output, and how to go
 * on. File name → content.
 */
export async function handoffFiles({
  plan,
  run,
  stop,
  events,
  workspace,
  state,
  kept,
}: {
  readonly plan: Plan;
  readonly run: string;
  readonly stop: Stop;
  readonly events: readonly RunEvent[];
  readonly workspace: RunWorkspace;
  readonly state: StateId;
  readonly kept: string;
}): Promise<Readonly<Record<string, string>>> {
  const diff = await workspace.diff(workspace.initial, state);
  const failed = events.filter((event) => event.type === 'attempt.failed' && event.step === stop.step);
  const outputs = failed.flatMap((event, index) =>
    event.type === 'attempt.failed' ? [[`attempt-${index + 1}.txt`, outputText(event)] as const] : [],
  );
  const tried = events.flatMap((event) => {
    switch (event.type) {
      case 'step.succeeded':
        return [`- ${event.step ?? ''}${event.item === undefined ? '' : `[${event.item}]`}: done`];
      case 'attempt.failed':
        return [
          `- ${event.step ?? ''}${event.item === undefined ? '' : `[${event.item}]`}: attempt ${event.attempt ?? 1} failed: ${event.error.message}`,
        ];
      case 'check.failed':
        return [`  - ${event.message}`];
      default:
        return [];
    }
  });
  const readme = `# ${plan.formula}: handed over

Run ${run} stopped at step "${stop.step}": ${stop.error.message}

${stop.error.detail === undefined ? '' : `\`\`\`\n${stop.error.detail}\n\`\`\`\n`}
## What was tried

${tried.join('\n')}

## What is here

- \`changes.diff\`: everything the run changed so far
${outputs.map(([name]) => `- \`${name}\`: the output of a failed attempt`).join('\n')}

The working directory is kept in ${kept}${workspace.branch === undefined ? '' : `, on branch ${workspace.branch}`}${workspace.base === undefined ? '' : `, which began at ${workspace.base}`}.

## How to go on

Finish the work there by hand, or repair the cause and start anew: \`wf run ${plan.formula}\`.
\`wf show ${run}\` and \`wf logs ${run} ${stop.step}\` tell more.
`;
  return { 'README.md': readme, 'changes.diff': diff, ...Object.fromEntries(outputs) };
}

/** Everything that an attempt printed; what its checks printed is in the error. */
function outputText({
  error,
  stdout,
  stderr,
}: Extract<RunEvent, { readonly type: 'attempt.failed' }>): string {
  const printed = [
    ...(stdout ? [`--- stdout ---\n${stdout.text.trimEnd()}`] : []),
    ...(stderr ? [`--- stderr ---\n${stderr.text.trimEnd()}`] : []),
  ];
  const rest = printed.length === 0 && error.detail !== undefined ? [error.detail] : printed;
  return `${[error.message, ...rest].join('\n\n')}\n`;
}
