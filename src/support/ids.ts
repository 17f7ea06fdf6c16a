import { decodeTime, encodeTime, ulid } from 'ulid';

/** A new ULID: unique, and sorted by the time it was made at. */
export function newId(): string {
  return ulid();
}

/** How a ULID made at that time begins: its first 10 characters. */
export function idTime(milliseconds: number): string {
  return encodeTime(milliseconds);
}

/** When a ULID was made. Throws for what is none. */
export function timeOfId(id: string): number {
  return decodeTime(id.slice(0, 26));
}
