import { describe, expect, it } from 'vitest';
import type { TemplatePart } from '../../src/formula/template-tree.ts';
import { checkTemplate, parseTemplate } from '../../src/formula/template.ts';
import type { Type } from '../../src/formula/types.ts';
import { scalarOf, told } from '../support/notation.ts';
import {
  any,
  bool,
  either,
  int,
  list,
  nothing,
  number,
  object,
  oneOf,
  scope,
  string,
} from '../support/types.ts';

const target = object({ os: string, platform: string });
const file = object({ path: string, line: int, 'rule?': string, file: string, size: int });
const names = scope({
  inputs: object({
    name: string,
    'token?': string,
    'words?': list(string),
    n: int,
    ratio: number,
    ok: bool,
    level: oneOf('low', 'high'),
  }),
  steps: object({
    build: object({ outputs: object({ 'target?': target }) }),
    lint: object({
      outputs: object({
        target,
        files: list(file),
        words: list(string),
        note: either(string, nothing),
        byName: object({}, file),
      }),
    }),
    free: object({ outputs: any }),
  }),
});

/** What is said about a template, in YAML as an author writes it. */
function check(text: string, use: 'value' | 'text' = 'text'): string[] {
  const source = `text: |-\n${text.replace(/^/gm, '  ')}`;
  const { template, findings } = parseTemplate(scalarOf(source));
  if (template === undefined) return told(findings, source);
  return told(checkTemplate(template, names, use).findings, source);
}

describe('syntax', () => {
  it.each([
    [
      'a {{inputs.name',
      '<{{> template-syntax: this {{ is not closed | write }} after it, or \\{{ for two braces that stand for themselves',
    ],
    ['a {{}} b', '<{{}}> template-syntax: the placeholder is empty'],
    [
      '{{inputs.ok && inputs.ok}}',
      '<&> template-syntax: "&" cannot stand here | text only prints values; logic is written in expressions',
    ],
    [
      '{{inputs.n == 1}}',
      '<=> template-syntax: "=" cannot stand here | text only prints values; logic is written in expressions',
    ],
    [
      '{{steps.lint.outputs.files.0}}',
      '<0> template-syntax: an element of a list is written in brackets | write [0]',
    ],
    ['{{#if inputs.ok}} a', '<if> template-syntax: {{#if}} is not closed | write {{/if}} where it ends'],
    [
      '{{#if inputs.ok}} a {{/each}}',
      '<if> template-syntax: {{#if}} is closed by {{/each}} | close it with {{/if}}',
    ],
    ['a {{/if}}', expect.stringContaining('template-syntax: there is no block to be closed here')],
    [
      '{{inputs.this}}',
      '<inputs.this> template-syntax: "inputs.this" is not a path | "this" and ".." stand at the beginning of a path',
    ],
    [
      '{{> header}}',
      '<{{> header}}> template-syntax: partials ({{> …}}) are not offered | write the text here',
    ],
    ['{{#> layout}}a{{/layout}}', expect.stringContaining('partials ({{> …}}) are not offered')],
    ['{{* decorate}}', expect.stringContaining('decorators ({{* …}}) are not offered')],
    [
      '{{{inputs.name}}}',
      '<{{{inputs.name}}}> template-syntax: nothing is ever escaped, so two braces are enough | write {{x}}',
    ],
    [
      '{{&inputs.name}}',
      '<{{&inputs.name}}> template-syntax: nothing is ever escaped, so two braces are enough | write {{x}}',
    ],
    ['{{"a"}}', '<{{"a"}}> template-syntax: {{"a"}} only prints itself | write "a"'],
    [
      '{{default inputs.token undefined}}',
      '<undefined> template-syntax: there is no "undefined" in JSON | write null',
    ],
    [
      '{{#each steps.lint.outputs.files as |item|}}{{/each}}',
      '<item> template-syntax: "item" is a name of the language | take another name',
    ],
  ])('%s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it('refuses what would exhaust the stack', () => {
    const deep = (depth: number): string => '{{#if inputs.ok}}'.repeat(depth) + '{{/if}}'.repeat(depth);
    expect(check(deep(50))).toEqual([]);
    expect(check(deep(5000))[0]).toMatch('nested too deeply');
    expect(check(`{{default inputs.token ${'(json '.repeat(5000)}inputs.n${')'.repeat(5000)}}}`)[0]).toMatch(
      /nested too deeply/,
    );
  });
});

