import type { Attempt } from './attempt.ts';
import { instancePath } from './attempt.ts';

/**
 * What a person says about a step that must never run twice and was under way when its process died: nobody else can
 * know whether it happened. `ran`: it did, and counts as succeeded, without outputs. Undefined: the run was cancelled.
 */
export async function askWhetherItRan(
  { engine, at, signal }: Attempt,
  name: string,
): Promise<'ran' | 'again' | undefined> {
  const path = instancePath(at);
  const ask = `did "${path}" happen? Say \`wf resume ${engine.run} --ran ${path}\` or \`--again ${path}\``;
  const answer = await engine.receive(
    `${name}:decision`,
    (signal) => (signal.kind === 'ran' || signal.kind === 'again') && signal.step === path,
    {
      signal,
      waiting: { step: at.path, ...(at.item !== undefined && { item: at.item }), for: 'decision', ask },
    },
  );
  return answer?.kind === 'ran' || answer?.kind === 'again' ? answer.kind : undefined;
}
