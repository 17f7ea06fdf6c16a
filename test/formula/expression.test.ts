import { describe, expect, it } from 'vitest';
import {
  checkExpression,
  parseExpression,
  withoutSchemas,
  type Expected,
} from '../../src/formula/expression.ts';
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
const file = object({ path: string, errors: int, 'fix?': object({ text: string }), 'rule?': string });
const names = scope({
  inputs: object({
    name: string,
    'token?': string,
    'deep?': object({ x: object({ 'y?': int }) }),
    n: int,
    ratio: number,
  }),
  steps: object({
    build: object({
      outputs: object({ 'target?': target, 'files?': list(file) }),
      status: oneOf('succeeded', 'failed'),
    }),
    lint: object({
      outputs: object({ target, files: list(file), note: either(string, nothing) }),
      status: string,
    }),
    free: object({ outputs: object({}, any), status: string }),
  }),
  flag: bool,
});

/** What is said about an expression, in YAML as an author writes it. */
function check(text: string, expected: Expected = 'any'): string[] {
  const source = `text: |-\n  ${text}`;
  const { expression, findings } = parseExpression(scalarOf(source));
  if (expression === undefined) return told(findings, source);
  return told(checkExpression(expression, names, expected).findings, source);
}

function typeOf(text: string): Type {
  const { expression } = parseExpression(scalarOf(`text: |-\n  ${text}`));
  if (expression === undefined) throw new Error(`${text} does not parse`);
  return checkExpression(expression, names).type;
}

describe('syntax', () => {
  it.each([
    ['steps.lint.status = "x"', '<=> expression-syntax: "=" does not compare | write "=="'],
    ['flag & flag', '<&> expression-syntax: "&" is not an operator | write "&&"'],
    ['flag && ', '<&> expression-syntax: the expression ends where something should follow'],
    ['"abc', '<"abc> expression-syntax: the quotes are not closed'],
    ['flag flag', '<flag> expression-syntax: "flag" cannot stand here'],
    [
      '{{inputs.n}}',
      '<{{inputs.n}}> expression-syntax: this is an expression, not a text | write it without {{ and }}',
    ],
    ['while == 1', '<while> expression-syntax: "while" is a reserved word'],
    ['inputs.n + #', '<#> expression-syntax: "#" cannot stand here'],
    [
      'steps.lint.outputs.files.filter(item, true)',
      '<item> expression-syntax: "item" is a name of the language, so it cannot be the name of a variable | give the variable another name',
    ],
    [
      'steps.lint.outputs.files.filter(f, [1].exists(f, f == 1))',
      '<f> expression-syntax: the variable "f" stands inside another of the same name | give the variable another name',
    ],
  ])('%s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it('refuses what would exhaust the stack', () => {
    for (const text of [
      `${'('.repeat(3000)}1${')'.repeat(3000)}`,
      Array(3000).fill('1').join(' + '),
      '!'.repeat(90_000) + 'flag',
    ]) {
      expect(check(text)[0]).toMatch(/expression-syntax/);
    }
  });

  it('points at the scalar when nothing is in it', () => {
    expect(parseExpression(scalarOf("text: ''")).findings).toMatchObject([
      { message: 'the expression is empty', span: { start: 6, end: 8 } },
    ]);
  });

  it('reads what YAML made a boolean or a number', () => {
    const { expression } = parseExpression(scalarOf('text: true'));
    expect(expression && checkExpression(expression, names, 'bool')).toMatchObject({
      findings: [],
      type: { kind: 'bool' },
    });
  });
});

