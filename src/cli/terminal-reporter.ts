import { createLogUpdate } from 'log-update';
import type { Place, RunEvent, Waiting } from '../journal/event.ts';
import type { RunHeader, RunState } from '../journal/run-state.ts';
import { applyEvent, initialRun } from '../journal/run-state.ts';
import type { Plan } from '../plan/plan.ts';
import type { JsonValue } from '../support/json.ts';
import { nameOf } from './plain-reporter.ts';
import type { RunReporter } from './run-reporter.ts';
import { renderTree } from './run-tree.ts';
import type { TextStyle } from './text-style.ts';

/** How often the picture is drawn while something moves. */
const FRAME_MILLISECONDS = 100;

/** What a terminal reporter may ask of the process around it. */
export interface TerminalHost {
  readonly plan: Plan;
  /** Sends an answer of the person at the terminal; resolves to what went wrong, if anything did. */
  readonly answer: (kind: 'approve' | 'reject', step: string) => Promise<string | undefined>;
  /** Ctrl-C, which a terminal in raw mode does not turn into a signal. */
  readonly interrupt: () => void;
}

/** A tree of steps that moves, drawn over itself; below it what the run asks, answered by a key. */
export class TerminalReporter implements RunReporter {
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #out: NodeJS.WriteStream;
  readonly #style: TextStyle;
  readonly #host: TerminalHost;
  readonly #output = new Map<string, string>();
  readonly #shown = new Map<string, readonly { readonly expression: string; readonly value: JsonValue }[]>();
  readonly #notes: string[] = [];
  #state: RunState | undefined;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;
  #listening = false;
  #closed = false;

  constructor(out: NodeJS.WriteStream, style: TextStyle, host: TerminalHost) {
    this.#out = out;
    this.#style = style;
    this.#host = host;
    this.#update = createLogUpdate(out, { showCursor: true });
    this.#timer = setInterval(() => {
      this.#frame += 1;
      this.#draw();
    }, FRAME_MILLISECONDS);
    this.#timer.unref();
  }

  event(event: RunEvent): void {
    this.#state = applyEvent(
      this.#state ?? initialRun(headerOf(event, this.#host.plan), this.#host.plan),
      event,
    );
    if (event.type === 'approval.asked' && event.shown) this.#shown.set(nameOf(event), event.shown);
    if (event.type === 'attempt.started') this.#output.delete(nameOf(event));
    this.#listen();
  }

  output(place: Place, _stream: 'stdout' | 'stderr', text: string): void {
    const last = text.trimEnd().split('\n').at(-1)?.trim();
    if (last !== undefined && last !== '') this.#output.set(nameOf(place), last);
  }

  note(text: string): void {
    this.#notes.push(text);
    this.#draw();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#unlisten();
    this.#draw();
    this.#update.done();
  }

  #draw(): void {
    const state = this.#state;
    if (!state) return;
    const width = Math.max((this.#out.columns ?? 80) - 1, 20);
    const below = [...this.#questions(state), ...this.#notes.map((note) => this.#style.attention(note))];
    const height = Math.max((this.#out.rows ?? 24) - below.length - 3, 4);
    const preparing = this.#output.get('prepare');
    const tree = renderTree(this.#host.plan, state, {
      style: this.#style,
      now: Date.now(),
      width,
      height,
      frame: this.#frame,
      output: this.#output,
    });
    const head = `${this.#style.strong(state.formula)}  ${this.#style.faint(`run ${state.run}`)}`;
    // Before the first step, `prepare` may take minutes.
    const begun = Object.values(state.steps).some((step) => step.startedAt !== undefined);
    const before =
      preparing === undefined || begun ? [] : [this.#style.faint(`  prepare  ${preparing}`.slice(0, width))];
    this.#update([head, ...before, ...tree, ...below].join('\n'));
  }

  /** What is asked right now. */
  get #asked(): Waiting | undefined {
    return this.#closed
      ? undefined
      : (this.#state?.waiting ?? []).find((waiting) => waiting.for === 'approval');
  }

  #questions(state: RunState): string[] {
    const asked = this.#asked;
    const others = this.#closed ? [] : (state.waiting ?? []).filter((waiting) => waiting.for === 'event');
    const events = others.map((waiting) =>
      this.#style.help(`  wf signal ${state.run} ${waiting.ask ?? ''} tells it of the event it waits for`),
    );
    if (!asked) return events;
    const shown = (this.#shown.get(nameOf(asked)) ?? []).flatMap(({ expression, value }) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
      return [
        this.#style.faint(`  ${expression}`),
        ...text
          .trimEnd()
          .split('\n')
          .slice(0, 40)
          .map((line) => `    ${line}`),
      ];
    });
    return [
      ...events,
      '',
      ...shown,
      this.#style.attention(`  ${asked.ask ?? nameOf(asked)}  [y] yes  [n] no  [Ctrl-C] cancel the run`),
    ];
  }

  /** Keys are heard only while something is asked. */
  #listen(): void {
    const { stdin } = process;
    if (this.#asked && !this.#listening && stdin.isTTY) {
      this.#listening = true;
      stdin.setRawMode(true);
      stdin.resume();
      stdin.on('data', this.#key);
    } else if (!this.#asked) {
      this.#unlisten();
    }
  }

  #unlisten(): void {
    if (!this.#listening) return;
    this.#listening = false;
    process.stdin.off('data', this.#key);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  readonly #key = (data: Buffer): void => {
    const asked = this.#asked;
    const key = data.toString('utf8').toLowerCase();
    if (key === '\u0003') this.#host.interrupt();
    else if (asked && (key === 'y' || key === 'n')) {
      void this.#host.answer(key === 'y' ? 'approve' : 'reject', nameOf(asked)).then((problem) => {
        if (problem !== undefined) this.note(problem);
      });
    }
  };
}

function headerOf(event: RunEvent, plan: Plan): RunHeader {
  return { run: event.run, formula: plan.formula, plan: plan.plan, inputs: {}, createdAt: event.at };
}
