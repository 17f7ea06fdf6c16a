import type { Span } from '../diagnostics/diagnostic.ts';
import { type ScalarOffsets, type WrittenScalar, scalarOffsets } from './scalar-offsets.ts';
import type { ScalarStyle, SourceEntry, SourceMap, SourceScalar } from './source-document.ts';

/** A scalar that works out where its characters stand when it is first asked. */
export class ScalarNode implements SourceScalar {
  readonly kind = 'scalar';
  readonly span: Span;
  readonly value: SourceScalar['value'];
  readonly style: ScalarStyle;
  readonly #text: string;
  readonly #decoded: string;
  readonly #written: WrittenScalar;
  #offsets: ScalarOffsets | undefined;

  /** `decoded` is the scalar as text, which for `10` or `true` is not its value. */
  constructor(
    text: string,
    span: Span,
    value: SourceScalar['value'],
    style: ScalarStyle,
    decoded: string,
    written: WrittenScalar,
  ) {
    this.#text = text;
    this.span = span;
    this.value = value;
    this.style = style;
    this.#decoded = decoded;
    this.#written = written;
  }

  at(start: number, end: number): Span {
    const { file } = this.span;
    const from = Math.min(Math.max(start, 0), this.#decoded.length);
    const to = Math.min(Math.max(end, from), this.#decoded.length);
    const written = this.#written;
    // Decoding only ever shortens, so equal lengths mean that nothing was changed.
    if (
      this.style !== 'literal' &&
      this.style !== 'folded' &&
      written.end - written.start === this.#decoded.length
    ) {
      return { file, start: written.start + from, end: written.start + to };
    }
    this.#offsets ??= scalarOffsets(this.#text, written);
    const { starts, ends } = this.#offsets;
    const first = starts[from] ?? ends.at(-1) ?? this.span.end;
    return { file, start: first, end: to > from ? (ends[to - 1] ?? this.span.end) : first };
  }
}

/** A mapping that looks keys up in a table once it has been asked and is not small. */
export class MapNode implements SourceMap {
  readonly kind = 'map';
  readonly span: Span;
  readonly entries: readonly SourceEntry[];
  #byKey: Map<string, SourceEntry> | undefined;

  constructor(span: Span, entries: readonly SourceEntry[]) {
    this.span = span;
    this.entries = entries;
  }

  /** The first entry with this key, should a file have it twice. */
  get(key: string): SourceEntry | undefined {
    if (this.entries.length < 8) return this.entries.find((entry) => String(entry.key.value) === key);
    if (this.#byKey === undefined) {
      this.#byKey = new Map();
      for (const entry of this.entries) {
        const name = String(entry.key.value);
        if (!this.#byKey.has(name)) this.#byKey.set(name, entry);
      }
    }
    return this.#byKey.get(key);
  }
}
