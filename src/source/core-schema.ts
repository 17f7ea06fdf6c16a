/** A plain scalar's value as the core schema of YAML 1.2 reads it. */
export function resolvePlain(text: string): string | number | boolean | null {
  switch (text.charCodeAt(0)) {
    case 0x7e: // ~
      return text === '~' ? null : text;
    case 0x6e: // n
    case 0x4e: // N
      return text === 'null' || text === 'Null' || text === 'NULL' ? null : text;
    case 0x74: // t
    case 0x54: // T
      return text === 'true' || text === 'True' || text === 'TRUE' ? true : text;
    case 0x66: // f
    case 0x46: // F
      return text === 'false' || text === 'False' || text === 'FALSE' ? false : text;
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
    case 0x30:
    case 0x31:
    case 0x32:
    case 0x33:
    case 0x34:
    case 0x35:
    case 0x36:
    case 0x37:
    case 0x38:
    case 0x39:
      return resolveNumber(text) ?? text;
  }
  return text === '' ? null : text;
}

/** The number a plain scalar stands for; `undefined` when it is none. Integers beyond 2^53 come out rounded. */
export function resolveNumber(text: string): number | undefined {
  if (isInteger(text)) {
    if (text.startsWith('0o')) return Number.parseInt(text.slice(2), 8);
    return Number(text);
  }
  if (/^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+)$/.test(text))
    return Number(text);
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return Number.NaN;
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return undefined;
}

/** Tells whether a plain scalar is written as an integer (decimal, octal or hexadecimal). */
export function isInteger(text: string): boolean {
  return /^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text);
}
