import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject, JsonValue } from '../../src/support/json.ts';
import { isJsonObject } from '../../src/support/json.ts';

/** A block of a reply: text, or a call of a tool. `json` writes the arguments as they stand, be they JSON or not. */
export type ReplyBlock =
  | string
  | { readonly tool: string; readonly input?: JsonValue; readonly json?: string; readonly id?: string };

/** What the stand-in answers to one request. */
export type Reply =
  | {
      readonly content: readonly ReplyBlock[];
      readonly stop?: string;
      readonly usage?: { readonly input?: number; readonly output?: number };
      /** Milliseconds before it begins. */
      readonly after?: number;
      /** The connection is cut after so many events. */
      readonly cutAfter?: number;
    }
  | { readonly status: number; readonly message?: string; readonly retryAfter?: number }
  /** It never answers. */
  | { readonly hang: true };

/** The answers, one after the other, or what gives the answer to the n-th request (from 0). */
export type Script = readonly Reply[] | ((request: JsonObject, n: number) => Reply);

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Its body, byte for byte. */
  readonly raw: string;
  readonly body: JsonObject;
}

export interface MessagesServer {
  readonly url: string;
  /** What was asked of models, in order of arrival. */
  readonly asked: readonly Received[];
  close(): Promise<void>;
}

/**
 * Speaks the Messages API on loopback: streams, errors, and the rules by which calls of tools and their results go in pairs.
 * It answers what a script says, and shows protocol and control; what a model would be worth it cannot show.
 */
export async function messagesServer(script: Script): Promise<MessagesServer> {
  const asked: Received[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, script, asked);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  script: Script,
  asked: Received[],
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks).toString('utf8');
  const path = (request.url ?? '').replace(/\?.*$/, '');
  const { headers } = request;
  if (headers.authorization === undefined && headers['x-api-key'] === undefined)
    return refuse(response, 401, 'authentication_error', 'no credential');
  if (headers['anthropic-version'] === undefined)
    return refuse(response, 400, 'invalid_request_error', 'no anthropic-version');
  let body: JsonObject;
  try {
    body = JSON.parse(raw) as JsonObject;
  } catch {
    return refuse(response, 400, 'invalid_request_error', 'the body is not JSON');
  }
  if (path === '/v1/messages/count_tokens') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ input_tokens: tokensOf(body) }));
    return;
  }
  if (path !== '/v1/messages') return refuse(response, 404, 'not_found_error', path);
  const n = asked.push({ path, headers, raw, body }) - 1;
  const problem = problemOf(body);
  if (problem !== undefined) return refuse(response, 400, 'invalid_request_error', problem);
  const reply = typeof script === 'function' ? script(body, n) : script[Math.min(n, script.length - 1)];
  if (!reply || 'hang' in reply) return;
  if ('status' in reply) {
    if (reply.retryAfter !== undefined) response.setHeader('retry-after', String(reply.retryAfter));
    return refuse(response, reply.status, 'api_error', reply.message ?? 'scripted');
  }
  if (reply.after !== undefined) await new Promise((resolve) => setTimeout(resolve, reply.after));
  response.setHeader('content-type', 'text/event-stream');
  response.setHeader('request-id', `req_${n}`);
  const events = eventsOf(reply, body, n);
  for (const [index, event] of events.entries()) {
    if (index === reply.cutAfter) {
      response.destroy();
      return;
    }
    const bytes = Buffer.from(`event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`);
    // Not where a line ends, nor always where a character does.
    for (let at = 0; at < bytes.length; at += 61) response.write(bytes.subarray(at, at + 61));
  }
  response.end();
}

function refuse(response: ServerResponse, status: number, type: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ type: 'error', error: { type, message } }));
}