describe('helpers', () => {
  it.each([
    ['{{sise inputs.name}}', '<sise> template-helper: there is no helper "sise" | did you mean "size"?'],
    [
      '{{inputs.name "x"}}',
      '<inputs.name> template-helper: there is no helper "inputs.name" | there are args, default, file, indent, join, json, lines, size, truncate',
    ],
    [
      '{{lookup inputs "name"}}',
      '<lookup> template-helper: there is no helper "lookup" | write a.b or list.[0]',
    ],
    [
      '{{json (sise inputs.name)}}',
      '<sise> template-helper: there is no helper "sise" | did you mean "size"?',
    ],
    [
      '{{json inputs.n 2 3}}',
      '<json> template-helper: "json" takes 1 or 2 arguments, but here are 3 | write {{json value}}',
    ],
    [
      '{{truncate inputs.name}}',
      '<truncate> template-helper: "truncate" takes 2 arguments, but here is 1 | write {{truncate text 500}}',
    ],
    [
      '{{json inputs.n indent=2}}',
      '<indent=2> template-helper: "json" has no option "indent" | write {{json value}}',
    ],
    [
      '{{truncate inputs.name "x"}}',
      '<"x"> template-helper: "truncate" takes a whole number, not "x" | write {{truncate text 500}}',
    ],
    [
      '{{size inputs.n}}',
      '<inputs.n> template-helper: "size" takes a string, a list or an object, but "inputs.n" is int | write {{size value}}',
    ],
    [
      '{{args inputs.name}}',
      '<inputs.name> template-helper: "args" takes a list of strings, numbers or booleans, but "inputs.name" is string | write {{inputs.name}}',
    ],
    [
      '{{join steps.lint.outputs.files}}',
      expect.stringContaining(
        '<steps.lint.outputs.files> template-helper: "join" takes a list of strings, numbers or booleans, but',
      ),
    ],
    [
      '{{file inputs.n}}',
      '<inputs.n> template-helper: "file" takes a string, but "inputs.n" is int | write {{file path}}',
    ],
    [
      '{{indent inputs.name -1}}',
      '<-1> template-helper: "indent" takes a whole number, not -1 | write {{indent text 4}}',
    ],
    [
      '{{#steps.lint.outputs.files}}a{{/steps.lint.outputs.files}}',
      '<steps.lint.outputs.files> template-helper: there is no block "#steps.lint.outputs.files" | write {{#if steps.lint.outputs.files}} or {{#each steps.lint.outputs.files}}',
    ],
    [
      '{{^inputs.ok}}a{{/inputs.ok}}',
      '<inputs.ok> template-helper: there is no block "#inputs.ok" | write {{#if inputs.ok}} or {{#each inputs.ok}}',
    ],
    [
      '{{#eahc inputs.words}}a{{/eahc}}',
      '<eahc> template-helper: there is no block "#eahc" | did you mean "each"?',
    ],
    ['{{#json inputs.n}}a{{/json}}', '<json> template-helper: "json" is not a block | write {{json value}}'],
    [
      '{{#if inputs.ok inputs.n}}a{{/if}}',
      '<if> template-helper: "#if" takes one argument | write {{#if x}}',
    ],
    ['{{#if inputs.ok as |x|}}a{{/if}}', '<x> template-helper: "#if" names nothing | leave it out'],
    [
      '{{#each steps.lint.outputs.files as |a b c|}}a{{/each}}',
      '<c> template-helper: "#each" names two things at most | leave it out',
    ],
    [
      '{{#each inputs.name}}a{{/each}}',
      '<inputs.name> template-helper: "#each" takes a list or an object, but "inputs.name" is string',
    ],
    ['{{{{raw}}}}{{x}}{{{{/raw}}}}', expect.stringContaining('there is no block "#raw"')],
  ])('%s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it.each([
    [
      '{{file}}',
      '<file> helper-shadows-name: "file" is the name of a helper | write {{file path}} to use the helper, or {{this.file}} for a value of that name',
    ],
    [
      '{{#each steps.lint.outputs.files}}{{file}}{{/each}}',
      expect.stringContaining('<file> helper-shadows-name'),
    ],
    [
      '{{#each steps.lint.outputs.files}}{{json size}}{{/each}}',
      expect.stringContaining('<size> helper-shadows-name'),
    ],
    [
      '{{if}}',
      '<if> helper-shadows-name: "if" is the name of a helper | write {{this.if}} for a value of that name',
    ],
    [
      '{{#each steps.lint.outputs.files as |file|}}{{file.path}}{{/each}}',
      '<file> helper-shadows-name: "file" is the name of a helper | take another name',
    ],
  ])('shadow a bare name: %s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });
});

