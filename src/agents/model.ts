import type { Effort } from '../formula/model-settings.ts';
import type { TokenCount } from '../plan/token-count.ts';
import type { JsonObject, JsonValue } from '../support/json.ts';

/**
 * The body of a request of the Messages API, without `stream`: what is sent is the JSON of this, keys in this order, with
 * `stream: true` at its end. Plain JSON, so that it can be shown, digested and recorded.
 */
export interface ModelRequest {
  readonly model: string;
  /** Tokens that the reply may have. */
  readonly max_tokens: number;
  readonly system?: readonly TextBlock[];
  readonly tools?: readonly WireTool[];
  readonly messages: readonly ModelMessage[];
  readonly output_config?: { readonly effort?: Effort; readonly format?: JsonObject };
}

export interface TextBlock {
  readonly type: 'text';
  readonly text: string;
  readonly cache_control?: { readonly type: 'ephemeral' };
}

/** A tool as a model is told of it. */
export interface WireTool {
  /** `^[a-zA-Z0-9_-]{1,64}$`, unique in its request. */
  readonly name: string;
  readonly description?: string;
  readonly input_schema: JsonObject;
  readonly cache_control?: { readonly type: 'ephemeral' };
}

export interface ModelMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly ContentBlock[];
}

/** A block of a message. Blocks that we do not read (thinking) are sent back as they came. */
export type ContentBlock =
  | TextBlock
  | {
      readonly type: 'tool_use';
      readonly id: string;
      readonly name: string;
      /** As the model wrote it; nobody has checked it. */
      readonly input: JsonValue;
    }
  | {
      readonly type: 'tool_result';
      readonly tool_use_id: string;
      readonly content: string;
      readonly is_error?: true;
      readonly cache_control?: { readonly type: 'ephemeral' };
    }
  | { readonly type: 'thinking' | 'redacted_thinking'; readonly [key: string]: JsonValue };

export type StopReason =
  | 'end_turn'
  | 'tool_use'
  | 'max_tokens'
  | 'stop_sequence'
  | 'refusal'
  | 'pause_turn'
  | 'model_context_window_exceeded'
  /** One that we do not know. */
  | 'other';

export interface ModelReply {
  readonly content: readonly ContentBlock[];
  readonly stop: StopReason;
  readonly usage: TokenCount;
  /** The id by which the provider knows the request. */
  readonly requestId?: string;
}

/** What came of a request. A failure is news, not an exception. */
export type ModelOutcome =
  | { readonly kind: 'replied'; readonly reply: ModelReply }
  /** 429, 5xx, no connection, a stream that was cut: it may work later. `retryAfter` in milliseconds, when the provider says. */
  | { readonly kind: 'trouble'; readonly message: string; readonly retryAfter?: number }
  /** It will not work however often it is asked: 4xx, an unknown model, no credentials. */
  | { readonly kind: 'denied'; readonly message: string }
  | { readonly kind: 'cancelled' };

/** A language model behind its provider. */
export interface Model {
  /** Asks once; tries nothing again by itself. */
  reply(request: ModelRequest, options: { readonly signal: AbortSignal }): Promise<ModelOutcome>;
  /** Tokens that the request's context has, as the provider counts them. Undefined: it cannot be asked. */
  count(request: ModelRequest, options: { readonly signal: AbortSignal }): Promise<number | undefined>;
}