describe('references', () => {
  it.each([
    [
      'stepz.lint',
      '<stepz> unknown-reference: "stepz" is not a name that can be read here; there are inputs, steps, flag | did you mean "steps"?',
    ],
    [
      'token != ""',
      '<token> unknown-reference: "token" is not a name that can be read here; there are inputs, steps, flag | did you mean "inputs.token"?',
    ],
    [
      'steps.lnt.outputs',
      '<lnt> unknown-reference: no step "lnt" can be read here; there are build, lint, free | did you mean "lint"?',
    ],
    [
      'steps.lint.outputs.target.platfrom == "x"',
      '<platfrom> unknown-reference: property "platfrom" is not in {os: string, platform: string} | did you mean "platform"?',
    ],
    [
      'steps.lint.outputs["target"].platfrom',
      '<platfrom> unknown-reference: property "platfrom" is not in {os: string, platform: string} | did you mean "platform"?',
    ],
    [
      'steps.lint.outputs.target["platfrom"]',
      '<"platfrom"> unknown-reference: property "platfrom" is not in {os: string, platform: string} | did you mean "platform"?',
    ],
    [
      'has(steps.lint.outputs.target.plat)',
      '<plat> unknown-reference: property "plat" is not in {os: string, platform: string}',
    ],
    [
      'steps.lint.outputs.files.length > 0',
      '<length> unknown-reference: "steps.lint.outputs.files" is a list and has no property "length" | write size(steps.lint.outputs.files) in an expression, {{size steps.lint.outputs.files}} in text',
    ],
    ['inputs.name.first', '<first> unknown-reference: "inputs.name" is a string and has no property "first"'],
    [
      'inputs.constructor',
      expect.stringContaining('<constructor> unknown-reference: there is no input "constructor"; there are'),
    ],
    ['inputs.__proto__', expect.stringContaining('<__proto__> unknown-reference')],
  ])('%s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it('tells one mistake once, and goes on to the next', () => {
    expect(
      check('steps.lnt.outputs.a.b.c == 1 && inputs.nam + 1 > 2').map((line) => line.split(' ')[0]),
    ).toEqual(['<lnt>', '<nam>']);
  });

  it.each([
    ['plain', 'text: steps.lint.outputs.target.platfrom == 1\n'],
    ['single quotes', "text: 'steps.lint.outputs.target.platfrom == ''x'''\n"],
    ['double quotes', 'text: "steps.lint\\u002eoutputs.target.platfrom == \\"x\\""\n'],
    ['folded', 'text: >-\n  steps.lint.outputs\n  .target.platfrom\n  == "x"\n'],
    ['literal', 'text: |\n\n    flag &&\n    steps.lint.outputs.target.platfrom == "x"\n'],
    ['plain over lines', 'text: steps.lint.outputs.target\n  .platfrom == "x"\n'],
    ['after wide characters', 'text: |\n  "👋🏽" == steps.lint.outputs.target.platfrom\n'],
  ])('points into %s', (_, source) => {
    const { expression } = parseExpression(scalarOf(source));
    const findings = expression ? checkExpression(expression, names).findings : [];
    expect(findings.map(({ rule, span }) => [rule, source.slice(span.start, span.end)])).toEqual([
      ['unknown-reference', 'platfrom'],
    ]);
  });

  it('are listed with root and guard', () => {
    const source =
      'text: has(inputs.token) && inputs.token != "" && steps.build.outputs.files[0].path.size() > inputs.n\n';
    const { expression } = parseExpression(scalarOf(source));
    expect(
      expression?.references.map(({ path, span, guarded, rootStart, rootEnd }) => [
        path.join('/'),
        source.slice(span.start, span.end),
        expression.text.slice(rootStart, rootEnd),
        guarded,
      ]),
    ).toEqual([
      ['inputs/token', 'inputs.token', 'inputs', true],
      ['inputs/token', 'inputs.token', 'inputs', true],
      ['steps/build/outputs/files/0/path', 'steps.build.outputs.files[0].path', 'steps', false],
      ['inputs/n', 'inputs.n', 'inputs', false],
    ]);
  });

  it('of macro variables are no references', () => {
    const { expression } = parseExpression(
      scalarOf('text: steps.lint.outputs.files.filter(f, f.path == inputs.name)\n'),
    );
    expect(expression?.references.map(({ path }) => path.join('.'))).toEqual([
      'steps.lint.outputs.files',
      'inputs.name',
    ]);
  });
});

