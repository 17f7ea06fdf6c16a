import type { EventBody } from '../../journal/event.ts';
import type { JsonValue } from '../../support/json.ts';
import { isJsonObject } from '../../support/json.ts';
import { SUBMIT } from './agent-tools.ts';

/** What an event adds to the transcript of an agent, or of a judge. Undefined: it is no part of one. */
export function transcriptLines(event: EventBody): string | undefined {
  switch (event.type) {
    case 'prompt.rendered':
      return [
        ...(event.system === undefined ? [] : [told('system', event.system)]),
        told('prompt', event.prompt),
      ].join('\n');
    case 'model.replied':
      return told(`turn ${event.turn}`, wordsOf(event.content)) + endOf(event.stop);
    case 'model.failed':
      return told(`turn ${event.turn} failed`, event.message);
    case 'tool.called':
      return told('calls', `${event.tool} ${JSON.stringify(event.input)}`);
    case 'tool.returned':
      return told(event.refused ? 'refused' : event.isError ? 'went wrong' : 'answer', event.text);
    default:
      return undefined;
  }
}

function told(what: string, text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.length === 1
    ? `${what}: ${lines[0] ?? ''}`
    : `${what}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** What a model says to whoever reads it; its calls are told as they are made. */
function wordsOf(content: JsonValue): string {
  const blocks = Array.isArray(content) ? (content as readonly JsonValue[]) : [];
  return blocks
    .flatMap((block) => {
      if (!isJsonObject(block)) return [];
      if (block['type'] === 'tool_use' && block['name'] === SUBMIT)
        return [`submits ${JSON.stringify(block['input'])}`];
      return typeof block['text'] === 'string' ? [block['text']] : [];
    })
    .join('\n');
}

/** Why it stopped, where that is not how turns end. */
function endOf(stop: string): string {
  return stop === 'end_turn' || stop === 'tool_use' ? '' : ` (${stop})`;
}
