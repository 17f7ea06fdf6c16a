import type {
  Location,
  Mustache,
  Path,
  Program,
  Statement,
} from 'handlebars/dist/cjs/handlebars/compiler/base.js';

const path = String.raw`[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*`;
const placeholder = new RegExp(String.raw`\{\{\s*(${path})(?:\s+(${path}))?\s*\}\}(?!\})`, 'y');
const reserved = /(?:^|\.)this(?:\.|$)|^(?:else|as|true|false|null|undefined)$/;

/**
 * The syntax tree of a text that holds nothing but text, `{{path}}` and `{{helper path}}`, as Handlebars' parser gives
 * it; `undefined` for any other, which is the parser's to read. Most texts are of this kind, and the parser takes ten
 * times as long. All places are on line 1: the columns are the offsets.
 */
export function parsePlainPlaceholders(text: string): Program | undefined {
  if (text.includes('\0')) return undefined;
  const body: Statement[] = [];
  let end = 0;
  for (let start = text.indexOf('{{'); start !== -1; start = text.indexOf('{{', end)) {
    placeholder.lastIndex = start;
    const [whole, name, argument] = placeholder.exec(text) ?? [];
    if (whole === undefined || name === undefined || text[start - 1] === '\\') return undefined;
    if (reserved.test(name) || (argument !== undefined && reserved.test(argument))) return undefined;
    if (end < start) body.push(content(text, end, start));
    end = start + whole.length;
    body.push(mustache(text, start, end, name, argument));
  }
  if (end < text.length) body.push(content(text, end, text.length));
  return { body };
}

function content(text: string, start: number, end: number): Statement {
  return { type: 'ContentStatement', value: text.slice(start, end), loc: location(start, end) };
}

function mustache(
  text: string,
  start: number,
  end: number,
  name: string,
  argument: string | undefined,
): Mustache {
  const nameAt = text.indexOf(name, start);
  const params =
    argument === undefined ? [] : [pathAt(argument, text.indexOf(argument, nameAt + name.length))];
  const loc = location(start, end);
  return { type: 'MustacheStatement', path: pathAt(name, nameAt), params, escaped: true, loc };
}

function pathAt(name: string, start: number): Path {
  const loc = location(start, start + name.length);
  return { type: 'PathExpression', data: false, depth: 0, parts: name.split('.'), original: name, loc };
}

function location(start: number, end: number): Location {
  return { start: { line: 1, column: start }, end: { line: 1, column: end } };
}
