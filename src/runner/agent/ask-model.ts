import { estimateTokens, mostTokens } from '../../agents/estimate.ts';
import type { ContentBlock, ModelRequest } from '../../agents/model.ts';
import { requestBytes } from '../../agents/request.ts';
import type { EventBody, StepError } from '../../journal/event.ts';
import { INFRASTRUCTURE_TRIES } from '../../plan/limits.ts';
import type { PlanAgent, PlanPrice } from '../../plan/plan.ts';
import { costOf, worstCost } from '../../plan/prices.ts';
import type { TokenCount } from '../../plan/token-count.ts';
import { digestOf } from '../../support/digest.ts';
import type { JsonValue } from '../../support/json.ts';
import type { Attempt } from '../attempt.ts';
import { placeOf } from '../attempt.ts';
import type { StepContext } from '../engine.ts';
import { infrastructureBackoff } from '../retry-policy.ts';
import { timeLeft } from '../time-left.ts';

/** The longest delay of a timer. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a model answered, or why it did not. */
export type Asked =
  | {
      readonly ok: true;
      readonly content: readonly ContentBlock[];
      readonly stop: string;
      readonly tokens: TokenCount;
    }
  | { readonly ok: false; readonly error: StepError };

export interface Question {
  /** Its name for the engine. */
  readonly key: string;
  /** Counts from 1. */
  readonly turn: number;
  /** Of a judge: which check it is. */
  readonly check?: number;
  readonly action: Pick<PlanAgent, 'model' | 'maxOutputTokens' | 'contextTokens'>;
  readonly request: ModelRequest;
  /** Tokens of what was sent before, as its provider counted them; 0: nothing was. */
  readonly known: number;
}

/**
 * Asks a model once, and again while the infrastructure fails. What the turn can come to at most is set aside before it is
 * sent; what it did is on record before anything follows from it.
 */
export async function askModel(attempt: Attempt, question: Question): Promise<Asked> {
  const { engine, ledger, signal } = attempt;
  const { key, action, request } = question;
  const { price } = action.model;
  const most = Math.min(mostTokens(request), action.contextTokens ?? Infinity);
  const worst = {
    tokens: most + action.maxOutputTokens,
    usd: price && worstCost(most, action.maxOutputTokens, price),
  };
  for (let tries = 0; ; tries++) {
    if (signal.aborted) return stopped({ kind: 'cancelled', message: 'cancelled' });
    const time = timeLeft(attempt);
    if (time.milliseconds === 0) return stopped(time.over);
    const reserved = ledger.reserve(worst);
    if (!reserved.ok) return stopped({ kind: 'budget', message: reserved.message });
    const name = tries === 0 ? key : `${key}~${tries}`;
    const event = await engine.step<EventBody>(name, (context) => send(attempt, question, context), {
      started: {
        type: 'model.asked',
        ...placeOf(attempt.at),
        ...(question.check !== undefined && { check: question.check }),
        model: action.model.id,
        turn: question.turn,
        request: digestOf(requestBytes(request)),
      },
      signal,
      shielded: attempt.shielded,
    });
    switch (event.type) {
      case 'model.replied': {
        // Of an answer that is lost nobody knows what it cost; it was to the same question.
        const times = event.repeated ? 2 : 1;
        reserved.held.settle({
          tokens: sumOf(event.tokens) * times,
          usd: event.usd === undefined ? undefined : event.usd * times,
        });
        ledger.spend(event.milliseconds);
        return {
          ok: true,
          content: event.content as unknown as readonly ContentBlock[],
          stop: event.stop,
          tokens: event.tokens,
        };
      }
      case 'model.failed': {
        reserved.held.settle({ tokens: 0, usd: 0 });
        ledger.spend(event.milliseconds);
        const { why, message } = event;
        if (why !== 'trouble') return stopped({ kind: KINDS[why], message });
        if (tries === INFRASTRUCTURE_TRIES)
          return stopped({ kind: 'infrastructure', message: `${message}; it was tried ${tries + 1} times` });
        const pause = Math.max(infrastructureBackoff(tries + 1, engine.run + name), event.retryAfter ?? 0);
        const now = await engine.now(`${name}:failed`);
        await engine.sleep(`${name}:backoff`, now + pause, { signal, shielded: attempt.shielded });
        continue;
      }
      default:
        throw new Error(`${name} was recorded as ${event.type}`);
    }
  }
}