describe('references', () => {
  it.each([
    [
      '{{stepz.lint}}',
      '<stepz> unknown-reference: "stepz" is not a name that can be read here; there are inputs, steps | did you mean "steps"?',
    ],
    [
      '{{token}}',
      '<token> unknown-reference: "token" is not a name that can be read here; there are inputs, steps | did you mean "inputs.token"?',
    ],
    [
      '{{steps.lnt.outputs.x}}',
      '<lnt> unknown-reference: no step "lnt" can be read here; there are build, lint, free | did you mean "lint"?',
    ],
    [
      '{{steps.lint.outputs.target.platfrom}}',
      '<platfrom> unknown-reference: property "platfrom" is not in {os: string, platform: string} | did you mean "platform"?',
    ],
    [
      '{{json (default steps.lint.outputs.target.platfrom 1)}}',
      expect.stringContaining('<platfrom> unknown-reference'),
    ],
    [
      '{{#if steps.lint.outputs.target.platfrom}}{{/if}}',
      expect.stringContaining('<platfrom> unknown-reference'),
    ],
    [
      '{{#each steps.lint.outputs.files as |f|}}{{f.pth}}{{/each}}',
      expect.stringContaining('<pth> unknown-reference: property "pth" is not in {path: string,'),
    ],
    [
      '{{#each steps.lint.outputs.files}}{{pth}}{{/each}}',
      expect.stringContaining('<pth> unknown-reference: property "pth" is not in {path: string,'),
    ],
    [
      '{{item.x}}',
      '<item> unknown-reference: "item" is not a name that can be read here; there are inputs, steps | "item" is there in a step with `for_each`',
    ],
    [
      '{{#each steps.lint.outputs.files}}{{score}}{{/each}}',
      expect.stringContaining('<score> unknown-reference: "score" is not a name that can be read here'),
    ],
    [
      '{{#with steps.lint.outputs.target}}{{platfrom}}{{/with}}',
      expect.stringContaining('<platfrom> unknown-reference'),
    ],
    [
      '{{#each steps.lint.outputs.byName as |f name|}}{{f.pth}}{{name.x}}{{/each}}',
      expect.stringContaining('<pth> unknown-reference'),
      '<x> unknown-reference: "name" is a string and has no property "x"',
    ],
    ['{{steps.lint.outputs.files.[0].pth}}', expect.stringContaining('<pth> unknown-reference')],
    [
      '{{this}}',
      '<this> unknown-reference: "this" is nothing here: there is no {{#each}} or {{#with}} around it',
    ],
    ['{{@index}}', '<@index> unknown-reference: "@index" is nothing here: there is no {{#each}} around it'],
    [
      '{{#each steps.lint.outputs.files}}{{@lst}}{{/each}}',
      '<@lst> unknown-reference: there is no "@lst" | there are @index, @key, @first, @last',
    ],
    [
      '{{#each steps.lint.outputs.files}}{{../../x}}{{/each}}',
      expect.stringContaining('<../../x> unknown-reference'),
    ],
    ['{{inputs.constructor}}', expect.stringContaining('<constructor> unknown-reference')],
    ['{{inputs.__proto__.x}}', expect.stringContaining('<__proto__> unknown-reference')],
  ])('%s', (text, ...findings) => {
    expect(check(text)).toEqual(findings);
  });

  it('mean the root at any depth', () => {
    expect(
      check(
        '{{#each steps.lint.outputs.files as |f|}}{{#each steps.lint.outputs.words}}{{inputs.name}}{{../path}}{{f.line}}{{this}}{{@index}}{{@../index}}{{../../inputs.name}}{{@root.inputs.n}}{{this.length}}{{/each}}{{/each}}',
      ),
    ).toEqual(['<length> unknown-reference: "this" is a string and has no property "length"']);
  });

  it.each([
    ['single quotes', "text: 'it''s {{steps.lint.outputs.target.platfrom}}'\n"],
    ['double quotes', 'text: "a\\n\\t{{steps.lint.outputs.target.platfrom}}"\n'],
    ['folded', 'text: >\n  one\n  two {{json\n  steps.lint.outputs.target.platfrom}}\n\n  three\n'],
    ['literal', 'text: |\n\n    one\n\n      {{steps.lint.outputs.target.platfrom}}\n    two\n'],
    ['plain over lines', 'text: a {{steps.lint.outputs.target.platfrom}}\n  b\n'],
    ['carriage returns', 'text: |\r\n  one\r\n  {{steps.lint.outputs.target.platfrom}}\r\n'],
    ['after wide characters', 'text: 👋🏽 {{steps.lint.outputs.target.platfrom}}\n'],
    [
      'after what is escaped',
      'text: |\n  \\{{a}} \\\\{{inputs.n}} {{!-- {{x}} --}} {{steps.lint.outputs.target.platfrom}}\n',
    ],
  ])('are found in %s', (_, source) => {
    const { template } = parseTemplate(scalarOf(source));
    const findings = template ? checkTemplate(template, names).findings : [];
    expect(findings.map(({ rule, span }) => [rule, source.slice(span.start, span.end)])).toEqual([
      ['unknown-reference', 'platfrom'],
    ]);
  });

  it('are listed with root and guard', () => {
    const source =
      'text: "{{default inputs.token \'x\'}} {{#if inputs.words}}{{join inputs.words}}{{inputs.n}}{{/if}}{{#each steps.lint.outputs.files as |f|}}{{f.path}}{{this.line}}{{@root.inputs.ok}}{{/each}}"\n';
    const { template } = parseTemplate(scalarOf(source));
    expect(
      template?.references.map(({ path, span, guarded, rootStart, rootEnd }) => [
        path.join('.'),
        source.slice(span.start, span.end),
        template.text.slice(rootStart, rootEnd),
        guarded,
      ]),
    ).toEqual([
      ['inputs.token', 'inputs.token', 'inputs', true],
      ['inputs.words', 'inputs.words', 'inputs', true],
      ['inputs.words', 'inputs.words', 'inputs', true],
      ['inputs.n', 'inputs.n', 'inputs', false],
      ['steps.lint.outputs.files', 'steps.lint.outputs.files', 'steps', false],
      ['inputs.ok', '@root.inputs.ok', 'inputs', false],
    ]);
  });
});

