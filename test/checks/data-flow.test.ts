import { describe, expect, it } from 'vitest';
import { checkProject } from '../../src/plan/check-project.ts';
import type { Files } from '../support/memory-loader.ts';
import { memoryLoader } from '../support/memory-loader.ts';

/** What is put out, everywhere the same: `n` always, `platform` as well, `note` perhaps. */
const INFO =
  '{type: object, properties: {platform: {type: string}, n: {type: integer}, note: {type: string}}, required: [platform, n], additionalProperties: false}';

/** Where a value comes from: what stands before the step that reads it, and the path that leads to the value. */
interface Producer {
  readonly inputs?: string;
  readonly steps: string;
  /** In templates and in expressions, where those differ. */
  readonly path: string;
  readonly cel?: string;
  /** On the step that reads. */
  readonly around?: string;
  readonly files?: Files;
}

const put = `run: 'echo {} > "$WF_OUTPUT"', outputs: {info: ${INFO}, list: {type: array, items: ${INFO}}}`;
const PRODUCERS: Readonly<Record<string, Producer>> = {
  'an input': { inputs: `{info: ${INFO}}`, steps: '', path: 'inputs.info' },
  'an input, by a schema in a file': {
    inputs: '{info: {$ref: ../schemas/info.json}}',
    steps: '',
    path: 'inputs.info',
    files: {
      'schemas/info.json':
        '{"$ref": "#/$defs/info", "$defs": {"info": {"type": "object", "properties": {"platform": {"type": "string"}, "n": {"type": "integer"}, "note": {"type": "string"}}, "required": ["platform", "n"], "additionalProperties": false}}}',
    },
  },
  'a command': { steps: `  - {id: p, ${put}}\n`, path: 'steps.p.outputs.info' },
  'a molecule': {
    steps: '  - {id: p, uses: find}\n',
    path: 'steps.p.outputs.info',
    files: { 'molecules/find.yaml': `molecule: find\nrun: 'echo {} > "$WF_OUTPUT"'\noutputs: {info: ${INFO}}\n` },
  },
  'a used formula': {
    steps: '  - {id: p, uses: formula/inner}\n',
    path: 'steps.p.outputs.info',
    files: {
      'formulas/inner.yaml': `formula: inner\nsteps: [{id: x, ${put}}]\noutputs: {info: steps.x.outputs.info}\n`,
    },
  },
  'a formula that a formula uses': {
    steps: '  - {id: p, uses: formula/outer}\n',
    path: 'steps.p.outputs.info',
    files: {
      'formulas/inner.yaml': `formula: inner\nsteps: [{id: x, ${put}}]\noutputs: {all: steps.x.outputs.list}\n`,
      'formulas/outer.yaml':
        'formula: outer\nsteps: [{id: y, uses: formula/inner}]\noutputs: {info: "steps.y.outputs.all[0]"}\n',
    },
  },
  'each of several': {
    steps: `  - {id: p, for_each: [a, b], ${put}}\n`,
    path: 'steps.p.outputs.[0].info',
    cel: 'steps.p.outputs[0].info',
  },
  'an item of a list': {
    steps: `  - {id: p, ${put}}\n`,
    path: 'item',
    around: 'for_each: steps.p.outputs.list',
  },
};

