import type { Waiting } from '../journal/event.ts';
import type { Journal } from '../journal/journal.ts';
import { hasEnded } from '../journal/run-state.ts';
import type { Signal } from '../journal/signal.ts';
import type { JsonValue } from '../support/json.ts';
import { UserError } from '../support/user-error.ts';
import { identityOf } from '../workspace/identity.ts';

/** Answers an approval that the run waits for. Throws a {@link UserError} when nobody asked, or not this person. */
export async function answer(
  journal: Journal,
  project: string,
  run: string,
  say: { readonly kind: 'approve' | 'reject'; readonly step: string; readonly comment: string | undefined },
): Promise<Signal> {
  const waiting = waitingFor(journal, run, 'approval', say.step);
  const by = await identityOf(project);
  const members = whoMayAnswer(journal, run, waiting);
  if (members && (by === undefined || !members.includes(by))) {
    throw new UserError(
      by === undefined
        ? `only some people may answer "${say.step}", and git does not say who you are`
        : `${by} may not answer "${say.step}"`,
      {
        hint:
          by === undefined
            ? '`git config user.email <address>` says it'
            : `these may: ${members.join(', ')} (\`people\` in wf.yaml, as it was when the run began)`,
      },
    );
  }
  return journal.sendSignal(run, {
    kind: say.kind,
    step: say.step,
    // Whatever git is told to be is believed here, and recorded as what it is.
    verified: false,
    ...(by !== undefined && { by }),
    ...(say.comment !== undefined && { comment: say.comment }),
  });
}

/** Says whether a `once` step happened whose process died in the middle of it. */
export async function decide(
  journal: Journal,
  project: string,
  run: string,
  kind: 'ran' | 'again',
  step: string,
): Promise<Signal> {
  const { status } = journal.readRun(run);
  if (hasEnded(status)) throw new UserError(`run ${run} has ended: ${status}`);
  const events = journal.readEvents(run);
  const started = events.some((event) => event.type === 'attempt.started' && nameOf(event) === step);
  if (!started) {
    const names = [...new Set(events.filter((event) => event.type === 'attempt.started').map(nameOf))];
    throw new UserError(`step "${step}" was not under way in run ${run}`, {
      hint: `these were: ${names.join(', ')}`,
    });
  }
  const by = await identityOf(project);
  return journal.sendSignal(run, { kind, step, verified: false, ...(by !== undefined && { by }) });
}

/** Tells a run that something happened outside. It need not wait for it yet: events count from the run's start. */
export async function signalEvent(
  journal: Journal,
  project: string,
  run: string,
  event: string,
  data: JsonValue,
): Promise<Signal> {
  const by = await identityOf(project);
  return journal.sendSignal(run, {
    kind: 'event',
    event,
    data,
    verified: false,
    ...(by !== undefined && { by }),
  });
}

function waitingFor(journal: Journal, run: string, what: Waiting['for'], step: string): Waiting {
  const state = journal.readState(run);
  if (hasEnded(state.status))
    throw new UserError(`run ${run} has ended: ${state.status}`, { hint: `\`wf show ${run}\` says how` });
  const asked = (state.waiting ?? []).filter((waiting) => waiting.for === what);
  const found = asked.find((waiting) => nameOf(waiting) === step);
  if (found) return found;
  throw new UserError(`run ${run} does not ask about "${step}"`, {
    hint:
      asked.length === 0
        ? `\`wf show ${run}\` says where it stands`
        : `it asks about ${asked.map(nameOf).join(', ')}`,
  });
}

/** Undefined: anybody. */
function whoMayAnswer(journal: Journal, run: string, waiting: Waiting): readonly string[] | undefined {
  const asked = journal
    .readEvents(run)
    .findLast((event) => event.type === 'approval.asked' && nameOf(event) === nameOf(waiting));
  return asked?.type === 'approval.asked' && asked.by
    ? [...new Set(Object.values(asked.by).flat())]
    : undefined;
}

/** `fix[2]`, as people write it. */
function nameOf({ step, item }: { readonly step?: string; readonly item?: number }): string {
  return item === undefined ? (step ?? '') : `${step ?? ''}[${item}]`;
}