function eventsOf(reply: Extract<Reply, { content: unknown }>, body: JsonObject, n: number): JsonObject[] {
  const calls = reply.content.some((block) => typeof block !== 'string');
  const stop = reply.stop ?? (calls ? 'tool_use' : 'end_turn');
  const input = reply.usage?.input ?? tokensOf(body);
  const output = reply.usage?.output ?? Math.ceil(JSON.stringify(reply.content).length / 4);
  const blocks = reply.content.flatMap((block, index): JsonObject[] => {
    const begin = (content_block: JsonObject) => ({ type: 'content_block_start', index, content_block });
    const delta = (inner: JsonObject) => ({ type: 'content_block_delta', index, delta: inner });
    const end = { type: 'content_block_stop', index };
    if (typeof block === 'string')
      return [
        begin({ type: 'text', text: '' }),
        ...halves(block).map((text) => delta({ type: 'text_delta', text })),
        end,
      ];
    const id = block.id ?? `toolu_${n}_${index}`;
    const json = block.json ?? JSON.stringify(block.input ?? {});
    return [
      begin({ type: 'tool_use', id, name: block.tool, input: {} }),
      ...halves(json).map((partial_json) => delta({ type: 'input_json_delta', partial_json })),
      end,
    ];
  });
  return [
    {
      type: 'message_start',
      message: {
        id: `msg_${n}`,
        type: 'message',
        role: 'assistant',
        model: body['model'] ?? '',
        content: [],
        stop_reason: null,
        usage: { input_tokens: input, output_tokens: 1 },
      },
    },
    { type: 'ping' },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason: stop }, usage: { output_tokens: output } },
    { type: 'message_stop' },
  ];
}

function halves(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

/** How the stand-in counts: four bytes are a token. */
export function tokensOf({ system, tools, messages }: JsonObject): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify([system ?? [], tools ?? [], messages ?? []])) / 4);
}

const FIELDS: ReadonlySet<string> = new Set([
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'stream',
  'output_config',
]);

/** What the real one would refuse a request for, as far as it is told by its documentation. */
function problemOf(body: JsonObject): string | undefined {
  const unknown = Object.keys(body).find((key) => !FIELDS.has(key));
  if (unknown !== undefined) return `${unknown}: extra inputs are not permitted`;
  if (typeof body['model'] !== 'string') return 'model: required';
  if (!(Number(body['max_tokens']) >= 1)) return 'max_tokens: required';
  const tools = (body['tools'] ?? []) as readonly JsonObject[];
  const names = tools.map((tool) => String(tool['name']));
  const bad = names.find((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name));
  if (bad !== undefined) return `tools: bad name ${bad}`;
  if (new Set(names).size < names.length) return 'tools: names are not unique';
  if (JSON.stringify(body).split('"cache_control"').length > 5) return 'at most 4 cache_control';
  const messages = (body['messages'] ?? []) as readonly JsonObject[];
  if (messages.length === 0 || messages[0]?.['role'] !== 'user') return 'messages: have to begin with user';
  return pairingProblem(messages);
}

function pairingProblem(messages: readonly JsonObject[]): string | undefined {
  const blocks = (message: JsonObject | undefined): readonly JsonObject[] =>
    Array.isArray(message?.['content']) ? (message['content'] as readonly JsonObject[]) : [];
  for (const [index, message] of messages.entries()) {
    const content = message['content'];
    if (content === '' || (Array.isArray(content) && content.length === 0))
      return `messages.${index}: content must not be empty`;
    const calls = blocks(message).filter((block) => block['type'] === 'tool_use');
    const results = blocks(messages[index + 1])
      .filter((block) => block['type'] === 'tool_result')
      .map((block) => block['tool_use_id']);
    const odd = calls.find((call) => !isJsonObject(call['input']));
    if (odd) return `messages.${index}: tool_use.input has to be an object`;
    const missing = calls.find((call) => !results.includes(call['id'] as string));
    if (missing)
      return `messages.${index}: tool_use ${String(missing['id'])} has no tool_result in the next message`;
    const own = blocks(message).filter((block) => block['type'] === 'tool_result');
    const before = blocks(messages[index - 1])
      .filter((block) => block['type'] === 'tool_use')
      .map((block) => block['id']);
    const stray = own.find((result) => !before.includes(result['tool_use_id'] as string));
    if (stray) return `messages.${index}: tool_result without its tool_use`;
    if (own.length > 0 && blocks(message)[0]?.['type'] !== 'tool_result')
      return `messages.${index}: tool_result has to come first`;
  }
  return undefined;
}
