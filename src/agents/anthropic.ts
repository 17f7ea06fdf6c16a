import type Anthropic from '@anthropic-ai/sdk';
import type { TokenCount } from '../plan/token-count.ts';
import type { JsonValue } from '../support/json.ts';
import type { ContentBlock, Model, ModelOutcome, ModelReply, ModelRequest, StopReason } from './model.ts';

/** How the Messages API is reached. */
export interface AnthropicSettings {
  /** Goes as a bearer token. */
  readonly credential: string;
  /** Which variable it came from, for messages. */
  readonly from: string;
  /** Absent: the provider's own. */
  readonly baseUrl?: string;
}

/** How the Messages API is reached from an environment; undefined: nothing in it says with which credential. */
export function anthropicFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): AnthropicSettings | undefined {
  for (const from of ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY']) {
    const credential = env[from];
    if (credential === undefined || credential.trim() === '') continue;
    const baseUrl = env['ANTHROPIC_BASE_URL'];
    return {
      credential: credential.trim(),
      from,
      ...(baseUrl !== undefined && baseUrl !== '' && { baseUrl }),
    };
  }
  return undefined;
}

/** The variables in which {@link anthropicFromEnvironment} finds a credential. */
export const CREDENTIALS: readonly string[] = ['ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_API_KEY'];

/** Longest that a reply may take to begin or to go on, in milliseconds. */
const SILENCE = 10 * 60_000;

/** The models of the Messages API. Loads the SDK when it is first asked. */
export function anthropicModel(settings: AnthropicSettings): Model {
  let loaded: Promise<Anthropic> | undefined;
  const client = () => (loaded ??= connect(settings));
  return {
    async reply(request, { signal }) {
      if (signal.aborted) return { kind: 'cancelled' };
      try {
        const { data, response } = await (
          await client()
        ).messages
          .create({ ...bodyOf(request), stream: true }, { signal })
          .withResponse();
        const requestId = response.headers.get('request-id');
        const reply = await assemble(data as AsyncIterable<StreamEvent>);
        if (signal.aborted) return { kind: 'cancelled' };
        return 'message' in reply
          ? { kind: 'trouble', message: reply.message }
          : { kind: 'replied', reply: { ...reply, ...(requestId !== null && { requestId }) } };
      } catch (error) {
        return signal.aborted ? { kind: 'cancelled' } : await outcomeOf(error, request, settings);
      }
    },
    async count(request, { signal }) {
      const { max_tokens: _max, ...rest } = request;
      try {
        const counted = await (
          await client()
        ).messages.countTokens(rest as unknown as Parameters<Anthropic['messages']['countTokens']>[0], {
          signal,
        });
        return counted.input_tokens;
      } catch {
        return undefined;
      }
    },
  };
}

async function connect({ credential, baseUrl }: AnthropicSettings): Promise<Anthropic> {
  const { Anthropic: Client } = await import('./anthropic-sdk.ts');
  return new Client({
    authToken: credential,
    baseURL: baseUrl ?? 'https://api.anthropic.com',
    // Whether it is tried again is for the runner, which has each try on record.
    maxRetries: 0,
    timeout: SILENCE,
    openTelemetry: false,
    logLevel: 'off',
  });
}

/** Our form of a request is the provider's, without what it knows and we do not use. */
function bodyOf(request: ModelRequest): Anthropic.MessageCreateParamsNonStreaming {
  return request as unknown as Anthropic.MessageCreateParamsNonStreaming;
}

/** Events of a stream, as far as they are read: a provider may send others, and more in each. */
interface StreamEvent {
  readonly type: string;
  readonly index?: number;
  readonly message?: { readonly usage?: WireUsage };
  readonly content_block?: Readonly<Record<string, JsonValue>> & { readonly type: string };
  readonly delta?: Readonly<Record<string, JsonValue>> & { readonly type?: string };
  readonly usage?: WireUsage;
}

interface WireUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
}

/** A block that is being written. */
interface Draft {
  block: Record<string, JsonValue> & { type: string };
  /** Arguments of a call, as the model writes them. */
  json: string;
}

/**
 * Puts a reply together from its stream. The SDK does that too, but throws the whole of it away when the arguments of one
 * call are not JSON; here they stay the text that they are, for the model to be told.
 */
