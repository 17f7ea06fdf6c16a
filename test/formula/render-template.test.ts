import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RenderError,
  evaluateTemplate,
  renderTemplate,
  type RenderWorld,
} from '../../src/formula/render-template.ts';
import type { JsonObject, JsonValue } from '../../src/support/json.ts';
import { proof } from '../support/proof.ts';

const world: RenderWorld = {
  readFile(path) {
    if (path !== 'src/a.ts') throw new RenderError(`there is no file "${path}" in the workspace`);
    return 'one\n  two\n';
  },
};

const values: JsonObject = {
  inputs: {
    name: "it's <b>&",
    n: 3,
    ratio: 0.5,
    zero: 0,
    ok: true,
    no: false,
    none: null,
    empty: '',
    words: ['a', 'b c', "d'e"],
    path: 'src/a.ts',
    one: ['x'],
  },
  steps: {
    lint: {
      outputs: {
        files: [
          { path: 'a', line: 1, file: 'F', tags: ['p', 'q'] },
          { path: 'b', line: 2, file: 'G', tags: [] },
        ],
        byName: { x: 1, y: 2 },
      },
    },
  },
};

describe('a template is rendered as', () => {
  it.each([
    ['', ''],
    ['plain \\ text }} { {', 'plain \\ text }} { {'],
    ['{{inputs.name}}', "it's <b>&"],
    [
      '{{inputs.n}} {{inputs.ratio}} {{inputs.ok}} {{inputs.no}} {{inputs.none}} [{{inputs.empty}}]',
      '3 0.5 true false null []',
    ],
    ['\\{{x}} \\\\{{inputs.n}}', '{{x}} \\3'],
    [
      '{{json inputs.words}} {{json inputs.name}} {{json inputs.none}}',
      '["a","b c","d\'e"] "it\'s <b>&" null',
    ],
    ['{{json steps.lint.outputs.byName 2}}', '{\n  "x": 1,\n  "y": 2\n}'],
    ['{{size inputs.words}} {{size inputs.name}} {{size steps.lint.outputs.byName}}', '3 9 2'],
    [
      "{{join inputs.words}}|{{join inputs.words ' + '}}|{{join inputs.one ''}}",
      "a, b c, d'e|a + b c + d'e|x",
    ],
    ['{{args inputs.words}}', "a 'b c' 'd'\\''e'"],
    ['{{file inputs.path}}|{{file "src/a.ts"}}', 'one\n  two\n|one\n  two\n'],
    ['{{lines inputs.words}}', "a\nb c\nd'e"],
    [
      '{{lines inputs.words 2}} {{lines (file inputs.path) 1}}',
      'a\nb c\n[… 1 more line] one\n[… 2 more lines]',
    ],
    ['{{indent (file inputs.path) 2}}', '  one\n    two\n'],
    ['{{truncate inputs.name 100}}', "it's <b>&"],
    [
      "{{default inputs.nope 'x'}}{{default inputs.nope.more.still 1}}{{default nowhere.at.all (default inputs.also inputs.n)}}",
      'x13',
    ],
    ["{{default inputs.none 'x'}}{{default inputs.empty 'x'}}{{default inputs.zero 'x'}}", 'null0'],
    [
      '{{#if inputs.ok}}a{{else}}b{{/if}}{{#if inputs.no}}a{{else}}b{{/if}}{{#if inputs.nope}}a{{else}}b{{/if}}',
      'abb',
    ],
    [
      '{{#if inputs.zero}}a{{/if}}{{#if inputs.zero includeZero=true}}b{{/if}}{{#if inputs.empty}}c{{/if}}{{#if inputs.none}}d{{/if}}',
      'b',
    ],
    [
      '{{#if inputs.no}}a{{else if inputs.ok}}b{{else}}c{{/if}}{{#unless inputs.no}}d{{/unless}}{{^if inputs.no}}e{{/if}}',
      'bde',
    ],
    ['{{#each steps.lint.outputs.files as |f i|}}{{i}}{{f.path}}{{/each}}', '0a1b'],
    [
      '{{#each steps.lint.outputs.files}}{{@index}}{{path}}{{this.file}}{{inputs.n}}{{#if @last}}.{{else}},{{/if}}{{/each}}',
      '0aF3,1bG3.',
    ],
    [
      '{{#each steps.lint.outputs.files}}{{#each tags}}{{../path}}{{this}}{{@../index}}{{@first}}{{../../inputs.n}}{{@root.inputs.n}} {{else}}-{{/each}}{{/each}}',
      'ap0true33 aq0false33 -',
    ],
    [
      '{{#each steps.lint.outputs.byName as |v k|}}{{k}}={{v}} {{@key}}{{@index}} {{/each}}',
      'x=1 x0 y=2 y1 ',
    ],
    [
      '{{#with steps.lint.outputs.byName as |b|}}{{b.x}}{{y}}{{inputs.n}}{{/with}}{{#with inputs.nope}}a{{else}}b{{/with}}',
      '123b',
    ],
    ['{{#each inputs.nope}}a{{else}}b{{/each}}{{#each inputs.none}}a{{/each}}', 'b'],
    ['{{steps.lint.outputs.files.[1].path}}{{inputs.words.[0]}}', 'ba'],
    ['a\n{{#each inputs.words as |w|}}\n- {{w}}\n{{/each}}\nz', "a\n- a\n- b c\n- d'e\nz"],
    ['a  {{~ inputs.n ~}}  b', 'a3b'],
    ['a{{! nothing }}b{{!-- {{x}} --}}c', 'abc'],
  ])('%j', (text, expected) => {
    expect(renderTemplate(text, values, world)).toBe(expected);
    expect(String(evaluateTemplate(text, values, world))).toBe(expected);
  });

  it('a beginning of about so many tokens', () => {
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(500);
    const cut = renderTemplate('{{truncate inputs.text 100}}', { inputs: { text } }, world);
    expect(cut).toMatch(/^The quick brown fox .*\[… \d+ more characters\]$/);
    expect(cut.length).toBeGreaterThan(300);
    expect(cut.length).toBeLessThan(700);
    expect(
      renderTemplate('{{truncate inputs.text 20}}', { inputs: { text: '<|endoftext|>'.repeat(9) } }, world),
    ).toMatch(/^<\|endoftext/);
  });

  it('a beginning of a text without any spaces, without taking long', () => {
    const started = performance.now();
    const cut = renderTemplate(
      '{{truncate inputs.text 1000}}',
      { inputs: { text: `${'a'.repeat(300_000)}👋` } },
      world,
    );
    expect(cut.length).toBeLessThan(20_000);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('a template fails in the names of its author', () => {
  it.each([
    ['{{inputs.nope}}', 'inputs.nope is absent'],
    ['{{inputs.nope.more}}', 'inputs.nope.more is absent'],
    ['{{nowhere}}', 'nowhere is absent'],
    ['{{inputs.none.x}}', 'inputs.none.x is absent'],
    ['{{inputs.name.length}}', 'inputs.name.length is absent'],
    ['{{inputs.words.length}}', 'inputs.words.length is absent'],
    ['{{inputs.words.[7]}}', 'inputs.words.[7] is absent'],
    ['{{inputs.constructor}}', 'inputs.constructor is absent'],
    ['{{inputs.__proto__}}', 'inputs.__proto__ is absent'],
    ['{{inputs.toString}}', 'inputs.toString is absent'],
    ['{{constructor}}', 'constructor is absent'],
    ['{{json inputs.nope}}', 'inputs.nope is absent'],
    ['{{default inputs.nope inputs.never}}', '{{default inputs.nope inputs.never}} is absent'],
    ['{{inputs.words}}', 'inputs.words is a list and needs a helper such as {{json …}} to be printed'],
    ['{{steps}}', 'steps is an object and needs a helper such as {{json …}} to be printed'],
    ['{{size inputs.n}}', '{{size}} takes a string, a list or an object, but inputs.n is not'],
    [
      '{{join steps.lint.outputs.files}}',
      '{{join}} takes a list of strings, numbers or booleans, but steps.lint.outputs.files is not',
    ],
    ['{{truncate inputs.name inputs.ratio}}', '{{truncate}} takes a whole number, but inputs.ratio is not'],
    ['{{file "b.ts"}}', 'there is no file "b.ts" in the workspace'],
    ['{{#each inputs.nope}}a{{/each}}', 'inputs.nope is absent'],
    ['{{#each inputs.name}}a{{/each}}', '{{#each}} takes a list or an object, but inputs.name is neither'],
    ['{{#with inputs.nope}}a{{/with}}', 'inputs.nope is absent'],
    ['{{#each steps.lint.outputs.files}}{{nope}}{{/each}}', 'nope is absent'],
    ['{{#each steps.lint.outputs.files as |f|}}{{f.nope}}{{/each}}', 'f.nope is absent'],
    ['{{oops', '{{oops: this {{ is not closed'],
  ])('%s', (text, message) => {
    expect(() => renderTemplate(text, values, world)).toThrow(new RenderError(message));
    expect(() => renderTemplate(text, values, world)).toThrow(RenderError);
  });

  it('on a shell word with a NUL', () => {
    expect(() => renderTemplate('{{args x}}', { x: ['a\0b'] }, world)).toThrow(
      new RenderError('a shell word cannot hold a NUL character'),
    );
  });
});

describe('a whole template', () => {
  it('passes any value on as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        const value = JSON.parse(JSON.stringify(any)) as JsonValue;
        expect(evaluateTemplate('{{inputs.x}}', { inputs: { x: value } }, world)).toEqual(value);
        expect(evaluateTemplate('{{ default inputs.x 1 }}', { inputs: { x: value } }, world)).toEqual(value);
        expect(JSON.parse(renderTemplate('{{json inputs.x}}', { inputs: { x: value } }, world))).toEqual(
          value,
        );
        expect(renderTemplate('[{{json inputs.x}}]', { inputs: { x: value } }, world)).toBe(
          `[${JSON.stringify(value)}]`,
        );
      }),
      proof({ few: 300, many: 50_000 }),
    );
  }, 600_000);

  it('of an absent value is undefined', () => {
    expect(evaluateTemplate('{{inputs.x}}', { inputs: {} }, world)).toBeUndefined();
    expect(evaluateTemplate('{{default inputs.x inputs.y}}', {}, world)).toBeUndefined();
    expect(evaluateTemplate('{{inputs.x}}', { inputs: { x: null } }, world)).toBeNull();
  });
});