describe('what may be absent', () => {
  it.each([
    [
      'inputs.token == ""',
      '<token> maybe-absent: "inputs.token" may be absent: step "a" may be skipped | write (has(inputs.token) ? inputs.token : \'\')',
    ],
    [
      'steps.build.outputs.target.os',
      '<target> maybe-absent: "steps.build.outputs.target" may be absent: step "a" may be skipped | write has(steps.build.outputs.target.os) ? steps.build.outputs.target.os : …',
    ],
    [
      'steps.build.outputs.files.filter(f, f.errors > 0)',
      '<files> maybe-absent: "steps.build.outputs.files" may be absent: step "a" may be skipped | write (has(steps.build.outputs.files) ? steps.build.outputs.files : [])',
    ],
    [
      'steps.lint.outputs.files.filter(f, f.rule == "x")',
      '<rule> maybe-absent: "f.rule" may be absent: step "a" may be skipped | write (has(f.rule) ? f.rule : \'\')',
    ],
    [
      'steps.lint.outputs.files[0].rule',
      '<rule> maybe-absent: "steps.lint.outputs.files[0].rule" may be absent: step "a" may be skipped | write has(steps.lint.outputs.files[0].rule) ? steps.lint.outputs.files[0].rule : \'\'',
    ],
  ])('%s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it.each([
    'has(inputs.token) ? inputs.token : ""',
    '!has(inputs.token) ? "" : inputs.token',
    'has(inputs.token) && inputs.token != ""',
    '!has(inputs.token) || inputs.token == ""',
    '!(has(inputs.token) && flag) || inputs.token == ""',
    'has(inputs.token) && has(inputs.deep.x.y) ? inputs.deep.x.y > size(inputs.token) : false',
    'has(inputs.deep.x.y) ? inputs.deep.x.y > 1 : false',
    'has(inputs.deep.x.y) && inputs.deep.x.y > 1',
    'flag && has(inputs.token) && inputs.name == inputs.token',
    '(has(inputs.token) || has(inputs.deep)) ? 1 : 2',
    '(has(inputs.token) && flag) || (has(inputs.token) && !flag) ? inputs.token : ""',
    '"token" in inputs ? inputs.token : ""',
    'has(inputs["token"]) ? inputs.token : ""',
    'has(inputs.token) ? inputs["token"] : ""',
    'steps.lint.outputs.files.exists(f, has(f.rule) && f.rule == "x")',
    'steps.lint.outputs.files.all(f, !has(f.rule) || f.rule == "x")',
    'steps.lint.outputs.files.exists_one(f, has(f.rule) && f.rule == "x")',
    'steps.lint.outputs.files.map(f, has(f.rule), f.rule)',
    'steps.lint.outputs.files.filter(f, has(f.rule)).map(f, f.rule)',
    'steps.lint.outputs.files.filter(f, has(f.fix.text)).map(g, g.fix.text)',
    'has(steps.build.outputs.files) ? steps.build.outputs.files.map(f, f.path) : []',
    'steps.lint.outputs.files.map(f, has(f.rule) ? f.rule : inputs.name)',
    'has(inputs.token) && [1].exists(x, inputs.token == string(x))',
    'has(steps.lint.outputs.files[0].rule) && steps.lint.outputs.files[0].rule == "a"',
    'has(steps.free.outputs.whatever) ? steps.free.outputs.whatever : steps.free.outputs.other.thing',
  ])('is read behind a guard: %s', (text) => {
    expect(check(text)).toEqual([]);
  });

  it.each([
    'has(inputs.token) ? "" : inputs.token',
    '!has(inputs.token) && inputs.token == ""',
    'has(inputs.token) || inputs.token == ""',
    '(has(inputs.token) || flag) && inputs.token == ""',
    'inputs.token == "" && has(inputs.token)',
    'has(inputs.deep) ? inputs.token : ""',
    'steps.lint.outputs.files.exists(f, has(f.rule)) && steps.lint.outputs.files.exists(f, f.rule == "x")',
    'steps.lint.outputs.files.filter(f, has(f.rule) || flag).map(f, f.rule)',
    'steps.lint.outputs.files.map(f, f.rule)',
    'has(steps.lint.outputs.files[0].rule) && steps.lint.outputs.files[1].rule == "a"',
    '[inputs.token]',
    '{"a": inputs.token}',
    'size(inputs.token)',
    'has(inputs.token) ? steps.build.outputs.target.os : ""',
  ])('is told without one: %s', (text) => {
    expect(check(text).map((line) => /> ([\w-]+):/.exec(line)?.[1])).toEqual(['maybe-absent']);
  });

  it('of a value that may be null asks for a comparison with null', () => {
    expect(check('steps.lint.outputs.note.size() > 1')).toEqual([
      '<steps.lint.outputs.note> expression-type: "steps.lint.outputs.note" may be null here | write steps.lint.outputs.note != null ? steps.lint.outputs.note : \'\'',
    ]);
    expect(check('steps.lint.outputs.note != null && steps.lint.outputs.note.size() > 1')).toEqual([]);
    expect(check('steps.lint.outputs.note == null || steps.lint.outputs.note.size() > 1')).toEqual([]);
    expect(check('steps.lint.outputs.note == "x" && steps.lint.outputs.note.size() > 1')).toEqual([]);
    expect(check('steps.lint.outputs.note == null && steps.lint.outputs.note.size() > 1')).toHaveLength(1);
  });
});

