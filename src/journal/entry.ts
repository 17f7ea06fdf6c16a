import { crc32 } from 'node:zlib';
import type { JsonObject } from '../support/json.ts';
import type { EventBody, RunEvent } from './event.ts';

/** An event as the journal keeps it. */
export interface Entry {
  /** Counts from 1 within its run without gaps. */
  readonly seq: number;
  /** Unique in its run: who asks for it again gets this one. Null for what nobody asks for. */
  readonly key: string | null;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
  readonly type: EventBody['type'];
  /** JSON of the event without what stands beside it here. */
  readonly body: string;
}

/** An event with its key, see {@link Entry}. */
export interface RecordedEvent {
  readonly key: string | null;
  readonly event: RunEvent;
}

export function entryOf(event: EventBody, seq: number, key: string | null, at: Date): Entry {
  const { type, ...body } = event;
  return { seq, key, at: at.toISOString(), type, body: JSON.stringify(body) };
}

/** Throws `SyntaxError` when the body is not JSON. */
export function eventOf(run: string, entry: Entry): RunEvent {
  const body = JSON.parse(entry.body) as JsonObject;
  return { run, seq: entry.seq, at: entry.at, type: entry.type, ...body } as unknown as RunEvent;
}

/** Changes when a byte of the entry does: disks and copies lose some, and most still make JSON. */
export function sumOf(run: string, { seq, key, at, type, body }: Entry): number {
  return crc32(`${run}\0${seq}\0${key ?? ''}\0${at}\0${type}\0${body}`);
}
