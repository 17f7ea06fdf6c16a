import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonValue } from '../support/json.ts';
import { UsageError } from './usage-error.ts';

/** JSON from a flag, or from the file after an `@`. */
export function parseData(text: string, cwd: string): JsonValue {
  const content = text.startsWith('@') ? read(resolve(cwd, text.slice(1))) : text;
  try {
    return JSON.parse(content) as JsonValue;
  } catch (error) {
    throw new UsageError(
      `--data is not JSON: ${(error as Error).message}`,
      `for instance --data '{"ok": true}'`,
    );
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      `--data: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
}