describe('whatever the values', () => {
  it('a string stands as it is, and no value is read as a template', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('{{inputs.x}}', '\\{{', '<script>', '${x}', '$&', '\u2028', '{{#if', '}}'),
    );
    fc.assert(
      fc.property(hostile, hostile, (x, y) => {
        const given = { inputs: { x, y } };
        expect(renderTemplate('a{{inputs.x}}b{{inputs.y}}c', given, world)).toBe(`a${x}b${y}c`);
        expect(renderTemplate('{{#each inputs as |v k|}}{{k}}:{{v}};{{/each}}', given, world)).toBe(
          `x:${x};y:${y};`,
        );
      }),
      proof({ few: 300, many: 50_000 }),
    );
  }, 600_000);

  it('hostile names are data when they are there, and absent when they are not', () => {
    const names = [
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'hasOwnProperty',
      '__defineGetter__',
      'valueOf',
      'length',
    ];
    for (const name of names) {
      const own = JSON.parse(`{"inputs": {${JSON.stringify(name)}: "own"}}`) as JsonObject;
      expect(evaluateTemplate(`{{inputs.${name}}}`, own, world)).toBe('own');
      expect(evaluateTemplate(`{{inputs.[${name}]}}`, own, world)).toBe('own');
      for (const empty of [
        { inputs: {} },
        { inputs: [] },
        { inputs: 'text' },
        { inputs: 1 },
        { inputs: null },
      ]) {
        expect(evaluateTemplate(`{{inputs.${name}}}`, empty, world)).toBeUndefined();
        expect(evaluateTemplate(`{{default inputs.${name}.${name} 'safe'}}`, empty, world)).toBe('safe');
        expect(renderTemplate(`{{#if inputs.${name}}}bad{{/if}}`, empty, world)).toBe('');
      }
    }
  });

  it('a nested template says what a plain program says', () => {
    const tree = fc.array(
      fc.record({
        name: fc.string(),
        items: fc.array(fc.record({ id: fc.integer(), tags: fc.array(fc.string(), { maxLength: 3 }) }), {
          maxLength: 4,
        }),
      }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(tree, fc.string(), (groups, title) => {
        const text =
          '{{#each inputs.groups as |g i|}}{{i}}:{{g.name}}[{{#each g.items}}{{id}}{{inputs.title}}{{../name}}{{#each tags as |t|}}<{{t}}{{@index}}{{../id}}{{g.name}}>{{else}}none{{/each}}{{#unless @last}},{{/unless}}{{/each}}]{{else}}empty{{/each}}';
        const expected =
          groups.length === 0
            ? 'empty'
            : groups
                .map(
                  (g, i) =>
                    `${i}:${g.name}[${g.items
                      .map((item, at) => {
                        const tags =
                          item.tags.map((t, n) => `<${t}${n}${item.id}${g.name}>`).join('') || 'none';
                        return `${item.id}${title}${g.name}${tags}${at === g.items.length - 1 ? '' : ','}`;
                      })
                      .join('')}]`,
                )
                .join('');
        expect(renderTemplate(text, { inputs: { groups, title } }, world)).toBe(expected);
      }),
      proof({ few: 200, many: 20_000 }),
    );
  }, 600_000);
});
