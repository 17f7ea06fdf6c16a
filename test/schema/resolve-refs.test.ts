import { describe, expect, it } from 'vitest';
import { resolveRefs, schemaFilesOf } from '../../src/schema/resolve-refs.ts';
import { compileSchema } from '../../src/schema/validate-value.ts';
import { parseYaml } from '../../src/source/parse-yaml.ts';
import { toJson } from '../../src/source/source-document.ts';
import type { JsonSchema } from '../../src/support/json.ts';

function resolve(
  text: string,
  files: Readonly<Record<string, string>> = {},
): { schema: JsonSchema; told: string[] } {
  const { root } = parseYaml('formulas/a.yaml', text);
  if (root === undefined) throw new Error('the schema of the test does not parse');
  const { schema, findings } = resolveRefs(
    toJson(root) as JsonSchema,
    'formulas/a.yaml',
    root,
    (path) => files[path],
  );
  const all: Readonly<Record<string, string>> = { ...files, 'formulas/a.yaml': text };
  const told = findings.map(({ rule, span, message, help }) => {
    const place = (all[span.file] ?? '').slice(span.start, span.end);
    return `${span.file} ${rule} @${place}: ${message}${help === undefined ? '' : ` (${help})`}`;
  });
  return { schema, told };
}

describe('resolveRefs', () => {
  it('leaves a schema alone that stands alone', () => {
    const text = '{$ref: "#/$defs/a", $defs: {a: {items: {$ref: "#/$defs/a"}, default: {$ref: x}}}}';
    expect(resolve(text)).toEqual({
      schema: { $ref: '#/$defs/a', $defs: { a: { items: { $ref: '#/$defs/a' }, default: { $ref: 'x' } } } },
      told: [],
    });
  });

  it('takes other files in, JSON and YAML, whole and in part', () => {
    const { schema, told } = resolve(
      '{type: array, items: {$ref: ../schemas/file.json}, properties: {x: {$ref: "../schemas/all.yaml#/$defs/name"}}}',
      {
        'schemas/file.json':
          '{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "type": "object", "properties": {"name": {"$ref": "all.yaml#/$defs/name"}}}',
        'schemas/all.yaml': '$defs:\n  name: {type: string}\n  other: {type: number}\n',
      },
    );
    expect(told).toEqual([]);
    expect(schema).toEqual({
      type: 'array',
      items: { $ref: '#/$defs/file' },
      properties: { x: { $ref: '#/$defs/name' } },
      $defs: {
        file: { type: 'object', properties: { name: { $ref: '#/$defs/name' } } },
        name: { type: 'string' },
      },
    });
    expect(compileSchema(schema)([{ name: 1 }])[0]?.message).toBe('"[0].name" must be text, not 1');
  });

  it('follows references inside of other files, also in circles', () => {
    const { schema, told } = resolve('{$ref: ../tree.json}', {
      'tree.json':
        '{"type": "object", "properties": {"left": {"$ref": "#"}, "value": {"$ref": "#/$defs/v"}}, "$defs": {"v": {"type": "integer"}}}',
    });
    expect(told).toEqual([]);
    expect(compileSchema(schema)({ left: { left: { value: 1 } } })).toEqual([]);
    expect(compileSchema(schema)({ left: { left: { value: 'x' } } })[0]?.message).toBe(
      '"left.left.value" must be a whole number, not "x"',
    );
  });

  it('keeps names apart', () => {
    const { schema } = resolve('{anyOf: [{$ref: ../a/x.json}, {$ref: ../b/x.json}], $defs: {x: true}}', {
      'a/x.json': '{"const": 1}',
      'b/x.json': '{"const": 2}',
    });
    expect(schema).toEqual({
      anyOf: [{ $ref: '#/$defs/x-2' }, { $ref: '#/$defs/x-3' }],
      $defs: { x: true, 'x-2': { const: 1 }, 'x-3': { const: 2 } },
    });
  });

  it.each([
    [
      '{$ref: ../nowhere.json}',
      'formulas/a.yaml missing-schema @../nowhere.json: there is no file nowhere.json',
    ],
    [
      '{$ref: ../../x.json}',
      'formulas/a.yaml missing-schema @../../x.json: "../../x.json" is outside the project (keep the schema in a file of the project)',
    ],
    [
      '{$ref: /etc/x.json}',
      'formulas/a.yaml missing-schema @/etc/x.json: "/etc/x.json" is outside the project (keep the schema in a file of the project)',
    ],
    [
      '{$ref: "https://example.com/x"}',
      'formulas/a.yaml missing-schema @"https://example.com/x": schemas are not fetched: "https://example.com/x" (keep the schema in a file of the project)',
    ],
    [
      '{$ref: "#/$defs/nmae", $defs: {name: true}}',
      'formulas/a.yaml missing-schema @"#/$defs/nmae": there is no schema at "#/$defs/nmae" in this schema (did you mean "name"?)',
    ],
    [
      '{$ref: "#anchor"}',
      'formulas/a.yaml missing-schema @"#anchor": "#anchor" is not a JSON pointer (write "#/$defs/name")',
    ],
    [
      '{$ref: "../a.json#/$defs/x"}',
      'formulas/a.yaml missing-schema @"../a.json#/$defs/x": there is no schema at "#/$defs/x" in a.json',
    ],
    [
      '{$ref: ../bad.json}',
      'bad.json unknown-keyword @"tpye": "tpye" is not a keyword of JSON Schema (did you mean "type"?)',
    ],
    [
      '{anyOf: [{$ref: ../broken.json}, {$ref: ../broken.json}]}',
      'broken.json yaml-syntax @{: the "{" here is never closed (add the closing "}")',
    ],
  ])('%s: %s', (text, message) => {
    const files = {
      'a.json': '{"type": "string"}',
      'bad.json': '{"tpye": "string"}',
      'broken.json': '{"type": "string"',
    };
    const { schema, told } = resolve(text, files);
    expect(told).toEqual([message]);
    expect(JSON.stringify(schema)).not.toContain('$ref');
  });
});

it('schemaFilesOf lists the files a schema names', () => {
  const { root } = parseYaml(
    'a.yaml',
    '{items: {$ref: ../x.json}, anyOf: [{$ref: "y.yaml#/a"}, {$ref: "#/b"}], default: {$ref: z.json}}',
  );
  expect(root && schemaFilesOf(root, 'formulas/deep/a.yaml')).toEqual([
    'formulas/x.json',
    'formulas/deep/y.yaml',
  ]);
});
