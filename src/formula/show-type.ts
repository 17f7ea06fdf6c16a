import type { Type } from './types.ts';

/** Characters after which an outline takes the place of the rest. */
const mostCharacters = 100;

/**
 * A type in one short line for messages: `{os: string, platform?: string}`, `list of int`, `"a" | "b"`. Cut when long.
 */
export function showType(type: Type): string {
  for (const depth of [4, 3, 2, 1]) {
    const text = show(type, depth);
    if (text.length <= mostCharacters) return text;
  }
  return show(type, 1, 3);
}

/** A type in a sentence: the values of an enum or literal say more than is wanted there. */
export function showKind(type: Type): string {
  switch (type.kind) {
    case 'any':
      return 'any value';
    case 'null':
      return 'null';
    case 'bool':
      return 'a boolean';
    case 'int':
      return 'an integer';
    case 'number':
      return 'a number';
    case 'string':
      return 'a string';
    case 'list':
      return 'a list';
    case 'object':
      return 'an object';
    case 'union':
      return showType(type);
  }
}

/** Objects deeper than `depth` are `{…}`; of properties and values at most `most` are listed. */
function show(type: Type, depth: number, most = 12): string {
  switch (type.kind) {
    case 'any':
      return 'any';
    case 'null':
      return 'null';
    case 'bool':
    case 'int':
    case 'number':
    case 'string':
      if (type.values === undefined || type.values.length === 0) return type.kind;
      return cut<boolean | number | string>(type.values, most, shownValue, ' | ');
    case 'list':
      return `list of ${type.items.kind === 'union' ? `(${show(type.items, depth, most)})` : show(type.items, depth, most)}`;
    case 'object': {
      if (type.properties.size === 0) return type.rest === undefined ? '{}' : '{…}';
      if (depth === 0) return '{…}';
      const shown = cut(
        [...type.properties],
        most,
        ([name, property]) =>
          `${name}${property.required ? '' : '?'}: ${show(property.type, depth - 1, most)}`,
        ', ',
      );
      return `{${shown}${type.rest === undefined || shown.endsWith('…') ? '' : ', …'}}`;
    }
    case 'union':
      return type.of.length === 0
        ? 'nothing'
        : cut(type.of, most, (member) => show(member, depth, most), ' | ');
  }
}

function cut<T>(items: readonly T[], most: number, shown: (item: T) => string, separator: string): string {
  const texts = items.slice(0, most).map(shown);
  return [...texts, ...(items.length > most ? ['…'] : [])].join(separator);
}

function shownValue(value: boolean | number | string): string {
  return JSON.stringify(typeof value === 'string' && value.length > 30 ? `${value.slice(0, 29)}…` : value);
}
