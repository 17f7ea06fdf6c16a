import type { Writable } from 'node:stream';
import type { Place, RunEvent, StepError } from '../journal/event.ts';
import type { RunReporter } from './run-reporter.ts';
import type { TextStyle } from './text-style.ts';
import { showElapsed } from './elapsed.ts';

/** A line for each thing that happens, and the output of commands behind the name of their step: for pipes and CI. */
export class PlainReporter implements RunReporter {
  readonly #out: Writable;
  readonly #style: TextStyle;
  /** When each step began, by what it is called. */
  readonly #begun = new Map<string, number>();
  /** Why the attempt before failed, by what its step is called. */
  readonly #failed = new Map<string, string>();
  /** Lines of output that have no end yet. */
  readonly #open = new Map<string, string>();

  constructor(out: Writable, style: TextStyle) {
    this.#out = out;
    this.#style = style;
  }

  event(event: RunEvent): void {
    const line = this.#lineOf(event);
    if (line === undefined) return;
    this.#flush();
    this.#out.write(`${line}\n`);
  }

  output(place: Place, _stream: 'stdout' | 'stderr', text: string): void {
    const name = nameOf(place);
    const lines = `${this.#open.get(name) ?? ''}${text}`.split('\n');
    this.#open.set(name, lines.pop() ?? '');
    for (const line of lines) this.#outputLine(name, line);
  }

  note(text: string): void {
    this.#out.write(`${this.#style.attention(text)}\n`);
  }

  close(): void {
    this.#flush();
  }

  #flush(): void {
    for (const [name, line] of this.#open) if (line !== '') this.#outputLine(name, line);
    this.#open.clear();
  }

  #outputLine(name: string, line: string): void {
    this.#out.write(`${this.#style.faint(`${name} |`)} ${line}\n`);
  }

  #lineOf(event: RunEvent): string | undefined {
    const { good, error, faint, attention } = this.#style;
    switch (event.type) {
      case 'run.started':
        return `${event.formula}: run ${event.run}`;
      case 'run.resumed':
        return `run ${event.run} carries on`;
      case 'step.started':
        this.#begun.set(nameOf(event), Date.parse(event.at));
        return faint(`${nameOf(event)}: started`);
      case 'step.skipped':
        return faint(`${nameOf(event)}: skipped${event.reason === 'when' ? '' : ` (${event.reason})`}`);
      case 'step.succeeded':
        return `${good(`${nameOf(event)}: succeeded`)}${faint(`${event.cached ? ', cached' : ''}${this.#elapsed(event)}`)}`;
      case 'step.failed':
        return `${error(`${nameOf(event)}: failed`)}${faint(this.#elapsed(event))}: ${told(event.error)}`;
      case 'step.cancelled':
        return error(`${nameOf(event)}: cancelled`);
      case 'attempt.failed':
        // Told when another one follows; otherwise the step says it.
        this.#failed.set(nameOf(event), event.error.message);
        return undefined;
      case 'attempt.started': {
        const message = this.#failed.get(nameOf(event));
        this.#failed.delete(nameOf(event));
        return message === undefined
          ? undefined
          : event.anew
            ? `${nameOf(event)}: what was kept of it does not hold: ${message}; it is run`
            : `${nameOf(event)}: failed: ${message}; attempt ${event.attempt ?? 1}`;
      }
      case 'tool.called':
        return faint(`${nameOf(event)}: calls ${event.tool}`);
      case 'tool.returned':
        return event.refused
          ? attention(`${nameOf(event)}: called ${event.tool}, which it was not given`)
          : undefined;
      case 'model.failed':
        return event.why === 'trouble' ? attention(`${nameOf(event)}: ${event.message}`) : undefined;
      case 'check.failed':
        return `${nameOf(event)}: check failed: ${event.message}`;
      case 'approval.asked':
        return attention(`${nameOf(event)}: ${event.ask}`);
      case 'approval.given':
        return `${nameOf(event)}: approved${event.by === '' ? '' : ` by ${event.by}`}`;
      case 'approval.refused':
        return `${nameOf(event)}: refused${event.by === '' ? '' : ` by ${event.by}`}`;
      case 'signal.received':
        return `event ${event.event}`;
      case 'plan.replaced':
        return attention('goes on with a new plan');
      case 'cancel.requested':
        return attention(`cancelled${event.by === undefined ? '' : ` by ${event.by}`}`);
      case 'once.interrupted':
        return attention(`${nameOf(event)}: was under way when its process died, and must not run twice`);
      case 'prompt.rendered':
      case 'model.asked':
      case 'model.replied':
      case 'workspace.prepared':
      case 'items.listed':
      case 'attempt.succeeded':
      case 'action.ended':
      case 'check.passed':
      case 'run.waiting':
      case 'value.recorded':
      case 'run.succeeded':
      case 'run.failed':
      case 'run.cancelled':
      case 'run.handed_off':
        return undefined;
    }
  }

  #elapsed(event: RunEvent & Place): string {
    const begun = this.#begun.get(nameOf(event));
    return begun === undefined ? '' : ` (${showElapsed(Date.parse(event.at) - begun)})`;
  }
}

/** `fix[2]`, as people name it. */
export function nameOf({ step, item }: Place): string {
  return item === undefined ? (step ?? 'run') : `${step ?? ''}[${item}]`;
}

function told({ message, detail }: StepError): string {
  return detail === undefined || detail === '' ? message : `${message}\n${detail.replace(/^/gm, '    ')}`;
}