describe('what may be absent', () => {
  it.each([
    [
      '{{inputs.token}}',
      '<token> maybe-absent: "inputs.token" may be absent: step "a" may be skipped | write {{default inputs.token \'\'}}',
    ],
    [
      '{{steps.build.outputs.target.os}}',
      '<target> maybe-absent: "steps.build.outputs.target" may be absent: step "a" may be skipped | write {{default steps.build.outputs.target.os \'\'}}',
    ],
    [
      '{{join inputs.words}}',
      '<words> maybe-absent: "inputs.words" may be absent: step "a" may be skipped | write (default inputs.words …)',
    ],
    ['{{#each inputs.words}}a{{/each}}', expect.stringContaining('<words> maybe-absent')],
    ['{{#with steps.build.outputs.target}}{{os}}{{/with}}', expect.stringContaining('<target> maybe-absent')],
    [
      '{{#each steps.lint.outputs.files}}{{rule}}{{/each}}',
      '<rule> maybe-absent: "this.rule" may be absent: step "a" may be skipped | write {{default rule \'\'}}',
    ],
    ['{{#if inputs.token}}{{else}}{{inputs.token}}{{/if}}', expect.stringContaining('<token> maybe-absent')],
    ['{{#unless inputs.token}}{{inputs.token}}{{/unless}}', expect.stringContaining('<token> maybe-absent')],
    ['{{#if inputs.ok}}{{inputs.token}}{{/if}}', expect.stringContaining('<token> maybe-absent')],
    ['{{default inputs.name inputs.token}}', expect.stringContaining('<token> maybe-absent')],
    ['{{#if inputs.token}}{{/if}}{{inputs.token}}', expect.stringContaining('<token> maybe-absent')],
  ])('is told without a guard: %s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it.each([
    "{{default inputs.token 'x'}}",
    "{{default steps.build.outputs.target.os 'x'}}",
    "{{default inputs.token (default steps.build.outputs.target.os 'x')}}",
    '{{#if inputs.token}}{{inputs.token}}{{/if}}',
    '{{#if steps.build.outputs.target.os}}{{steps.build.outputs.target.platform}}{{/if}}',
    '{{#unless inputs.token}}none{{else}}{{inputs.token}}{{/unless}}',
    '{{#if inputs.ok}}a{{else if inputs.token}}{{inputs.token}}{{/if}}',
    '{{#if inputs.words}}{{#each inputs.words}}{{this}}{{/each}}{{/if}}',
    '{{#each inputs.words}}{{this}}{{else}}none{{/each}}',
    '{{#with steps.build.outputs.target}}{{os}}{{else}}none{{/with}}',
    '{{#each steps.lint.outputs.files as |f|}}{{#if f.rule}}{{f.rule}}{{/if}}{{default this.rule 1}}{{/each}}',
    '{{#if (size inputs.name)}}{{inputs.name}}{{/if}}',
    '{{steps.free.outputs.anything.at.all}}',
  ])('is read behind a guard: %s', (text) => {
    expect(check(text)).toEqual([]);
  });
});

