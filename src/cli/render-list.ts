import type { ListEntry, ProjectList } from '../plan/list.ts';
import type { JsonSchema, JsonValue } from '../support/json.ts';
import { isJsonObject } from '../support/json.ts';
import type { TextStyle } from './text-style.ts';

/** Formulas, molecules and aspects with what they are for and their inputs, as text. */
export function renderList(found: ProjectList, style: TextStyle, tag?: string): string {
  const { formulas, molecules, aspects } = found;
  if (formulas.length + molecules.length + aspects.length === 0) {
    if (tag !== undefined) return `nothing has the tag "${tag}"`;
    return 'there are no formulas here (`wf init` makes the first)';
  }
  const sections = [
    { title: 'Formulas', entries: formulas },
    { title: 'Molecules', entries: molecules },
    { title: 'Aspects', entries: aspects },
  ];
  return sections
    .filter(({ entries }) => entries.length > 0)
    .map(({ title, entries }) =>
      [style.strong(title), ...entries.map((entry) => renderEntry(entry, style))].join('\n'),
    )
    .join('\n\n');
}

function renderEntry(entry: ListEntry, style: TextStyle): string {
  const tags = entry.tags.length > 0 ? style.faint(`  [${entry.tags.join(', ')}]`) : '';
  const first = entry.broken ? style.error(`has errors: wf check ${entry.file}`) : (entry.description ?? '');
  const lines = [
    `  ${style.help(entry.name)}${tags}${first === '' ? '' : `\n      ${first.trim().replace(/\s+/g, ' ')}`}`,
  ];
  const inputs = Object.entries(entry.inputs);
  const width = Math.max(...inputs.map(([name, schema]) => signature(name, schema).length), 0);
  for (const [name, schema] of inputs) {
    const description =
      isJsonObject(schema) && typeof schema['description'] === 'string' ? schema['description'] : '';
    lines.push(
      `      ${`-i ${signature(name, schema).padEnd(width)}  ${style.faint(description.trim().replace(/\s+/g, ' '))}`.trimEnd()}`,
    );
  }
  return lines.join('\n');
}

/** `version=<string>`, and for what has a default `draft=true`. */
function signature(name: string, schema: JsonSchema): string {
  if (!isJsonObject(schema)) return `${name}=<value>`;
  const { default: fallback, type, enum: values } = schema;
  if (fallback !== undefined) return `${name}=${short(fallback)}`;
  if (Array.isArray(values)) return `${name}=<${values.map(short).join('|')}>`;
  return `${name}=<${Array.isArray(type) ? type.join('|') : typeof type === 'string' ? type : 'value'}>`;
}

function short(value: JsonValue): string {
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
