import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpressionError, evaluateExpression } from '../../src/formula/evaluate-expression.ts';
import { parseExpressionText } from '../../src/formula/expression-syntax.ts';
import type { JsonObject, JsonValue } from '../../src/support/json.ts';
import { proof } from '../support/proof.ts';
import { either, int, list, nothing, number, object, scope, string } from '../support/types.ts';

const values: JsonObject = {
  inputs: {
    name: 'wörld 👋',
    n: 7,
    ratio: 5,
    half: 0.5,
    none: null,
    flags: [true, false],
    list: [1, 2, 3],
    mixed: [1, 'a', null],
  },
  steps: {
    lint: {
      outputs: {
        files: [
          { path: 'a.ts', errors: 2 },
          { path: 'b.ts', errors: 0, rule: 'x' },
        ],
      },
    },
    skipped: { outputs: {} },
  },
  hostile: { __proto__x: 1, constructor: 'c', toString: 't', hasOwnProperty: 1, 'a b': 2 },
};

const types = scope({
  inputs: object(
    { name: string, n: int, ratio: number, half: number, list: list(int), none: either(number, nothing) },
    { kind: 'any' },
  ),
  steps: { kind: 'any' },
  hostile: { kind: 'any' },
});

describe('an expression comes out as', () => {
  it.each<[string, JsonValue]>([
    ['inputs.n + 1', 8],
    ['inputs.n / 2', 3],
    ['-inputs.n / 2', -3],
    ['inputs.n % 4', 3],
    ['inputs.ratio / 2', 2.5],
    ['inputs.ratio / inputs.n', 5 / 7],
    ['inputs.half + 1', 1.5],
    ['1 + inputs.half', 1.5],
    ['inputs.ratio == 5', true],
    ['inputs.n == 7.0', true],
    ['7 == inputs.n', true],
    ['inputs.half < 1', true],
    ['inputs.n >= 7.5', false],
    ['2 * inputs.half', 1],
    ['inputs.list == [1, 2.0, 3]', true],
    ['[1, 2] + inputs.list', [1, 2, 1, 2, 3]],
    ['{"a": inputs.list, "b": {}}', { a: [1, 2, 3], b: {} }],
    ['{"b": 1, "a": 2} == {"a": 2, "b": 1.0}', true],
    ['{"a": 1} == {"a": 1, "b": 2}', false],
    ['inputs.mixed[2] == null', true],
    ['"a" in inputs.mixed', true],
    ['1 in inputs.mixed', true],
    ['"b" in inputs.mixed', false],
    ['"files" in steps.lint.outputs', true],
    ['"toString" in steps.lint.outputs', false],
    ['inputs.none == null', true],
    ['inputs.none != null && inputs.none > 1', false],
    ['size(inputs.name)', 7],
    ['inputs.name.size()', 7],
    ['size(inputs.list)', 3],
    ['size(steps.lint.outputs)', 1],
    ['inputs.name.indexOf("👋")', 6],
    ['inputs.name.lastIndexOf("ö")', 1],
    ['inputs.name.indexOf("z")', -1],
    ['inputs.name.substring(6)', '👋'],
    ['inputs.name.substring(0, 2)', 'wö'],
    ['inputs.name.startsWith("wö") && inputs.name.endsWith("👋") && inputs.name.contains("rl")', true],
    ['"aXbX".replace("X", "$&")', 'a$&b$&'],
    ['"a,b".split(",").join("-")', 'a-b'],
    ['"ÄB".lowerAscii() + "äb".upperAscii()', 'ÄbäB'],
    ['" a ".trim()', 'a'],
    ['"abc".matches("^a.c$")', true],
    ['"xabcx".matches("b")', true],
    ['int("42") + int(3.9) + int("-2")', 43],
    ['double("1.5") + double(1)', 2.5],
    ['string(1) + string(1.5) + string(true)', '11.5true'],
    ['bool("true") && !bool("false")', true],
    ['inputs.n > 5 ? "many" : "few"', 'many'],
    ['steps.lint.outputs.files.filter(f, f.errors > 0).map(f, f.path)', ['a.ts']],
    ['steps.lint.outputs.files.map(f, f.errors > 0, f.path)', ['a.ts']],
    ['steps.lint.outputs.files.exists(f, f.errors > 1)', true],
    ['steps.lint.outputs.files.all(f, f.errors > 1)', false],
    ['steps.lint.outputs.files.exists_one(f, f.errors == 0)', true],
    ['steps.lint.outputs.map(key, key)', ['files']],
    ['[[1], [2, 3]].map(x, x.map(y, y * inputs.n))', [[7], [14, 21]]],
    ['has(steps.skipped.outputs.files)', false],
    ['has(steps.nothing.outputs.files)', false],
    ['has(steps.lint.outputs.files[5].path)', false],
    ['has(steps.lint.outputs.files[0].path)', true],
    ['has(inputs.none.x)', false],
    ['has(inputs.none)', true],
    ['has(hostile.constructor) && hostile.constructor == "c"', true],
    ['has(steps.constructor) || has(steps.__proto__) || has(steps.toString)', false],
    ['hostile["a b"]', 2],
    ['{"__proto__": 1, "constructor": 2}', JSON.parse('{"__proto__": 1, "constructor": 2}') as JsonValue],
    ['steps.skipped.outputs.x == 1 || true', true],
    ['false && steps.skipped.outputs.x == 1', false],
    ['steps.skipped.outputs.x == 1 && false', false],
    ['steps.lint.outputs.files.exists(f, f.rule == "x")', true],
    ['9007199254740991', 9007199254740991],
    ['dyn(inputs.n)', 7],
    ['r"a\\b" + \'"\' + """x"""', 'a\\b"x'],
    ['0.1 + 0.2', 0.1 + 0.2],
  ])('%s', (text, expected) => {
    expect(evaluateExpression(text, values, types)).toEqual(expected);
  });

  it('a division of ints where nothing says that they are doubles', () => {
    expect(evaluateExpression('inputs.ratio / 2', values)).toBe(2);
    expect(evaluateExpression('double(inputs.ratio) / 2', values)).toBe(2.5);
    expect(evaluateExpression('inputs.half / 2', values)).toBe(0.25);
    expect(evaluateExpression('[4.0][0] / 8', values)).toBe(0.5);
  });

  it('the value it reads, whatever JSON that is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as JsonValue;
        const same = JSON.parse(JSON.stringify(value)) as JsonValue;
        expect(evaluateExpression('x', { x: json })).toEqual(json);
        expect(evaluateExpression('x == y', { x: json, y: same })).toBe(true);
        expect(evaluateExpression('[x].map(v, {"v": v})[0].v', { x: json })).toEqual(json);
      }),
      proof({ few: 200, many: 20_000 }),
    );
  }, 600_000);
});

