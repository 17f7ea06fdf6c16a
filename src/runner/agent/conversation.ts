import type { ContentBlock, ModelMessage, ModelRequest, WireTool } from '../../agents/model.ts';
import type { PlanAgent, PlanModel } from '../../plan/plan.ts';
import { isJsonObject } from '../../support/json.ts';

/** What is the same in every request of a conversation. */
export interface Frame {
  readonly model: PlanModel;
  readonly maxOutputTokens: number;
  readonly system: string | undefined;
  readonly tools: readonly WireTool[];
}

/** The answer to one call of a tool. */
export interface ToolAnswer {
  readonly call: string;
  readonly text: string;
  readonly isError: boolean;
}

/** From so many bytes on, a prefix is longer than what no provider caches, whatever its tokens are. */
const CACHED_FROM_BYTES = 16_384;

const MARK = { cache_control: { type: 'ephemeral' } } as const;

/**
 * What a model has been told and has answered. Nothing is in it but the frame, what was said to the model, and its own
 * words; the same steps give the same bytes.
 */
export class Conversation {
  readonly #frame: Frame;
  readonly #messages: ModelMessage[] = [];
  /** Calls of the last reply that have no answer yet. */
  #open: readonly string[] = [];
  #held: readonly ToolAnswer[] = [];

  constructor(frame: Frame, prompt: string) {
    this.#frame = frame;
    this.#messages.push({ role: 'user', content: prompt });
  }

  /** The body of the next request. Where much of it was sent before, it says up to where that can be kept. */
  get request(): ModelRequest {
    const { model, maxOutputTokens, system, tools } = this.#frame;
    const isLong = (part: unknown) => JSON.stringify(part).length >= CACHED_FROM_BYTES;
    const marksFrame = isLong([system, tools]);
    const messages = isLong(this.#messages) || marksFrame ? marked(this.#messages) : this.#messages;
    return {
      model: model.id,
      max_tokens: maxOutputTokens,
      ...(system !== undefined && {
        system: [{ type: 'text' as const, text: system, ...(marksFrame && MARK) }],
      }),
      ...(tools.length > 0 && {
        tools:
          marksFrame && system === undefined
            ? tools.map((tool, at) => (at === tools.length - 1 ? { ...tool, ...MARK } : tool))
            : tools,
      }),
      messages,
      ...(model.effort && { output_config: { effort: model.effort } }),
    };
  }

  /** Whether calls of the model wait for their answers. */
  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  /** The model's next words. A reply of nothing leaves nothing to send back. */
  heard(content: readonly ContentBlock[]): void {
    if (content.length > 0) this.#messages.push({ role: 'assistant', content: content.map(sendable) });
    this.#open = content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
  }

  /** The answers to all calls of the last reply, and what else there is to say. */
  answer(answers: readonly ToolAnswer[], more?: string): void {
    const byCall = new Map(answers.map((one) => [one.call, one]));
    const results = this.#open.map((call): ContentBlock => {
      const { text, isError } = byCall.get(call) ?? { text: 'submitted', isError: false };
      return { type: 'tool_result', tool_use_id: call, content: text, ...(isError && { is_error: true }) };
    });
    this.#open = [];
    this.#held = [];
    this.#messages.push({
      role: 'user',
      content: [...results, ...(more === undefined ? [] : [{ type: 'text' as const, text: more }])],
    });
  }

  /** Keeps answers for whoever goes on after the model has submitted. */
  hold(answers: readonly ToolAnswer[]): void {
    this.#held = answers;
  }

  /** Says something more; to a model that has submitted, why that does not hold. */
  say(text: string): void {
    if (this.isOpen) this.answer(this.#held, text);
    else this.#messages.push({ role: 'user', content: text });
  }
}

/** Arguments that are no object are refused when they are sent back; the answer to the call says what was wrong. */
function sendable(block: ContentBlock): ContentBlock {
  return block.type === 'tool_use' && !isJsonObject(block.input) ? { ...block, input: {} } : block;
}

/** The same with a mark at its end. */
function marked(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const last = messages.at(-1);
  if (last?.role !== 'user') return messages;
  const blocks: readonly ContentBlock[] =
    typeof last.content === 'string' ? [{ type: 'text', text: last.content }] : last.content;
  const end = blocks.at(-1);
  if (!end || (end.type !== 'text' && end.type !== 'tool_result')) return messages;
  return [...messages.slice(0, -1), { role: 'user', content: [...blocks.slice(0, -1), { ...end, ...MARK }] }];
}

/** See {@link Frame}. */
export function frameOf(
  { model, maxOutputTokens }: Pick<PlanAgent, 'model' | 'maxOutputTokens'>,
  system: string | undefined,
  tools: readonly WireTool[],
): Frame {
  return { model, maxOutputTokens, system, tools };
}
