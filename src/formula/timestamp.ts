/** Why a text is no point in time. */
export type TimestampProblem = { readonly kind: 'form' } | { readonly kind: 'zone'; readonly zone: string };

const FORM =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?(Z|[+-]\d{2}:\d{2})?(?:\[([A-Za-z0-9_+\-/]+)\])?$/;

/**
 * Milliseconds since the epoch of a timestamp: RFC 3339 with an offset (`2026-12-01T09:00:00Z`), or a local time with
 * its time zone in brackets as in RFC 9557 (`2026-12-01T09:00[Europe/Berlin]`). A local time that a change of clocks
 * skips is moved forward; one that happens twice is the first.
 */
export function parseTimestamp(text: string): number | TimestampProblem {
  const match = FORM.exec(text.trim());
  const [, date, time = '00:00', offset, zone] = match ?? [];
  if (!match || date === undefined || (offset === undefined && zone === undefined)) return { kind: 'form' };
  if (zone !== undefined && !isTimeZone(zone)) return { kind: 'zone', zone };
  const utc = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}Z`);
  // Date.parse rolls a 31st of June over; what was written has to come back.
  if (Number.isNaN(utc) || !new Date(utc).toISOString().startsWith(date)) return { kind: 'form' };
  if (offset !== undefined) return utc - offsetMilliseconds(offset);
  return localTime(utc, zone as string);
}

/** Whether the runtime's time-zone data know the name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function offsetMilliseconds(offset: string): number {
  if (offset === 'Z') return 0;
  const [hours = 0, minutes = 0] = offset.slice(1).split(':').map(Number);
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function localTime(local: number, zone: string): number {
  // The offset that held a day before tells the first of two readings, the one a day after helps where none fits.
  const candidates = [zoneOffset(local - 86_400_000, zone), zoneOffset(local + 86_400_000, zone)].map(
    (offset) => local - offset,
  );
  const fitting = candidates.filter((instant) => instant + zoneOffset(instant, zone) === local);
  return fitting.length > 0 ? Math.min(...fitting) : (candidates[0] as number);
}

function zoneOffset(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant);
  const get = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
  return wall - Math.floor(instant / 1000) * 1000;
}
