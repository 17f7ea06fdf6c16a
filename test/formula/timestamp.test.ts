import { expect, it } from 'vitest';
import { parseTimestamp } from '../../src/formula/timestamp.ts';

it.each([
  ['2026-12-01T09:00:00Z', '2026-12-01T09:00:00.000Z'],
  ['2026-12-01T09:00:00+01:00', '2026-12-01T08:00:00.000Z'],
  ['2026-12-01 09:00-05:30', '2026-12-01T14:30:00.000Z'],
  ['2026-12-01T09:00[Europe/Berlin]', '2026-12-01T08:00:00.000Z'],
  ['2026-07-01T09:00[Europe/Berlin]', '2026-07-01T07:00:00.000Z'],
  ['2026-12-01[UTC]', '2026-12-01T00:00:00.000Z'],
  ['2026-12-01T09:00:00.250Z', '2026-12-01T09:00:00.250Z'],
  // The clock goes from 02:00 to 03:00 and 02:30 is never shown: the reading after the gap.
  ['2026-03-29T02:30[Europe/Berlin]', '2026-03-29T01:30:00.000Z'],
  // 02:30 comes twice: the first of them.
  ['2026-10-25T02:30[Europe/Berlin]', '2026-10-25T00:30:00.000Z'],
])('%s is %s', (text, instant) => {
  const time = parseTimestamp(text);
  expect(typeof time === 'number' ? new Date(time).toISOString() : time).toBe(instant);
});

it.each([
  '',
  'tomorrow',
  '2026-12-01T09:00',
  '2026-02-30T09:00Z',
  '2026-13-01T09:00Z',
  '09:00Z',
  '2026-12-01T25:00Z',
])('%j is no point in time', (text) => {
  expect(parseTimestamp(text)).toEqual({ kind: 'form' });
});

it('names a time zone that does not exist', () => {
  expect(parseTimestamp('2026-12-01T09:00[Europe/Berln]')).toEqual({ kind: 'zone', zone: 'Europe/Berln' });
});