describe('an expression fails in the names of its author', () => {
  it.each([
    ['steps.skipped.outputs.files', 'steps.skipped.outputs.files is absent'],
    ['steps.nothing.outputs.files', 'steps.nothing is absent'],
    ['size(steps.skipped.outputs.files) > 1', 'steps.skipped.outputs.files is absent'],
    ['nowhere', 'nowhere is absent'],
    ['inputs.list[3]', 'inputs.list[3] is absent'],
    ['inputs.list[-1]', 'inputs.list[-1] is absent'],
    ['inputs.constructor', 'inputs.constructor is absent'],
    ['inputs.__proto__', 'inputs.__proto__ is absent'],
    ['inputs["constructor"]', 'inputs["constructor"] is absent'],
    ['inputs.name.length', 'inputs.name is a string and has no property "length"'],
    ['inputs.list.length', 'inputs.list is a list and has no property "length"'],
    ['inputs.none.x', 'inputs.none is null and has no property "x"'],
    ['inputs.mixed.map(x, x + 1)', '"+" cannot take x, a string, and 1, an integer'],
    ['inputs.mixed[1] < 1', '"<" cannot compare inputs.mixed[1], a string, with 1, an integer'],
    ['inputs.mixed[1] && true', 'inputs.mixed[1] must be true or false, but it is a string'],
    ['inputs.mixed[0] ? 1 : 2', 'inputs.mixed[0] must be true or false, but it is an integer'],
    ['size(inputs.mixed[0])', 'size(inputs.mixed[0]): "size" cannot take an integer'],
    ['inputs.mixed.join(",")', 'inputs.mixed.join(","): "join" cannot take a list, a string'],
    ['inputs.n / 0', '"/" by zero: 0 is 0'],
    ['inputs.n % (inputs.n - 7)', '"%" by zero: inputs.n - 7 is 0'],
    ['inputs.half / 0.0', 'inputs.half / 0.0: the result Infinity is not a number in JSON'],
    ['9007199254740992', '9007199254740992: the integer 9007199254740992 is too large for JSON'],
    ['9223372036854775807 + 1', '9223372036854775807 + 1: an integer does not fit into 64 bits'],
    ['int("4x")', 'int() cannot read "4x" as a whole number'],
    ['"abc".substring(2, 1)', 'substring(2, 1) is outside a text of 3 characters'],
    ['"a".matches("(")', '"(" is not a regular expression: missing closing ): `(`'],
    ['steps.skipped.outputs.x == 1 || false', 'steps.skipped.outputs.x is absent'],
    ['steps.lint.outputs.files.all(f, f.rule == "x")', 'f.rule is absent'],
    ['has()', 'has(): "has" asks for one property'],
    ['has(inputs.n, inputs.half)', 'has(inputs.n, inputs.half): "has" asks for one property'],
    ['1 +', '1 +: the expression ends where something should follow'],
  ])('%s', (text, message) => {
    const evaluate = (): JsonValue => evaluateExpression(text, values);
    expect(evaluate).toThrow(ExpressionError);
    expect(evaluate).toThrow(new ExpressionError(message));
  });
});

