import type { ContentBlock } from '../../agents/model.ts';
import { renderTemplate } from '../../formula/render-template.ts';
import type { RenderWorld } from '../../formula/render-template.ts';
import type { EventBody, StateId, StepError } from '../../journal/event.ts';
import type { PlanAgent } from '../../plan/plan.ts';
import type { JsonObject, JsonValue } from '../../support/json.ts';
import { isJsonObject } from '../../support/json.ts';
import { AgentTools, SUBMIT } from '../agent/agent-tools.ts';
import { askModel } from '../agent/ask-model.ts';
import { callTool } from '../agent/call-tool.ts';
import type { ToolAnswer } from '../agent/conversation.ts';
import { Conversation, frameOf } from '../agent/conversation.ts';
import { stoodIn } from '../agent/stood-in.ts';
import type { Attempt } from '../attempt.ts';
import { placeOf } from '../attempt.ts';
import { filesIn, noFiles } from '../files-in.ts';
import type { Result } from '../result.ts';
import { messageOf } from '../scope.ts';

/** How often in a row a model that stops without a result is told to submit one. */
const REMINDERS = 2;

const REMINDER = `The result is still missing: call \`${SUBMIT}\` with it.`;

/**
 * One attempt of an agent: the model is asked, its calls are made, and it is asked again, until it has submitted the step's
 * outputs. Each reply and each result of a tool is a record of its own, so that whoever carries the run on goes on in
 * the middle of the conversation. All that is told to the model follows from the plan and from those records.
 */
export async function runAgent(action: PlanAgent, attempt: Attempt): Promise<Result> {
  const { world } = attempt;
  if (world.standIn) return stoodIn(action, attempt, world.standIn.bind(world));
  const begun = await begin(action, attempt);
  if (!begun.ok) return begun.result;
  const talk = new Talk(action, attempt, begun.conversation, begun.tools);
  const result = await talk.run();
  const place = placeOf(attempt.at);
  const { state } = result;
  const type = attempt.step.verify ? 'action.ended' : 'attempt.succeeded';
  await attempt.engine.record(
    `${attempt.at.key}:ended`,
    result.ok
      ? { type, ...place, outputs: result.outputs, state }
      : { type: 'attempt.failed', ...place, error: result.error, retryable: true, state },
  );
  return result;
}

type Begun =
  | { readonly ok: true; readonly conversation: Conversation; readonly tools: AgentTools }
  | { readonly ok: false; readonly result: Result };

/** Goes on in the conversation of the attempt before, or begins one with what the step's texts come to. */
async function begin(action: PlanAgent, attempt: Attempt): Promise<Begun> {
  const { engine, step, at, state, feedback } = attempt;
  const place = placeOf(at);
  const tools = new AgentTools(step);
  const started: EventBody = { type: 'attempt.started', ...place, state };
  if (attempt.conversation && feedback !== undefined) {
    const { conversation } = attempt;
    await engine.record(at.key, started);
    conversation.say(feedbackText(feedback));
    return { ok: true, conversation, tools };
  }
  const texts = [action.system ?? '', action.prompt];
  const values = await attempt.scopes.values(texts.join('\n'), attempt.scope, state);
  const event = await engine.step<EventBody>(
    at.key,
    async ({ signal }) => {
      try {
        const [system = '', prompt = ''] = await withFiles(attempt, signal, texts, (files) =>
          texts.map((text) => renderTemplate(text, values, files)),
        );
        return {
          type: 'prompt.rendered',
          ...place,
          ...(action.system !== undefined && { system }),
          prompt,
        };
      } catch (error) {
        if (signal.aborted) return failed(attempt, { kind: 'cancelled', message: 'cancelled' });
        return failed(attempt, { kind: 'error', message: messageOf(error) });
      }
    },
    { started, signal: attempt.signal, shielded: attempt.shielded },
  );
  if (event.type === 'attempt.failed') return { ok: false, result: { ok: false, error: event.error, state } };
  if (event.type !== 'prompt.rendered') throw new Error(`${at.key} was recorded as ${event.type}`);
  const conversation = new Conversation(frameOf(action, event.system, tools.wire), event.prompt);
  if (feedback !== undefined) conversation.say(feedbackText(feedback));
  return { ok: true, conversation, tools };
}

/** What the model is told of an attempt that did not hold. */
function feedbackText(feedback: string): string {
  return `This does not hold yet:\n\n${feedback}`;
}

function failed({ at, state }: Attempt, error: StepError): EventBody {
  return { type: 'attempt.failed', ...placeOf(at), error, retryable: true, state };
}

/** With the files of the workspace, if some text may read one: most directories are not free. */
async function withFiles<T>(
  { workspace, state, at }: Attempt,
  signal: AbortSignal,
  texts: readonly string[],
  render: (files: RenderWorld) => T,
): Promise<T> {
  if (!texts.some((text) => /\bfile\b/.test(text))) return render(noFiles);
  const directory = await workspace.enter(state, {
    ...(at.home !== undefined && { copy: at.home }),
    signal,
  });
  try {
    return render(filesIn(directory.path));
  } finally {
    await directory.leave();
  }
}

