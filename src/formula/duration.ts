const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of a duration such as `10m`, `1h30m` or `250ms`; undefined when it is none. Units are `d h m s ms`, each
 * at most once, the larger first.
 */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+)(ms|[smhd])/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) return undefined;
  let total = 0;
  let last = Infinity;
  for (const [, digits = '', unit = ''] of parts) {
    const size = UNITS[unit] ?? 0;
    if (size >= last) return undefined;
    last = size;
    total += Number(digits) * size;
  }
  return Number.isSafeInteger(total) ? total : undefined;
}

/** The shortest way to write a duration: `5400000` → `1h30m`. */
export function showDuration(milliseconds: number): string {
  let rest = milliseconds;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = UNITS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