const KINDS = {
  denied: 'denied',
  context: 'denied',
  timeout: 'timeout',
  budget: 'budget',
  cancelled: 'cancelled',
} as const;

function stopped(error: StepError): Asked {
  return { ok: false, error };
}

/** Sends the request, and tells what came of it. */
async function send(
  attempt: Attempt,
  { turn, check, action, request, known }: Question,
  { signal, repeated }: StepContext,
): Promise<EventBody> {
  const { world, at } = attempt;
  const model = action.model.id;
  const told = { ...placeOf(at), ...(check !== undefined && { check }), model, turn };
  const begun = world.elapsed();
  const passed = () => Math.round(world.elapsed() - begun);
  const failed = (
    why: Extract<EventBody, { type: 'model.failed' }>['why'],
    message: string,
    more: { readonly retryAfter?: number } = {},
  ): EventBody => ({ type: 'model.failed', ...told, why, message, milliseconds: passed(), ...more });
  const { milliseconds: limit, over } = timeLeft(attempt);
  const clock = limit === Infinity ? undefined : AbortSignal.timeout(Math.min(limit, LONGEST_TIMER));
  const stop = clock ? AbortSignal.any([signal, clock]) : signal;
  const service = await world.model(model);
  if (!service.ok) return failed('denied', service.message);
  const tooLong = await overContext(request, action.contextTokens, known, (one) =>
    service.model.count(one, { signal: stop }),
  );
  if (tooLong !== undefined) return failed('context', tooLong);
  const outcome = await service.model.reply(request, { signal: stop });
  switch (outcome.kind) {
    case 'replied': {
      const { content, stop: why, usage, requestId } = outcome.reply;
      const usd = costIn(usage, action.model.price);
      return {
        type: 'model.replied',
        ...told,
        content: content as unknown as JsonValue,
        stop: why,
        tokens: usage,
        ...(usd !== undefined && { usd }),
        milliseconds: passed(),
        ...(requestId !== undefined && { requestId }),
        ...(repeated && { repeated }),
      };
    }
    case 'trouble': {
      const { message, retryAfter } = outcome;
      return failed('trouble', message, retryAfter === undefined ? {} : { retryAfter });
    }
    case 'denied':
      return failed('denied', outcome.message);
    case 'cancelled':
      return clock?.aborted && !signal.aborted
        ? failed(over.kind === 'budget' ? 'budget' : 'timeout', over.message)
        : failed('cancelled', 'cancelled');
  }
}

/**
 * Why a request is not sent: it is longer than the step allows. It is counted only where it could be; where nobody can
 * count it, an estimate stands for it, and what the request before is known to have had.
 */
async function overContext(
  request: ModelRequest,
  most: number | undefined,
  known: number,
  count: (request: ModelRequest) => Promise<number | undefined>,
): Promise<string | undefined> {
  if (most === undefined || mostTokens(request) <= most) return undefined;
  const tokens = (await count(request)) ?? Math.max(known, estimateTokens(request));
  return tokens > most
    ? `the request has ${tokens} tokens, and \`context_tokens\` allows ${most}; it was not sent`
    : undefined;
}

function costIn(tokens: TokenCount, price: PlanPrice | undefined): number | undefined {
  return price && costOf(tokens, price);
}

function sumOf({ input, output, cacheRead, cacheWrite }: TokenCount): number {
  return input + output + cacheRead + cacheWrite;
}