describe('what cannot be printed as it is', () => {
  it.each([
    [
      'a {{steps.lint.outputs.words}}',
      '<steps.lint.outputs.words> template-needs-helper: "steps.lint.outputs.words" is a list and cannot be printed as it is | write {{json steps.lint.outputs.words}}, {{join steps.lint.outputs.words \', \'}} or, in a command, {{args steps.lint.outputs.words}}',
    ],
    [
      'a {{steps.lint.outputs.files}}',
      '<steps.lint.outputs.files> template-needs-helper: "steps.lint.outputs.files" is a list and cannot be printed as it is | write {{json steps.lint.outputs.files}}',
    ],
    [
      'a {{steps.lint.outputs.target}}',
      '<steps.lint.outputs.target> template-needs-helper: "steps.lint.outputs.target" is an object and cannot be printed as it is | write {{json steps.lint.outputs.target}}',
    ],
    [
      '{{#each steps.lint.outputs.files}}{{this}}{{/each}}',
      '<this> template-needs-helper: "this" is an object and cannot be printed as it is | write {{json this}}',
    ],
    [
      'a {{default inputs.words steps.lint.outputs.words}}',
      expect.stringContaining(
        'template-needs-helper: "(default inputs.words steps.lint.outputs.words)" is a list',
      ),
    ],
  ])('%s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it('is a list or object, unless it is a whole value', () => {
    expect(check('{{steps.lint.outputs.files}}', 'value')).toEqual([]);
    expect(check('{{steps.lint.outputs.files}}', 'text')).toHaveLength(1);
    expect(
      check('{{inputs.n}}{{inputs.ratio}}{{inputs.ok}}{{inputs.level}}{{steps.lint.outputs.note}}'),
    ).toEqual([]);
  });
});

describe('a template', () => {
  const parsed = (text: string) => {
    const { template } = parseTemplate(scalarOf(`text: ${JSON.stringify(text)}`));
    if (template === undefined) throw new Error(text);
    return template;
  };

  it.each<[string, Type]>([
    ['{{inputs.n}}', int],
    ['{{ inputs.ok }}', bool],
    ['{{steps.lint.outputs.words}}', list(string)],
    ['{{size inputs.name}}', int],
    ['{{json inputs.n}}', string],
    ["{{default inputs.token 'x'}}", string],
    ['{{default inputs.token 1}}', either(string, int)],
    ['{{inputs.n}} ', string],
    ['a', string],
    ['{{#if inputs.ok}}a{{/if}}', string],
  ])('%s has its type', (text, type) => {
    expect(checkTemplate(parsed(text), names).type).toEqual(type);
  });

  it('knows whether it is whole or literal', () => {
    const kinds = [
      'a',
      '',
      'a \\{{b}}',
      '{{inputs.n}}',
      '{{~ inputs.n ~}}',
      '{{inputs.n}}\n',
      '{{!c}}{{inputs.n}}',
      '{{#if inputs.ok}}{{/if}}',
    ];
    expect(kinds.map((text) => [text, parsed(text).literal, parsed(text).whole])).toEqual([
      ['a', true, false],
      ['', true, false],
      ['a \\{{b}}', false, false],
      ['{{inputs.n}}', false, true],
      ['{{~ inputs.n ~}}', false, true],
      ['{{inputs.n}}\n', false, false],
      ['{{!c}}{{inputs.n}}', false, false],
      ['{{#if inputs.ok}}{{/if}}', false, false],
    ]);
  });

  it('comes apart into parts with their places', () => {
    const text = 'npx {{args inputs.words}} \\{{x}}\n{{#if inputs.ok}}\n  -v {{inputs.n}}\n{{else}}-q{{/if}}';
    const show = (part: TemplatePart): unknown => {
      const source = text.slice(part.start, part.end);
      switch (part.kind) {
        case 'text':
          return part.value;
        case 'value':
          return { [source]: part.value.kind === 'call' ? part.value.helper : part.value.kind };
        case 'block':
          return { [part.block]: part.body.map(show), else: part.otherwise.map(show) };
      }
    };
    expect(parsed(text).parts.map(show)).toEqual([
      'npx ',
      { '{{args inputs.words}}': 'args' },
      ' ',
      '{{x}}\n',
      { if: ['  -v ', { '{{inputs.n}}': 'path' }, '\n'], else: ['-q'] },
    ]);
  });

  it('of a number or boolean is its text', () => {
    const { template } = parseTemplate(scalarOf('text: 1.5'));
    expect(template).toMatchObject({ text: '1.5', literal: true });
  });
});
