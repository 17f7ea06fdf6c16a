import { expect, it } from 'vitest';
import { parseDuration, showDuration } from '../../src/formula/duration.ts';

it.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['0s', 0],
])('reads %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

it.each(['', '5', 'm', '5 m', '5m ', '-5m', '1.5h', '5s10m', '5m5m', '5w', '99999999999999999999d'])(
  'refuses %j',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

it.each(['250ms', '30s', '1h30m', '2d', '0s', '1d1h1m1s1ms'])('writes %s as it was', (text) => {
  expect(showDuration(parseDuration(text) ?? -1)).toBe(text);
});