it('matches in time that grows with the text, not faster', () => {
  const started = performance.now();
  expect(evaluateExpression('x.matches("^(a+)+$")', { x: `${'a'.repeat(50_000)}b` })).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});

describe('the same as another implementation of CEL', () => {
  const environment = new Environment({ homogeneousAggregateLiterals: false })
    .registerVariable('i', 'int')
    .registerVariable('j', 'int')
    .registerVariable('d', 'double')
    .registerVariable('s', 'string')
    .registerVariable('t', 'string')
    .registerVariable('xs', 'list<int>')
    .registerVariable('b', 'bool');
  const names = scope({
    i: int,
    j: int,
    d: number,
    s: string,
    t: string,
    xs: list(int),
    b: { kind: 'bool' },
  });

  // Only what both agree to support: no sums of ints and doubles, which our language adds.
  const variable = fc.constantFrom('p', 'q', 'u', 'v', 'w', 'x');
  const { whole } = fc.letrec<{ whole: string; double: string; text: string; truth: string }>((tie) => ({
    whole: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('i', 'j', '1', '-3', 'size(s)', 'size(xs)', 'xs[0]'),
      fc
        .tuple(tie('whole'), fc.constantFrom('+', '-', '*', '/', '%'), tie('whole'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc.tuple(tie('truth'), tie('whole'), tie('whole')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(variable, tie('whole')).map(([x, a]) => `size(xs.filter(${x}, ${x} > ${a}))`),
      fc.tuple(variable, tie('whole')).map(([x, a]) => `xs.map(${x}, ${x} + ${a})[1]`),
      tie('text').map((a) => `${a}.indexOf(t)`),
    ),
    double: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('d', '0.5', '2.0'),
      fc
        .tuple(tie('double'), fc.constantFrom('+', '-', '*', '/'), tie('double'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie('whole').map((a) => `double(${a})`),
    ),
    text: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('s', 't', '"x"', '""'),
      fc.tuple(tie('text'), tie('text')).map(([a, b]) => `(${a} + ${b})`),
      tie('whole').map((a) => `string(${a})`),
      tie('text').map((a) => `${a}.trim()`),
      tie('text').map((a) => `${a}.split("a").join("-")`),
    ),
    truth: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('b', 'true', 'false'),
      fc
        .tuple(tie('truth'), fc.constantFrom('&&', '||', '==', '!='), tie('truth'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(tie('whole'), fc.constantFrom('<', '<=', '>', '>=', '==', '!='), tie('whole'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(tie('whole'), fc.constantFrom('<', '<=', '>', '>='), tie('double'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc
        .tuple(tie('text'), fc.constantFrom('<', '>=', '==', '!='), tie('text'))
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie('truth').map((a) => `(!${a})`),
      tie('whole').map((a) => `(${a} in xs)`),
      fc
        .tuple(fc.constantFrom('exists', 'all', 'exists_one'), variable, tie('whole'))
        .map(([name, x, a]) => `xs.${name}(${x}, ${x} < ${a})`),
      fc
        .tuple(tie('text'), fc.constantFrom('startsWith', 'endsWith', 'contains'), tie('text'))
        .map(([a, name, b]) => `${a}.${name}(${b})`),
    ),
  }));

  it('over random expressions', () => {
    const small = fc.integer({ min: -9, max: 9 });
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 5 });
    const inputs = fc.record({
      i: small,
      j: small,
      d: fc.integer({ min: -16, max: 16 }).map((n) => n / 4),
      s: letters,
      t: letters,
      xs: fc.array(small, { maxLength: 4 }),
      b: fc.boolean(),
    });
    let compared = 0;
    fc.assert(
      fc.property(whole, inputs, (text, given) => {
        // A variable inside another of the same name is refused by us alone.
        fc.pre(parseExpressionText(text).ok);
        const theirs = outcome(() =>
          plain(
            environment.evaluate(text, {
              ...given,
              i: BigInt(given.i),
              j: BigInt(given.j),
              xs: given.xs.map(BigInt),
            }) as unknown,
          ),
        );
        const ours = outcome(() => evaluateExpression(text, given, names));
        expect(ours).toEqual(theirs);
        if (theirs !== 'error') compared++;
      }),
      proof({ few: 1000, many: 100_000 }),
    );
    expect(compared).toBeGreaterThan(300);
  }, 600_000);

  function outcome(run: () => unknown): unknown {
    try {
      return run();
    } catch {
      return 'error';
    }
  }

  function plain(value: unknown): unknown {
    return typeof value === 'bigint' ? Number(value) : value;
  }
});
