import type { Place, RunEvent } from '../../src/journal/event.ts';
import type { JsonValue } from '../../src/support/json.ts';
import { isJsonObject } from '../../src/support/json.ts';

/**
 * What happened in a run, a line for each event that people would tell: `fix[2] failed (verify): …`. Left out: the
 * engine's own records, and starts and ends of attempts that say nothing beside those of their step.
 */
export function tellEvents(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => tellEvent(event) ?? []);
}

export function tellEvent(event: RunEvent): string | undefined {
  const name = placeName(event as Place);
  switch (event.type) {
    case 'run.started':
    case 'workspace.prepared':
    case 'value.recorded':
    case 'signal.received':
    case 'attempt.succeeded':
    case 'action.ended':
    case 'prompt.rendered':
    case 'model.asked':
      return undefined;
    case 'model.replied':
      return `${name} turn ${event.turn}: ${event.stop}`;
    case 'model.failed':
      return `${name} turn ${event.turn} failed (${event.why}): ${event.message}`;
    case 'tool.called':
      return `${name} calls ${event.tool}`;
    case 'tool.returned':
      return event.isError ? `${name} ${event.tool}: ${event.text}` : undefined;
    case 'step.started':
      return `${name} started`;
    case 'step.skipped':
      return `${name} skipped (${event.reason})`;
    case 'items.listed':
      return `${name} has ${event.items.length} items`;
    case 'attempt.started': {
      const again = event.infrastructure === undefined ? '' : `, once more (${event.infrastructure})`;
      const iteration = event.iteration === undefined ? '' : `iteration ${event.iteration} `;
      if (event.anew) return `${name} ${iteration}anew`;
      const said = `${iteration}attempt ${event.attempt ?? 1}${again}`;
      return said === 'attempt 1' ? undefined : `${name} ${said}`;
    }
    case 'attempt.failed':
      return `${name} attempt ${event.attempt ?? 1} failed (${event.error.kind}): ${event.error.message}`;
    case 'check.passed':
      return `${name} check ${event.check} passed`;
    case 'check.failed':
      return `${name} check ${event.check} failed: ${event.message}`;
    case 'once.interrupted':
      return `${name} interrupted`;
    case 'step.succeeded':
      return `${name} succeeded${event.cached ? ', cached' : ''}${tellOutputs(event.outputs)}`;
    case 'step.failed':
      return `${name} failed (${event.error.kind})`;
    case 'step.cancelled':
      return `${name} cancelled`;
    case 'approval.asked':
      return `${name} asks: ${event.ask}`;
    case 'approval.given':
      return `${name} approved by ${event.by}`;
    case 'approval.refused':
      return `${name} refused by ${event.by}`;
    case 'run.waiting':
      return `waiting: ${event.waiting.map((one) => `${placeName(one)} for ${one.for}`).join(', ')}`;
    case 'plan.replaced':
      return 'plan replaced';
    case 'run.resumed':
      return 'resumed';
    case 'cancel.requested':
      return `cancel requested${event.by === undefined ? '' : ` by ${event.by}`}`;
    case 'run.succeeded':
      return `run succeeded${tellOutputs(event.outputs)}`;
    case 'run.failed':
      return `run failed${event.step === undefined ? '' : ` at ${event.step}`} (${event.error.kind}): ${event.error.message}`;
    case 'run.cancelled':
      return 'run cancelled';
    case 'run.handed_off':
      return `run handed off at ${event.step} (${event.error.kind}): ${event.error.message}`;
  }
}

function placeName({ step = '', item }: Place): string {
  return item === undefined ? step : `${step}[${item}]`;
}

/** Outputs without what every command has. */
function tellOutputs(outputs: JsonValue): string {
  const shown = (value: JsonValue): JsonValue => {
    if (!isJsonObject(value)) return value;
    const { stdout: _o, stderr: _e, exit_code: _c, ...rest } = value;
    return rest;
  };
  const values = Array.isArray(outputs) ? (outputs as readonly JsonValue[]).map(shown) : shown(outputs);
  const text = JSON.stringify(values);
  return text === '{}' ? '' : ` ${text}`;
}