/** What takes a value, as a step or beside one; PATH stands for a path in a template, CEL for one in an expression. */
const CONSUMERS: Readonly<Record<string, string>> = {
  'a command': `AROUND, run: 'echo "{{PATH}}"'`,
  'a word of a command': `AROUND, run: [echo, '{{PATH}}']`,
  'a variable': `AROUND, run: ls, env: {X: '{{PATH}}'}`,
  'a check by command': `AROUND, run: ls, verify: [{run: 'test -n "{{PATH}}"'}]`,
  'a check by expression': 'AROUND, run: ls, verify: [{check: "size(CEL) > outputs.exit_code"}]',
  'an input of a molecule': `AROUND, uses: take, with: {word: '{{PATH}}'}`,
  'an input of a formula': `AROUND, uses: formula/take, with: {word: '{{PATH}}'}`,
  'a part of an input': `AROUND, uses: parts, with: {parts: {words: ['{{PATH}}']}}`,
  'a question': `AROUND, approve: {ask: 'Well, {{PATH}}?'}`,
  'what a question shows': 'AROUND, approve: {ask: Well?, show: ["CEL"]}',
  'a loop': 'AROUND, run: ls, repeat: {until: "size(CEL) > outputs.exit_code", max: 3}',
  'a lock': `AROUND, run: ls, concurrency: {group: 'x-{{PATH}}'}`,
};

/** These stand outside of a loop of their own step. */
const OUTSIDE: Readonly<Record<string, string>> = {
  'a condition': 'run: ls, when: "size(CEL) > 3"',
  'a list to go through': 'run: ls, for_each: "[CEL]"',
};

const TAKERS: Files = {
  'molecules/take.yaml': "molecule: take\ninputs: {word: {type: string}}\nrun: 'echo {{inputs.word}}'\n",
  'formulas/take.yaml':
    "formula: take\ninputs: {word: {type: string}}\nsteps: [{id: s, run: 'echo {{inputs.word}}'}]\n",
  'molecules/parts.yaml':
    "molecule: parts\ninputs: {parts: {type: object, properties: {words: {type: array, items: {type: string}}}}}\nrun: 'echo {{json inputs.parts}}'\n",
};

async function errorsOf(producer: Producer, step: string, property: string): Promise<readonly object[]> {
  const { inputs, steps, path, cel = path, around, files = {} } = producer;
  const written = step
    .replace('AROUND, ', around === undefined ? '' : `${around}, `)
    .replace('PATH', `${path}.${property}`)
    .replace('CEL', `${cel}.${property}`);
  const { diagnostics } = await checkProject(
    memoryLoader({
      ...TAKERS,
      ...files,
      'formulas/a.yaml': `formula: a\n${inputs === undefined ? '' : `inputs: ${inputs}\n`}steps:\n${steps}  - {id: c, ${written}}\n`,
    }),
  );
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ rule, message, help, file }) => ({ rule, message, help, file }));
}

const cells = Object.entries(PRODUCERS).flatMap(([from, producer]) =>
  [
    ...Object.entries(CONSUMERS),
    ...(producer.around === undefined ? Object.entries(OUTSIDE) : []),
  ].map(([to, step]) => [from, to, producer, step] as const),
);

describe('a value is followed to the property', () => {
  it.each(cells)('from %s to %s', async (_, __, producer, step) => {
    expect(await errorsOf(producer, step, 'platform')).toEqual([]);
    expect(await errorsOf(producer, step, 'platfrom')).toEqual([
      {
        rule: 'unknown-reference',
        message: 'property "platfrom" is not in {platform: string, n: int, note?: string}',
        help: 'did you mean "platform"?',
        file: 'formulas/a.yaml',
      },
    ]);
    // One that need not be there asks for a word about that.
    const absent = await errorsOf(producer, step, 'note');
    expect(absent).toMatchObject([{ rule: 'maybe-absent', message: expect.stringContaining('.note" may be absent') as string }]);
  });

  const typed = Object.entries(CONSUMERS).filter(([to]) => /an input of a|a part of an/.test(to));
  it.each(Object.entries(PRODUCERS).flatMap(([from, producer]) => typed.map(([to, step]) => [from, to, producer, step] as const)))(
    'from %s to %s, by its type',
    async (_, __, producer, step) => {
      const [error, ...more] = await errorsOf(producer, step, 'n');
      expect(more).toEqual([]);
      expect(error).toMatchObject({ rule: 'argument-type', message: expect.stringMatching(/takes a string, and this is an integer$/) as string });
    },
  );
});