async function assemble(
  events: AsyncIterable<StreamEvent>,
): Promise<ModelReply | { readonly message: string }> {
  const drafts: Draft[] = [];
  let usage: TokenCount = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let stop: string | undefined;
  let isWhole = false;
  for await (const event of events) {
    switch (event.type) {
      case 'message_start':
        usage = usageOf(event.message?.usage, usage);
        break;
      case 'content_block_start':
        if (event.index !== undefined && event.content_block)
          drafts[event.index] = { block: { ...event.content_block }, json: '' };
        break;
      case 'content_block_delta': {
        const draft = event.index === undefined ? undefined : drafts[event.index];
        if (draft && event.delta) extend(draft, event.delta);
        break;
      }
      case 'message_delta':
        usage = usageOf(event.usage, usage);
        if (typeof event.delta?.['stop_reason'] === 'string') stop = event.delta['stop_reason'];
        break;
      case 'message_stop':
        isWhole = true;
        break;
    }
  }
  if (!isWhole || stop === undefined) return { message: 'the reply of the model was cut off' };
  return { content: drafts.filter(Boolean).map(finished), stop: stopOf(stop), usage };
}

function extend(draft: Draft, delta: NonNullable<StreamEvent['delta']>): void {
  const grow = (name: string, more: JsonValue | undefined) => {
    const { [name]: before } = draft.block;
    draft.block[name] = `${typeof before === 'string' ? before : ''}${typeof more === 'string' ? more : ''}`;
  };
  switch (delta.type) {
    case 'text_delta':
      grow('text', delta['text']);
      break;
    case 'input_json_delta':
      draft.json += typeof delta['partial_json'] === 'string' ? delta['partial_json'] : '';
      break;
    case 'thinking_delta':
      grow('thinking', delta['thinking']);
      break;
    case 'signature_delta':
      draft.block['signature'] = delta['signature'] ?? '';
      break;
    case undefined:
      break;
  }
}

function finished({ block, json }: Draft): ContentBlock {
  if (block.type !== 'tool_use' || json === '') return block as unknown as ContentBlock;
  let input: JsonValue;
  try {
    input = JSON.parse(json) as JsonValue;
  } catch {
    input = json;
  }
  return { ...block, input } as unknown as ContentBlock;
}

function usageOf(wire: WireUsage | undefined, before: TokenCount): TokenCount {
  return {
    input: wire?.input_tokens ?? before.input,
    output: wire?.output_tokens ?? before.output,
    cacheRead: wire?.cache_read_input_tokens ?? before.cacheRead,
    cacheWrite: wire?.cache_creation_input_tokens ?? before.cacheWrite,
  };
}

const STOPS: ReadonlySet<string> = new Set<StopReason>([
  'end_turn',
  'tool_use',
  'max_tokens',
  'stop_sequence',
  'refusal',
  'pause_turn',
  'model_context_window_exceeded',
]);

function stopOf(text: string): StopReason {
  return STOPS.has(text) ? (text as StopReason) : 'other';
}

/** What an error of the SDK means for whoever asked. */
async function outcomeOf(
  error: unknown,
  request: ModelRequest,
  { from, baseUrl }: AnthropicSettings,
): Promise<ModelOutcome> {
  const { Anthropic: Client } = await import('./anthropic-sdk.ts');
  if (error instanceof Client.APIUserAbortError) return { kind: 'cancelled' };
  const where = baseUrl ?? 'the Messages API';
  if (error instanceof Client.APIError && error.status !== undefined) {
    const said = error.apiMessage ?? 'no reason was given';
    const status = Number(error.status);
    if (status === 401)
      return { kind: 'denied', message: `${where} does not accept the key in ${from}: ${said}` };
    if (status === 404)
      return { kind: 'denied', message: `${where} has no model "${request.model}": ${said}` };
    if (status === 408 || status === 409 || status === 429 || status >= 500) {
      const retryAfter = pauseOf(error.headers as Headers | undefined);
      return {
        kind: 'trouble',
        message: `${where} answered ${status}: ${said}`,
        ...(retryAfter !== undefined && { retryAfter }),
      };
    }
    return { kind: 'denied', message: `${where} refused the request (${status}): ${said}` };
  }
  if (error instanceof Client.APIError && error.type !== null) {
    // An error in the middle of a stream has no status.
    const said = `${where} broke off its reply: ${error.apiMessage ?? error.type}`;
    return { kind: error.type === 'invalid_request_error' ? 'denied' : 'trouble', message: said };
  }
  if (error instanceof Client.AnthropicError || isNetworkError(error))
    return { kind: 'trouble', message: `${where} could not be reached: ${causeOf(error)}` };
  throw error;
}

/** How long a provider asks to wait, in milliseconds. */
function pauseOf(headers: Headers | undefined): number | undefined {
  const exact = Number(headers?.get('retry-after-ms') ?? NaN);
  if (Number.isFinite(exact)) return exact;
  const text = headers?.get('retry-after');
  if (text === null || text === undefined) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return seconds * 1000;
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - Date.now());
}

function isNetworkError(error: unknown): error is Error {
  // What a socket or the fetch of Node throws when a stream ends too soon.
  return error instanceof TypeError || (error instanceof Error && 'code' in error);
}

function causeOf(error: unknown): string {
  let current: unknown = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}
