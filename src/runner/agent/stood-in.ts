import { renderTemplate } from '../../formula/render-template.ts';
import type { EventBody, StepError } from '../../journal/event.ts';
import type { PlanAgent } from '../../plan/plan.ts';
import type { Attempt } from '../attempt.ts';
import { placeOf } from '../attempt.ts';
import { filesIn } from '../files-in.ts';
import type { Result } from '../result.ts';
import { failure } from '../result.ts';
import { messageOf } from '../scope.ts';
import { timeLeft } from '../time-left.ts';
import type { World } from '../world.ts';
import { AgentTools } from './agent-tools.ts';

type StandIn = NonNullable<World['standIn']>;

/** One attempt of an agent for which a test says what it did: no model is asked, and what it submits is looked at all the same. */
export async function stoodIn(action: PlanAgent, attempt: Attempt, standIn: StandIn): Promise<Result> {
  const { engine, at, state } = attempt;
  const event = await engine.step<EventBody>(at.key, ({ signal }) => act(action, attempt, standIn, signal), {
    started: { type: 'attempt.started', ...placeOf(at), state },
    signal: attempt.signal,
    shielded: attempt.shielded,
  });
  switch (event.type) {
    case 'action.ended':
    case 'attempt.succeeded':
      attempt.ledger.spend(event.milliseconds ?? 0);
      return { ok: true, outputs: event.outputs, state: event.state ?? state };
    case 'attempt.failed':
      attempt.ledger.spend(event.milliseconds ?? 0);
      return failure(event.error.kind, event.error.message, event.state ?? state);
    default:
      throw new Error(`${at.key} was recorded as ${event.type}`);
  }
}

async function act(
  action: PlanAgent,
  attempt: Attempt,
  standIn: StandIn,
  signal: AbortSignal,
): Promise<EventBody> {
  const { step, at, state, world, workspace } = attempt;
  const place = placeOf(at);
  const values = await attempt.scopes.values(
    `${action.system ?? ''}\n${action.prompt}`,
    attempt.scope,
    state,
  );
  const directory = await workspace.enter(state, { ...(at.home !== undefined && { copy: at.home }), signal });
  const begun = world.elapsed();
  const failed = async (error: StepError): Promise<EventBody> => ({
    type: 'attempt.failed',
    ...place,
    error,
    retryable: true,
    state: await directory.snapshot(at.key),
    milliseconds: Math.round(world.elapsed() - begun),
  });
  try {
    const files = filesIn(directory.path);
    const render = (text: string) => renderTemplate(text, values, files);
    if (action.system !== undefined) render(action.system);
    const time = timeLeft(attempt);
    const did = await standIn({
      prompt: render(action.prompt),
      cwd: directory.path,
      place: { step: at.path, ...(at.item !== undefined && { item: at.item }) },
      signal,
      ...(time.milliseconds !== Infinity && { timeout: time.milliseconds }),
    });
    switch (did.kind) {
      case 'submitted': {
        const tools = new AgentTools(step);
        const problem = tools.submits ? tools.problemOf(did.outputs) : undefined;
        if (problem !== undefined) return await failed({ kind: 'error', message: problem });
        return {
          type: step.verify ? 'action.ended' : 'attempt.succeeded',
          ...place,
          outputs: tools.submits ? did.outputs : {},
          state: await directory.snapshot(at.key),
          milliseconds: Math.round(world.elapsed() - begun),
        };
      }
      case 'failed':
        return await failed({ kind: 'error', message: did.message });
      case 'timeout':
        return await failed(time.over);
      case 'cancelled':
        return await failed({ kind: 'cancelled', message: 'cancelled' });
    }
  } catch (error) {
    return await failed({ kind: 'error', message: messageOf(error) });
  } finally {
    await directory.leave();
  }
}
