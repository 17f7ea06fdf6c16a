import type { SourceNode, SourceScalar } from '../source/source-document.ts';

/** The JSON type of a node, with `integer` told apart from `number`. */
export function typeOfNode(node: SourceNode): string {
  switch (node.kind) {
    case 'map':
      return 'object';
    case 'list':
      return 'array';
    case 'scalar':
      if (node.value === null) return 'null';
      if (typeof node.value === 'number') return Number.isInteger(node.value) ? 'integer' : 'number';
      return typeof node.value;
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a map',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'empty',
};

/** "text, a list or a map". */
export function describeTypes(types: readonly string[]): string {
  return alternatives(types.map((type) => typeWords[type] ?? type));
}

/** `"a", "b" or "c"`. */
export function oneOf(names: readonly string[]): string {
  return alternatives(names.map((name) => `"${name}"`));
}

/** `"a", "b", "c"`. */
export function quotedList(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function alternatives(words: readonly string[]): string {
  if (words.length <= 1) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

/** "the number 5", "a list", `"yes"`. */
export function describeNode(node: SourceNode): string {
  switch (node.kind) {
    case 'map':
      return 'a map';
    case 'list':
      return 'a list';
    case 'scalar':
      if (node.value === null) return 'empty';
      if (typeof node.value === 'number') return `the number ${node.value}`;
      if (typeof node.value === 'boolean') return String(node.value);
      return JSON.stringify(node.value.length > 40 ? `${node.value.slice(0, 39)}…` : node.value);
  }
}

/** How to write the value so that it has one of the types, where that can be told. */
export function typeHelp(types: readonly string[], node: SourceNode, text: string): string | undefined {
  switch (node.kind) {
    case 'scalar':
      return scalarHelp(types, node);
    case 'list':
    case 'map': {
      const written = text.slice(node.span.start, node.span.end);
      // `- echo a: b` and `- - x` are a map and a list only to YAML.
      const isOneLine = !/[\r\n]/.test(written) && !/^[[{]/.test(written) && written.length <= 80;
      if (types.includes('string') && isOneLine) {
        return `if it is meant as text, quote it: '${written.replaceAll("'", "''")}'`;
      }
      if (types.includes('array') && node.kind === 'map') return 'begin each item with "- "';
      return undefined;
    }
  }
}

function scalarHelp(types: readonly string[], { value, style }: SourceScalar): string | undefined {
  if (types.includes('boolean') && typeof value === 'string') {
    const meant = /^(?:y|yes|on|true)$/i.test(value)
      ? 'true'
      : /^(?:n|no|off|false)$/i.test(value)
        ? 'false'
        : undefined;
    if (meant === undefined) return undefined;
    return style === 'plain'
      ? `YAML 1.2 reads "${value}" as text: write ${meant}`
      : `without quotes: ${meant}`;
  }
  if ((types.includes('integer') || types.includes('number')) && typeof value === 'string') {
    if (/^[-+]?\d+(?:\.\d+)?$/.test(value)) return `without quotes: ${value}`;
    if (/^[-+]?\d+(?:_\d+)+$/.test(value)) return `without "_": ${value.replaceAll('_', '')}`;
  }
  if (types.includes('string') && (typeof value === 'number' || typeof value === 'boolean')) {
    return `quote it: '${value}'`;
  }
  if (types.includes('array') && value !== null) return `as a list: [${value}]`;
  if (value === null) return 'write a value, or remove the key';
  return undefined;
}
