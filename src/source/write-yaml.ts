import { stringify } from 'yaml';
import type { JsonValue } from '../support/json.ts';
import { formatYaml } from './format-yaml.ts';

/** A value as YAML in the canonical layout, with comments before it. It is read back as the very same value. */
export function writeYaml(value: JsonValue, comments: readonly string[] = []): string {
  const text = [
    ...comments.map((line) => `# ${line}\n`),
    stringify(value, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false }),
  ].join('');
  const formatted = formatYaml(text);
  return formatted.ok ? formatted.text : text;
}
