import type { Attempt } from './attempt.ts';
import { instancePath, placeOf } from './attempt.ts';
import type { Result } from './result.ts';

/**
 * Whether a step that must never run twice may run now. When an earlier process began it and left no end, nobody but a
 * person can know whether it happened: the run waits for `wf resume --ran` (it did: the step counts as succeeded,
 * without outputs) or `--again`. Undefined: run it.
 */
export async function decided({ engine, at, state, signal }: Attempt): Promise<Result | undefined> {
  const path = instancePath(at);
  const began = engine.events.some(
    (event) =>
      event.type === 'attempt.started' && event.step === at.path && event.item === at.item && event.attempt === at.attempt,
  );
  const ended = engine.events.some(
    (event) =>
      (event.type === 'attempt.succeeded' || event.type === 'attempt.failed' || event.type === 'action.ended') &&
      event.step === at.path &&
      event.item === at.item,
  );
  if (!began || ended) return undefined;
  const ask = `did "${path}" happen? say \`wf resume --ran ${path}\` or \`--again ${path}\``;
  const answer = await engine.receive(
    `${at.key}:decision`,
    (signal) => (signal.kind === 'ran' || signal.kind === 'again') && signal.step === path,
    { signal, waiting: { step: at.path, ...(at.item !== undefined && { item: at.item }), for: 'decision', ask } },
  );
  if (answer?.kind === 'again') return undefined;
  if (!answer) return { ok: false, error: { kind: 'cancelled', message: 'cancelled' }, state };
  await engine.record(`${at.key}:ran`, { type: 'attempt.succeeded', ...placeOf(at), outputs: {}, state });
  return { ok: true, outputs: {}, state };
}
