import type { Writable } from 'node:stream';
import type { RunEvent } from '../journal/event.ts';
import type { RunReporter } from './run-reporter.ts';

/** The journal's own events, one JSON document a line. */
export class NdjsonReporter implements RunReporter {
  readonly #out: Writable;

  constructor(out: Writable) {
    this.#out = out;
  }

  event(event: RunEvent): void {
    this.#out.write(`${JSON.stringify(event)}\n`);
  }

  output(): void {
    // Output is in the run's logs and, capped, in the events themselves.
  }

  note(): void {
    // A stream of events holds events.
  }

  close(): void {
    // Whoever gave the stream closes it.
  }
}