describe('types', () => {
  it.each([
    [
      'inputs.name + inputs.n',
      '<inputs.name + inputs.n> expression-type: "+" cannot take a string and an integer | write string(inputs.n)',
    ],
    [
      'inputs.name == 3',
      '<inputs.name == 3> expression-type: a string is never equal to an integer | write int(inputs.name)',
    ],
    [
      'steps.build.status == "suceeded"',
      '<"suceeded"> expression-type: "steps.build.status" is never "suceeded"; it is one of \'succeeded\', \'failed\' | did you mean \'succeeded\'?',
    ],
    [
      'steps.build.status in ["failed", "canceled"]',
      '<"canceled"> expression-type: "steps.build.status" is never "canceled"; it is one of \'succeeded\', \'failed\'',
    ],
    ['sise(inputs.name)', '<sise> expression-type: there is no function "sise" | did you mean "size"?'],
    ['inputs.name.sice() > 1', '<sice> expression-type: there is no function "sice" | did you mean "size"?'],
    [
      'contains(inputs.name, "x")',
      '<contains> expression-type: "contains" is not called like this | write x.contains(…)',
    ],
    [
      'size(inputs.n)',
      '<size(inputs.n)> expression-type: "size" cannot take an integer | there is size(string) and size(list) and size(object)',
    ],
    [
      'size(flag ? inputs.n : inputs.name) > 1',
      '<flag ? inputs.n : inputs.name> expression-type: "size" cannot take an integer, which "flag ? inputs.n : inputs.name" may be here: it is int | string | write dyn(flag ? inputs.n : inputs.name) where you know that it never is',
    ],
    [
      '1 + (flag ? inputs.n : inputs.name)',
      '<flag ? inputs.n : inputs.name> expression-type: "+" cannot take an integer and a string, which "flag ? inputs.n : inputs.name" may be here: it is int | string | write dyn(flag ? inputs.n : inputs.name) where you know that it never is',
    ],
    [
      '(flag ? inputs.n : inputs.name) < 1',
      '<flag ? inputs.n : inputs.name> expression-type: "<" cannot compare a string and an integer, which "flag ? inputs.n : inputs.name" may be here: it is int | string | write dyn(flag ? inputs.n : inputs.name) where you know that it never is',
    ],
    [
      '!(flag ? flag : inputs.name)',
      '<flag ? flag : inputs.name> expression-type: what stands after "!" cannot be a string, which "flag ? flag : inputs.name" may be here: it is bool | string | write dyn(flag ? flag : inputs.name) where you know that it never is',
    ],
    [
      '1 in (flag ? [1] : inputs.name)',
      '<flag ? [1] : inputs.name> expression-type: "in" cannot look into a string, which "flag ? [1] : inputs.name" may be here: it is list of 1 | string | write dyn(flag ? [1] : inputs.name) where you know that it never is',
    ],
    [
      '(flag ? [1] : inputs.name)[0] == 1',
      '<flag ? [1] : inputs.name> expression-type: an integer cannot index a string, which "flag ? [1] : inputs.name" may be here: it is list of 1 | string | write dyn(flag ? [1] : inputs.name) where you know that it never is',
    ],
    [
      '(flag ? [1] : inputs.name).all(x, true)',
      '<flag ? [1] : inputs.name> expression-type: a list is wanted, not a string, which "flag ? [1] : inputs.name" may be here: it is list of 1 | string | write dyn(flag ? [1] : inputs.name) where you know that it never is',
    ],
    [
      'inputs.name.startsWith(1)',
      '<inputs.name.startsWith(1)> expression-type: "startsWith" cannot take a string, an integer | there is string.startsWith(string)',
    ],
    [
      'inputs.n < inputs.name',
      '<inputs.n < inputs.name> expression-type: "<" cannot compare an integer with a string | write string(inputs.n)',
    ],
    [
      'inputs.n && flag',
      '<inputs.n> expression-type: the left side of "&&" must be true or false, but "inputs.n" is an integer | write inputs.n != 0',
    ],
    [
      'inputs.name ? 1 : 2',
      '<inputs.name> expression-type: the condition of "?:" must be true or false, but "inputs.name" is a string | write inputs.name != \'\'',
    ],
    [
      '!inputs.name',
      '<inputs.name> expression-type: what stands after "!" must be true or false, but "inputs.name" is a string | write inputs.name != \'\'',
    ],
    ['-inputs.name', '<-inputs.name> expression-type: "-" takes a number, but "inputs.name" is a string'],
    ['inputs.name.filter(x, true)', '<inputs.name> expression-type: "inputs.name" is a string, not a list'],
    [
      'steps.lint.outputs.files.map(f)',
      '<map> expression-type: "map" takes a variable and an expression, as in xs.map(x, …)',
    ],
    [
      'steps.lint.outputs.files.filter(f, f.errors)',
      '<f.errors> expression-type: the condition of "filter" must be true or false, but "f.errors" is an integer | write f.errors != 0',
    ],
    [
      '"a" in inputs.name',
      '<inputs.name> expression-type: "in" looks in a list or an object, but "inputs.name" is a string',
    ],
    ['1 in {"a": 1}', '<1> expression-type: the keys of an object are strings, but 1 is an integer'],
    [
      'inputs.n in steps.lint.outputs.files.map(f, f.path)',
      '<inputs.n in steps.lint.outputs.files.map(f, f.path)> expression-type: int is never in a list of string',
    ],
    ['{1: 2}', '<1> expression-type: a key is a string, but 1 is an integer'],
    ['{"a": 1, "a": 2}', '<"a"> expression-type: the key "a" stands here twice'],
    [
      'steps.lint.outputs.files["0"]',
      expect.stringContaining(
        '<"0"> unknown-reference: "steps.lint.outputs.files" is a list and has no property "0"',
      ),
    ],
    [
      'steps.lint.outputs.files[inputs.name]',
      '<inputs.name> expression-type: "steps.lint.outputs.files" is a list and cannot be indexed by string',
    ],
    ['inputs.ratio % 2', '<inputs.ratio % 2> expression-type: "%" cannot take a number and an integer'],
    ['1u == 1', '<1u> expression-type: JSON has neither bytes nor unsigned numbers | leave out the letter'],
    ['has(inputs)', '<has(inputs)> expression-type: "has" asks for one property | write has(x.y)'],
    [
      'inputs.name.matches("(?=x)")',
      '<"(?=x)"> expression-type: this is not a regular expression as RE2 reads them: invalid or unsupported Perl syntax: `(?=`',
    ],
  ])('%s', (text, finding) => {
    expect(check(text)).toEqual([finding]);
  });

  it.each([
    ['1 + 2', 'int'],
    ['1 + 2.0', 'number'],
    ['inputs.n * inputs.ratio', 'number'],
    ['inputs.n / 2', 'int'],
    ['size(inputs.name)', 'int'],
    ['inputs.name + "x"', 'string'],
    ['steps.lint.outputs.files', 'list'],
    ['steps.lint.outputs.files.map(f, f.errors)', 'list'],
    ['steps.lint.outputs.files.exists(f, f.errors > 0)', 'bool'],
    ['{"a": 1}', 'object'],
    ['flag ? 1 : 2', 'int'],
    ['flag ? 1 : "x"', 'union'],
    ['steps.free.outputs.x', 'any'],
    ['steps.free.outputs.x + 1', 'any'],
    ['inputs.ratio == inputs.n', 'bool'],
    ['inputs.ratio < inputs.n', 'bool'],
    ['double(inputs.n)', 'number'],
    ['inputs.name.split(",").map(x, int(x))', 'list'],
  ])('%s is %s', (text, kind) => {
    expect(check(text)).toEqual([]);
    expect(typeOf(text).kind).toBe(kind);
  });

  it.each([
    [
      'inputs.name',
      'bool',
      "<inputs.name> expression-type: this must come out as true or false, but it is a string | write inputs.name != ''",
    ],
    [
      'steps.lint.outputs.files',
      'bool',
      '<steps.lint.outputs.files> expression-type: this must come out as true or false, but it is a list | write size(steps.lint.outputs.files) > 0',
    ],
    [
      'inputs.name',
      'list',
      '<inputs.name> expression-type: this must come out as a list, but it is a string',
    ],
    [
      'inputs.ratio',
      'int',
      '<inputs.ratio> expression-type: this must come out as an integer, but it is a number',
    ],
    ['inputs.name == "x"', 'bool', undefined],
    ['steps.free.outputs.x', 'bool', undefined],
    ['inputs.n', 'int', undefined],
  ] as const)('%s where a %s is expected', (text, expected, finding) => {
    expect(check(text, expected)).toEqual(finding === undefined ? [] : [finding]);
  });

  it('of alternatives are one type where they can be', () => {
    expect(typeOf('flag ? ["a"] : []')).toEqual(list(oneOf('a')));
    expect(typeOf('has(steps.build.outputs.files) ? steps.build.outputs.files : []')).toEqual(list(file));
    expect(typeOf('flag ? steps.lint.outputs.target : {"os": inputs.name, "platform": inputs.name}')).toEqual(
      target,
    );
    expect(typeOf('flag ? inputs.n : inputs.ratio')).toEqual(number);
    expect(typeOf('flag ? null : inputs.n')).toEqual(either(nothing, int));
  });

  it('of elements go through macros', () => {
    expect(typeOf('steps.lint.outputs.files.filter(f, f.errors > 0).map(f, f.path)')).toEqual({
      kind: 'list',
      items: string,
    });
  });
});

describe('a text without schemas', () => {
  const written = (text: string): string => {
    const { expression } = parseExpression(scalarOf(`text: |-\n  ${text}`));
    return expression === undefined ? '' : withoutSchemas(expression, names);
  };

  it.each([
    ['inputs.ratio / 2', 'double(inputs.ratio) / 2'],
    ['(inputs.ratio + 1) / inputs.n', '(double(inputs.ratio) + 1) / inputs.n'],
    ['inputs.n / 2', 'inputs.n / 2'],
    ['inputs.ratio * 2', 'inputs.ratio * 2'],
  ])('%s becomes %s', (text, expected) => {
    expect(written(text)).toBe(expected);
  });
});