/** The conversation of one attempt. */
class Talk {
  readonly #action: PlanAgent;
  readonly #attempt: Attempt;
  readonly #conversation: Conversation;
  readonly #tools: AgentTools;
  #state: StateId;
  /** Tokens of the last request and its reply, as the provider counted them. */
  #known = 0;
  #reminders = 0;

  constructor(action: PlanAgent, attempt: Attempt, conversation: Conversation, tools: AgentTools) {
    this.#action = action;
    this.#attempt = attempt;
    this.#conversation = conversation;
    this.#tools = tools;
    this.#state = attempt.state;
  }

  async run(): Promise<Result> {
    const { maxTurns, maxOutputTokens } = this.#action;
    for (let turn = 1; turn <= maxTurns; turn++) {
      const asked = await askModel(this.#attempt, {
        key: `${this.#attempt.at.key}:turn${turn}`,
        turn,
        action: this.#action,
        request: this.#conversation.request,
        known: this.#known,
      });
      if (!asked.ok) return this.#failed(asked.error);
      const { content, stop, tokens } = asked;
      this.#known = tokens.input + tokens.cacheRead + tokens.cacheWrite + tokens.output;
      switch (stop) {
        case 'max_tokens':
          // What it called may be cut in the middle.
          return this.#failed({
            kind: 'error',
            message: `its reply was longer than the ${maxOutputTokens} tokens that \`max_output_tokens\` allows`,
          });
        case 'refusal':
          return this.#failed({ kind: 'denied', message: 'the model refused to do this' });
        case 'model_context_window_exceeded':
          return this.#failed({
            kind: 'error',
            message: 'the conversation has become longer than what the model can read',
          });
        case 'pause_turn':
          // It goes on when it is given back what it said.
          this.#conversation.heard(content);
          continue;
      }
      this.#conversation.heard(content);
      const calls = content.filter((block) => block.type === 'tool_use');
      if (calls.length > 0) {
        this.#reminders = 0;
        const submitted = await this.#answer(calls, turn);
        if (submitted) return submitted;
        continue;
      }
      if (!this.#tools.submits) return this.#succeeded({});
      if (this.#reminders === REMINDERS)
        return this.#failed({
          kind: 'error',
          message: `it stopped without a result, and was told so ${REMINDERS} times`,
        });
      this.#reminders += 1;
      this.#conversation.say(REMINDER);
    }
    const submitted = this.#tools.submits ? 'and has not submitted its result' : 'and has not ended';
    return this.#failed({
      kind: 'exhausted',
      message: `it was asked ${maxTurns} times (\`max_turns\`) ${submitted}`,
    });
  }

  /** Makes the calls of a reply, one after the other. What ends the attempt, when one of them does. */
  async #answer(
    calls: readonly Extract<ContentBlock, { readonly type: 'tool_use' }>[],
    turn: number,
  ): Promise<Result | undefined> {
    const answers: ToolAnswer[] = [];
    let submitted: JsonObject | undefined;
    for (const [index, call] of calls.entries()) {
      const key = `${this.#attempt.at.key}:turn${turn}:call${index}`;
      if (call.name === SUBMIT && this.#tools.submits) {
        const problem = submitted ? 'it was submitted already' : this.#tools.problemOf(call.input);
        if (problem === undefined && isJsonObject(call.input)) {
          submitted = call.input;
          continue;
        }
        answers.push(await this.#told(key, SUBMIT, call.id, `That is not a result:\n${problem ?? ''}`));
        continue;
      }
      const tool = this.#tools.find(call.name);
      if (!tool) {
        answers.push(await this.#refused(key, call.name, call.id, call.input));
        continue;
      }
      const called = await callTool(this.#attempt, {
        key,
        tool,
        call: call.id,
        input: call.input,
        state: this.#state,
        readsFiles: this.#tools.readsFiles,
      });
      if (!called.ok) return this.#failed(called.error);
      this.#state = called.state;
      answers.push({ call: call.id, text: called.text, isError: called.isError });
    }
    // What else it called in the same breath was done; its answers are for an attempt that goes on from here.
    if (submitted) {
      this.#conversation.hold(answers);
      return this.#succeeded(submitted);
    }
    this.#conversation.answer(answers);
    return undefined;
  }

  /** A call of something that the step was not given. */
  async #refused(key: string, name: string, call: string, input: JsonValue): Promise<ToolAnswer> {
    const { engine, at } = this.#attempt;
    const there = this.#tools.wire.map((tool) => tool.name).join(', ');
    const text = `There is no tool "${name}" here. There is: ${there === '' ? 'none' : there}.`;
    await engine.record(key, { type: 'tool.called', ...placeOf(at), tool: name, call, input });
    return this.#told(`${key}:refused`, name, call, text, { refused: true });
  }

  async #told(
    key: string,
    tool: string,
    call: string,
    text: string,
    more: { readonly refused?: true } = {},
  ): Promise<ToolAnswer> {
    const { engine, at } = this.#attempt;
    await engine.record(key, {
      type: 'tool.returned',
      ...placeOf(at),
      tool,
      call,
      text,
      isError: true,
      ...more,
      milliseconds: 0,
    });
    return { call, text, isError: true };
  }

  #succeeded(outputs: JsonObject): Result {
    return { ok: true, outputs, state: this.#state, conversation: this.#conversation };
  }

  #failed(error: StepError): Result {
    return { ok: false, error, state: this.#state };
  }
}
